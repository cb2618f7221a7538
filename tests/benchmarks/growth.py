"""How time grows when rows, groups or terms double: series of fits, and the slope of log time on log size."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks.engines import OURS
from tests.benchmarks.measure import Effort, measure
from tests.benchmarks.problems import Problem, slopes


@dataclass(frozen=True)
class Series:
    """One way to grow: sizes that double, a problem each, and the exponent not to be exceeded."""

    title: str
    sizes: tuple[int, ...]
    problems: tuple[Problem, ...]
    goal: float | None = None


@dataclass(frozen=True)
class Growth:
    """seconds (CPU, median) at each of the sizes, and the exponent of a power law through them."""

    title: str
    sizes: tuple[int, ...]
    seconds: tuple[float | None, ...]
    exponent: float | None
    goal: float | None = None


def crossed(terms: int, rows: int = 100_000, levels: int = 100, seed: int = 3) -> pd.DataFrame:
    """`terms` crossed factors f1, f2, … of `levels` levels, drawn at random for each row."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(levels, size=(rows, terms))
    x = rng.normal(size=rows)
    effects = rng.normal(size=(levels, terms))
    y = 1 + x + effects[codes, np.arange(terms)].sum(axis=1) + rng.normal(size=rows)
    return pd.DataFrame({"y": y, "x": x} | {f"f{t + 1}": codes[:, t] for t in range(terms)})


def _rows(total: int) -> Problem:
    return Problem(f"rows-{total}", "", functools.partial(slopes, 1_000, total // 1_000), "y ~ x + (x | g)")


def _groups(groups: int) -> Problem:
    return Problem(f"groups-{groups}", "", functools.partial(slopes, groups, 10), "y ~ x + (x | g)")


def _terms(terms: int) -> Problem:
    bars = " + ".join(f"(1 | f{t + 1})" for t in range(terms))
    return Problem(f"terms-{terms}", "", functools.partial(crossed, terms), f"y ~ x + {bars}")


def _doubled(first: int, times: int) -> tuple[int, ...]:
    return tuple(first * 2**power for power in range(times + 1))


ROWS, GROUPS, TERMS = _doubled(125_000, 4), _doubled(12_500, 4), _doubled(1, 3)
SERIES = (
    Series("rows, 1,000 groups, correlated slope", ROWS, tuple(map(_rows, ROWS)), 1.05),
    Series("groups of 10 rows, correlated slope", GROUPS, tuple(map(_groups, GROUPS)), 1.05),
    Series("crossed terms of 100 levels, 100,000 rows", TERMS, tuple(map(_terms, TERMS))),
)


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """b of seconds = a · sizeᵇ, by least squares on logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def measure_growth(series: Series, effort: Effort, folder: Path) -> Growth:
    """All sizes of a series, in turn; only the first and the third of them where it has to be quick."""
    kept = slice(0, 3, 2) if effort.quick else slice(None)
    sizes, problems = series.sizes[kept], series.problems[kept]
    found = measure([(OURS, problem) for problem in problems], effort, folder)
    seconds = tuple(each.seconds if each.state == "measured" else None for each in found)
    known = [(size, time) for size, time in zip(sizes, seconds, strict=True) if time]
    slope = exponent(*zip(*known, strict=True)) if len(known) > 1 else None
    return Growth(series.title, sizes, seconds, slope, series.goal)
