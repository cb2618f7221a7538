"""A model as a picture: groups as boxes around what lies in them, and in each what differs there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from pages.ui import text
from pages.ui.charts.base import LIGHT, Chart, Ink, canvas, faint, figures

LEVEL = ""
"""The name of a group's level among what differs."""
PHONE = 318
"""Pixels of the figure's width on a phone; lines are broken for it."""
CHARACTER = 6.7
LINE, PAD, SKETCH = 18, 9, 38
"""Pixels: height of a line of text, space around it, height of a sketch."""
INSET = 3.0
SKETCH_WIDTH = 15.0
"""Hundredths of the width."""
NARROW = 18
"""Characters: where fewer fit beside a sketch, the words stand below it."""
MOST_NAMED = 5
CROSSED = " Boxes that do not lie in each other cross: a row lies in one group of each."


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of one kind in a model.

    name       : 'class in school', plain text from the data
    count      : how many there are;  rows : rows in the median one
    effects    : what differs between them, LEVEL or the name of a predictor; sets of what may be correlated
    predictors : those that are constant within these groups, so describe the group
    inside     : kinds of groups that lie in these
    """

    name: str
    count: int
    rows: float
    effects: tuple[tuple[str, ...], ...]
    predictors: tuple[str, ...] = ()
    inside: tuple[Groups, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """count : of the data;  predictors : those that differ between the rows of a group"""

    count: int
    predictors: tuple[str, ...] = ()


def model_picture(outer: Sequence[Groups], rows: Rows, *, ink: Ink = LIGHT) -> Chart:
    """The groups of a model, the widest first, down to the rows."""
    drawing = _Drawing(rows, ink)
    bottom = drawing.several(outer, 0.0, 100.0, 0.0, depth=0, down_to_rows=True)
    figure = canvas(int(bottom) + 4)
    figure.update_layout(
        margin={"l": 1, "r": 1, "t": 1, "b": 1},
        xaxis={"visible": False, "range": [0, 100], "fixedrange": True},
        yaxis={"visible": False, "range": [bottom + 1, -1], "fixedrange": True},
        shapes=drawing.boxes,
        annotations=drawing.texts,
        hovermode=False,
        dragmode=False,
    )
    for trace in drawing.sketches:
        figure.add_trace(trace)
    return Chart(
        figure,
        "Levels and what differs",
        f"A box lies in the one around it.{CROSSED if _crosses(outer) else ''} The sketch in each shows what "
        "differs there: lines side by side are groups with levels of their own, a fan of lines is groups "
        "with slopes of their own.",
        _said(outer, rows),
    )


def _crosses(kinds: Sequence[Groups]) -> bool:
    return len(kinds) > 1 or any(_crosses(each.inside) for each in kinds)


class _Drawing:
    """Boxes, texts and sketches as they are placed; x in hundredths of the width, y in pixels downwards."""

    def __init__(self, rows: Rows, ink: Ink) -> None:
        self.rows, self.ink = rows, ink
        self.boxes: list[dict[str, object]] = []
        self.texts: list[dict[str, object]] = []
        self.sketches: list[go.Scatter] = []

    def several(
        self,
        kinds: Sequence[Groups],
        left: float,
        right: float,
        top: float,
        *,
        depth: int,
        down_to_rows: bool,
    ) -> float:
        """Kinds of groups that do not lie in each other, and the rows in them; gives the lower end."""
        if len(kinds) == 1:
            return self.groups(kinds[0], left, right, top, depth=depth, down_to_rows=down_to_rows)
        if len(kinds) == 2 and not any(each.inside for each in kinds):
            middle = (left + right) / 2
            ends = [(left, middle - 2.5), (middle + 2.5, right)]
            first = len(self.boxes)
            bottom = max(
                self.groups(each, *end, top, depth=depth, down_to_rows=False)
                for each, end in zip(kinds, ends, strict=True)
            )
            for box in self.boxes[first:]:
                box["y1"] = bottom
            self.write("<b>×</b>", middle, (top + bottom) / 2 - LINE / 2, centre=True)
        else:
            bottom = top
            for each in kinds:
                bottom = self.groups(each, left, right, bottom, depth=depth, down_to_rows=False) + PAD
            bottom -= PAD if kinds else 0
        return self.of_rows(left, right, bottom + (PAD if kinds else 0)) if down_to_rows else bottom

    def groups(
        self, each: Groups, left: float, right: float, top: float, *, depth: int, down_to_rows: bool
    ) -> float:
        """One box with its words, its sketch and what lies in it."""
        box = self.box(left, right, top, self.ink.main)
        bottom = self.words(
            text.shorten(each.name, _characters(left, right)),
            f"{each.count:,} groups, median {_count(each.rows)}",
            [*_differing(each), *_of_predictors(each.predictors)],
            (left, right, top),
            _lines_of(each.effects),
        )
        if each.inside or down_to_rows:
            bottom = self.several(
                each.inside,
                left + INSET,
                right - INSET,
                bottom + PAD / 2,
                depth=depth + 1,
                down_to_rows=down_to_rows,
            )
            bottom += PAD
        box["y1"] = bottom
        return bottom

    def of_rows(self, left: float, right: float, top: float) -> float:
        """The box of the rows."""
        box = self.box(left, right, top, self.ink.accent)
        box["y1"] = bottom = self.words(
            "Rows",
            f"{self.rows.count:,} in all",
            ["Differs: residual", *_of_predictors(self.rows.predictors)],
            (left, right, top),
            None,
        )
        return bottom

    def box(self, left: float, right: float, top: float, colour: str) -> dict[str, object]:
        shape: dict[str, object] = {
            "type": "rect",
            "x0": left,
            "x1": right,
            "y0": top,
            "y1": top,
            "layer": "below",
            "fillcolor": faint(colour, 0.1),
            "line": {"color": faint(colour, 0.55), "width": 1},
        }
        self.boxes.append(shape)
        return shape

    def words(
        self,
        name: str,
        size: str,
        sentences: Sequence[str],
        place: tuple[float, float, float],
        lines: np.ndarray | None,
    ) -> float:
        """Name and size of a box, and beside its sketch, or below it, what differs; gives the lower end."""
        left, right, top = place
        start, y = left + 2.2, top + PAD / 2
        y = self.write(f"<b>{text.plain(name)}</b>", start, y)
        for line in wrap(size, _characters(left, right)):
            y = self.write(line, start, y)
        self.sketch(start, y + 3, lines)
        end = y + SKETCH + 3
        beside = start + SKETCH_WIDTH + 2.2
        if _characters(beside, right) < NARROW:
            beside, y = start, end
        for sentence in sentences:
            for line in wrap(sentence, _characters(beside, right)):
                y = self.write(text.plain(line), beside, y)
        return max(y, end) + PAD / 2

    def write(self, words: str, x: float, y: float, *, colour: str = "", centre: bool = False) -> float:
        """One line; gives the place of the next."""
        self.texts.append(
            {
                "text": words,
                "x": x,
                "y": y,
                "xanchor": "center" if centre else "left",
                "yanchor": "top",
                "showarrow": False,
                "font": {"size": 12.5, "color": colour or self.ink.text},
                "borderpad": 0,
                "align": "left",
            }
        )
        return y + LINE

    def sketch(self, x: float, y: float, lines: np.ndarray | None) -> None:
        """Lines of a few groups, (lines, 2) heights of their ends from 0 (top) to 1; or points: rows."""
        if lines is None:
            across = x + SKETCH_WIDTH * np.array([0.06, 0.2, 0.31, 0.44, 0.55, 0.7, 0.82, 0.94])
            down = y + SKETCH * np.array([0.75, 0.85, 0.5, 0.66, 0.4, 0.52, 0.15, 0.3])
            points = {"color": self.ink.accent, "size": 5}
            self.sketches.append(go.Scatter(x=across, y=down, mode="markers", marker=points))
            return
        gap = np.full(len(lines), np.nan)
        ends = np.tile([x, x + SKETCH_WIDTH, np.nan], len(lines))
        down = np.column_stack([y + SKETCH * lines, gap]).ravel()
        style = {"color": self.ink.main, "width": 2}
        self.sketches.append(go.Scatter(x=ends, y=down, mode="lines", line=style))


def _lines_of(effects: Sequence[Sequence[str]]) -> np.ndarray:
    """Lines of four groups: apart where their level differs, of different slopes where those do."""
    names = {name for each in effects for name in each}
    level = np.array([0.12, 0.38, 0.62, 0.88]) if LEVEL in names else np.full(4, 0.5)
    if not names - {LEVEL}:
        return np.column_stack([level + 0.1, level - 0.1])
    tilt = np.array([-0.05, 0.25, -0.2, 0.08] if LEVEL in names else [-0.45, -0.15, 0.15, 0.45])
    return np.column_stack([level + tilt, level - tilt])


def _differing(each: Groups) -> Iterator[str]:
    """What differs between the groups, a line for each set."""
    for number, effects in enumerate(each.effects):
        named = text.enumerated([_effect(name) for name in effects], MOST_NAMED)
        together = " (correlated)" if len(effects) > 1 else " (independent)" if number else ""
        yield f"{'and' if number else 'Differs:'} {named}{together}"


def _effect(name: str) -> str:
    return "level" if name == LEVEL else f"slope of {text.shorten(name, 18)}"


def _of_predictors(names: Sequence[str]) -> list[str]:
    """The predictors that describe what the box holds."""
    if not names:
        return []
    return [f"Predictors here: {text.enumerated([text.shorten(name, 18) for name in names], MOST_NAMED)}"]


def _count(rows: float) -> str:
    return f"{figures(rows)} row{'' if rows == 1 else 's'}"


def _characters(left: float, right: float) -> int:
    """Characters that fit between two places on a phone."""
    return max(int((right - left - INSET) / 100 * PHONE / CHARACTER), 10)


def _said(outer: Sequence[Groups], rows: Rows) -> str:
    """The picture in words."""
    said = list(_each_said(outer, ""))
    also = "".join(f"; {line[:1].lower()}{line[1:]}" for line in _of_predictors(rows.predictors))
    return f"{'. '.join(said)}. At the bottom {rows.count:,} rows{also}."


def _each_said(kinds: Sequence[Groups], within: str) -> Iterator[str]:
    for each in kinds:
        parts = [*_differing(each), *_of_predictors(each.predictors)]
        words = "; ".join(f"{part[:1].lower()}{part[1:]}" for part in parts)
        name = text.shorten(each.name)
        yield f"{name}{within}: {each.count:,} groups, median {_count(each.rows)}; {words}"
        yield from _each_said(each.inside, f", inside {name}")
