"""The lines whose slopes are looked at, one for each combination of the moderators' values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from pages.ui import display, text
from pages.ui.charts import Chart
from pages.ui.charts import effects_predictions as pictures
from pages.ui.charts.effects_predictions import Curve
from pages.ui.effects import predictions, words
from pages.ui.effects.setting import MEAN_GROUP, Setting
from pages.ui.effects.variables import Variable

MOST_LINES = 7
"""Lines in colours that can be told apart."""


def chart(known: Setting, x: Variable, values: Mapping[str, Sequence[Any]], said: str) -> Chart:
    """The outcome over `x`, a line for each combination of moderators, all else at the mean or first level.

    values : moderator → where it stands;  said : what the chart shows, for those who cannot see it
    """
    held = {v.name: v.middle for v in known.variables if v.name not in (x.name, *values)}
    cells = drawn(known, values)
    along = x.along()
    curves = []
    for cell in cells[:MOST_LINES]:
        at = {name: [where] for name, where in (held | dict(zip(values, cell, strict=True))).items()}
        new = predictions.crossed(known.rows.iloc[[0]], {**at, x.name: along})
        found = predictions.predicted(known.result, new, (), "confidence", known.level)
        name = ", ".join(f"{text.shorten(n, 20)} {words.value(v)}" for n, v in zip(values, cell, strict=True))
        curves.append(Curve(name, along, found))
    all_cells = len(list(product(*values.values())))
    few = f"{len(curves)} of {all_cells} lines are drawn." if len(curves) < all_cells else ""
    where = words.held(known.variables, held)
    picture = pictures.predictions(
        curves,
        None,
        names=(x.name, known.outcome),
        category=False,
        words=said,
        caption=" ".join(filter(None, [f"For {MEAN_GROUP.lower()}.", where, few, words.OF_PREDICTIONS])),
        ink=display.ink(),
    )
    return pictures.titled(picture, f"Lines for {words.listed([text.shorten(name, 30) for name in values])}")


def drawn(known: Setting, values: Mapping[str, Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The combinations to draw; of many, numbers stand at their ends alone."""
    cells = list(product(*values.values()))
    if len(cells) <= MOST_LINES:
        return cells
    ends = [
        own if known.named(name).kind == "category" else [own[0], own[-1]] for name, own in values.items()
    ]
    return list(product(*ends))
