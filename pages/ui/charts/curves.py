"""The arithmetic behind charts: smooth lines, normal quantiles, lines by group; O(n log n) at most."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from pages.ui.charts.base import Floats, Ints

BINS = 80
SPAN = 0.4
"""Share of the data that pulls on each point of a smooth line."""


def binned_means(x: Floats, y: Floats, bins: int = BINS) -> tuple[Floats, Floats, Floats]:
    """Means of x and y, and counts, in at most `bins` bins of about equal count; equal x are never split."""
    values, inverse = np.unique(x, return_inverse=True)
    share = (np.cumsum(np.bincount(inverse)) - 1) * min(bins, len(values)) // max(len(x), 1)
    code = np.unique(share, return_inverse=True)[1][inverse]
    count = np.bincount(code).astype(float)
    return np.bincount(code, x) / count, np.bincount(code, y) / count, count


def smooth(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """A local-linear line through binned means with tricube weights over the nearest `SPAN` of the data.

    Cleveland (1979), J. Am. Stat. Assoc. 74, without the robustness steps and on bins, so that a million
    rows cost no more than a sort. Returns nothing to draw (empty arrays) for fewer than four distinct x.
    """
    centre, mean, count = binned_means(x, y)
    if len(centre) < 4:
        return np.empty(0), np.empty(0)
    distance = np.abs(centre[:, None] - centre[None, :])
    order = np.argsort(distance, axis=1)
    reached = np.cumsum(count[order], axis=1) >= SPAN * count.sum()
    # At least three bins, or the local line would have nothing to lean on.
    nearest = np.maximum(reached.argmax(axis=1), 2)
    width = np.take_along_axis(distance, np.take_along_axis(order, nearest[:, None], 1), 1) * 1.001
    weight = count * np.clip(1 - (distance / width) ** 3, 0, None) ** 3
    return centre, _local_lines(centre, mean, weight)


def _local_lines(x: Floats, y: Floats, weight: Floats) -> Floats:
    """Value at x[i] of the line fitted with weights weight[i], for all i at once."""
    total = weight.sum(axis=1)
    x_mean, y_mean = weight @ x / total, weight @ y / total
    centred = x[None, :] - x_mean[:, None]
    spread = (weight * centred**2).sum(axis=1)
    slope = np.divide(
        (weight * centred * (y[None, :] - y_mean[:, None])).sum(axis=1),
        spread,
        out=np.zeros_like(spread),
        where=spread > 0,
    )
    line: Floats = y_mean + slope * (x - x_mean)
    return line


def normal_ranks(n: int, limit: int = 2_000) -> Ints:
    """Ranks (1 … n) worth drawing in a Q–Q plot: all, or evenly spaced normal quantiles and whole tails."""
    if n <= limit:
        return np.arange(1, n + 1)
    tail = limit // 8
    reach = -float(special.ndtri(tail / n))
    even = special.ndtr(np.linspace(-reach, reach, limit - 2 * tail))
    middle = np.clip(np.round(even * n).astype(int), 1, n)
    return np.unique(np.concatenate([np.arange(1, tail + 1), middle, np.arange(n - tail + 1, n + 1)]))


def normal_quantiles(ranks: Ints, n: int) -> tuple[Floats, Floats, Floats]:
    """Expected normal quantile of each rank, and the pointwise 95 % range of that order statistic.

    The k-th smallest of n uniforms is Beta(k, n + 1 − k); plotting positions are Blom's (1958).
    """
    places = (
        (ranks - 0.375) / (n + 0.25),
        special.betaincinv(ranks, n + 1 - ranks, 0.025),
        special.betaincinv(ranks, n + 1 - ranks, 0.975),
    )
    expected, low, high = (np.asarray(special.ndtri(place), dtype=float) for place in places)
    return expected, low, high


def joined_lines(code: Ints, x: Floats, fitted: Floats) -> tuple[Ints, Floats, Floats]:
    """Mean fitted value at each distinct (code, x), sorted: the points of each group's line."""
    mean = (
        pd.DataFrame({"code": code, "x": x, "fitted": fitted})
        .groupby(["code", "x"], sort=True)["fitted"]
        .mean()
    )
    index = mean.index
    return (
        index.get_level_values(0).to_numpy(dtype=np.intp),
        index.get_level_values(1).to_numpy(dtype=float),
        mean.to_numpy(dtype=float),
    )


def every_nth(code: Ints, x: Floats, y: Floats, most: int) -> tuple[Ints, Floats, Floats]:
    """At most `most` (≥ 2) points of each line, evenly spaced by rank, both ends kept; sorted by code then x.

    A line of a thousand points looks the same with a hundred, and a browser draws it a thousand times over.
    """
    starts = np.flatnonzero(np.r_[True, np.diff(code) != 0]) if len(code) else np.empty(0, dtype=np.intp)
    size = np.diff(np.r_[starts, len(code)])
    place, length = np.arange(len(code)) - np.repeat(starts, size), np.repeat(size, size)
    step = place * (most - 1) // np.maximum(length - 1, 1)
    kept = (length <= most) | (place == 0) | np.r_[False, np.diff(step) != 0]
    return code[kept], x[kept], y[kept]


def along_lines(code: Ints, x: Floats, y: Floats, most: int) -> tuple[Ints, Floats, Floats]:
    """`most` points on each line, evenly spread over its x, sorted by code.

    code, x, y : corners of the lines, sorted by code then x. Points of one line lie between those of the
    next: where there are more lines than points can be drawn, some line has one near every place.
    """
    levels, starts = np.unique(code, return_index=True)
    shift = np.arange(len(levels)) * 0.618034 % 1
    share = (np.arange(most) + 0.5)[None, :] + (0 if most > 3 else shift[:, None] - 0.5)
    low, high = x[starts], x[np.r_[starts[1:], len(code)] - 1]
    at = low[:, None] + (high - low)[:, None] * share / most
    found = [
        np.interp(own, x[start:end], y[start:end])
        for own, start, end in zip(at, starts, np.r_[starts[1:], len(code)], strict=True)
    ]
    return np.repeat(levels, most), at.ravel(), np.asarray(found, dtype=float).ravel()


def straight_lines(code: Ints, x: Floats, fitted: Floats) -> tuple[Ints, Floats, Floats]:
    """Ends of the least-squares line through each group's fitted values, sorted by code then x."""
    size = np.bincount(code)
    x_dev = x - (np.bincount(code, x) / np.maximum(size, 1))[code]
    spread, shared = np.bincount(code, x_dev**2), np.bincount(code, x_dev * fitted)
    slope = np.divide(shared, spread, out=np.zeros_like(spread), where=spread > 0)
    return lines_with_slopes(code, x, fitted, slope)


def lines_with_slopes(code: Ints, x: Floats, fitted: Floats, slope: Floats) -> tuple[Ints, Floats, Floats]:
    """Ends of each group's line through its mean point with the slope of its code, sorted by code then x."""
    rows = pd.DataFrame({"x": x, "fitted": fitted}).groupby(code)
    low, high, x_mean = (rows["x"].agg(name).to_numpy() for name in ("min", "max", "mean"))
    present = np.fromiter(rows.groups, dtype=np.intp)
    ends = np.column_stack([low, high])
    line = rows["fitted"].mean().to_numpy()[:, None] + slope[present, None] * (ends - x_mean[:, None])
    return np.repeat(present, 2), ends.ravel(), line.ravel()


def with_gaps(code: Ints, *columns: Floats) -> list[Floats]:
    """Each column with a gap (NaN) wherever the code changes, so that one trace draws all lines."""
    breaks = np.flatnonzero(np.diff(code)) + 1
    return [np.insert(column.astype(float), breaks, np.nan) for column in columns]
