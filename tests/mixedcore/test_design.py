"""Formulas and data to y, X and the group term: against patsy, invariances, every sentence of refusal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixedcore.data.frame import make_frame
from mixedcore.data.tables import open_table
from mixedcore.design import design
from mixedcore.design.groups import make_grouping
from mixedcore.errors import DataError, FormulaError, MissingValuesError, ModelError

RNG = np.random.default_rng(7)
N = 24
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=N),
        "x": RNG.uniform(1, 2, size=N),
        "z": RNG.normal(size=N),
        "c": list("abca") * 6,
        "k": [1, 2, 3] * 8,
        "odd name": RNG.normal(size=N),
        "flag": [True, False] * 12,
        "school": np.repeat(["s2", "s1", "s10"], 8),
        "class": [1, 1, 1, 1, 2, 2, 2, 2] * 3,
    }
)
DATA["level"] = pd.Categorical(DATA["c"], categories=["c", "a", "b", "unused"])


def build(
    formula: Any = "y ~ x", data: Any = DATA, groups: Any = "school", **arguments: Any
) -> design.Design:
    return design.build(formula, data, groups=groups, **arguments)


FORMULAS = (
    "y ~ x",
    "y ~ 0",
    "y ~ 1",
    "y ~ 0 + c",
    "y ~ x * c + z",
    "y ~ C(k) * flag",
    "y ~ C(k, Sum):x",
    "y ~ C(c, Treatment('b')) + np.log(x)",
    "y ~ center(x) + bs(z, 4) + I(x ** 2)",
    'y ~ Q("odd name") / c',
    "np.exp(y) ~ level + (x + z) ** 2",
)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_fixed_part_is_what_patsy_makes(formula: str) -> None:
    data = DATA.assign(level=DATA["level"].cat.remove_unused_categories())
    y, X = patsy.dmatrices(formula if formula != "y ~ 0" else "y ~ x", data)
    found = build(formula)
    np.testing.assert_array_equal(found.y, np.asarray(y)[:, 0])
    if formula == "y ~ 0":
        assert found.X.shape == (N, 0)
        assert found.fe_names == []
    else:
        np.testing.assert_array_equal(found.X, np.asarray(X))
        assert found.fe_names == X.design_info.column_names
    assert found.X.flags.f_contiguous
    assert found.endog_name == y.design_info.column_names[0]


@pytest.mark.parametrize("formula", FORMULAS)
def test_new_data_are_coded_as_the_fit_was(formula: str) -> None:
    fitted = build(formula)
    rows = [5, 3, 20]
    X, index = fitted.fixed_matrix(DATA.drop(columns="y").iloc[rows])
    np.testing.assert_allclose(X, fitted.X[rows], rtol=1e-13, atol=1e-13)
    assert list(index) == rows


def test_new_rows_without_a_value_are_left_out() -> None:
    new = DATA.iloc[:4].assign(x=[1.0, np.nan, 0.0, 2.0])
    X, index = build("y ~ np.log(x)").fixed_matrix(new)
    np.testing.assert_allclose(X, [[1, 0], [1, np.log(2)]])
    assert list(index) == [0, 3]


def test_new_data_may_say_what_is_wrong_with_them() -> None:
    fitted = build("y ~ x + c + C(k)")
    new = DATA.iloc[:2]
    with pytest.raises(FormulaError, match="no column 'x' in the data"):
        fitted.fixed_matrix(new.drop(columns="x"))
    with pytest.raises(DataError, match="'c' holds 'q', which the fit has not seen"):
        fitted.fixed_matrix(new.assign(c="q"))
    with pytest.raises(FormulaError, match=r"the fit has not seen the value 9"):
        fitted.fixed_matrix(new.assign(k=9))


def test_the_group_term_by_default_is_an_intercept() -> None:
    found = build()
    (term,) = found.terms
    assert (term.name, term.role, term.structure, term.columns) == ("school", "group", "full", ("Intercept",))
    assert found.group_labels == ["s1", "s10", "s2"]
    assert list(term.levels) == found.group_labels
    np.testing.assert_array_equal(found.group_codes, np.repeat([2, 0, 1], 8))
    np.testing.assert_array_equal(term.blocks[0].basis, np.ones((N, 1)))


@pytest.mark.parametrize("re_formula", ["x + center(z)", "~ x + center(z)", "1 + x + center(z)"])
def test_the_group_term_is_evaluated_once_on_all_rows(re_formula: str) -> None:
    (term,) = build(re_formula=re_formula).terms
    assert term.columns == ("Intercept", "x", "center(z)")
    np.testing.assert_allclose(term.blocks[0].basis[:, 2], DATA["z"] - DATA["z"].mean(), atol=1e-15)
    assert term.blocks[0].labels[:4] == ("school", "x", "center(z)", "school")


def test_no_group_term_beside_components_unless_asked_for() -> None:
    vc = {"z": "0 + z", "a": "0 + C(c)"}
    assert [t.name for t in build(vc_formula=vc).terms] == ["a", "z"]
    assert [t.name for t in build(vc_formula=vc, re_formula="0").terms] == ["a", "z"]
    found = build(vc_formula=vc, re_formula="1")
    assert [t.name for t in found.terms] == ["school", "a", "z"]
    assert found.vc_names == ("a", "z")
    assert found.re_names == ("Intercept",)


def test_groups_as_an_array_are_called_group() -> None:
    found = build(groups=DATA["class"].to_numpy())
    assert (found.group_name, found.group_labels) == ("Group", [1, 2])


def test_labels_of_mixed_types_and_gaps_are_labels() -> None:
    assert build(groups=np.array(["b", 1] * 12, dtype=object)).group_labels == [1, "b"]
    gaps = pd.array([1, None, 2] * 8, dtype="Int64")
    found = build(groups=gaps, missing="drop")
    assert [(type(label), label) for label in found.group_labels] == [(int, 1), (int, 2)]


def test_bars_name_their_own_groups() -> None:
    found = design.build('y ~ x + (1 + x | school/Q("class")) + (z || c)', DATA)
    assert [(t.name, t.structure, t.columns) for t in found.terms] == [
        ("school", "full", ("Intercept", "x")),
        ("school:class", "full", ("Intercept", "x")),
        ("c", "diagonal", ("Intercept", "z")),
    ]
    assert list(found.terms[1].levels[:2]) == ["s1 / 1", "s1 / 2"]
    assert found.fe_names == ["Intercept", "x"]
    assert found.group_name == "school"
    cells = DATA.groupby(["school", "class"]).ngroup()
    np.testing.assert_array_equal(found.terms[1].blocks[0].codes, cells)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(N)))
def test_row_order_permutes_the_design_and_nothing_else(order: list[int]) -> None:
    arguments: dict[str, Any] = {"re_formula": "x", "vc_formula": {"c": "0 + C(c)", "m": "center(z)"}}
    one, two = build("y ~ x * c", **arguments), build("y ~ x * c", DATA.iloc[order], **arguments)
    np.testing.assert_array_equal(two.X, one.X[order])
    np.testing.assert_array_equal(two.y, one.y[order])
    assert (two.fe_names, two.group_labels) == (one.fe_names, one.group_labels)
    assert list(two.row_index) == order
    for before, after in zip(one.terms, two.terms, strict=True):
        for a, b in zip(before.blocks, after.blocks, strict=True):
            np.testing.assert_array_equal(b.codes, a.codes[order])
            np.testing.assert_allclose(b.basis, a.basis[order], atol=1e-14)
            assert list(a.labels) == list(b.labels)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=N, max_size=N))
def test_the_index_changes_nothing_but_the_row_labels(index: list[int]) -> None:
    one, two = build(vc_formula={"c": "C(c)"}), build(data=DATA.set_axis(index), vc_formula={"c": "C(c)"})
    np.testing.assert_array_equal(one.X, two.X)
    for a, b in zip(one.terms[0].blocks, two.terms[0].blocks, strict=True):
        np.testing.assert_array_equal(a.codes, b.codes)
    assert list(two.row_index) == index


def test_new_labels_for_the_groups_change_only_the_labels() -> None:
    renamed = DATA.assign(school=DATA["school"].map({"s1": 1.5, "s10": 2.5, "s2": 3.5}))
    found = build(data=renamed)
    np.testing.assert_array_equal(found.group_codes, build().group_codes)
    assert found.group_labels == [1.5, 2.5, 3.5]


def test_an_array_of_the_caller_stays_paired_with_the_rows() -> None:
    age = np.arange(N, dtype=float)
    found = design.build("y ~ age", DATA, groups="school", subset=DATA["x"] > 1.2)
    np.testing.assert_array_equal(found.X[:, 1], age[DATA["x"] > 1.2])


def test_eval_env_says_where_names_are_looked_up() -> None:
    factor = 3.0

    def outer(depth: int) -> design.Design:
        return design.build("y ~ I(x * factor)", DATA, groups="school", eval_env=depth)

    np.testing.assert_array_equal(outer(1).X[:, 1], DATA["x"] * factor)
    for depth in (0, -1):
        with pytest.raises(FormulaError, match="no column 'factor'"):
            outer(depth)
    env = patsy.EvalEnvironment([{"factor": 2.0}])
    found = design.build("y ~ I(x * factor)", DATA, groups="school", eval_env=env)
    np.testing.assert_array_equal(found.X[:, 1], DATA["x"] * 2)
    with pytest.raises(ModelError, match="eval_env must be"):
        outer(-2)
    with pytest.raises(ModelError, match="deeper than the stack"):
        outer(10_000)


def test_a_patsy_modeldesc_is_a_formula() -> None:
    desc = patsy.ModelDesc.from_formula("y ~ x * c")
    np.testing.assert_array_equal(build(desc).X, build("y ~ x * c").X)


def test_gaps_are_dropped_over_all_parts_together_and_reported() -> None:
    data = DATA.copy()
    data.loc[0, "z"], data.loc[1, "c"], data.loc[2, "x"] = np.nan, None, 0.0
    found = build("y ~ np.log(x)", data, vc_formula={"c": "0 + C(c)", "z": "0 + z"}, missing="drop")
    assert found.rows.tolist() == list(range(3, N))
    assert found.notes == (
        "2 of 24 rows dropped: missing in c (1), z (1).",
        "1 of 22 rows dropped: no finite value in np.log(x) (1).",
    )
    with pytest.raises(MissingValuesError, match=r"np\.log\(x\) has no finite value in 1 of 24 rows"):
        build("y ~ np.log(x)", data.assign(z=1.0, c="a"))


def test_values_that_are_converted_are_noted() -> None:
    text = DATA.assign(k=DATA["k"].astype(str))
    assert build("y ~ k", text).notes == ("k is text, though its values are numbers: used as 3 categories.",)
    assert build("y ~ C(k)", text).notes == ()
    assert build("flag ~ x").notes == ("flag is true or false: used as 1 and 0.",)
    assert build("y ~ level").notes == ("level: 1 categories without rows were left out (unused).",)


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no groups": ({"groups": None}, ModelError, "Say which rows belong together"),
    "unknown group": (
        {"groups": "scool"},
        FormulaError,
        "no grouping column 'scool' in the data; did you mean 'school'",
    ),
    "unknown column": (
        {"formula": "y ~ xx + c"},
        FormulaError,
        "no column 'xx' in the data; did you mean 'x'",
    ),
    "unknown in re": ({"re_formula": "q7"}, FormulaError, "no column 'q7'"),
    "unknown in vc": ({"vc_formula": {"v": "0 + q7"}}, FormulaError, "no column 'q7'"),
    "unknown function": (
        {"formula": "y ~ log(x)"},
        FormulaError,
        r"no function 'log' in 'log\(x\)'; write np.log",
    ),
    "no outcome": ({"formula": "x"}, FormulaError, "no outcome"),
    "two outcomes": ({"formula": "y + z ~ x"}, FormulaError, "one outcome"),
    "empty": ({"formula": " "}, FormulaError, "is empty"),
    "no formula": ({"formula": 3}, FormulaError, "must be text or a patsy ModelDesc, not int"),
    "syntax": ({"formula": "y ~ x + ("}, FormulaError, "cannot be"),
    "reserved word": ({"formula": "y ~ class"}, FormulaError, r"write Q\('class'\)"),
    "outcome as predictor": ({"formula": "y ~ x + y"}, ModelError, "y is the outcome and also a predictor"),
    "outcome as slope": ({"re_formula": "y"}, ModelError, "the outcome and also"),
    "text outcome": ({"formula": "c ~ x"}, DataError, "outcome c is text with 3 different values"),
    "constant outcome": ({"formula": "I(0 * y + 3) ~ x"}, ModelError, "is 3 in all 24 rows"),
    "more columns than rows": ({"formula": "y ~ bs(x, 25)"}, ModelError, "24 rows cannot support 26 fixed"),
    "one group": ({"groups": np.ones(N)}, ModelError, r"All rows are in one group \(Group = 1.0\)"),
    "one row a group": ({"groups": np.arange(N)}, ModelError, "Every group of Group has one row"),
    "no random effects": ({"re_formula": "0"}, ModelError, "leaves no random effects"),
    "re with outcome": ({"re_formula": "y ~ x"}, FormulaError, "re_formula has no outcome"),
    "vc no mapping": ({"vc_formula": "0 + C(c)"}, ModelError, "is a mapping"),
    "vc without columns": ({"vc_formula": {"c": "0"}}, ModelError, "'c' has no columns"),
    "vc a row each": ({"vc_formula": {"v": "0 + C(x)"}}, ModelError, "one row in every level"),
    "bars and groups": ({"formula": "y ~ (1 | c)"}, ModelError, "name their own groups"),
    "wrong rows": ({"formula": "y ~ np.ones(3)"}, FormulaError, "gives 3 values for the 24 rows"),
    "infinite number": (
        {"formula": "y ~ np.inf", "missing": "drop"},
        FormulaError,
        "gives 1 values for",
    ),
    "no value": ({"formula": "y ~ None"}, FormulaError, "'None': it has no value"),
    "transform's own words": ({"formula": "y ~ bs(x)"}, FormulaError, "must specify either df or knots"),
    "too deep": ({"formula": "y ~ I(" + "-" * 3000 + "x)"}, FormulaError, "too deeply nested"),
    "labels that are lists": (
        {"data": {"y": DATA["y"], "x": DATA["x"], "school": [[1], [2, 3]] * 12}},
        DataError,
        "cannot be labels",
    ),
    "hidden function": (
        {"formula": "y ~ center + center(x)", "data": DATA.assign(center=2.0)},
        FormulaError,
        "column 'center' hides the function center",
    ),
    "failing term": ({"formula": "y ~ I(c / x)"}, FormulaError, r"I\(c / x\)"),
}


@pytest.mark.parametrize(("arguments", "error", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_what_was_found(
    arguments: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as caught:
        build(**arguments)
    assert "\n" not in str(caught.value)


def test_numbers_stored_as_text_are_recognised() -> None:
    with pytest.raises(DataError, match="values are numbers stored otherwise"):
        build("t ~ x", DATA.assign(t=[str(i) for i in range(N)]))


def test_fifty_thousand_levels_are_refused_before_any_matrix() -> None:
    n = 50_000
    data = pd.DataFrame({"y": np.arange(n), "id": [f"i{i}" for i in range(n)], "g": np.arange(n) % 7})
    with pytest.raises(ModelError, match="id has 50,000 levels, too many"):
        build("y ~ id", data, groups="g")


def test_a_column_may_have_the_name_of_a_function() -> None:
    data = DATA.assign(C=1.0, center=2.0)
    assert build("y ~ C(k) + center(x)", data).fe_names == [
        "Intercept",
        "C(k)[T.2]",
        "C(k)[T.3]",
        "center(x)",
    ]


def test_a_two_dimensional_column_of_a_dict_is_several_predictors() -> None:
    columns = {"y": DATA["y"].to_numpy(), "m": RNG.normal(size=(N, 2)), "g": DATA["school"].to_numpy()}
    assert build("y ~ m", columns, groups="g").fe_names == ["Intercept", "m[0]", "m[1]"]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64", "Int64", "float64"])
@pytest.mark.parametrize("labels", [[0, 1, 2], [-100, 3, 100], [5, 90, 7], [120, 121, 126]])
def test_whole_numbers_make_the_same_groups_whatever_their_type(labels: list[int], dtype: str) -> None:
    if min(labels) < 0 and dtype.startswith("u"):
        labels = [label + 100 for label in labels]
    column = pd.Series(np.tile(labels, 4)).astype(dtype)
    found = make_grouping(make_frame(open_table({"g": column}), ("g",)).group_labels("g"), "g")
    assert found.labels == sorted(labels)
    assert [found.labels[code] for code in found.codes] == labels * 4


def test_a_label_beyond_the_counted_range_is_a_label() -> None:
    far = pd.Series([2**63 + 5, 2**63 + 6] * 3, dtype="uint64")
    found = make_grouping(far, "g")
    assert found.labels == [2**63 + 5, 2**63 + 6]
    assert found.codes.tolist() == [0, 1] * 3
