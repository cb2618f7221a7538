"""The outcome and a predictor by group, with each group's own least-squares line. Pure; all by sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pages.ui.charts.base import Floats, Ints
from pages.ui.charts.curves import every_nth, joined_lines
from pages.ui.charts.group_rows import Grouped


@dataclass(frozen=True, slots=True, eq=False)
class Explored:
    """Rows with an outcome, a group and, where one is chosen, a predictor.

    y, x, code     : (n,) outcome, predictor (places of its categories; empty without one), group
    labels, places : names of groups; names of the predictor's categories, empty for a number
    names          : outcome, predictor ('' without one), group
    dropped        : rows left out because one of the three is missing
    rows           : (n,) place of each row in the data
    """

    y: Floats
    x: Floats
    code: Ints
    labels: tuple[str, ...]
    places: tuple[str, ...]
    names: tuple[str, str, str]
    dropped: int
    rows: Ints

    @property
    def numeric(self) -> bool:
        """Whether there is a predictor that is a number."""
        return bool(self.names[1]) and not self.places

    @property
    def sizes(self) -> Ints:
        """(groups,) rows of each group."""
        return np.bincount(self.code, minlength=len(self.labels))


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Least-squares lines: a group's own, the pooled one, and the two slopes that the pooled one mixes.

    x_mean, y_mean, slope : (groups,) mean point and own slope, NaN where the predictor does not vary
    low, high             : (groups,) range of the predictor
    pooled                : slope through all rows as if there were no groups
    within                : common slope of the groups, each about its own mean; NaN where nothing varies
    between               : slope through the groups' means, weighted by their rows; NaN where they are equal
    """

    x_mean: Floats
    y_mean: Floats
    slope: Floats
    low: Floats
    high: Floats
    pooled: float
    within: float
    between: float


def explored(frame: pd.DataFrame, outcome: str, predictor: str, group: str) -> Explored:
    """The rows that have all that is chosen; `predictor` may be ''."""
    y = frame[outcome].to_numpy(dtype=float, na_value=np.nan)
    code, levels = pd.factorize(frame[group], sort=True)
    x, places = _predictor(frame[predictor]) if predictor else (np.zeros(len(y)), ())
    known = np.isfinite(y) & np.isfinite(x) & (code >= 0)
    present, again = np.unique(code[known], return_inverse=True)
    return Explored(
        y[known],
        x[known] if predictor else np.empty(0),
        again.astype(np.intp),
        tuple(str(levels[i]) for i in present),
        places,
        (outcome, predictor, group),
        int((~known).sum()),
        np.flatnonzero(known),
    )


def _predictor(values: pd.Series) -> tuple[Floats, tuple[str, ...]]:
    """Its numbers; or the places of its categories, NaN where missing, and their names."""
    kind = values.dtype
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
        return values.to_numpy(dtype=float, na_value=np.nan), ()
    code, levels = pd.factorize(values, sort=True)
    return np.where(code >= 0, code, np.nan).astype(float), tuple(str(level) for level in levels)


def own_lines(data: Explored) -> Lines:
    """Each group's own line and the slopes over all, from sums by group. O(rows)."""
    n, count = data.sizes.astype(float), len(data.labels)
    x_mean, y_mean = (np.bincount(data.code, v, count) / n for v in (data.x, data.y))
    x_dev, y_dev = data.x - x_mean[data.code], data.y - y_mean[data.code]
    spread, shared = (np.bincount(data.code, x_dev * v, count) for v in (x_dev, y_dev))
    tiny = 1e-12 * float(np.square(data.x).sum() + 1)
    x_out, y_out = (v - np.average(v, weights=n) for v in (x_mean, y_mean))
    between_spread, between_shared = float(n @ x_out**2), float(n @ (x_out * y_out))
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, data.code, data.x)
    np.maximum.at(high, data.code, data.x)
    return Lines(
        x_mean,
        y_mean,
        np.divide(shared, spread, out=np.full(count, np.nan), where=(spread > tiny / count)),
        low,
        high,
        _ratio(float(shared.sum()) + between_shared, float(spread.sum()) + between_spread, tiny),
        _ratio(float(shared.sum()), float(spread.sum()), tiny),
        _ratio(between_shared, between_spread, tiny),
    )


def _ratio(top: float, bottom: float, tiny: float) -> float:
    return top / bottom if bottom > tiny else float("nan")


def ranking(data: Explored, lines: Lines | None) -> list[str]:
    """Groups from the smallest own slope to the largest; by their mean where there is no slope."""
    mean = np.bincount(data.code, data.y, len(data.labels)) / data.sizes
    slope = np.full(len(mean), np.nan) if lines is None else lines.slope
    order = np.lexsort((mean, np.where(np.isnan(slope), np.inf, slope)))
    return [data.labels[i] for i in order]


def drawn_lines(data: Explored, lines: Lines | None, shown: list[str]) -> Grouped:
    """Every group's line, with the rows of the groups shown, for the charts of lines."""
    everyone = np.zeros(len(data.code), dtype=np.intp)
    if lines is None:
        own = every_nth(*joined_lines(data.code, data.x, data.y), 1_000)
        average = joined_lines(everyone, data.x, data.y)[1:]
    else:
        known = np.flatnonzero(np.isfinite(lines.slope))
        ends = np.column_stack([lines.low, lines.high])[known]
        height = lines.y_mean[known, None] + lines.slope[known, None] * (ends - lines.x_mean[known, None])
        own = (np.repeat(known, 2), ends.ravel(), height.ravel())
        reach = np.array([data.x.min(), data.x.max()])
        average = (reach, data.y.mean() + lines.pooled * (reach - data.x.mean()))
    wanted = np.isin(np.array(data.labels, dtype=object), shown)
    kept = wanted[data.code]
    return Grouped(
        data.x[kept],
        data.y[kept],
        data.code[kept],
        data.labels,
        *own,
        *average,
        tuple(str(row + 1) for row in data.rows[kept]),
        (data.names[1], data.names[0], data.names[2]),
        "least squares",
    )


QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def quantiles(data: Explored) -> Floats:
    """(groups, 5) the `QUANTILES` of each group's outcome, interpolated as numpy does; one sort."""
    values = data.y[np.lexsort((data.y, data.code))]
    start = np.cumsum(data.sizes) - data.sizes
    place = start[:, None] + np.array(QUANTILES) * (data.sizes - 1)[:, None]
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, (start + data.sizes - 1)[:, None])
    found: Floats = values[below] + (place - below) * (values[above] - values[below])
    return found


def by_median(data: Explored, five: Floats) -> list[str]:
    """Groups from the smallest median of the outcome to the largest; `five` as `quantiles`."""
    return [data.labels[i] for i in np.argsort(five[:, 2], kind="stable")]
