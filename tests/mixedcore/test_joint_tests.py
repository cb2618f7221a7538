"""Whether means are equal: F tests within levels of others (simple effects).

Reference: emmeans 1.8.4.1 with lmerTest 3.1.3 and pbkrtest 0.5.2, on cake with temp a factor:

    m <- lmer(angle ~ recipe * temp + (1 | recipe:replicate), cake)
    joint_tests(m, by = "temp", lmer.df = "satterthwaite")
    joint_tests(m, by = "recipe", lmer.df = "kenward-roger")
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.errors import ModelError

# emmeans rounds F ratios to three decimals and degrees of freedom to two.
F_TOL, DF_TOL = 6e-4, 6e-3
P_TOL = 1e-5
RECIPE_BY_TEMP = {
    "175": (0.310, 0.7346636497),
    "185": (0.463, 0.6313874234),
    "195": (0.070, 0.9325423841),
    "205": (0.428, 0.6531251548),
    "215": (1.438, 0.2435819321),
    "225": (0.028, 0.9722277164),
}
TEMP_BY_RECIPE = {"A": (8.576, 2.073134574e-07), "B": (7.210, 2.990177672e-06), "C": (6.746, 7.453215990e-06)}


@cache
def cake() -> MixedLMResults:
    mix = {"mix": "0 + C(recipe)"}
    return mixedlm(
        "angle ~ recipe * C(temp)", datasets.load("cake"), groups="replicate", vc_formula=mix
    ).fit()


def test_simple_effects_equal_those_of_emmeans() -> None:
    found = cake().joint_tests("recipe", by="temp")
    found.index = found["temp"].astype(str)
    assert (found["num_df"] == 2).all()
    assert found["den_df"].to_numpy() == pytest.approx(77.44, abs=DF_TOL)
    for level, (F, p) in RECIPE_BY_TEMP.items():
        assert found.loc[level, "statistic"] == pytest.approx(F, abs=F_TOL)
        assert found.loc[level, "p_value"] == pytest.approx(p, rel=P_TOL)


def test_kenward_roger_equals_that_of_emmeans() -> None:
    found = cake().joint_tests("temp", by="recipe", ddf="kenward-roger").set_index("recipe")
    assert found["den_df"].to_numpy() == pytest.approx(210)
    for level, (F, p) in TEMP_BY_RECIPE.items():
        assert found.loc[level, "statistic"] == pytest.approx(F, abs=F_TOL)
        assert found.loc[level, "p_value"] == pytest.approx(p, rel=P_TOL)


def test_two_means_give_the_square_of_their_t() -> None:
    result = mixedlm(
        "distance ~ age * Sex", datasets.load("Orthodont"), groups="Subject", re_formula="1 + age"
    ).fit()
    at = {"age": [8.0, 14.0]}
    F = result.joint_tests("Sex", by="age", at=at)
    t = result.contrasts(result.marginal_means(["Sex", "age"], at), by="age")
    assert F["statistic"].to_numpy() == pytest.approx(t["statistic"].to_numpy() ** 2)
    assert F["den_df"].to_numpy() == pytest.approx(t["df"].to_numpy())
    assert F["p_value"].to_numpy() == pytest.approx(t["p_value"].to_numpy())


def test_without_other_variables_it_is_the_test_of_the_term() -> None:
    result = mixedlm("score ~ Machine", datasets.load("Machines"), groups="Worker").fit()
    found, term = result.joint_tests("Machine").iloc[0], result.anova().iloc[0]
    for name in ("num_df", "den_df", "statistic", "p_value"):
        assert found[name] == pytest.approx(term[name])


def test_slopes_can_be_tested_too() -> None:
    result = mixedlm(
        "weight ~ Time * Diet", datasets.load("BodyWeight"), groups="Rat", re_formula="1 + Time"
    ).fit()
    found = result.joint_tests(result.trends("Time", "Diet")).iloc[0]
    term = result.anova().set_index("term").loc["Time:Diet"]
    assert found["statistic"] == pytest.approx(term["statistic"])


def test_means_that_the_data_do_not_determine_do_not_count() -> None:
    frame = datasets.load("Oats")
    frame = frame[~((frame["Variety"] == "Victory") & (frame["nitro"] == 0.6))]
    result = mixedlm("Q('yield') ~ C(nitro) * Variety", frame, groups="Block").fit()
    found = result.joint_tests("Variety", by="nitro")
    assert found["num_df"].tolist() == [2, 2, 2, 1]
    frame = frame[
        ~((frame["Variety"] != "Victory") & (frame["nitro"] == 0.6)) | (frame["Variety"] == "Marvellous")
    ]
    one = (
        mixedlm("Q('yield') ~ C(nitro) * Variety", frame, groups="Block")
        .fit()
        .joint_tests("Variety", by="nitro")
    )
    assert one["num_df"].tolist() == [2, 2, 2, 0]
    assert np.isnan(one["p_value"].iloc[-1])


def test_any_other_table_is_refused() -> None:
    with pytest.raises(ModelError, match="none that marginal_means or trends gave"):
        cake().joint_tests(datasets.load("cake"))
