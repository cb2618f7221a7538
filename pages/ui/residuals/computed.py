"""What the result pages compute from a fit, once for everyone who asks: none of it may be changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import fitting, jobs
from pages.ui.data.dataset import Dataset
from pages.ui.fitting import KEPT_FITS, KEPT_FOR
from pages.ui.model.modelcall import ModelCall
from pages.ui.residuals import changes

if TYPE_CHECKING:
    from mixedcore.diagnostics.quantile_residuals import QuantileResiduals

SIMULATIONS = 250
SEED = 1
"""The same fit shows the same picture to everyone."""
MOST_SIMULATED = 25_000_000
"""Simulated outcomes, rows times simulations, that are held at once."""
QUICK_TO_LEAVE_OUT = 2_000_000
"""Rows times groups up to which leaving out each group takes about a second; crossed groups take longest."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model of some data, whose fit is in the cache."""

    call: ModelCall
    data: Dataset


def augmented(fitted: Fitted) -> pd.DataFrame:
    """`result.augment()` with `studentised` residuals beside."""
    return _augmented(fitted.call, fitted.data.digest, fitted)


@st.cache_resource(max_entries=KEPT_FITS // 4, ttl=KEPT_FOR, show_spinner="Computing residuals…")
def _augmented(call: ModelCall, digest: str, _fitted: Fitted) -> pd.DataFrame:
    result = fitting.fit(call, _fitted.data)
    return result.augment().assign(studentised=result.residuals("studentised").to_numpy())


@st.cache_resource(max_entries=KEPT_FITS, ttl=KEPT_FOR, show_spinner="Computing quantiles…")
def _effect_quantiles(call: ModelCall, digest: str, factor: str, _fitted: Fitted) -> pd.DataFrame | str:
    try:
        return fitting.fit(call, _fitted.data).qq(factor)
    except MixedCoreError as err:
        return str(err)


def effect_quantiles(fitted: Fitted, factor: str) -> pd.DataFrame | str:
    """`result.qq(factor)`: effects of a grouping factor beside normal quantiles; or why there are none."""
    return _effect_quantiles(fitted.call, fitted.data.digest, factor, fitted)


def simulations(n: int) -> int:
    """How many simulations of n rows memory allows: fewer for long data, at least fifty."""
    return int(np.clip(MOST_SIMULATED // max(n, 1), 50, SIMULATIONS))


def quantile_residuals(fitted: Fitted) -> QuantileResiduals:
    """Simulated quantile residuals with the fitted random effects."""
    return _quantile_residuals(fitted.call, fitted.data.digest, fitted)


@st.cache_resource(max_entries=8, ttl=KEPT_FOR, show_spinner="Simulating from the model…")
def _quantile_residuals(call: ModelCall, digest: str, _fitted: Fitted) -> QuantileResiduals:
    result = fitting.fit(call, _fitted.data)
    return result.simulated_residuals(simulations(result.nobs), SEED, random="fitted")


def row_influence(fitted: Fitted) -> pd.DataFrame:
    """`result.influence()` at the variances of the fit: what leaving out each row does."""
    return _influence(fitted.call, fitted.data.digest, None, fitted)


def group_influence(fitted: Fitted, by: str, levels: int) -> pd.DataFrame | None:
    """The same for the groups of a factor; None where that takes so long that it waits to be asked for."""
    if levels * fitting.fit(fitted.call, fitted.data).nobs <= QUICK_TO_LEAVE_OUT:
        return _influence(fitted.call, fitted.data.digest, by, fitted)
    found: pd.DataFrame | None = jobs.kept(fitted.call, fitted.data.digest).get(("influence", by))
    return found


def leaving_out(fitted: Fitted, by: str) -> jobs.Work:
    """The work of leaving out the groups of a factor in turn."""
    result = fitting.fit(fitted.call, fitted.data)
    place = jobs.kept(fitted.call, fitted.data.digest)
    return jobs.keeping(place, ("influence", by), partial(result.influence, by, refit=False))


@st.cache_resource(max_entries=16, ttl=KEPT_FOR, show_spinner="Leaving each out in turn…")
def _influence(call: ModelCall, digest: str, by: str | None, _fitted: Fitted) -> pd.DataFrame:
    return fitting.fit(call, _fitted.data).influence(by, refit=False)


def before_and_after(call: ModelCall, before: Dataset, after: Dataset) -> pd.DataFrame:
    """Estimates from all rows beside those from the rows in use; raises MixedCoreError if one has none."""
    fitting.fit(call, before), fitting.fit(call, after)
    return _before_and_after(call, before.digest, after.digest, before, after)


@st.cache_resource(max_entries=KEPT_FITS // 4, ttl=KEPT_FOR, show_spinner="Comparing…")
def _before_and_after(
    call: ModelCall, first: str, second: str, _before: Dataset, _after: Dataset
) -> pd.DataFrame:
    return changes.estimates(fitting.fit(call, _before), fitting.fit(call, _after))
