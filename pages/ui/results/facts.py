"""What a reading must know of a fit beyond its tables: outcome, units, ranges, meanings of coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from mixedcore import datasets
from mixedcore.errors import MixedCoreError
from pages.ui.results import meaning
from pages.ui.results.meaning import Coefficient
from pages.ui.results.steps import Range, column_of, log_base

if TYPE_CHECKING:
    from mixedcore import MixedLMResults

LABEL_UNITS = frozenset({"label", "ordered label"})
LONGEST_UNIT = 30
"""A longer one describes a scale rather than naming a unit, and would be in the way of every number."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """name and unit of the outcome; base of the logarithm that was taken of it, and what was added before."""

    name: str
    unit: str = ""
    base: float | None = None
    shift: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """outcome; coefficients by name; ranges of numeric columns; units by column, where they are known."""

    outcome: Outcome
    coefficients: Mapping[str, Coefficient]
    ranges: Mapping[str, Range] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


def units_of(source: str) -> dict[str, str]:
    """Units of the columns of an example; those of other data are not known.

    source : as in `Dataset.source`
    """
    kind, _, name = source.partition(":")
    if kind != "example":
        return {}
    try:
        columns = datasets.describe(name).columns
    except MixedCoreError:
        return {}
    return {column.name: column.unit for column in columns if _is_unit(column.unit)}


def _is_unit(unit: str) -> bool:
    known = unit not in LABEL_UNITS and not unit.startswith(("none", "not "))
    return known and len(unit) <= LONGEST_UNIT


def facts(result: MixedLMResults, units: Mapping[str, str] | None = None) -> Facts:
    """The facts of a fit from formulas."""
    known, design = units or {}, result.model.design
    ranges = _ranges(result.model.used_columns())
    found = meaning.coefficients(design.fixed_info, design.fe_names, ranges)
    return Facts(outcome(result.model.endog_names, known), {each.name: each for each in found}, ranges, known)


def outcome(code: str, units: Mapping[str, str]) -> Outcome:
    """The outcome of this code: a column, its logarithm, or a calculation that stands for itself."""
    column = column_of(code)
    if column is not None:
        return Outcome(column, units.get(column, ""))
    logged = log_base(code)
    if logged is None:
        return Outcome(code)
    name, base, shift = logged
    return Outcome(name, units.get(name, ""), base, shift)


def _ranges(used: pd.DataFrame) -> dict[str, Range]:
    found = {}
    for name in used.columns:
        column = used[name]
        kind = column.dtype
        if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
            continue
        values = column.to_numpy(dtype=float)
        low, high = float(values.min()), float(values.max())
        two = low < high and bool(((values == low) | (values == high)).all())
        found[str(name)] = Range(low, high, float(values.mean()), two)
    return found
