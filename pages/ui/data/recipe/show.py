"""The Prepare part of the Data page: the steps there are, then the way to add one."""

from __future__ import annotations

import streamlit as st

from pages.ui import state, text
from pages.ui.data.recipe import adding
from pages.ui.data.recipe.step import Step

SHOWN = 40
"""Of more steps, such as hundreds of changed cells, the last ones are listed."""
NO_STEPS = (
    "The data are used as they were read. Whatever you change here becomes a step: it can be taken back, is "
    "done again when the file is read in another way, and stands in the script that repeats the analysis."
)
LINK = (
    "A link to this page names the example alone: whoever opens it gets the example as it is, without these "
    "steps. The scripts contain them."
)


def show() -> None:
    """The list and the form."""
    prepared = state.typed()
    if prepared is None or prepared.done is None:
        return
    _list(prepared.done.steps, prepared.done.refused)
    adding.show(prepared.done.frame)


def notices() -> None:
    """What was put aside because the data changed, with the way back; nothing when all is as it was."""
    waiting = state.preparation().held
    if waiting:
        with st.container(border=True, key="held_back"):
            st.markdown(
                ":material/help: Rows may be others than before, so these were put aside: "
                f"{text.escape(waiting.words())}."
            )
            with st.container(horizontal=True):
                st.button("Put them back", key="put_back", on_click=_put_back)
                st.button("Forget them", key="forget_held", type="tertiary", on_click=_forget)
    prepared = state.typed()
    if prepared is not None and prepared.lost_call is not None and state.call() is None:
        st.info(
            f"The model {text.code(prepared.lost_call.formula)} names a column that is gone, and was put "
            "aside. It comes back when the column does.",
            icon=":material/info:",
        )


def _put_back() -> None:
    waiting = state.preparation().held
    state.set_preparation(state.preparation().put_back())
    state.set_exclusions((*state.exclusions(), *waiting.exclusions))


def _forget() -> None:
    state.set_preparation(state.preparation().forgetting())


def _list(steps: tuple[Step, ...], refused: tuple[str, ...]) -> None:
    if not steps:
        st.caption(NO_STEPS)
    else:
        hidden = max(len(steps) - SHOWN, 0)
        if hidden:
            st.caption(f"The first {hidden:,} of {len(steps):,} steps are not shown.")
        with st.container(gap="xsmall", key="prepare_steps"):
            for place in range(hidden, len(steps)):
                _step(place, steps[place], refused[place])
    _undoing(bool(steps))
    source = state.source()
    if steps and source is not None and source.is_example:
        st.caption(LINK)


def _step(place: int, step: Step, reason: str) -> None:
    """One line: what is done, greyed with the reason where it is not, and the button that removes it."""
    said = text.escape(step.describe())
    with st.container(horizontal=True, vertical_alignment="center", key=f"prepare_step_{place}"):
        if reason:
            st.markdown(
                f"{place + 1}\\. :gray[{said}]  \n:material/block: Not done. {text.escape(reason)}",
                width="stretch",
            )
        else:
            st.markdown(f"{place + 1}\\. {said}", width="stretch")
        st.button(
            "Remove",
            key=f"prepare_remove_{state.preparation().revision}_{place}",
            type="tertiary",
            icon=":material/delete:",
            on_click=_remove,
            args=(place,),
        )


def _undoing(any_steps: bool) -> None:
    if not any_steps and not state.preparation().before:
        return
    with st.container(horizontal=True):
        st.button(
            "Undo",
            key="prepare_undo",
            icon=":material/undo:",
            disabled=not state.preparation().before,
            on_click=lambda: state.set_preparation(state.preparation().undone()),
            help="Take the last change of the steps back.",
        )
        st.button(
            "Remove all",
            key="prepare_clear",
            icon=":material/delete_sweep:",
            type="tertiary",
            disabled=not any_steps,
            on_click=lambda: state.set_recipe(()),
        )


def _remove(place: int) -> None:
    kept = state.recipe()
    state.set_recipe((*kept[:place], *kept[place + 1 :]))
