"""Widgets around the models that are kept: keep, name, rename, take up again, remove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages.ui import shell, state, text
from pages.ui.data.dataset import Dataset
from pages.ui.data.making import Made
from pages.ui.model import scripts
from pages.ui.model.kept import Kept, free_name
from pages.ui.model.modelcall import ModelCall

MOST = 20
LONGEST = 60


def keep(call: ModelCall, data: Dataset, name: str = "") -> None:
    """Keep a model under a name of its own, unless it is kept already."""
    kept = state.kept()
    if len(kept) >= MOST or any(each.same_fit(call, data) for each in kept):
        return
    made = Made(state.choices(), state.recipe(), state.exclusions())
    state.set_kept((*kept, Kept(_unlike(name, kept) or free_name(kept), call, data, made)))


def _unlike(name: str, others: Sequence[Kept]) -> str:
    """The name on one line, with a number where another model has it already."""
    wanted = text.one_line(name).strip()[:LONGEST]
    taken = {each.name for each in others}
    if not wanted or wanted not in taken:
        return wanted
    return next(tried for number in range(2, len(taken) + 3) if (tried := f"{wanted} {number}") not in taken)


def offer(call: ModelCall, data: Dataset, key: str) -> None:
    """The button that keeps the model now chosen, or a word that it is kept."""
    kept = state.kept()
    same = next((each for each in kept if each.same_fit(call, data)), None)
    if same is not None:
        st.caption(f":material/bookmark_added: Kept as “{text.escape(same.name)}”.")
    elif len(kept) >= MOST:
        st.caption(f"{MOST} models are kept already; remove one to keep another.")
    else:
        st.button(
            "Keep this model to compare",
            key=key,
            icon=":material/bookmark_add:",
            on_click=keep,
            args=(call, data),
            help="The Compare page holds the models you keep against each other.",
        )


def listed(kept: Sequence[Kept]) -> None:
    """The kept models, one row each: its name, what it is, and what can be done with it."""
    for place, each in enumerate(kept):
        with st.container(border=True, key=f"kept_{place}"):
            _row(place, each)


def _row(place: int, each: Kept) -> None:
    key = state.show(f"kept_name_{place}", each.name)
    st.text_input(
        f"Name of model {place + 1}", key=key, max_chars=LONGEST, on_change=_rename, args=(place, key)
    )
    st.markdown(text.escape(shell.described(each.call)))
    rows = f"{len(each.data.frame):,} rows of {text.escape(text.shorten(each.data.name, 50))}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(rows)
        current = state.data()
        st.button(
            "Take up again",
            key=f"kept_use_{place}",
            type="tertiary",
            icon=":material/undo:",
            disabled=current is None or not state.fits(each.call, current),
            on_click=state.set_call,
            args=(each.call,),
            help="Makes it the model that all pages show.",
        )
        st.button(
            "Remove",
            key=f"kept_remove_{place}",
            type="tertiary",
            icon=":material/delete:",
            on_click=_remove,
            args=(place,),
        )
        _program(each, f"kept_program_{place}")


def _program(each: Kept, key: str) -> None:
    """The program of a kept model, with the lines that prepared its data."""
    popover = st.popover("Program", icon=":material/code:", type="tertiary", key=key, on_change="rerun")
    if popover.open:
        with popover:
            if not each.data.reader and not each.data.source.startswith("example:"):
                st.caption("These data come from another file than the one now open: how they were prepared "
                           "is not known any more.")  # fmt: skip
            st.code(scripts.mixedcore(each.call, each.data), language="python")


def _rename(place: int, key: str) -> None:
    kept = list(state.kept())
    name = _unlike(str(st.session_state[key]), kept[:place] + kept[place + 1 :])
    kept[place] = replace(kept[place], name=name or kept[place].name)
    state.set_kept(kept)


def _remove(place: int) -> None:
    kept = state.kept()
    state.set_kept(kept[:place] + kept[place + 1 :])
