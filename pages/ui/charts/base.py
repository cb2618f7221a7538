"""What all charts share: colours, the `Chart` value, axes, thinning of large data, export.

Charts are pure: frames in, a Plotly figure with its words out. Nothing here imports Streamlit.
Every text that comes from data passes through `text.plain` before it reaches Plotly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.ui import text
from pages.ui.numbers import figures as figures

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

POINTS_AS_SVG = 3_000
"""Up to here points are SVG, sharp and accessible; above, WebGL."""
CORNERS_AS_SVG = 20_000
"""The same for the corners of a line, which is one shape."""
POINTS_DRAWN = 1_500
"""More points than this are sampled: the browser's time grows, the picture hardly does. WebGL would take more
at once, but where no graphics processor is, it takes half a second to start."""
POINTS_ASKED = 20_000
"""Points drawn where somebody asks for more of them."""
LEFT, RIGHT, TOP, LEGEND, BOTTOM = 72, 24, 24, 44, 56
"""Margins that numbers and titles of axes fit in: where they do not, Plotly draws the whole chart again."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours of one appearance. The categorical ones are those of the app's theme, in its order."""

    categories: tuple[str, ...]
    muted: str  # reference lines and the groups in the background
    surface: str  # page background, to outline what lies on top of points
    text: str
    faded: str  # writing at axes

    @property
    def main(self) -> str:
        """The data."""
        return self.categories[0]

    @property
    def accent(self) -> str:
        """The line that summarises the data, and the chosen group."""
        return self.categories[1]


LIGHT = Ink(
    ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#3B4148"),
    "#7C8792",
    "#FFFFFF",
    "#1F2933",
    "#4A545E",
)
DARK = Ink(
    ("#56B4E9", "#E8743B", "#00A87C", "#E3A3C9", "#F0C948", "#2F7FC1", "#D5DAE0"),
    "#8A949E",
    "#14191F",
    "#E4E8EC",
    "#B7C0C9",
)


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A figure and the words that go with it.

    title   : heading, sentence case
    caption : how to read it, plain text
    alt     : what it shows in one sentence, for those who cannot see it
    note    : what was left out or thinned; empty when everything is drawn
    message : what it comes to, in a sentence that stands above it, or one a line; empty where that is said
              elsewhere
    """

    figure: go.Figure
    title: str
    caption: str
    alt: str
    note: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        _in_one_layer(self.figure)

    def to_html(self) -> str:
        """A page that stands alone, offline: the figure with its title and Plotly inside."""
        figure = go.Figure(self.figure)
        figure.update_layout(
            template="plotly_white",
            title={"text": text.plain(self.title), "x": 0.02},
            margin={"t": 64, "r": 32, "b": 56, "l": 64},
        )
        page: str = figure.to_html(include_plotlyjs=True, full_html=True, config=CONFIG)
        return page


def _in_one_layer(figure: go.Figure) -> None:
    """Lines and points by WebGL too where any trace is: the browser draws WebGL above everything else."""
    kinds = {trace.type for trace in figure.data}
    if not {"scatter", "scattergl"} <= kinds:
        return
    figure.data, traces = (), figure.data
    for trace in traces:
        plain = trace.type == "scatter" and trace.fill in (None, "none")
        content = {key: value for key, value in trace.to_plotly_json().items() if key != "type"}
        figure.add_trace(go.Scattergl(content) if plain else trace)


CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "scale": 2},
}


def canvas(height: int, *, legend: bool = False, **layout: Any) -> go.Figure:
    """An empty figure with the margins, hover box and legend place that all charts share."""
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": LEFT, "r": RIGHT, "t": LEGEND if legend else TOP, "b": BOTTOM},
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "title": None},
        hoverlabel={"align": "left", "namelength": -1},
        dragmode="zoom",
        **layout,
    )
    return figure


TIMES = " × "
TICKS: dict[str, Any] = {"exponentformat": "power", "minexponent": 6}
"""Numbers at an axis are written in full, 20000 and 0.0006, not 20k and 600µ; beyond as powers of 10."""


def axis(title: object = "", **options: Any) -> dict[str, Any]:
    """Axis settings: a plain title that never falls outside the figure, no zero line drawn by default."""
    return {
        "title": {"text": text.plain(text.shorten(title, 48)), "standoff": 10},
        "automargin": True,
        "zeroline": False,
        **TICKS,
        **options,
    }


def labelled_axis(labels: list[str], limit: int = 26, *, two_lines: bool = False) -> dict[str, Any]:
    """An axis of named rows at 0, 1, 2, … that reads downwards; long names are shortened in the middle.

    two_lines : whether a long product breaks at the sign nearest its middle first; rows must be high enough
    """
    return axis(
        tickmode="array",
        tickvals=list(range(len(labels))),
        ticktext=[_row_name(label, limit, two_lines) for label in labels],
        range=[len(labels) - 0.5, -0.5],
        showgrid=False,
        ticks="",
    )


def _row_name(label: str, limit: int, two_lines: bool) -> str:
    line = text.one_line(label)
    signs = [at for at in range(len(line)) if line.startswith(TIMES, at)]
    if not two_lines or len(line) <= limit or not signs:
        return text.plain(text.shorten(line, limit))
    middle = min(signs, key=lambda at: abs(at - len(line) / 2))
    both = line[:middle], line[middle:].strip()
    return "<br>".join(text.plain(text.shorten(each, limit)) for each in both)


def row_labels(index: pd.Index, rows: Ints) -> list[str]:
    """Labels of rows for hover and clicks; whole numbers, as most rows are named, need no care."""
    chosen = index[rows].tolist()
    if pd.api.types.is_integer_dtype(index.dtype):
        return list(map(str, chosen))
    return [text.plain(label) for label in chosen]


def scatter(n: int) -> Any:
    """The trace type for `n` points."""
    return go.Scatter if n <= POINTS_AS_SVG else go.Scattergl


def path(n: int) -> Any:
    """The trace type for a line of `n` corners, gaps included."""
    return go.Scatter if n <= CORNERS_AS_SVG else go.Scattergl


def opacity(n: int) -> float:
    """Fainter points where there are more of them, so that density shows."""
    return float(np.clip(12 / np.sqrt(max(n, 1)), 0.18, 0.75))


def faint(colour: str, alpha: float = 0.22) -> str:
    """A hex colour as a translucent rgba(…)."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"


def box_rows(place: Floats | Ints, five: Floats, colour: str) -> go.Box:
    """Boxes one below the other; `five` (rows, 5) has whisker, quartiles with the median, whisker."""
    low, q1, median, q3, high = five.T
    return go.Box(
        y=place,
        q1=q1,
        median=median,
        q3=q3,
        lowerfence=low,
        upperfence=high,
        orientation="h",
        line={"color": colour, "width": 1.5},
        fillcolor=faint(colour),
        width=0.65,
        hoverinfo="skip",
        showlegend=False,
    )


def thinned(extremeness: Floats, limit: int = POINTS_DRAWN) -> Ints:
    """Positions to draw, (≤ limit,) ascending: all, or the most extreme and a fixed random rest.

    One in twenty of those drawn is there for being extreme.

    extremeness : (n,) larger is more worth keeping
    """
    n = len(extremeness)
    if n <= limit:
        return np.arange(n)
    kept = np.zeros(n, dtype=bool)
    kept[np.argpartition(extremeness, -limit // 20)[-limit // 20 :]] = True
    rest = np.flatnonzero(~kept)
    kept[np.random.default_rng(0).choice(rest, limit - int(kept.sum()), replace=False)] = True
    return np.flatnonzero(kept)


def thinning_note(drawn: int, n: int, what: str = "rows") -> str:
    """What `thinned` left out, or nothing."""
    if drawn >= n:
        return ""
    return f"{drawn:,} of {n:,} {what} are drawn: the most extreme ones and a random sample of the rest."


def steady(values: Floats) -> Floats:
    """The values; all the same where they differ by rounding alone, which an axis would blow up."""
    if len(values) and np.ptp(values) <= 1e-9 * np.abs(values).max():
        return np.full_like(values, np.median(values))
    return values


def span(low: float, high: float, what: str = "row") -> str:
    """'6 rows', '14 to 67 rows'."""
    ends = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{ends} {what}{'' if high == 1 else 's'}"


def segments(low: Floats, high: Floats) -> Floats:
    """low and high joined pairwise with a gap after each pair, (3n,): many intervals as one line."""
    gaps = np.full(len(low), np.nan)
    return np.column_stack([low, high, gaps]).ravel()
