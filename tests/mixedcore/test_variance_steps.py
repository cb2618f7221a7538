"""What each predictor explains, one after the other: the same as fits of the models written out."""

from __future__ import annotations

import pandas as pd
import pytest

from mixedcore import datasets, mixedlm
from mixedcore.errors import ModelError

RTOL = 1e-6  # two searches end within 1e-7 of the criterion's minimum


@pytest.mark.parametrize("reml", [True, False])
def test_every_step_is_the_fit_of_its_own_formula(reml: bool) -> None:
    data = datasets.load("Hsb82")
    result = mixedlm("mAch ~ cses * sector + meanses + (1 + cses | school)", data).fit(reml=reml)
    steps = result.variance_steps().set_index(["step", "group"])["variance"]
    terms: list[str] = []
    for term in ("Null model", "cses", "sector", "cses:sector", "meanses"):
        terms += [] if term == "Null model" else [term]
        own = mixedlm(" + ".join(["mAch ~ 1", *terms, "(1 | school)"]), data).fit(reml=reml)
        assert steps[term, "school"] == pytest.approx(float(own.cov_re.iloc[0, 0]), rel=RTOL)
        assert steps[term, "Residual"] == pytest.approx(own.scale, rel=RTOL)
    assert steps["Random slopes", "Residual"] == pytest.approx(result.scale, rel=RTOL)
    assert list(dict.fromkeys(steps.index.get_level_values("step")))[-1] == "Random slopes"


def test_what_steps_add_sums_to_what_is_explained() -> None:
    result = mixedlm("Reaction ~ Days", datasets.load("sleepstudy"), groups="Subject").fit()
    steps = result.variance_steps()
    assert set(steps["step"]) == {"Null model", "Days"}
    own = result.variance_explained().set_index("group")["explained"]
    last = steps[steps["step"] == "Days"].set_index("group")
    assert last["explained"].to_dict() == pytest.approx(own.to_dict(), rel=RTOL)
    sums = steps.groupby("group")["added"].sum()
    assert sums.to_dict() == pytest.approx(last["explained"].to_dict())
    assert last.loc["Subject", "explained"] < 0 < last.loc["Residual", "explained"]


def test_components_and_categories() -> None:
    data = datasets.load("Machines")
    result = mixedlm("score ~ 0 + Machine", data, groups="Worker", vc_formula={"Machine": "0 + C(Machine)"})
    steps = result.fit().variance_steps()
    assert list(dict.fromkeys(steps["step"])) == ["Null model", "Machine"]
    assert list(dict.fromkeys(steps["group"])) == ["Machine", "Residual"]


@pytest.mark.parametrize(
    ("formula", "said"), [("Reaction ~ 1", "no predictors"), ("Reaction ~ 0 + Days", "no intercept")]
)
def test_models_without_steps_say_why(formula: str, said: str) -> None:
    result = mixedlm(formula, datasets.load("sleepstudy"), groups="Subject").fit()
    with pytest.raises(ModelError, match=said):
        result.variance_steps()


def test_slopes_alone_have_no_null_model() -> None:
    result = mixedlm("Reaction ~ Days + (0 + Days | Subject)", datasets.load("sleepstudy")).fit()
    with pytest.raises(ModelError, match="No random term"):
        result.variance_steps()


def test_steps_are_reported_and_can_be_cancelled() -> None:
    result = mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load("sleepstudy")).fit()
    heard: list[tuple[int, int]] = []
    whole = result.variance_steps(progress=lambda *far: heard.append(far))
    assert heard == [(1, 2), (2, 2)]
    cut = result.variance_steps(progress=lambda *far: heard.append(far), cancel=lambda: len(heard) == 3)
    pd.testing.assert_frame_equal(cut, whole[whole["step"] == "Null model"])
    assert result.variance_steps(cancel=lambda: True).empty
