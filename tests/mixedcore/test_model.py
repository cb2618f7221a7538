"""`mixedlm` and `MixedLM`: every argument means what it says, on the seed's own example."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import patsy
import pytest
from patsy.eval import EvalEnvironment

import mixedcore
from mixedcore import FormulaError, MixedCoreError, MixedLM, MixedLMResults, VCSpec, datasets, mixedlm
from mixedcore.errors import DataError, MissingValuesError, ModelError

SCORE = "test_score ~ age + pretest"
CLASSES = {"classroom": "0 + C(classroom)"}
DATA = datasets.load("classrooms")
SMALL = DATA[DATA["school"].isin([f"S0{k}" for k in range(1, 9)])]

SAME = 1e-6  # two searches end within 1e-12 of the same criterion, so variances agree to about 1e-6


def fit(data: Any = DATA, formula: Any = SCORE, **arguments: Any) -> MixedLMResults:
    reml = arguments.pop("reml", True)
    return mixedlm(formula, data, **{"groups": "school", **arguments}).fit(reml=reml)


def same(one: MixedLMResults, two: MixedLMResults) -> None:
    assert list(one.params.index) == list(two.params.index)
    assert one.params.to_numpy() == pytest.approx(two.params.to_numpy(), rel=SAME, abs=SAME)
    assert one.llf == pytest.approx(two.llf, abs=1e-8)
    assert one.nobs == two.nobs


# -- the seed's three examples -----------------------------------------------------------------------------


def test_classrooms_nested_in_schools() -> None:
    result = fit(re_formula="1", vc_formula=CLASSES)
    assert list(result.params.index) == ["Intercept", "age", "pretest", "school Var", "classroom Var"]
    assert result.model.k_vc == 1
    assert len(result.tidy("blups").query("group == 'classroom'")) == 58
    assert result.converged
    assert not result.singular


def test_an_independent_random_slope() -> None:
    result = fit(re_formula="1", vc_formula={**CLASSES, "pretest": "0 + pretest"})
    assert list(result.params.index)[3:] == ["school Var", "classroom Var", "pretest Var"]
    assert result.vcomp == pytest.approx(result.scale * result.params.iloc[4:].to_numpy())
    assert len(result.tidy("blups").query("group == 'pretest'")) == 20


def test_intercept_and_slope_correlated() -> None:
    result = fit(re_formula="1 + pretest", vc_formula=CLASSES)
    truth = dict(datasets.describe("classrooms").truth)
    assert list(result.cov_re.index) == ["school", "pretest"]
    # The truth lies within the estimates' own uncertainty: 20 schools, 58 classes.
    sds = np.sqrt(np.diag(result.cov_re))
    assert sds == pytest.approx([truth["sd school"], truth["sd school pretest"]], rel=0.35)
    assert np.sqrt(result.vcomp) == pytest.approx([truth["sd classroom"]], rel=0.35)
    assert result.sigma == pytest.approx(truth["sd residual"], rel=0.06)
    low, high = result.conf_int().loc["pretest"]
    assert low < truth["pretest"] < high


def test_bar_notation_is_the_same_model() -> None:
    bars = mixedlm(f"{SCORE} + (1 + pretest | school) + (1 | school:classroom)", DATA).fit()
    seed = fit(re_formula="1 + pretest", vc_formula=CLASSES)
    assert bars.llf == pytest.approx(seed.llf, abs=1e-8)
    assert bars.fe_params.to_numpy() == pytest.approx(seed.fe_params.to_numpy(), rel=SAME)
    assert bars.resid.to_numpy() == pytest.approx(seed.resid.to_numpy(), abs=1e-4)


# -- formula, re_formula, vc_formula -----------------------------------------------------------------------


def test_from_formula_is_mixedlm() -> None:
    same(
        MixedLM.from_formula(SCORE, DATA, groups="school", vc_formula=CLASSES).fit(), fit(vc_formula=CLASSES)
    )


def test_a_formula_may_be_a_patsy_modeldesc() -> None:
    same(fit(formula=patsy.ModelDesc.from_formula(SCORE)), fit())


@pytest.mark.parametrize("re_formula", ["pretest", "1 + pretest", "~pretest", "~ 1 + pretest"])
def test_re_formula_with_or_without_tilde(re_formula: str) -> None:
    same(fit(re_formula=re_formula), fit(re_formula="1 + pretest"))


def test_no_re_formula_is_an_intercept_unless_there_are_components() -> None:
    same(fit(), fit(re_formula="1"))
    assert list(fit(vc_formula=CLASSES).params.index)[3:] == ["classroom Var"]
    same(fit(re_formula="0", vc_formula=CLASSES), fit(vc_formula=CLASSES))
    with pytest.raises(ModelError, match="no random effects"):
        mixedlm(SCORE, DATA, groups="school", re_formula="0")


def test_components_come_in_sorted_order_whatever_the_mapping() -> None:
    parts = {"zeta": "0 + C(classroom)", "alpha": "0 + pretest"}
    result = fit(vc_formula=parts)
    assert list(result.params.index)[3:] == ["alpha Var", "zeta Var"]
    same(result, fit(vc_formula=dict(reversed(parts.items()))))


# -- groups ------------------------------------------------------------------------------------------------


def test_groups_as_column_array_list_or_series() -> None:
    named = fit()
    for groups in (DATA["school"].to_numpy(), list(DATA["school"]), DATA["school"]):
        result = fit(groups=groups)
        assert result.params.to_numpy() == pytest.approx(named.params.to_numpy(), rel=SAME)
        assert list(result.params.index)[3:] == ["Group Var"]
        assert list(result.random_effects) == list(named.random_effects)


def test_a_series_of_groups_is_paired_by_its_index() -> None:
    shuffled = DATA["school"].sample(frac=1, random_state=1)
    assert fit(groups=shuffled).llf == pytest.approx(fit().llf, abs=1e-9)
    by_position = fit(groups=shuffled.to_numpy())
    assert by_position.llf < fit().llf - 10


def test_groups_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="949 rows"):
        mixedlm(SCORE, DATA, groups=[1, 2, 3])
    with pytest.raises(FormulaError, match="school"):
        mixedlm(SCORE, DATA, groups="scool")
    with pytest.raises(ModelError, match="groups='column'"):
        mixedlm(SCORE, DATA)
    with pytest.raises(ModelError, match="at least two"):
        mixedlm(SCORE, DATA.assign(one=1), groups="one")


# -- subset and missing ------------------------------------------------------------------------------------

KEEP = (DATA["age"] > 12.3).to_numpy()
SUBSETS: dict[str, Any] = {
    "booleans": KEEP,
    "list of booleans": KEEP.tolist(),
    "boolean series": pd.Series(KEEP, index=DATA.index),
    "boolean series in another order": pd.Series(KEEP, index=DATA.index).sample(frac=1, random_state=0),
    "positions": np.flatnonzero(KEEP),
    "labels": DATA.index[KEEP],
}


@pytest.mark.parametrize("subset", SUBSETS.values(), ids=SUBSETS)
def test_subset_selects_rows(subset: Any) -> None:
    result = fit(subset=subset, vc_formula=CLASSES)
    assert result.nobs == KEEP.sum() < len(DATA)
    same(result, fit(DATA[KEEP], vc_formula=CLASSES))
    assert list(result.resid.index) == list(DATA.index[KEEP])


def test_subset_by_text_labels() -> None:
    data = DATA.set_index(DATA["student"].astype(str))
    same(fit(data, subset=data.index[KEEP]), fit(DATA[KEEP]))


@pytest.fixture
def gaps() -> pd.DataFrame:
    """One gap in each kind of used column, in rows of their own."""
    data = DATA.astype({"test_score": float, "pretest": float, "school": object, "classroom": object})
    for row, column in enumerate(["test_score", "age", "pretest", "school", "classroom"]):
        data.loc[10 * row, column] = None
    return data


@pytest.mark.parametrize("missing", ["none", "raise"])
def test_gaps_are_an_error_that_names_columns_and_rows(gaps: pd.DataFrame, missing: str) -> None:
    with pytest.raises(MissingValuesError) as error:
        mixedlm(SCORE, gaps, groups="school", vc_formula=CLASSES, missing=missing)
    for name in ("test_score (1)", "age (1)", "pretest (1)", "school (1)", "classroom (1)", "5 of 949"):
        assert name in str(error.value)


def test_drop_keeps_everything_aligned(gaps: pd.DataFrame) -> None:
    result = fit(gaps, missing="drop", re_formula="pretest", vc_formula=CLASSES)
    kept = DATA.drop(index=[0, 10, 20, 30, 40])
    same(result, fit(kept, re_formula="pretest", vc_formula=CLASSES))
    assert result.resid.index.equals(kept.index)
    assert result.nobs == 944
    assert any("5 of 949 rows dropped" in note for note in result.notes)


def test_drop_without_gaps_drops_nothing() -> None:
    assert fit(missing="drop").notes == fit().notes
    with pytest.raises(DataError, match="missing='ignore'"):
        mixedlm(SCORE, DATA, groups="school", missing="ignore")


# -- eval_env ----------------------------------------------------------------------------------------------


def halved(values: Any) -> Any:
    return values / 2


def test_functions_and_variables_of_the_caller() -> None:
    tenth = 0.1
    weights = np.linspace(1, 2, len(DATA))
    formula = "test_score ~ halved(age) + I(pretest * tenth) + weights"
    result = mixedlm(formula, DATA, groups="school").fit()
    plain = DATA.assign(half=DATA["age"] / 2, p=DATA["pretest"] * tenth, w=weights)
    expected = fit(plain, "test_score ~ half + p + w")
    assert result.params.to_numpy() == pytest.approx(expected.params.to_numpy(), rel=SAME)


def in_a_frame_below(eval_env: Any) -> MixedLMResults:
    scale = 2.0
    assert scale == 2.0
    return mixedlm("test_score ~ I(age * scale)", DATA, groups="school", eval_env=eval_env).fit()


def test_depth_counts_the_frames_outwards() -> None:
    scale = 4.0
    inner, outer = in_a_frame_below(0), in_a_frame_below(1)
    assert outer.fe_params.iloc[1] * scale == pytest.approx(inner.fe_params.iloc[1] * 2.0, rel=SAME)
    captured = in_a_frame_below(EvalEnvironment.capture(0))
    assert captured.fe_params.iloc[1] == pytest.approx(outer.fe_params.iloc[1], rel=SAME)
    through_class = MixedLM.from_formula("test_score ~ I(age * scale)", DATA, groups="school").fit()
    assert through_class.fe_params.iloc[1] == pytest.approx(outer.fe_params.iloc[1], rel=SAME)


def test_a_clean_namespace_has_numpy_and_nothing_of_the_caller() -> None:
    scale = 2.0
    assert scale
    same(
        fit(formula="test_score ~ np.log(age)", eval_env=-1),
        fit(formula="test_score ~ np.log(age)"),
    )
    with pytest.raises(FormulaError, match="scale"):
        fit(formula="test_score ~ I(age * scale)", eval_env=-1)
    with pytest.raises(FormulaError, match="halved"):
        fit(formula="test_score ~ halved(age)", eval_env=-1)


@pytest.mark.parametrize("eval_env", [-2, 1.5, "caller", True, 10_000])
def test_other_eval_envs_are_refused(eval_env: Any) -> None:
    with pytest.raises(ModelError, match="eval_env"):
        mixedlm(SCORE, DATA, groups="school", eval_env=eval_env)


# -- the rest ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("group", "groups"), ("vcformula", "vc_formula"), ("evalenv", "eval_env")]
)
def test_an_unknown_argument_suggests_the_nearest(wrong: str, nearest: str) -> None:
    with pytest.raises(ModelError, match=f"no argument '{wrong}'. Did you mean '{nearest}'"):
        mixedlm(SCORE, DATA, groups="school", **{wrong: "school"})


def test_further_arguments_are_given_by_name() -> None:
    with pytest.raises(ModelError, match="by name"):
        mixedlm(SCORE, DATA, None, None, None, False, "none", DATA["school"])


def test_use_sparse_and_use_sqrt_change_nothing() -> None:
    plain = fit(SMALL, re_formula="pretest", vc_formula=CLASSES)
    for storage in ({"use_sparse": True}, {"use_sqrt": False}):
        other = fit(SMALL, re_formula="pretest", vc_formula=CLASSES, **storage)
        assert (other.params == plain.params).all()
        assert (other.fittedvalues == plain.fittedvalues).all()
        assert (other.resid == plain.resid).all()
        for label, cov in plain.random_effects_cov.items():
            pd.testing.assert_frame_equal(other.random_effects_cov[label], cov)


def arrays() -> tuple[Any, ...]:
    X = np.column_stack([np.ones(len(SMALL)), SMALL["age"], SMALL["pretest"]])
    return SMALL["test_score"].to_numpy(), X, np.asarray(SMALL["school"])


def test_a_model_from_arrays_equals_the_one_from_formulas() -> None:
    y, X, groups = arrays()
    found = MixedLM(y, X, groups, exog_re=X[:, [0, 2]]).fit()
    expected = fit(SMALL, re_formula="1 + pretest")
    assert found.params == pytest.approx(expected.params.to_numpy(), rel=SAME)
    assert found.llf == pytest.approx(expected.llf, abs=1e-9)
    names = ["const", "x1", "x2", "x_re1 Var", "x_re1 x x_re2 Cov", "x_re2 Var"]
    assert found.model.data.param_names == list(found.summary().tables[1].index) == names
    assert found.model.endog_names == "y"


def test_components_from_arrays_equal_those_from_formulas() -> None:
    y, X, groups = arrays()
    labels = sorted(set(groups))
    names, mats = [], []
    for label in labels:
        dummies = pd.get_dummies(SMALL["classroom"][groups == label].astype(str), dtype=float)
        names.append(list(dummies.columns))
        mats.append(dummies.to_numpy())
    found = MixedLM(y, X, groups, X[:, :1], VCSpec(["classroom"], [names], [mats])).fit()
    expected = fit(SMALL, re_formula="1", vc_formula=CLASSES)
    assert found.params == pytest.approx(expected.params.to_numpy(), rel=SAME)
    assert found.vcomp == pytest.approx(expected.vcomp, rel=SAME)
    assert found.model.data.param_names[-1] == "classroom Var"
    only = MixedLM(y, X, groups, exog_vc=VCSpec(["classroom"], [names], [mats]))
    assert (only.k_re, only.k_vc) == (0, 1)


def test_arrays_with_pandas_names() -> None:
    X = pd.DataFrame({"constant": 1.0, "age": SMALL["age"]})
    result = MixedLM(SMALL["test_score"], X, SMALL["school"], missing="drop").fit()
    assert list(result.fe_params.index) == ["constant", "age"]
    assert result.model.endog_names == "test_score"
    assert result.resid.index.equals(SMALL.index)


def test_what_a_model_knows_of_itself() -> None:
    model = mixedlm(SCORE, DATA, groups="school", re_formula="1 + pretest", vc_formula=CLASSES)
    assert (model.formula, model.re_formula, model.vc_formula) == (SCORE, "1 + pretest", CLASSES)
    assert (model.nobs, model.n_totobs, model.n_groups) == (949, 949, 20)
    assert (model.k_fe, model.k_re, model.k_re2, model.k_vc) == (3, 2, 3, 1)
    assert model.exog_re_names == ["school", "pretest"]
    assert model.exog.shape == (949, 3)
    assert model.exog_re is not None
    assert model.exog_re.shape == (949, 2)
    assert list(model.groups) == list(DATA["school"])
    assert model.group_name == "school"
    assert model.endog.tolist() == DATA["test_score"].tolist()


# -- models that cannot be ---------------------------------------------------------------------------------

IMPOSSIBLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "constant outcome": ("flat ~ age", {"groups": "school"}, "nothing to explain"),
    "text outcome": ("school ~ age", {"groups": "classroom"}, "school"),
    "outcome computed from a predictor": ("double ~ age", {"groups": "school"}, "exactly"),
    "a group for each row": ("test_score ~ age", {"groups": "student"}, "student"),
    "outcome also a predictor": ("test_score ~ age + test_score", {"groups": "school"}, "test_score"),
    "unknown column": ("test_score ~ agee", {"groups": "school"}, "age"),
    "component of the residual": (
        "test_score ~ age",
        {"groups": "school", "vc_formula": {"v": "0 + C(student)"}},
        "residual",
    ),
    "more effects than rows": ("test_score ~ C(student)", {"groups": "school"}, "949"),
}


@pytest.mark.parametrize(("formula", "arguments", "sentence"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_fitted_is_explained(formula: str, arguments: dict[str, Any], sentence: str) -> None:
    data = DATA.assign(flat=1.0, double=2 * DATA["age"])
    with pytest.raises(MixedCoreError, match=sentence):
        mixedlm(formula, data, **arguments).fit()


def test_errors_are_also_valueerrors() -> None:
    with pytest.raises(ValueError, match="outcome"):
        mixedlm("~ age", DATA, groups="school")
    assert issubclass(mixedcore.MixedCoreError, ValueError)
