"""The controls that result pages share: interval level, effect, grouping, and one group for every plot."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui import state, tables, text
from pages.ui.results.fitview import Grouping, RandomEffect, find_label, same_groups
from pages.ui.tables import Table

Name = TypeVar("Name", bound=str)
LEVELS = (0.90, 0.95, 0.99)
OPTIONS = 4_000
"""More groups than this are found by typing: a list of all would travel to the browser on every run."""
MATCHES = 100


def choose_section(sections: Sequence[Name], key: str, about: str, *, label: str = "What to look at") -> Name:
    """Which part of a page is open; the others cost nothing meanwhile. `about` is the help of the control."""
    chosen: Name = st.segmented_control(
        label,
        sections,
        default=sections[0],
        required=True,
        wrap=True,
        key=key,
        persist_state="session",
        help=about,
    )
    return chosen


def choose_effect(effects: Sequence[RandomEffect], key: str, *, label: str = "Effect") -> RandomEffect:
    """Which random coefficient the page is about; the list is never empty."""
    chosen = st.selectbox(
        label,
        effects,
        format_func=lambda effect: text.one_line(effect.name),
        key=key,
        persist_state="session",
        help="A random intercept shifts a whole group up or down; a random slope tilts its line.",
    )
    return chosen or effects[0]


def choose_grouping(groupings: Sequence[Grouping], key: str, preferred: str = "") -> Grouping:
    """By which columns groups are told apart; the list is never empty. Hidden when there is no choice."""
    if len(groupings) == 1:
        return groupings[0]
    names = [grouping.name for grouping in groupings]
    chosen = st.selectbox(
        "Groups",
        groupings,
        index=names.index(preferred) if preferred in names else 0,
        format_func=lambda grouping: text.one_line(grouping.name),
        key=key,
    )
    return chosen or groupings[0]


def choose_column(label: str, columns: Sequence[str], key: str) -> str:
    """One of the data's columns; the list is never empty. Hidden when there is no choice."""
    if len(columns) == 1:
        return columns[0]
    return st.selectbox(label, columns, format_func=text.one_line, key=key) or columns[0]


def highlight_clicked(labels: Sequence[str], grouping: str = "") -> Callable[[str], None]:
    """For `chart`: highlight the group whose place in `labels` the clicked point carries last.

    grouping : the factor to which the labels belong
    """

    def highlight(key: str) -> None:
        points = st.session_state[key].selection.points
        if points and "customdata" in points[0]:  # the mark of the chosen group carries no place
            state.set_chosen_group(labels[int(points[0]["customdata"][-1])], grouping)

    return highlight


def choose_level(key: str) -> float:
    """The confidence level of every interval on the page."""
    level: float = st.segmented_control(
        "Intervals",
        LEVELS,
        default=LEVELS[1],
        required=True,
        format_func=lambda value: f"{value:.0%}",
        key=key,
        persist_state="session",
        help="How often such intervals cover the true value, if the model holds.",
    )
    return level


def choose_row(index: pd.Index) -> Callable[[str], None]:
    """For `chart`: look at the row whose place in `index` the clicked point carries last."""

    def choose(key: str) -> None:
        points = st.session_state[key].selection.points
        if points and "customdata" in points[0]:
            state.set_chosen_row(native(index[int(points[0]["customdata"][-1])]))

    return choose


def native(label: Hashable) -> Hashable:
    """A row's label as Python has it, so that a script can write it down."""
    return label.item() if isinstance(label, np.generic) else label


def choose_group(labels: Sequence[str], key: str, grouping: str = "") -> str | None:
    """A box to highlight one group in every plot; the choice holds on every page.

    grouping : the factor to which the labels belong
    """
    chosen = state.chosen_group() if same_groups(state.chosen_grouping(), grouping) else None
    if len(labels) > OPTIONS:
        labels = _matches(labels, key, chosen)
    if chosen is not None and chosen not in labels:
        labels = [chosen, *labels]
    # The box follows a click in a plot or a table, and a choice made on another page.
    st.session_state[key] = chosen
    st.selectbox(
        "Highlight a group",
        labels,
        index=None,
        key=key,
        placeholder="None chosen",
        format_func=text.one_line,
        on_change=lambda: state.set_chosen_group(st.session_state[key], grouping),
        help="The same group is highlighted in every plot of this and the other pages.",
    )
    return state.chosen_group()


def choose_several(labels: Sequence[str], key: str, grouping: str, most: int) -> tuple[str | None, ...]:
    """A box for some more groups, each at the place of a colour that it keeps while others come and go."""
    of, known = state.compared_groups()
    known = known if of == grouping else ()
    before = [label for label in known if label in labels]
    options = _matches(labels, key, None) if len(labels) > OPTIONS else labels
    st.multiselect(
        "More groups",
        [*(label for label in before if label not in options), *options],
        key=state.show(key, before),
        max_selections=most,
        placeholder="None",
        wrap=True,
        format_func=text.one_line,
        on_change=lambda: state.set_compared_groups((grouping, places(known, st.session_state[key], most))),
        help="Each gets a line of its own, in a colour that it keeps.",
    )
    return known


def places(before: Sequence[str | None], chosen: Sequence[str], most: int) -> tuple[str | None, ...]:
    """The chosen labels, those known from before at their places, others at free ones."""
    found = [label if label in chosen else None for label in before][:most]
    found += [None] * (most - len(found))
    for label in chosen:
        if label not in found and None in found:
            found[found.index(None)] = label
    return tuple(found)


def highlighted(labels: Sequence[str], grouping: str) -> str | None:
    """The group that is highlighted everywhere, as these labels of `grouping` have it; None if not here."""
    return find_label(state.chosen_group(), labels, state.chosen_grouping(), grouping)


def _matches(labels: Sequence[str], key: str, chosen: str | None) -> list[str]:
    """The first labels that contain what is typed."""
    wanted = st.text_input(
        f"Find one of {len(labels):,} groups",
        type="search",
        live="400ms",
        key=f"{key}_search",
        placeholder="Type a part of its name",
    )
    typed = (wanted or "").casefold()
    found = (label for label in labels if typed in label.casefold())
    return [label for label, _ in zip(found, range(MATCHES), strict=False)]


def searchable(table: Table, key: str, grouping: str = "") -> None:
    """A long table of groups with a search box; a click on a row highlights its group everywhere."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input("Search the table", type="search", live="400ms", key=f"{key}_search")
        tables.export(key, lambda: [table])
    names = table.values["Group"]
    found = table.values[names.str.contains(wanted or "", case=False, regex=False)]
    labels = found["Group"].tolist()
    if not labels:
        st.caption("No group has that in its name.")
        return
    numbers = [name for name in found.columns if name not in ("Rank", "Group")]
    places = tables.effect_places(table.values)
    digits = "%.4g" if places is None else f"%.{places}f"
    st.dataframe(
        found,
        key=key,
        hide_index=True,
        height=min(38 + 35 * len(found), 420),
        column_config={name: st.column_config.NumberColumn(format=digits, width=110) for name in numbers}
        | {"Group": st.column_config.TextColumn(pinned=True)},
        on_select=lambda: _highlight_row(key, labels, grouping),
        selection_mode="single-row",
        alt=table.alt,
    )


def _highlight_row(key: str, labels: Sequence[str], grouping: str) -> None:
    rows = st.session_state[key].selection.rows
    state.set_chosen_group(labels[rows[0]] if rows else None, grouping)
