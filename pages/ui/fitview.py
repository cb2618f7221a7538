"""What the result pages must know of a fit beyond its frames: names, terms, columns to group or plot by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from mixedcore.results import MixedLMResults

COMPUTED = ("fitted", "fitted_fixed", "resid", "resid_std", "leverage", "cooks_distance")
LEVELS = (0.90, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class RandomEffect:
    """One random coefficient: the term it belongs to and the covariate it multiplies."""

    group: str
    term: str

    @property
    def name(self) -> str:
        """'Subject: Days'; a component that is only an intercept goes by its own name."""
        return self.group if self.term in ("", self.group) else f"{self.group}: {self.term}"


def outcome(result: MixedLMResults) -> str:
    """The outcome as the model calls it."""
    return str(result.model.endog_names)


def random_effects(blups: pd.DataFrame) -> list[RandomEffect]:
    """The random coefficients of `result.tidy(effects="blups")`, in its order."""
    pairs = blups[["group", "term"]].drop_duplicates().astype(object).fillna("")
    return [RandomEffect(str(group), str(term)) for group, term in pairs.itertuples(index=False)]


def of_effect(blups: pd.DataFrame, effect: RandomEffect) -> pd.DataFrame:
    """The rows of one random coefficient."""
    mine = (blups["group"] == effect.group) & (blups["term"].astype(object).fillna("") == effect.term)
    return blups[mine]


def own_columns(augmented: pd.DataFrame) -> list[str]:
    """The columns of `result.augment()` that came from the data."""
    return [str(name) for name in augmented.columns if name not in COMPUTED]


def grouping_columns(augmented: pd.DataFrame, groups: str) -> list[str]:
    """Columns to compare groups by, the model's own grouping first: whatever is not a measurement."""
    candidates = [groups] if groups in augmented else []
    for name in own_columns(augmented):
        column = augmented[name]
        measured = pd.api.types.is_float_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(
            column.dtype
        )
        if name != groups and not measured and column.nunique() > 1:
            candidates.append(name)
    return candidates


def numeric_predictors(augmented: pd.DataFrame, *, outcome: str, groups: str) -> list[str]:
    """Numeric columns to draw lines over: neither the outcome, whatever is done to it, nor the groups."""
    return [
        name
        for name in own_columns(augmented)
        if pd.api.types.is_numeric_dtype(augmented[name].dtype)
        and not pd.api.types.is_bool_dtype(augmented[name].dtype)
        and name not in (outcome, groups)
        and name not in outcome.replace("(", " ").replace(")", " ").replace(",", " ").split()
        and augmented[name].nunique() > 1
    ]


def only_predictor(augmented: pd.DataFrame, x: str, *, outcome: str, groups: str) -> bool:
    """Whether nothing else in the data moves the fitted values within a group than `x`."""
    return not set(own_columns(augmented)) - {x, groups, outcome}


def standardised(estimates: pd.Series) -> np.ndarray:
    """Estimates divided by their own standard deviation; zeros stay zeros when nothing varies."""
    values = estimates.to_numpy(dtype=float)
    spread = float(np.sqrt(np.mean(values**2)))
    return values / spread if spread > 0 else values


def labels_by_effect(blups: pd.DataFrame) -> list[str]:
    """Group labels from the smallest effect to the largest."""
    return [str(label) for label in blups.sort_values("estimate", kind="stable")["level"]]
