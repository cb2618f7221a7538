"""A figure as the browser gets it: with its colours, and in a form that Plotly draws once.

Streamlit sets a figure twice, the second time as a copy, and Plotly draws again what seems to have changed: a
template (a copy is another one), packed numbers, a width that was not its own, and the click mode that
Streamlit gives to charts that answer clicks. So a figure is sent with plain numbers and a revision that says
that they are the same, and with what a template would have set.
"""

from __future__ import annotations

import html
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts.base import Ink, faint

FONT = '"Source Sans", sans-serif'
SIZE, TITLE_SIZE = 12, 14
ROOM, LETTER = 38, 6.2
"""Pixels that names at an axis take, besides those of each letter of the longest."""
Spec = dict[str, Any]
_AXIS = re.compile(r"[xy]axis\d*")


class Sent(go.Figure):  # type: ignore[misc]
    """A figure whose content is made already: `to_dict` gives it as it is."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self._spec = spec

    def to_dict(self) -> Spec:
        return self._spec


def sent(figure: go.Figure, ink: Ink, *, clicked: bool = False) -> Sent:
    """The figure to be shown on a page in these colours.

    clicked : whether something is done when a point is clicked
    """
    data = [_plain(trace.to_plotly_json()) for trace in figure.data]
    layout = _plain(figure.layout.to_plotly_json())
    layout.pop("template", None)
    layout |= {"datarevision": 1, "autosize": True}
    if clicked:
        layout["clickmode"] = "event+select"
    _set_missing(layout, _look(ink))
    for name in filter(_AXIS.fullmatch, layout):
        _set_missing(layout[name], _axis_look(ink, name.startswith("y")))
    _leave_room(layout)
    for trace in data:
        if trace["type"] == "scatter" and "marker" in trace:
            _set_missing(trace["marker"], {"line": {"width": 0}})
    return Sent({"data": data, "layout": layout})


def _plain(value: Any) -> Any:
    """Arrays of numbers as lists, gaps as None; the rest as it is."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        if value.dtype.kind == "f" and np.isnan(value).any():
            return np.where(np.isnan(value), np.array(None), value).tolist()
        return value.tolist()
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_plain(each) for each in value]
    return value


def _set_missing(into: Spec, defaults: Spec) -> None:
    """Set what is not set yet, at every depth."""
    for key, value in defaults.items():
        if isinstance(value, dict):
            _set_missing(into.setdefault(key, {}), value)
        else:
            into.setdefault(key, value)


def _leave_room(layout: Spec) -> None:
    """A left margin as wide as names at the vertical axis need: where it must grow, all is drawn again."""
    axis = layout.get("yaxis", {})
    lines = (line for name in axis.get("ticktext", ()) for line in str(name).split("<br>"))
    longest = max((len(html.unescape(line)) for line in lines), default=0)
    if longest and not axis["title"].get("text"):
        layout["margin"]["l"] = ROOM + round(LETTER * longest)


def _look(ink: Ink) -> Spec:
    font = {"family": FONT, "size": SIZE, "color": ink.faded}
    return {
        "font": font,
        "paper_bgcolor": ink.surface,
        "plot_bgcolor": ink.surface,
        "hoverlabel": {
            "bgcolor": ink.surface,
            "bordercolor": faint(ink.muted, 0.5),
            "font": {**font, "color": ink.text},
        },
        "margin": {"pad": 8},
    }


def _axis_look(ink: Ink, upright: bool) -> Spec:
    return {
        "automargin": True,
        "showgrid": upright,
        "gridcolor": faint(ink.muted, 0.2),
        "zerolinecolor": faint(ink.muted, 0.2),
        "zeroline": upright,
        "title": {"font": {"size": TITLE_SIZE}},
    }
