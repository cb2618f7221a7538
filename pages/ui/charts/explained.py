"""The variance that is left at each level as predictors are added one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui import text
from pages.ui.charts.base import LIGHT, Chart, Ink, axis, canvas, figures, labelled_axis

RESIDUAL = "Residual"
MOST_STEPS = 20


def explained_bars(steps: pd.DataFrame, *, ink: Ink = LIGHT) -> Chart:
    """A stacked bar for each step: the variance between groups and within them that is left.

    steps : step, group, variance, explained, as `result.variance_steps()`
    """
    groups = list(dict.fromkeys(steps["group"]))
    tables = {group: steps[steps["group"] == group].reset_index(drop=True) for group in groups}
    names = _labels(list(tables[groups[0]]["step"]))
    drawn = min(len(names), MOST_STEPS)
    figure = canvas(110 + 34 * drawn, legend=True, barmode="stack", bargap=0.3)
    colours = _colours(groups, ink)
    for group in groups:
        own = tables[group].head(drawn)
        label = "Within (residual)" if group == RESIDUAL else f"Between {text.shorten(group, 24)}"
        figure.add_trace(
            go.Bar(
                x=own["variance"].to_numpy(dtype=float),
                y=np.arange(drawn),
                orientation="h",
                name=text.plain(label),
                marker={"color": colours[group], "line": {"width": 0}},
                customdata=[
                    [text.plain(label), figures(v), _percent(e)]
                    for v, e in zip(own["variance"], own["explained"], strict=True)
                ],
                hovertemplate="%{customdata[0]}: %{customdata[1]} left, %{customdata[2]} explained"
                "<extra></extra>",
            )
        )
    total = float(sum(tables[group]["variance"].iloc[0] for group in groups))
    figure.add_vline(x=total, line={"color": ink.muted, "width": 1, "dash": "dot"})
    figure.update_layout(
        xaxis=axis("Variance left (outcome's units, squared)", rangemode="tozero"),
        yaxis=labelled_axis(names[:drawn], 24, two_lines=True),
        legend_traceorder="normal",
    )
    return Chart(
        figure,
        "What each predictor explains",
        "From top to bottom, predictors enter one by one. What a colour loses in length from one bar to the "
        "next is what that predictor explains at that level. The dotted line is all the variance there was.",
        "Variance left after each step: "
        + "; ".join(f"{_word(group)} {_course(tables[group])}" for group in groups)
        + ".",
        "" if drawn == len(names) else f"The first {drawn} of {len(names)} steps are drawn.",
    )


def _labels(steps: list[str]) -> list[str]:
    last = len(steps) - 1
    return [
        step if at == 0 or (at == last and step == "Random slopes") else f"+ {step}"
        for at, step in enumerate(steps)
    ]


def _colours(groups: list[str], ink: Ink) -> dict[str, str]:
    """The accent for the first level, further colours for others, muted for the residual."""
    others = [colour for colour in ink.categories if colour not in (ink.main, ink.accent)]
    palette = [ink.accent, ink.main, *others]
    named = [group for group in groups if group != RESIDUAL]
    return {g: palette[at % len(palette)] for at, g in enumerate(named)} | {RESIDUAL: ink.muted}


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.1%}"


def _word(group: str) -> str:
    return "within groups" if group == RESIDUAL else f"between {group}"


def _course(own: pd.DataFrame) -> str:
    return f"from {figures(float(own['variance'].iloc[0]))} to {figures(float(own['variance'].iloc[-1]))}"
