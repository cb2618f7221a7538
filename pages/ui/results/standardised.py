"""Standardised coefficients: differences in standard deviations of the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pages.ui.results.facts import Facts
from pages.ui.results.meaning import Against, Slope

if TYPE_CHECKING:
    from mixedcore import MixedLMResults


def standardised(result: MixedLMResults, facts: Facts) -> pd.Series:
    """β SD(x)/SD(y) of a single numeric column, β/SD(y) of a difference between levels; by name.

    Missing for the intercept, and where several columns or a product describe a predictor: a product of
    standardised predictors is not the standardised product (Cohen, Cohen, West & Aiken 2003, section 7.7).
    """
    model = result.model
    spread = float(np.std(model.endog, ddof=1))
    by_name = dict(zip(model.exog_names, np.std(model.exog, axis=0, ddof=1), strict=True))
    found = {}
    for name, estimate in result.fe_params.items():
        parts = facts.coefficients[str(name)].parts
        own = parts[0] if len(parts) == 1 else None
        factor = np.nan
        if isinstance(own, Slope) and own.step.kind == "pair":
            factor = own.step.multiplier
        elif isinstance(own, Slope):
            factor = float(by_name[str(name)])
        elif isinstance(own, Against):
            factor = own.multiplier
        found[str(name)] = float(estimate) * factor / spread
    return pd.Series(found, dtype=float)
