"""What the Estimates page computes from a fit, kept by model, data and options.

A fit is left out of the keys: the call and the digest of the data stand for it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st

from mixedcore import MixedLMResults
from mixedcore.diagnostics.findings import Finding
from mixedcore.errors import MixedCoreError
from pages.ui import jobs, terms
from pages.ui.model.modelcall import ModelCall
from pages.ui.results.facts import Facts, facts, units_of

Method = Literal["auto", "wald", "profile", "bootstrap"]
REMEDIES = {
    "influential": "Fit without it and compare; the page Residuals shows the influence of every group."
}
"""By kind of finding, where in the app to go on."""
KEPT = 64
KEPT_FOR = "2h"
REPLICATES = 1_000
SEED = 1
QUICK_ROWS = 200_000
QUICK_PARAMETERS, QUICK_LEVELS, QUICK_CROSSED = 3, 3_000, 300
"""Up to so many variance parameters and random effects a profile takes less than about 0.3 s."""
QUICK_COEFFICIENTS = 12
"""Up to so many fixed effects their profiles take no longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """bounds : index term, `conf_low, conf_high`, as `result.confint`; notes : on edges and failures

    None where Wald intervals, those of the tables, are meant.
    """

    bounds: pd.DataFrame | None
    notes: tuple[str, ...] = ()
    refusal: str = ""


WALD = Intervals(None)


@st.cache_resource(show_spinner=False, max_entries=KEPT, ttl=KEPT_FOR)
def known_facts(call: ModelCall | None, digest: str, source: str, _result: MixedLMResults) -> Facts:
    """What the reading must know of a fit; `source` of the data, whose units may be known."""
    return facts(_result, units_of(source))


@st.cache_data(show_spinner=False, max_entries=KEPT, ttl=KEPT_FOR)
def findings(call: ModelCall | None, digest: str, _result: MixedLMResults) -> list[Finding]:
    """What `result.diagnose()` found."""
    return [_said_for_pages(each) for each in _result.diagnose()]


def _said_for_pages(found: Finding) -> Finding:
    """The finding with a remedy that is a place in the app where the library names its own method."""
    return replace(found, remedy=REMEDIES.get(found.kind, found.remedy))


def variance_steps(call: ModelCall | None, digest: str, result: MixedLMResults) -> pd.DataFrame | str | None:
    """What each predictor explains at each level; or the sentence that says why there is no such thing.

    None where that takes so long that it waits to be asked for.
    """
    kept = jobs.kept(call, digest)
    if "steps" not in kept and _quick_to_step(result):
        kept["steps"] = _steps(result)
    found: pd.DataFrame | str | None = kept.get("steps")
    return found


def stepping(result: MixedLMResults, call: ModelCall | None, digest: str) -> jobs.Work:
    """The work of fitting the model step by step, kept when it is done to its end."""
    return jobs.keeping(jobs.kept(call, digest), "steps", partial(_steps, result))


def _steps(result: MixedLMResults, **options: Any) -> pd.DataFrame | str:
    try:
        return result.variance_steps(**options)
    except MixedCoreError as err:
        return str(err)


def _quick_to_step(result: MixedLMResults) -> bool:
    """Whether the steps can be had without asking: rows times fits, and the size of each fit."""
    terms = result.model.design.terms
    effects = sum(block.n_levels * block.width for term in terms for block in term.blocks)
    return result.nobs * (1 + len(result.model.design.fixed_terms)) <= QUICK_ROWS and effects <= QUICK_LEVELS


def quick_to_profile(result: MixedLMResults) -> bool:
    """Whether the variances' profiles can be had without asking."""
    terms, model = result.model.design.terms, result.model
    effects = sum(block.n_levels * block.width for term in terms for block in term.blocks)
    nested = model.n_groups > 1 and not model.design.bars
    return len(result.theta) <= QUICK_PARAMETERS and effects <= (QUICK_LEVELS if nested else QUICK_CROSSED)


def intervals(
    result: MixedLMResults, call: ModelCall | None, digest: str, method: Method, level: float
) -> Intervals:
    """Intervals of all parameters by a method; 'auto' profiles the variances alone, where that is quick."""
    if method == "wald" or (method == "auto" and not quick_to_profile(result)):
        return WALD
    if method == "bootstrap":
        return _bootstrapped(call, digest, level)
    if slow(result, method):
        found: Intervals = jobs.kept(call, digest)[_place(method, level)]
        return found
    return _profiled(call, digest, level, method == "auto", result)


def slow(result: MixedLMResults, method: Method) -> bool:
    """Whether intervals by a method take so long that they wait to be asked for."""
    if method == "profile":
        return not quick_to_profile(result) or len(result.fe_params) > QUICK_COEFFICIENTS
    return method == "bootstrap"


def there(call: ModelCall | None, digest: str, method: Method, level: float) -> bool:
    """Whether what was asked for by a slow method is there."""
    return _place(method, level) in jobs.kept(call, digest)


def working(
    result: MixedLMResults, call: ModelCall | None, digest: str, method: Method, level: float
) -> jobs.Work:
    """The work behind intervals of a slow method, kept when it is done to its end.

    A bootstrap's draws serve all levels, a profile its own.
    """
    profile, bootstrap = partial(_asked, result, level=level), partial(result.bootstrap, REPLICATES, SEED)
    work: Callable[..., Any] = profile if method == "profile" else bootstrap
    return jobs.keeping(jobs.kept(call, digest), _place(method, level), work)


def _place(method: Method, level: float) -> Hashable:
    return (method, level) if method == "profile" else method


@st.cache_data(show_spinner="Profiling the likelihood…", max_entries=KEPT, ttl=KEPT_FOR)
def _profiled(
    call: ModelCall | None, digest: str, level: float, variances_alone: bool, _result: MixedLMResults
) -> Intervals:
    names = variance_names(_result) if variances_alone else None
    return _asked(_result, level=level, terms=names)


def _asked(result: MixedLMResults, **options: Any) -> Intervals:
    try:
        bounds = result.confint("profile", **options)
    except MixedCoreError as err:
        return Intervals(None, refusal=str(err))
    return Intervals(bounds, tuple(bounds.attrs["notes"]))


def variance_names(result: MixedLMResults) -> list[str]:
    """Names that `confint` gives SDs, correlations and sigma."""
    labels = [str(name) for name in result.confint("wald").index]
    return labels[: len(labels) - len(result.fe_params)]


def _bootstrapped(call: ModelCall | None, digest: str, level: float) -> Intervals:
    draws = jobs.kept(call, digest)["bootstrap"]
    failed = f"; {draws.failures:,} of them failed and are left out" if draws.failures else ""
    return Intervals(
        draws.confint(level), (f"Percentiles of {draws.done:,} data sets drawn from the model{failed}.",)
    )


# --- into the tables ---------------------------------------------------------------------------------------


def in_fixed(tidy: pd.DataFrame, found: Intervals) -> pd.DataFrame:
    """The coefficient table with these intervals, where they cover its terms."""
    if found.bounds is None or not tidy["term"].isin(found.bounds.index).all():
        return tidy
    own = found.bounds.iloc[len(found.bounds) - len(tidy) :]
    return tidy.assign(conf_low=own["conf_low"].to_numpy(), conf_high=own["conf_high"].to_numpy())


def readable_notes(tidy: pd.DataFrame, found: Intervals) -> list[str]:
    """Ends of intervals at an edge, and what a bootstrap did, with the names of the tables."""
    if found.bounds is None:
        return list(found.notes)
    named = tidy[tidy["scale"].isin(["sd", "correlation"])][["scale", "group", "term", "term2"]]
    names = [terms.of_random(*row) for row in named.itertuples(index=False, name=None)]
    known = {f"{label}:": f"{name}:" for label, name in zip(found.bounds.index, names, strict=False)}
    said = []
    for note in found.notes:
        label = next((label for label in known if note.startswith(label)), "")
        said.append(known.get(label, "") + note.removeprefix(label))
    return said


def in_random(tidy: pd.DataFrame, found: Intervals) -> pd.DataFrame:
    """The variance table with these intervals: of SDs and correlations, squares of the former for variances.

    Covariances have none then: the interval of a product is not that of its factors.
    """
    if found.bounds is None:
        return tidy
    named = tidy["scale"].isin(["sd", "correlation"]).to_numpy()
    own = found.bounds.iloc[: int(named.sum())].to_numpy(dtype=float)
    bounds = np.full((len(tidy), 2), np.nan)
    bounds[named] = own
    sds = np.flatnonzero((tidy["scale"] == "sd").to_numpy())
    bounds[sds - 1] = bounds[sds] ** 2  # each SD follows its variance
    return tidy.assign(conf_low=bounds[:, 0], conf_high=bounds[:, 1])
