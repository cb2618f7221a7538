"""How columns group the rows: nested groups as a tree of boxes, crossed ones as a matrix, sizes as bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.ui import text
from pages.ui.charts.base import LIGHT, Chart, Floats, Ink, Ints, axis, canvas, faint, figures, span

OUTER_DRAWN = 12
INNER_DRAWN = 6
LEAVES = 28
"""Of the smallest groups about that many boxes are drawn, each high enough for its name."""
CELLS = 40
"""A matrix of more rows or columns than this is drawn in blocks."""
BARS = 40
Labels = Sequence[str] | pd.Index


def nested_boxes(tree: pd.DataFrame, *, ink: Ink = LIGHT) -> Chart:
    """Groups as boxes beside those they lie in, each with its number of rows.

    tree : a column of labels a level, the widest first, and 'rows'; one row a smallest group
    """
    names = [str(name) for name in tree.columns[:-1]]
    outer = tree.groupby(names[0], observed=True, sort=False)["rows"].sum().sort_values(ascending=False)
    inner = np.minimum(tree.groupby(names[0], observed=True)[names[1]].nunique(), INNER_DRAWN).mean()
    most = int(np.clip(LEAVES / max(inner, 1), 3, OUTER_DRAWN))
    places = np.unique(np.linspace(0, len(outer) - 1, most).round().astype(int))
    drawn = tree[tree[names[0]].isin(outer.index[places])]
    nodes = _nodes(drawn, names, "All" if len(drawn) == len(tree) else "Drawn")
    figure = canvas(int(np.clip(30 + 19 * (nodes["weight"].iloc[0]), 160, 600)))
    figure.add_trace(
        go.Icicle(
            ids=nodes["id"],
            labels=nodes["label"],
            parents=nodes["parent"],
            values=nodes["weight"],
            customdata=nodes["rows"],
            branchvalues="total",
            tiling={"orientation": "h", "pad": 1},
            pathbar={"visible": False},
            sort=False,
            marker={
                "colors": [_tint(ink, level) for level in nodes["level"]],
                "line": {"color": ink.surface, "width": 1},
            },
            textfont={"color": ink.text},
            hovertemplate="%{label}: %{customdata:,} rows<extra></extra>",
            texttemplate="%{label} · %{customdata:,}",
        )
    )
    figure.update_layout(margin={"t": 8, "r": 12, "b": 8, "l": 8})
    counts = [len(tree[names[: k + 1]].drop_duplicates()) for k in range(len(names))]
    said = ", then ".join(f"{n:,} of {text.shorten(name)}" for n, name in zip(counts, names, strict=True))
    return Chart(
        figure,
        "What lies in what",
        f"From left to right: {', '.join(text.shorten(n) for n in names)}. A box is a group with its "
        "number of rows; the boxes to its right lie in it.",
        f"Nested groups, from left to right: {said}.",
        f"{len(places)} of {len(outer):,} groups of {text.shorten(names[0])} are drawn, evenly over their "
        "sizes."
        if len(places) < len(outer)
        else "",
    )


def _tint(ink: Ink, level: int) -> str:
    """The first level strongest, the next ones fainter."""
    return faint(ink.main, (0.5, 0.3, 0.16, 0.1)[min(level, 3)])


def _nodes(drawn: pd.DataFrame, names: Sequence[str], whole: str) -> pd.DataFrame:
    """One row a box: id, label, parent, rows, level; the smallest of many boxes side by side are one box."""
    found: list[tuple[str, str, str, int, int]] = [("all", whole, "", int(drawn["rows"].sum()), len(names))]
    paths: dict[tuple[object, ...], str] = {(): "all"}
    for level in range(len(names)):
        by = list(names[: level + 1])
        sizes = drawn.groupby(by, observed=True, sort=False)["rows"].sum()
        if level and len(sizes) > INNER_DRAWN * len(paths):
            sizes = sizes.sort_values(ascending=False, kind="stable")
        met: dict[str, int] = {}
        more: dict[str, list[int]] = {}
        for key, rows in sizes.items():
            path = key if isinstance(key, tuple) else (key,)
            parent = paths.get(path[:-1])
            if parent is None:
                continue  # it lies in a box that stands for several
            met[parent] = met.get(parent, 0) + 1
            if level and met[parent] > INNER_DRAWN:
                more.setdefault(parent, []).append(int(rows))
                continue
            paths[path] = str(len(found))
            found.append((str(len(found)), text.plain(text.shorten(path[-1], 24)), parent, int(rows), level))
        for parent, rows_left in more.items():
            found.append(
                (f"more {level} {parent}", f"{len(rows_left):,} more", parent, sum(rows_left), level)
            )
    nodes = pd.DataFrame(found, columns=["id", "label", "parent", "rows", "level"])
    return nodes.assign(weight=_weights(nodes))


def _weights(nodes: pd.DataFrame) -> list[int]:
    """For each box the number of boxes without any inside them that it holds, itself being one of those."""
    weight = dict.fromkeys(nodes["id"], 0)
    outer = set(nodes["parent"])
    for box, parent in zip(nodes["id"][::-1], nodes["parent"][::-1], strict=True):
        weight[box] += box not in outer
        if parent:
            weight[parent] += weight[box]
    return [weight[box] for box in nodes["id"]]


def crossing(
    one: Ints,
    other: Ints,
    count: Ints,
    labels: tuple[Labels, Labels],
    names: tuple[str, str],
    *,
    ink: Ink = LIGHT,
) -> Chart:
    """How many rows each combination of two columns has, as a matrix.

    one, other, count : (pairs,) codes of the combinations that occur, and their rows
    labels, names     : of both columns; the first goes over the columns of the matrix
    """
    width, height = (len(found) for found in labels)
    full = len(count) >= 0.9 * width * height
    x_place, y_place = (
        (np.arange(width), np.arange(height)) if full else _sorted_together(one, other, count, width, height)
    )
    grid, (x_ends, y_ends) = _grid(x_place[one], y_place[other], count, width, height)
    x_names, y_names = (
        _cell_names(found, place, ends)
        for found, place, ends in zip(labels, (x_place, y_place), (x_ends, y_ends), strict=True)
    )
    figure = canvas(int(np.clip(110 + 17 * len(y_names), 260, 560)))
    figure.add_trace(_heat(grid, x_names, y_names, names, ink))
    figure.update_layout(
        xaxis=_cells_axis(names[0], x_names, width), yaxis=_cells_axis(names[1], y_names, height)
    )
    figure.update_yaxes(autorange="reversed")
    blocks = max(width, height) > CELLS
    return Chart(
        figure,
        f"{text.shorten(names[0], 24)} by {text.shorten(names[1], 24)}",
        _darkness(grid) + ("" if full else " Labels that meet often stand side by side."),
        f"{len(count):,} of {width * height:,} combinations of {text.shorten(names[0])} ({width:,}) and "
        f"{text.shorten(names[1])} ({height:,}) occur, with "
        f"{span(int(count.min()), int(count.max()))}.",
        "Each cell stands for several neighbouring labels." if blocks else "",
    )


def _darkness(grid: Floats) -> str:
    """What the colour of a cell says."""
    low, high = int(np.nanmin(grid)), int(np.nanmax(grid))
    if low == high:
        return f"A filled cell has {high:,} row{'' if high == 1 else 's'}; an empty one has none."
    return "The darker a cell, the more rows; an empty one has none."


def _sorted_together(one: Ints, other: Ints, count: Ints, width: int, height: int) -> tuple[Ints, Ints]:
    """Places of the labels such that those that occur together are near: reciprocal averaging.

    Hill (1973), Journal of Ecology 61, a few rounds of it, which is enough to see blocks.
    """
    score = np.arange(width, dtype=float)
    weight = count.astype(float)
    per_one, per_other = np.bincount(one, weight, width), np.bincount(other, weight, height)
    second = np.zeros(height)
    for _ in range(12):
        second = np.bincount(other, weight * score[one], height) / np.maximum(per_other, 1)
        score = np.bincount(one, weight * second[other], width) / np.maximum(per_one, 1)
        score = np.argsort(np.argsort(score, kind="stable"), kind="stable").astype(float)
    ranks = np.argsort(np.argsort(second, kind="stable"), kind="stable")
    return score.astype(np.intp), ranks.astype(np.intp)


def _grid(x: Ints, y: Ints, count: Ints, width: int, height: int) -> tuple[Floats, tuple[Ints, Ints]]:
    """Rows in each cell, (cells down, cells across), NaN where none; and where the blocks of labels begin."""
    ends = tuple(
        np.linspace(0, size, min(size, CELLS) + 1).round().astype(np.intp) for size in (width, height)
    )
    across, down = len(ends[0]) - 1, len(ends[1]) - 1
    column = np.searchsorted(ends[0], x, side="right") - 1
    row = np.searchsorted(ends[1], y, side="right") - 1
    grid = np.bincount(row * across + column, count, down * across).reshape(down, across)
    return np.where(grid > 0, grid, np.nan), (ends[0], ends[1])


def _cell_names(labels: Labels, place: Ints, ends: Ints) -> list[str]:
    """The label of each row or column of cells, or the first of several and how many more."""
    order = np.argsort(place)
    first = [text.plain(text.shorten(labels[order[start]], 14)) for start in ends[:-1]]
    more = np.diff(ends) - 1
    return [f"{name} and {n:,} more" if n else name for name, n in zip(first, more, strict=True)]


def _heat(
    grid: Floats, x_names: list[str], y_names: list[str], names: tuple[str, str], ink: Ink
) -> go.Heatmap:
    one, other = (text.plain(text.shorten(name, 24)) for name in names)
    top = float(np.nanmax(grid))
    return go.Heatmap(
        z=grid,
        x=np.arange(len(x_names)),
        y=np.arange(len(y_names)),
        customdata=[[[x, y] for x in x_names] for y in y_names],
        colorscale=[[0, faint(ink.main, 0.12)], [1, faint(ink.main, 1.0)]],
        zmin=0,
        zmax=top,
        xgap=1,
        ygap=1,
        hoverongaps=False,
        showscale=bool(np.nanmin(grid) < top),
        colorbar={
            "title": {"text": "Rows"},
            "thickness": 12,
            "outlinewidth": 0,
            "nticks": int(min(5, top + 1)),
            "tickformat": ",",
        },
        hovertemplate=f"{one} %{{customdata[0]}}<br>{other} %{{customdata[1]}}"
        "<br>%{z:,} rows<extra></extra>",
    )


def _cells_axis(name: str, cells: list[str], levels: int) -> dict[str, object]:
    """Names where they can be read, else a few of them."""
    if levels > CELLS:
        return axis(
            f"{text.shorten(name, 30)}, {levels:,} in {len(cells)} blocks", showticklabels=False, ticks=""
        )
    step = 1 if len(cells) <= 26 else 2
    return axis(
        name,
        tickmode="array",
        tickvals=list(range(0, len(cells), step)),
        ticktext=cells[::step],
        showgrid=False,
    )


def group_sizes(
    sizes: Floats | Ints, labels: Labels, name: str, *, chosen: str | None = None, ink: Ink = LIGHT
) -> Chart:
    """How many rows each group has: a bar a group, or for many groups how many are of which size.

    sizes, labels : (groups,); a bar carries its place among them
    """
    order = np.argsort(-np.asarray(sizes), kind="stable")
    low, high, middle = int(np.min(sizes)), int(np.max(sizes)), float(np.median(sizes))
    figure = canvas(280, bargap=0.12)
    if len(order) <= BARS:
        shown = [text.plain(text.shorten(labels[i], 14)) for i in order]
        figure.add_trace(
            go.Bar(
                x=np.arange(len(order)),
                y=np.asarray(sizes)[order],
                marker={"color": [ink.accent if labels[i] == chosen else ink.main for i in order]},
                customdata=[[label, int(i)] for label, i in zip(shown, order, strict=True)],
                hovertemplate="%{customdata[0]}: %{y:,} rows<extra></extra>",
            )
        )
        ticks = {"tickmode": "array", "tickvals": list(range(len(order))), "ticktext": shown}
        figure.update_layout(
            xaxis=axis(name, showgrid=False, **ticks), yaxis=axis("Rows", rangemode="tozero")
        )
        caption = "A bar is a group, as high as it has rows; the largest comes first."
    else:
        bins = int(min(30, high - low + 1))
        count, ends = np.histogram(sizes, bins=bins, range=(low - 0.5, high + 0.5))
        figure.add_trace(
            go.Bar(
                x=(ends[:-1] + ends[1:]) / 2,
                y=count,
                width=np.diff(ends) * 0.92,
                marker={"color": ink.main},
                hovertemplate="About %{x:,.0f} rows: %{y:,} groups<extra></extra>",
            )
        )
        figure.update_layout(xaxis=axis("Rows in a group", showgrid=False), yaxis=axis("Groups"))
        caption = "A bar says how many groups have about that many rows."
    spread = f"{low:,} rows each" if low == high else f"{low:,} to {high:,} rows, median {figures(middle)}"
    return Chart(
        figure,
        f"Sizes of the groups by {text.shorten(name, 30)}",
        caption + " Small groups say little about themselves and are drawn towards the average.",
        f"{len(order):,} groups of {text.shorten(name)} with {spread}.",
    )
