"""Charts as still pictures for Word: the traces of a Plotly figure drawn again by matplotlib. Pure.

Plotly's own pictures need a browser on the server; matplotlib needs nothing, and drawing the same figure
keeps one definition of every chart. Only what the charts of a report are made of is known here: points,
lines, filled bands, error bars and reference lines.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 6.3
"""Inches between the margins of a page."""
_PIXELS = 96
_RGBA = re.compile(r"rgba\((\d+), ?(\d+), ?(\d+), ?([\d.]+)\)")
_DASH = {"dot": ":", "dash": "--", "solid": "-"}


def png(figure: go.Figure) -> bytes:
    """The figure as a PNG for print, 200 dots an inch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # half a second that only Word needs
    from matplotlib.figure import Figure

    height = float(np.clip((figure.layout.height or 400) / _PIXELS, 1.5, 8.5))
    page = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(page)
    axes = page.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    below: Any = None
    for trace in figure.data:
        below = _trace(axes, trace, below)
    for shape in figure.layout.shapes:
        _reference(axes, shape)
    _axis(axes, figure.layout.xaxis, "x")
    _axis(axes, figure.layout.yaxis, "y")
    file = io.BytesIO()
    page.savefig(file, format="png", dpi=200)
    return file.getvalue()


def words(value: object) -> str:
    """Text for Plotly back as letters, inert for matplotlib, which reads $…$ as mathematics."""
    return html.unescape(str(value or "").replace("<br>", "\n")).replace("$", r"\$")


def _trace(axes: Axes, trace: Any, below: Any) -> Any:
    """Draw one trace; gives back its line, on which a filled band may stand."""
    x, y = np.asarray(trace.x), np.asarray(trace.y, dtype=float)
    mode = trace.mode or "lines"
    if trace.fill == "tonexty" and below is not None:
        axes.fill_between(x, below, y, color=_colour(trace.fillcolor), linewidth=0)
    if "lines" in mode and trace.line.width != 0:
        style = _DASH.get(trace.line.dash or "solid", "-")
        width, faint = 0.7 * (trace.line.width or 2), trace.opacity
        axes.plot(x, y, style, color=_colour(trace.line.color), linewidth=width, alpha=faint)
    if "markers" in mode:
        _markers(axes, trace, x, y)
    return y


def _markers(axes: Axes, trace: Any, x: np.ndarray, y: np.ndarray) -> None:
    marker = trace.marker
    colour = marker.color if isinstance(marker.color, str) else "#0072B2"
    for side, bars in (("x", trace.error_x), ("y", trace.error_y)):
        if bars.array is not None:
            both = [np.asarray(bars.arrayminus, dtype=float), np.asarray(bars.array, dtype=float)]
            ends: dict[str, Any] = {f"{side}err": both}
            axes.errorbar(x, y, fmt="none", ecolor=colour, elinewidth=1.2, **ends)
    axes.scatter(
        x,
        y,
        s=(0.6 * (marker.size or 6)) ** 2,
        color=colour,
        alpha=marker.opacity if isinstance(marker.opacity, float) else None,
        linewidths=0,
        zorder=3,
        rasterized=True,
    )


def _reference(axes: Axes, shape: Any) -> None:
    """A line across the picture."""
    options = {"color": shape.line.color, "linewidth": 0.8, "linestyle": ":", "zorder": 0}
    if shape.x0 == shape.x1:
        axes.axvline(shape.x0, **options)
    else:
        axes.axhline(shape.y0, **options)


def _axis(axes: Axes, axis: Any, side: str) -> None:
    axes.set(**{f"{side}label": words(axis.title.text)})
    if axis.tickvals is not None and axis.ticktext is not None:
        labels: Sequence[str] = [words(label) for label in axis.ticktext]
        axes.set(**{f"{side}ticks": list(axis.tickvals), f"{side}ticklabels": labels})
    if axis.range is not None:
        axes.set(**{f"{side}lim": tuple(axis.range)})


def _colour(colour: Any) -> Any:
    """Plotly's rgba(…) as matplotlib's four numbers."""
    found = _RGBA.match(colour) if isinstance(colour, str) else None
    return (*(int(part) / 255 for part in found.groups()[:3]), float(found[4])) if found else colour
