"""A small picture of an example's data: lines by group over a predictor, or points by group. Pure.

It is drawn as a vector image: the start page needs no chart, and so not the browser's library for charts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from pages.ui.charts import Ink
from pages.ui.charts.base import Floats

MOST_GROUPS = 14
MOST_POINTS = 24
WIDTH, HEIGHT, MARGIN = 300, 110, 8


@dataclass(frozen=True, slots=True)
class Scale:
    """From data to places in the image, which runs downwards; each axis from its lowest to its highest."""

    x: tuple[float, float]
    y: tuple[float, float]

    def places(self, x: Iterable[float], y: Iterable[float]) -> Iterator[tuple[str, str]]:
        """Points of the image, to a tenth of its unit."""
        across = MARGIN + (WIDTH - 2 * MARGIN) * _within(x, *self.x)
        down = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * _within(y, *self.y)
        for one, two in zip(across, down, strict=True):
            yield f"{one:.1f}", f"{two:.1f}"


def _within(values: Iterable[float], low: float, high: float) -> Floats:
    """Values as shares of the way between two ends."""
    found = np.asarray(list(values), dtype=float)
    return np.asarray((found - low) / (high - low)) if high > low else np.full(found.size, 0.5)


def picture(frame: pd.DataFrame, outcome: str, group: str, over: str | None, ink: Ink) -> str:
    """An SVG image without axes, of a few groups.

    over : a numeric column to draw lines over; None for one column of points a group
    """
    box = f"0 0 {WIDTH} {HEIGHT}"
    image = ElementTree.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=box, fill="none")
    few = _few_groups(frame, outcome, group)
    image.extend(_lines(few, outcome, over, ink) if over else _points(few, outcome, ink))
    return ElementTree.tostring(image, encoding="unicode")


def _few_groups(frame: pd.DataFrame, outcome: str, group: str) -> pd.DataFrame:
    """Rows of groups spread evenly over the order of their means, a limited number of rows each."""
    known = frame.dropna(subset=[outcome, group])
    means = known.groupby(group, observed=True)[outcome].mean().sort_values()
    chosen = means.index[np.unique(np.linspace(0, len(means) - 1, MOST_GROUPS).round().astype(int))]
    rows = known[known[group].isin(chosen)]
    few = rows.groupby(group, observed=True).head(MOST_POINTS)
    order = few.groupby(group, observed=True)[outcome].mean().sort_values().index
    place = pd.Series(np.arange(len(order)), index=order)
    return few.assign(_place=few[group].astype(object).map(place).astype(int))


def _lines(few: pd.DataFrame, outcome: str, over: str, ink: Ink) -> Iterator[ElementTree.Element]:
    """One thin line a group, the middle one strong."""
    means = [rows.groupby(over, observed=True)[outcome].mean() for _, rows in few.groupby("_place")]
    scale = _scale(few[over], pd.concat(means))
    for line in means:
        yield _line(scale, line, {"stroke": ink.main, "stroke-width": "1.3", "opacity": "0.5"})
    yield _line(scale, means[len(means) // 2], {"stroke": ink.accent, "stroke-width": "2.8"})


def _line(scale: Scale, line: pd.Series, look: dict[str, str]) -> ElementTree.Element:
    points = " ".join(",".join(place) for place in scale.places(line.index, line))
    return ElementTree.Element("polyline", {"points": points, "stroke-linejoin": "round"} | look)


def _points(few: pd.DataFrame, outcome: str, ink: Ink) -> Iterator[ElementTree.Element]:
    """A column of points a group, in the order of the means, which are short strokes."""
    means, scale = few.groupby("_place")[outcome].mean(), _scale(few["_place"], few[outcome])
    for x, y in scale.places(few["_place"], few[outcome]):
        look = {"r": "2.5", "fill": ink.main, "opacity": "0.55"}
        yield ElementTree.Element("circle", {"cx": x, "cy": y} | look)
    for x, y in scale.places(means.index, means):
        look = {"stroke": ink.accent, "stroke-width": "2.8"}
        yield ElementTree.Element("path", {"d": f"M{x} {y}m-7 0h14"} | look)


def _scale(x: pd.Series, y: pd.Series) -> Scale:
    return Scale((float(x.min()), float(x.max())), (float(y.min()), float(y.max())))


def line_variable(frame: pd.DataFrame, outcome: str, group: str, candidates: list[str]) -> str | None:
    """The first numeric candidate that takes several values within groups but not one for each row."""
    for name in candidates:
        if name == outcome or not pd.api.types.is_numeric_dtype(frame[name]):
            continue
        rows = frame.dropna(subset=[name])
        distinct = rows.groupby(group, observed=True)[name].nunique()
        if distinct.median() >= 3 and rows[name].nunique() <= 40:
            return name
    return None
