"""The variables that a prediction depends on, and the groups it can be made for. No Streamlit.

Everything works on columns of the data, so that polynomials, splines, transforms and codings of a formula
need no thought here: the model evaluates them at the columns' values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from mixedcore.formula import formula_columns, numeric_columns, split
from pages.ui.results import fitview
from pages.ui.results.fitview import Grouping

if TYPE_CHECKING:
    from mixedcore import MixedLMResults

Kind = Literal["number", "category", "date"]
Row = Mapping[str, Any]
CENTRED = 1e-12
"""Share of the standard deviation below which a mean is what rounding left of zero."""
STEPS = 100
"""About as many places as a slider has."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A column that the mean depends on.

    levels    : what a category can be, in order; empty for numbers and dates
    low, high : range in the rows of the fit; mean, sd : of a number
    whole     : whether all values of a number are whole
    fixed     : whether the fixed part uses it; otherwise only random slopes do
    """

    name: str
    kind: Kind
    levels: tuple[Any, ...] = ()
    low: Any = None
    high: Any = None
    mean: float = np.nan
    sd: float = np.nan
    whole: bool = False
    fixed: bool = True

    @property
    def middle(self) -> Any:
        """Where it is held unless told otherwise: the mean, the middle date, the first category."""
        if self.kind == "category":
            return self.levels[0]
        return self.mean if self.kind == "number" else self.low + (self.high - self.low) / 2

    @property
    def step(self) -> float:
        """A round step that takes about a hundred to go through the range of a number."""
        if self.whole and self.high - self.low <= 10 * STEPS:
            return 1.0
        raw = (self.high - self.low) / STEPS
        power = 10.0 ** np.floor(np.log10(raw))
        return float(power * min((1, 2, 5, 10), key=lambda factor: abs(factor * power - raw)))

    @property
    def decimals(self) -> int:
        """Decimals that a slider with these steps shows."""
        return max(0, -int(np.floor(np.log10(self.step))))

    def slider(self) -> tuple[float, float, float, float]:
        """Ends, start and step of a slider: the data's ends, rounded inwards by less than a step."""
        step, places = self.step, self.decimals
        low, high = (
            round(np.ceil(self.low / step) * step, places),
            round(np.floor(self.high / step) * step, places),
        )
        start = round(round(self.mean / step) * step, places)
        return float(low), float(high), float(np.clip(start, low, high)), step

    def along(self, points: int = 81) -> list[Any]:
        """Values to draw it over: every category, or evenly spaced ones over the range."""
        if self.kind == "category":
            return list(self.levels)
        if self.kind == "date":
            return list(pd.date_range(self.low, self.high, periods=points))
        return [float(value) for value in np.linspace(self.low, self.high, points)]

    def chosen(self) -> list[Any]:
        """Values for lines of their own: every category; a number's mean, one SD below and above."""
        if self.kind == "category":
            return list(self.levels)
        if self.kind == "date":
            return [self.low, self.middle, self.high]
        ends = np.clip([self.mean - self.sd, self.mean, self.mean + self.sd], self.low, self.high)
        return [float(value) for value in dict.fromkeys(ends)]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to tell groups apart: its columns, and the random terms that are known once they are."""

    grouping: Grouping
    terms: tuple[str, ...]


def rows_of(result: MixedLMResults, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the fit, with all columns of the data."""
    index = pd.Index(result.resid.index)
    return frame.loc[index] if frame.index.is_unique else frame.iloc[: len(index)]


def variables(result: MixedLMResults, rows: pd.DataFrame) -> list[Variable]:
    """Every column that the mean depends on: first those of the fixed part, then those of slopes alone."""
    fixed = result.fixed_variables
    found = [_described(name, rows[name], factor=v.factor) for name, v in fixed.items() if name in rows]
    slopes = [name for name in _slope_columns(result) if name in rows and name not in fixed]
    return found + [_described(name, rows[name], factor=False, fixed=False) for name in slopes]


def _described(name: str, values: pd.Series, *, factor: bool, fixed: bool = True) -> Variable:
    """What must be known of one column."""
    kept = values.dropna()
    if pd.api.types.is_datetime64_any_dtype(kept.dtype):
        return Variable(name, "date", low=kept.min(), high=kept.max(), fixed=fixed)
    numeric = pd.api.types.is_numeric_dtype(kept.dtype) and not pd.api.types.is_bool_dtype(kept.dtype)
    if factor or not numeric:
        return Variable(name, "category", tuple(pd.factorize(kept, sort=True)[1]), fixed=fixed)
    numbers = kept.to_numpy(dtype=float)
    low, high, whole = float(numbers.min()), float(numbers.max()), bool((numbers == np.floor(numbers)).all())
    sd = float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0
    mean = float(numbers.mean())
    mean = 0.0 if abs(mean) < CENTRED * sd else mean
    return Variable(name, "number", (), low, high, mean, sd, whole, fixed)


def _slope_columns(result: MixedLMResults) -> list[str]:
    """Columns that only random slopes may use."""
    formulas = [result.model.re_formula, *(bar.covariates for bar in _bars(result))]
    found = [name for formula in formulas if formula for name in sorted(formula_columns(str(formula)))]
    return list(dict.fromkeys(found))


def _bars(result: MixedLMResults) -> Sequence[Any]:
    return split(str(result.model.formula)).bars


def ways(result: MixedLMResults, rows: pd.DataFrame) -> list[Way]:
    """The ways to choose a group, each with the random effects it settles; outer groups settle no inner.

    A predictor is no part of it: who is asked about worker 3 sees worker 3 on every machine.
    """
    fixed = result.fixed_variables
    named = [*_group_terms(result), *_component_terms(result, rows)]
    terms = [(name, tuple(column for column in own if column not in fixed)) for name, own in named]
    found: list[Way] = []
    for columns in dict.fromkeys(columns for _, columns in terms):
        inside = tuple(dict.fromkeys(name for name, own in terms if own and set(own) <= set(columns)))
        if columns and all(column in rows for column in columns):
            found.append(Way(Grouping(columns), inside))
    return found


def _group_terms(result: MixedLMResults) -> list[tuple[str, tuple[str, ...]]]:
    """Terms in bars, or the term of the groups."""
    bars = [(bar.group, bar.group_columns()) for bar in _bars(result)]
    if bars or result.model.n_groups < 2 or not len(result.cov_re):
        return bars
    return [(result.model.group_name, (result.model.group_name,))]


def _component_terms(result: MixedLMResults, rows: pd.DataFrame) -> list[tuple[str, tuple[str, ...]]]:
    """Variance components, with the columns that name their levels."""
    outer = (result.model.group_name,) if result.model.n_groups > 1 and not _bars(result) else ()
    names = [str(name) for name in rows.columns]
    found = []
    for name, formula in (result.model.vc_formula or {}).items():
        calculated = numeric_columns(str(formula), names)
        inner = [column for column in formula_columns(str(formula)) if column not in calculated]
        labels = [c for c in inner if f"C({c}" in str(formula) or not _is_number(rows[c])]
        own = tuple(label for label in sorted(labels) if label not in outer)
        found.append((str(name), (*outer, *own)))
    return found


def _is_number(values: pd.Series) -> bool:
    kind = values.dtype
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def labels_of(way: Way, rows: pd.DataFrame) -> pd.Series:
    """The group of each row, as text."""
    return way.grouping.labels(rows).astype(str)


def in_order(labels: pd.Series) -> list[str]:
    """Distinct labels, sorted."""
    return fitview.in_order(labels)
