"""The model as a picture of its levels: which groups lie in which, and what differs at each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from pages.ui import display
from pages.ui.charts.model_picture import LEVEL, Groups, Rows, model_picture
from pages.ui.data.dataset import Dataset
from pages.ui.model import selected, start_buttons, support
from pages.ui.model.choices import Block
from pages.ui.model.form import Form

Path = tuple[str, ...]


def picture(form: Form) -> None:
    """Draw the model, when the widgets can express it and it has groups; else equations say why not."""
    blocks = start_buttons.random_part(form)
    if form.reading.unread or not blocks:
        return
    data, names = selected.of(form).data, form.choices.predictors
    if any(name not in data.frame for block in blocks for name in block.factor):
        return
    constant = {b.factor: frozenset(names) - support.varying(data, names, b.factor) for b in blocks}
    outer, above = arranged(
        blocks,
        {block.factor: _sizes(data.digest, block.factor, data) for block in blocks},
        constant,
        names,
        lambda inner, outer: nested(data, inner, outer),
        form.choices.slope_label,
    )
    rows = Rows(len(data.frame), tuple(name for name in names if name not in above))
    display.chart(model_picture(outer, rows, ink=display.ink()), "model_picture")


def nested(data: Dataset, inner: Path, outer: Path) -> bool:
    """Whether the groups of one path lie inside those of another, of which there are fewer."""
    count = support.levels(data, inner)
    return support.levels(data, outer) < count == support.levels(data, (*inner, *outer))


def arranged(
    blocks: Sequence[Block],
    sizes: Mapping[Path, tuple[int, float]],
    constant: Mapping[Path, frozenset[str]],
    names: Sequence[str],
    inside: Callable[[Path, Path], bool],
    label: Callable[[str], str] = str,
) -> tuple[tuple[Groups, ...], frozenset[str]]:
    """The blocks as kinds of groups within each other, and the predictors that describe groups.

    sizes    : path → number of groups, rows in the median one
    constant : path → predictors that are constant within its groups
    inside   : whether the groups of one path lie in those of another
    label    : what a slope is called
    """
    order = sorted(range(len(blocks)), key=lambda number: sizes[blocks[number].factor][0])
    parent: dict[int, int | None] = {}
    for place, number in enumerate(order):
        wider = [o for o in order[:place] if inside(blocks[number].factor, blocks[o].factor)]
        parent[number] = wider[-1] if wider else None
    owner: dict[str, int] = {}
    for number in order:  # the widest groups first: a predictor describes the widest in which it is constant
        for name in names:
            if name in constant.get(blocks[number].factor, ()):
                owner.setdefault(name, number)

    def kind(number: int) -> Groups:
        block = blocks[number]
        return Groups(
            " in ".join(reversed(block.factor)),
            *sizes[block.factor],
            tuple((*([LEVEL] if each.intercept else []), *map(label, each.slopes)) for each in block.sets),
            tuple(name for name in names if owner.get(name) == number),
            tuple(kind(other) for other in order if parent[other] == number),
        )

    return tuple(kind(number) for number in order if parent[number] is None), frozenset(owner)


@st.cache_data(max_entries=256, ttl="2h", show_spinner=False)
def _sizes(digest: str, path: Path, _data: Dataset) -> tuple[int, float]:
    """Number of groups and rows in the median one."""
    codes, count = support.group_codes(_data.frame, path)
    rows = np.bincount(codes[codes >= 0], minlength=count)
    return count, float(np.median(rows)) if count else 0.0
