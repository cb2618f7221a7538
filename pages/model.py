"""Model: choose it with widgets or type it; see it as formulas and mathematics; read the fit at once."""

from __future__ import annotations

import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import fitting, invitation, shell, state, text
from pages.ui.compare import keeping
from pages.ui.model import (
    brief,
    changes,
    components,
    groups,
    ladder_view,
    picture,
    sections,
    start_buttons,
    written,
)
from pages.ui.model.form import Form
from pages.ui.model.modelcall import ModelCall

shell.enter("model")
st.title("Model")

data = invitation.data_or_stop()
columns = fitting.profiled(data.digest, data.frame)


def chosen_call() -> ModelCall:
    """The model as last chosen, or a first one for new data; the end of the run when there can be none."""
    call = state.call() or changes.first_call()
    if call is None:
        st.warning(
            "No column of these data can be an outcome: that must be a number that differs between rows. "
            "Perhaps the type of a column is wrong.",
            icon=":material/info:",
        )
        st.page_link("pages/data.py", label="Go to Data", icon=":material/table_chart:")
        st.stop()
    if state.call() is None:
        state.set_call(call)
        st.rerun()  # the strip above was drawn without the model
    return call


def show_fit(call: ModelCall, problems: dict[str, str], hold: bool) -> None:
    """The fit of the call, or what prevents it beside the last fit that worked."""
    waiting = hold and call != state.good_call()
    if waiting and st.button("Fit", key="model_fit", type="primary", icon=":material/play_arrow:"):
        waiting = False
    if problems:
        st.error("Not fitted: the model above needs a correction.", icon=":material/error:")
    elif waiting:
        st.caption("Fits wait for the button (hold is on).")
    else:
        try:
            found = brief.of(call, data)
        except MixedCoreError as err:
            st.error(text.escape(err), icon=":material/error:")
        else:
            state.set_good_call(call)
            brief.show(found)
            keeping.offer(call, data, "model_keep")
            return
    show_last_fit(call)


def show_last_fit(call: ModelCall) -> None:
    """The last fit of these data that worked, said to be that."""
    last = state.good_call()
    if last is None or last == call:
        return
    with st.container(border=True):
        st.markdown(f"**The last fit that worked:** {text.escape(shell.described(last))}")
        brief.show(brief.of(last, data))
        st.button(
            "Go back to that model",
            key="model_back",
            icon=":material/undo:",
            on_click=state.set_call,
            args=(last,),
        )


call = chosen_call()
reading = changes.reading_of(call, data)
changes.note_readable(call, reading.unread)
asked = Form(reading, columns, data)
problems = fitting.problems(call, columns)

left, right = st.columns([5, 6], gap="large")
with left:
    start_buttons.buttons(asked)
    sections.outcome(asked)
    sections.fixed(asked)
    groups.grouping(asked)
    components.rows(asked, problems)
    hold = sections.settings(asked, problems)
with right:
    st.header("The model", anchor=False)
    if state.remark():
        st.caption(f":material/info: {state.remark()}")
    written.formulas(asked, call, problems)
    start_buttons.show_size(asked)
    picture.picture(asked)
    written.mathematics(asked)
    st.header("The fit", anchor=False)
    show_fit(call, problems, hold)
    if not problems and call == state.good_call():
        ladder_view.offer(asked, call)
    if not problems:
        written.programs(asked, call)
