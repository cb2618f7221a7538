"""Designs from arrays: names, alignment, matrices of components by group, rows dropped from all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mixedcore.design import design
from mixedcore.design.arrays import from_arrays
from mixedcore.errors import DataError, MissingValuesError, ModelError

RNG = np.random.default_rng(5)
N = 12
Y = RNG.normal(size=N)
X = np.column_stack([np.ones(N), RNG.normal(size=N), RNG.normal(size=N)])
G = np.array(["b", "a", "c"] * 4)
DUMMIES = np.eye(2)[np.repeat([0, 1], 2)]


@dataclass
class Spec:
    """The shape of statsmodels' VCSpec."""

    names: list[str]
    colnames: list[list[list[str]]]
    mats: list[list[Any]]


def test_plain_arrays_get_names_by_position() -> None:
    found = from_arrays(Y, X, G, exog_re=X[:, :2])
    assert found.fe_names == ["const", "x1", "x2"]
    assert found.endog_name == "y"
    assert found.re_names == ("x_re1", "x_re2")
    assert (found.group_name, found.group_labels) == ("Group", ["a", "b", "c"])
    np.testing.assert_array_equal(found.X, X)
    np.testing.assert_array_equal(found.terms[0].blocks[0].basis, X[:, :2])


def test_pandas_objects_give_their_names_and_index() -> None:
    index = pd.Index(list("abcdefghijkl"))
    frame = pd.DataFrame(X, columns=["one", "age", "size"], index=index)
    groups = pd.Series(G, index=index).iloc[::-1]
    found = from_arrays(pd.Series(Y, name="score", index=index), frame, groups, frame[["age"]])
    assert (found.endog_name, found.fe_names, found.re_names) == ("score", ["one", "age", "size"], ("age",))
    assert list(found.row_index) == list(index)
    np.testing.assert_array_equal(found.group_codes, from_arrays(Y, X, G).group_codes)


def test_one_covariate_may_be_a_vector_and_none_may_be_left() -> None:
    assert from_arrays(Y, X[:, 1], G).fe_names == ["x1"]
    assert from_arrays(Y, None, G).X.shape == (N, 0)
    assert from_arrays(list(Y), X.tolist(), list(G)).re_names == ("Intercept",)


def test_arrays_and_formulas_give_the_same_design() -> None:
    data = pd.DataFrame(
        {"y": Y, "u": X[:, 1], "w": X[:, 2], "g": G, "k": [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]}
    )
    one = design.build("y ~ u + w", data, groups="g", re_formula="u", vc_formula={"k": "0 + C(k)"})
    two = from_arrays(Y, X, G, X[:, :2], {"k": dict.fromkeys("abc", DUMMIES)})
    np.testing.assert_array_equal(one.X, two.X)
    for a, b in zip(one.terms, two.terms, strict=True):
        np.testing.assert_array_equal(a.blocks[0].codes, b.blocks[0].codes)
        np.testing.assert_array_equal(a.blocks[0].basis, b.blocks[0].basis)


def test_a_vcspec_in_any_storage_and_order() -> None:
    columns = [["u", "v"]] * 3
    dense = Spec(["s", "r"], [columns, columns], [[DUMMIES] * 3, [DUMMIES[:, ::-1]] * 3])
    thin = Spec(["s", "r"], [columns, columns], [[sparse.csr_array(Z) for Z in mats] for mats in dense.mats])
    for spec in (dense, thin):
        found = from_arrays(Y, X, G, exog_vc=spec)
        assert found.vc_names == ("r", "s")
        block = found.terms[1].blocks[0]
        assert list(block.labels) == ["s[u]", "s[v]"] * 3
        np.testing.assert_array_equal(block.codes, [2, 0, 4, 2, 0, 4, 3, 1, 5, 3, 1, 5])


def test_a_component_of_full_columns_is_one_wide_block() -> None:
    Z = {label: RNG.normal(size=(4, 3)) for label in "abc"}
    (block,) = from_arrays(Y, X, G, exog_vc={"v": Z}).terms[0].blocks
    assert block.width == 3
    for code, label in enumerate("abc"):
        np.testing.assert_array_equal(block.basis[label == G], Z[label])
        assert set(block.codes[label == G]) == {code}


def test_drop_keeps_groups_and_components_aligned() -> None:
    y, x, g = Y.copy(), X.copy(), G.astype(object)
    y[0], x[1, 1], g[2] = np.nan, np.inf, None
    sizes = {"a": 4, "b": 4, "c": 3}
    Z = {label: np.arange(1.0, size + 1)[:, None] for label, size in sizes.items()}
    Z["b"][2] = np.nan
    found = from_arrays(y, x, g, exog_re=x[:, :1], exog_vc={"v": Z}, missing="drop")
    assert found.rows.tolist() == [3, 4, 5, 7, 8, 9, 10, 11]
    np.testing.assert_array_equal(found.y, y[found.rows])
    values = {"b": iter(Z["b"][[1, 3], 0]), "a": iter(Z["a"][1:, 0]), "c": iter(Z["c"][:, 0])}
    expected = [next(values[label]) for label in g[found.rows]]
    np.testing.assert_array_equal(found.terms[1].blocks[0].basis[:, 0], expected)
    assert "missing in endog (1), exog (infinite: 1), groups (1)" in found.notes[0]
    assert found.notes[1] == "1 of 9 rows dropped: no finite value in exog_vc (1)."


def test_new_rows_are_an_array_of_the_same_width() -> None:
    found = from_arrays(Y, X, G)
    new, index = found.fixed_matrix(X[:2])
    np.testing.assert_array_equal(new, X[:2])
    assert list(index) == [0, 1]
    with pytest.raises(DataError, match="2 columns and the model has 3"):
        found.fixed_matrix(X[:, :2])


REFUSED: dict[str, tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = {
    "no groups": ((Y, X, None), {}, ModelError, "`groups` says"),
    "gaps": ((np.r_[np.nan, Y[1:]], X, G), {}, MissingValuesError, r"endog \(1\)"),
    "gaps in a component": (
        (Y, X, G),
        {"exog_vc": {"v": dict.fromkeys("abc", np.full((4, 1), np.nan))}},
        MissingValuesError,
        "exog_vc has no finite value in 12 of 12",
    ),
    "text": ((list("abcdefghijkl"), X, G), {}, DataError, "endog holds values that are not numbers"),
    "two outcomes": ((X, X, G), {}, DataError, "endog must be one number a row"),
    "lengths": ((Y, X[:5], G), {}, DataError, "'exog' has 5 rows where the others have 12"),
    "dimensions": ((Y, np.zeros((2, 2, 2)), G), {}, DataError, "not 3"),
    "indexes": (
        (pd.Series(Y), pd.Series(Y, index=range(1, N + 1)), G),
        {},
        DataError,
        "indexes of endog and exog",
    ),
    "constant": ((np.ones(N), X, G), {}, ModelError, "is 1 in all 12 rows"),
    "one group": ((Y, X, np.ones(N)), {}, ModelError, "All rows are in one group"),
    "too few rows": ((Y[:3], X[:3], G[:3]), {}, ModelError, "3 rows cannot support 3"),
    "absent group": ((Y, X, G), {"exog_vc": {"v": {"a": DUMMIES}}}, DataError, "no matrix for the group 'b'"),
    "wrong shape": (
        (Y, X, G),
        {"exog_vc": {"v": dict.fromkeys("abc", DUMMIES[:2])}},
        DataError,
        r"shape \(2, 2\) and 2 column names for the group 'a', which has 4 rows",
    ),
    "too few matrices": (
        (Y, X, G),
        {"exog_vc": Spec(["v"], [[["u"]]], [[DUMMIES]])},
        DataError,
        "1 matrices for 3",
    ),
    "zero": (
        (Y, X, G),
        {"exog_vc": {"v": dict.fromkeys("abc", 0 * DUMMIES)}},
        ModelError,
        "zero in every row",
    ),
    "no spec": ((Y, X, G), {"exog_vc": 3}, ModelError, "must be a VCSpec"),
}


@pytest.mark.parametrize(("arrays", "arguments", "error", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_what_was_found(
    arrays: tuple[Any, ...], arguments: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        from_arrays(*arrays, **arguments)
