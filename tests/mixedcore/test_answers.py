"""Every question of the public surface, asked of fits of every kind: an answer of the documented form, or a
sentence.

Numbers are checked elsewhere, each against a reference; here it is that no kind of model was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedCoreError, MixedLM, MixedLMResults, compare, datasets, mixedlm

FIXED = ["term", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high"]
RANDOM = ["group", "term", "term2", "estimate", "scale", "conf_low", "conf_high"]
BLUPS = ["group", "level", "term", "estimate", "std_error", "conf_low", "conf_high"]
GLANCE = [
    "nobs", "n_groups", "log_lik", "aic", "bic", "reml_criterion", "sigma", "icc", "r2_marginal",
    "r2_conditional", "converged", "singular",
]  # fmt: skip
AUGMENT = ["fitted", "fitted_fixed", "resid", "resid_std", "leverage", "cooks_distance"]
INTERVAL = ["fit", "std_error", "conf_low", "conf_high"]


def sleep() -> pd.DataFrame:
    data: pd.DataFrame = datasets.load("sleepstudy")
    return data.assign(w=np.tile([1.0, 2.0, 0.5, 1.5], 45), off=np.linspace(-20, 20, 180))


def _arrays() -> MixedLM:
    data = sleep()
    X = np.column_stack([np.ones(180), data["Days"]])
    return MixedLM(data["Reaction"].to_numpy(), X, data["Subject"].to_numpy(), exog_re=X)


def _aliased() -> MixedLM:
    return mixedlm("Reaction ~ Days + Twice + (1 | Subject)", sleep().assign(Twice=lambda d: 2 * d["Days"]))


def _saturated() -> MixedLM:
    two = sleep().groupby("Subject").head(2)
    return mixedlm("Reaction ~ Days", two, groups="Subject", re_formula="Days")


MODELS: dict[str, Callable[[], MixedLM]] = {
    "groups": lambda: mixedlm("Reaction ~ Days", sleep(), groups="Subject", re_formula="Days"),
    "bars": lambda: mixedlm("Reaction ~ Days + (Days | Subject)", sleep()),
    "uncorrelated": lambda: mixedlm("Reaction ~ Days + (Days || Subject)", sleep()),
    "component": lambda: mixedlm(
        "strength ~ 1",
        datasets.load("Pastes"),
        groups="batch",
        re_formula="1",
        vc_formula={"cask": "0 + C(cask)"},
    ),
    "components only": lambda: mixedlm(
        "strength ~ 1", datasets.load("Pastes"), groups="batch", vc_formula={"cask": "0 + C(cask)"}
    ),
    "nested": lambda: mixedlm("strength ~ 1 + (1 | batch/cask)", datasets.load("Pastes")),
    "crossed": lambda: mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", datasets.load("Penicillin")),
    "factors": lambda: mixedlm("yield_ ~ nitro * Variety + (1 | Block/Variety)", oats()),
    "arrays": _arrays,
    "weights and offset": lambda: mixedlm(
        "Reaction ~ Days + (Days | Subject)", sleep(), weights="w", offset="off"
    ),
    "singular": lambda: mixedlm("Yield ~ 1 + (1 | Batch)", datasets.load("Dyestuff2")),
    "no intercept": lambda: mixedlm("Reaction ~ 0 + Days + (1 | Subject)", sleep()),
    "no fixed effects": lambda: mixedlm("Reaction ~ 0 + (1 | Subject)", sleep()),
    "aliased": _aliased,
    "saturated groups": _saturated,
}


def oats() -> pd.DataFrame:
    data: pd.DataFrame = datasets.load("Oats")
    return data.rename(columns={"yield": "yield_"})


@cache
def fitted(name: str, reml: bool) -> MixedLMResults:
    return MODELS[name]().fit(reml=reml)


def has(columns: list[str]) -> Callable[[Any], bool]:
    return lambda frame: [c for c in frame.columns if c in columns] == columns


def is_frame(found: Any) -> bool:
    return isinstance(found, pd.DataFrame)


QUESTIONS: dict[str, tuple[Callable[[MixedLMResults], Any], Callable[[Any], bool]]] = {
    **{
        f"tidy fixed, {ddf}": (lambda r, ddf=ddf: r.tidy(ddf=ddf), has(FIXED))
        for ddf in ("satterthwaite", "kenward-roger", "residual", "normal")
    },
    "tidy random": (lambda r: r.tidy(effects="random"), has(RANDOM)),
    "tidy blups": (lambda r: r.tidy(effects="blups"), has(BLUPS)),
    "glance": (lambda r: r.glance(), has(GLANCE)),
    "augment": (lambda r: r.augment(), has(AUGMENT)),
    **{
        f"confint {method}": (
            lambda r, method=method: r.confint(method=method),
            lambda f: list(f.columns) == ["conf_low", "conf_high"] and f.index.is_unique,
        )
        for method in ("wald", "profile", "bootstrap")
    },
    **{f"anova {kind}": (lambda r, kind=kind: r.anova(type=kind), is_frame) for kind in (1, 2, 3)},
    "anova, kenward-roger": (lambda r: r.anova(ddf="kenward-roger"), is_frame),
    "icc": (lambda r: r.icc(), is_frame),
    "r2": (lambda r: r.r2(), lambda f: f is not None),
    "predict": (lambda r: r.predict(), lambda f: np.isfinite(f).all()),
    "predict all": (lambda r: r.predict(random="all"), lambda f: np.isfinite(f).all()),
    "confidence": (lambda r: r.predict(random="all", interval="confidence"), has(INTERVAL)),
    "prediction": (lambda r: r.predict(interval="prediction"), has(INTERVAL)),
    "simulate": (lambda r: r.simulate(3, seed=1), lambda y: np.isfinite(np.asarray(y)).all()),
    "bootstrap": (lambda r: r.bootstrap(20, seed=1), lambda b: len(b.replicates) == 20),
    "refit": (lambda r: r.refit(r.model.endog + 1.0), lambda f: isinstance(f, MixedLMResults)),
    "influence by row": (lambda r: r.influence(by="row"), is_frame),
    "influence by group": (lambda r: r.influence(by=r.model.group_name), is_frame),
    "simulated residuals": (lambda r: r.simulated_residuals(100, seed=1), lambda s: s is not None),
    "diagnose": (
        lambda r: r.diagnose(),
        lambda found: all(f.title and f.meaning and f.remedy for f in found),
    ),
    "compare": (lambda r: compare(r), is_frame),
    "summary": (lambda r: r.summary().as_text(), lambda text: "nan" not in text),
    "t_test": (lambda r: r.t_test(np.eye(len(r.fe_params))), lambda t: np.isfinite(t.pvalue).all()),
    "wald_test_terms": (lambda r: r.wald_test_terms(), lambda t: t is not None),
}

# What has no answer, and words of the sentence that says so: (model, or any), (REML, or any), question.
REFUSED: dict[tuple[str | None, bool | None, str], str] = {
    (None, False, "tidy fixed, kenward-roger"): "REML",
    (None, False, "anova, kenward-roger"): "REML",
    ("saturated groups", None, "confint profile"): "do not determine",
    ("no fixed effects", None, "t_test"): "no fixed effects",
}


def refusal(name: str, reml: bool, question: str) -> str | None:
    """Words of the sentence that is due instead of an answer; None where an answer is."""
    for (model, by_reml, asked), words in REFUSED.items():
        if asked == question and model in (None, name) and by_reml in (None, reml):
            return words
    return None


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", MODELS)
def test_every_fit_answers(name: str, reml: bool, question: str) -> None:
    ask, suits = QUESTIONS[question]
    words = refusal(name, reml, question)
    if words is not None and not (question.startswith("anova") and no_terms(name)):
        with pytest.raises(MixedCoreError, match=words):
            ask(fitted(name, reml))
        return
    found = ask(fitted(name, reml))
    assert suits(found), found


def no_terms(name: str) -> bool:
    """Whether no fixed effect can be tested: a constant or none, or two that determine each other."""
    return name in (
        "component",
        "components only",
        "nested",
        "crossed",
        "singular",
        "no fixed effects",
        "aliased",
    )
