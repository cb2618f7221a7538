"""Variance components: Z rebuilt from blocks equals patsy's matrix of every group, by every route."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixedcore.design import design
from mixedcore.design.factors import elementwise
from mixedcore.errors import MissingValuesError, ModelError
from mixedcore.terms import Block, RandomTerm

RNG = np.random.default_rng(11)
N = 60
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=N),
        "x": RNG.normal(size=N),
        "z": RNG.uniform(1, 3, size=N),
        "zeros": RNG.integers(0, 2, size=N).astype(float),
        "a": RNG.choice(list("pqrs"), size=N),
        "b": RNG.integers(1, 4, size=N),
        "flag": RNG.integers(0, 2, size=N).astype(bool),
        "g": RNG.integers(0, 6, size=N),
    }
).assign(alone=lambda d: np.where(d["g"] == 2, "only", d["a"]), true=lambda d: d["flag"] | (d["g"] == 1))
DATA["ordered"] = pd.Categorical(DATA["a"], categories=["s", "r", "unused", "q", "p"])

FORMULAS = (
    "0 + C(a)",
    "0 + a",
    "0 + ordered",
    "0 + C(b)",
    "0 + flag",
    "0 + C(a):z",
    "0 + z:C(a)",
    "0 + C(a):zeros",
    "0 + C(a):C(b)",
    "0 + C(a):C(b):z",
    "0 + C(a):x:z",
    "0 + I(z > 2)",
    "1",
    "0 + z",
    "z",
    "1 + z + I(z ** 2)",
    "0 + np.log(z) + x:z",
    "C(a)",
    "1 + alone",
    "C(ordered)",
    "1 + flag",
    "1 + true",
    "0 + C(a) + C(b)",
    "0 + C(a) + C(a):z",
    "0 + C(a) + C(a):x",
    "C(a) * z",
    "0 + zeros + flag",
    "0 + center(z)",
    "center(z) + standardize(x)",
    "0 + bs(z, 4)",
    "0 + C(a, Sum)",
    "1 + C(b, Treatment(reference=1))",
    "0 + I(z - z.mean())",
)


def dense(block: Block) -> np.ndarray:
    """Z of one block, (n, m q)."""
    Z = np.zeros((len(block.codes), block.n_levels, block.width))
    Z[np.arange(len(block.codes)), block.codes] = block.basis
    return Z.reshape(len(block.codes), -1)


def columns_of(term: RandomTerm) -> dict[tuple[int, str], tuple[float, ...]]:
    """Columns of Z that are not zero, by group and label."""
    found: dict[tuple[int, str], tuple[float, ...]] = {}
    for block in term.blocks:
        assert len(block.labels) == block.n_levels * block.width
        groups = np.repeat(block.group_of_level, block.width)
        for group, label, column in zip(groups, block.labels, dense(block).T, strict=True):
            if column.any():
                assert (group, label) not in found
                found[int(group), label] = tuple(np.round(column, 12))
    return found


def columns_of_patsy(formula: str, data: pd.DataFrame, name: str) -> dict[tuple[int, str], tuple[float, ...]]:
    """The same from patsy, group by group; a category without rows in the group is left out."""
    found: dict[tuple[int, str], tuple[float, ...]] = {}
    for code, (_, rows) in enumerate(data.reset_index(drop=True).groupby("g")):
        part = rows.assign(ordered=rows["ordered"].cat.remove_unused_categories())
        Z = patsy.dmatrix(formula, part, return_type="dataframe")
        for label in Z:
            column = np.zeros(len(data))
            column[rows.index] = Z[label]
            if column.any():
                found[code, f"{name}[{label}]"] = tuple(np.round(column, 12))
    return found


def component(formula: str, data: pd.DataFrame = DATA, **arguments: Any) -> RandomTerm:
    return design.build("y ~ 1", data, groups="g", vc_formula={"v": formula}, **arguments).terms[0]


@pytest.mark.parametrize("formula", FORMULAS)
def test_blocks_hold_the_matrix_that_patsy_makes_of_each_group(formula: str) -> None:
    term = component(formula)
    assert (term.role, term.structure) == ("component", "isotropic")
    expected = columns_of_patsy(formula, DATA, "v")
    assert columns_of(term) == expected
    assert expected


@pytest.mark.parametrize("formula", ["0 + C(a):z", "C(a)", "0 + C(a) + C(b)", "center(z)"])
@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(N)))
def test_row_order_permutes_the_columns_and_nothing_else(formula: str, order: list[int]) -> None:
    one, two = columns_of(component(formula)), columns_of(component(formula, DATA.iloc[order]))
    assert one.keys() == two.keys()
    for key, column in one.items():
        np.testing.assert_allclose(np.array(column)[order], two[key], atol=1e-11)


@pytest.mark.parametrize("formula", FORMULAS)
def test_each_level_lies_in_one_group(formula: str) -> None:
    for block in component(formula).blocks:
        np.testing.assert_array_equal(block.group_of_level[block.codes], DATA["g"])
        assert sorted(set(block.codes)) == list(range(block.n_levels))


def test_labels_that_repeat_over_groups_are_levels_of_their_own() -> None:
    """Class 'a' of school 1 is not class 'a' of school 2, whether or not the labels say so."""
    distinct = DATA.assign(a=DATA["g"].astype(str) + DATA["a"])
    one, two = component("0 + C(a)"), component("0 + C(a)", distinct)
    np.testing.assert_array_equal(one.blocks[0].codes, two.blocks[0].codes)


def test_one_factor_makes_one_block_and_intercept_with_dummies_two() -> None:
    assert [block.width for block in component("0 + C(a)").blocks] == [1]
    assert [block.width for block in component("1 + z + x").blocks] == [3]
    assert [block.width for block in component("C(a)").blocks] == [1, 1]
    assert [block.width for block in component("center(z)").blocks] == [2]


def test_crossed_factors_come_through_one_constant_group() -> None:
    data = DATA.assign(one=1)
    found = design.build("y ~ 1", data, groups="one", vc_formula={"a": "0 + C(a)", "b": "0 + C(b)"})
    assert [block.n_levels for term in found.terms for block in term.blocks] == [4, 3]
    assert list(found.terms[0].blocks[0].labels) == ["a[C(a)[p]]", "a[C(a)[q]]", "a[C(a)[r]]", "a[C(a)[s]]"]


def test_thousands_of_levels_never_make_a_dense_matrix() -> None:
    """3,000 levels × 70,000 rows would be 1.7 GB; patsy's coding matrix alone 72 MB."""
    n = 70_000
    data = pd.DataFrame({"y": RNG.normal(size=n), "s": RNG.integers(0, 3000, size=n), "one": 1})
    found = design.build("y ~ 1", data, groups="one", vc_formula={"s": "0 + C(s)"})
    assert found.terms[0].blocks[0].n_levels == 3000
    assert found.terms[0].blocks[0].basis.shape == (n, 1)


def test_a_gap_made_within_a_group_is_found_and_dropped() -> None:
    data = DATA.assign(z=DATA["z"].where(DATA.index != 5, 0.0))
    with np.errstate(divide="ignore"):
        logs = np.log(data["z"])
    assert not np.isfinite(logs[5])
    for formula in ("0 + np.log(z)", "0 + I(np.log(z) + 0 * np.cumsum(x))"):
        found = design.build("y ~ 1", data, groups="g", vc_formula={"v": formula}, missing="drop")
        assert 5 not in found.rows
        with pytest.raises(MissingValuesError, match=r"log\(z\)"):
            component(formula, data)


def test_a_component_with_a_level_for_each_row_is_refused() -> None:
    with pytest.raises(ModelError, match="'v' has one row in every level"):
        component("0 + C(y)")


ELEMENTWISE = {
    "x": True,
    "C(x)": True,
    "Q('x y')": True,
    "I(x ** 2 / 3)": True,
    "np.log(x)": True,
    "np.where(x > 1, 0, 1)": True,
    "I(-x < 2)": True,
    "np.mean(x)": False,
    "np.cumsum(x)": False,
    "center(x)": False,
    "C(x, Sum)": False,
    "bs(x, 4)": False,
    "f(x)": False,
    "x.rank()": False,
    "np.add.accumulate(x)": False,
    "I(C(x) + 1)": False,
}


@pytest.mark.parametrize(("code", "expected"), ELEMENTWISE.items())
def test_only_what_surely_depends_on_one_row_skips_the_pass_by_group(code: str, expected: bool) -> None:
    factor = patsy.ModelDesc.from_formula(f"0 + {code}").rhs_termlist[0].factors[0]
    assert elementwise(factor, patsy.EvalEnvironment([{"np": np}])) is expected
