"""Save the session as a project file, and open one: the only way between the file and the session."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.ui import state, text
from pages.ui.data import examples, intake, making
from pages.ui.data.recipe.preparation import Preparation
from pages.ui.data.sources import Opened, Source
from pages.ui.model.kept import Kept
from pages.ui.project import archive, frames
from pages.ui.project.problem import ProjectError
from pages.ui.project.session import Session

BOX = "project_box"
MOST_MEGABYTES = 200


def current() -> Session | None:
    """What a project file would hold now; None without data."""
    source = state.source()
    if source is None:
        return None
    return Session(
        source,
        state.choices(),
        state.recipe(),
        state.exclusions(),
        state.call(),
        state.kept(),
        state.chosen_group(),
        state.chosen_grouping(),
        state.report(),
    )


def restore(session: Session) -> None:
    """Make this checked session the one that is open."""
    source = session.source
    state.set_exclusions(())
    if source.is_example:
        state.use_example(source.origin.partition(":")[2])
    else:
        state.set_opened(Opened.of(source), is_new=True)
        state.take_to_read()  # it has been read: the project holds the table
        state.use_upload(source)
    state.set_choices(session.choices)
    state.set_preparation(Preparation(session.steps))
    state.set_call(None)
    intake.catch_up()
    state.set_exclusions(session.exclusions)
    state.set_call(session.call)
    state.set_kept(_with_known_data(session))
    state.set_chosen_group(session.group, session.grouping)
    state.set_report(session.report)
    state.set_remark("")


def _with_known_data(session: Session) -> list[Kept]:
    """The kept models with data that know how they were made: those of the session, or made once more.

    Data that come out differently than they are stored keep what is stored, without program lines.
    """
    known = {data.digest: data for data in (state.data(), state.all_rows()) if data is not None}
    for kept in session.kept:
        source = _source_of(kept, session.source)
        if kept.data.digest not in known and kept.made is not None and source is not None:
            data = making.again(source, kept.made)
            known[data.digest] = data
    return [replace(kept, data=known.get(kept.data.digest, kept.data)) for kept in session.kept]


def _source_of(kept: Kept, opened: Source) -> Source | None:
    """What the data of a kept model were made of; None where that is another file, which no project holds."""
    kind, _, name = kept.data.source.partition(":")
    if kept.data.source == opened.origin:
        return opened
    return Source.example(examples.dataset(name)) if kind == "example" and examples.known(name) else None


def open_project(content: bytes) -> None:
    """Restore a project file, or leave everything as it is and say why it was not opened."""
    try:
        restore(archive.load(content))
    except ProjectError as err:
        state.say_of_project((False, str(err)))
        return
    loaded = state.data()
    rows = len(loaded.frame) if loaded else 0
    kept = f" and {len(state.kept())} kept models" if state.kept() else ""
    state.say_of_project((True, f"The project is open: {rows:,} rows{kept}, as they were saved."))


def show_open() -> None:
    """A box for a project file, folded away, with the sentence about the last one."""
    with st.expander("Open a saved project", icon=":material/folder_open:", key="project_open"):
        st.file_uploader(
            "The .zip that the Report page saved",
            key=BOX,
            max_upload_size=MOST_MEGABYTES,
            on_change=_taken,
            help="Brings back data, decisions, models and notes. What is open now is replaced, unless the "
            "file cannot be opened: then nothing changes.",
        )
    opened, sentence = state.project_said()
    if sentence and opened:
        st.success(text.escape(sentence), icon=":material/check_circle:")
    elif sentence:
        st.error(text.escape(f"{sentence} Nothing was changed."), icon=":material/error:")


def _taken() -> None:
    file = st.session_state[BOX]
    if file is None:
        # The box forgets its file when the page around it changes; what was opened stays open and said.
        if not state.project_said()[0]:
            state.say_of_project((True, ""))
    else:
        open_project(file.getvalue())


def show_save() -> None:
    """A button that saves the session; the file is made when it is pressed."""
    session = current()
    if session is None:
        return
    unable = frames.unsupported(session.source.frame)
    for kept in session.kept:
        unable += frames.unsupported(kept.data.frame)
    if unable:
        st.caption(f"These data cannot be saved as a project: it has no place for {text.listing(unable)}.")
        return
    st.download_button(
        "Save the project",
        data=lambda: archive.save(session),
        file_name="mixed-models-project.zip",
        mime="application/zip",
        key="project_save",
        icon=":material/save:",
        on_click="ignore",
        help="One .zip with the data, the decisions about them, rows left out, the models and your notes. "
        "Keep it where you keep the data: whoever has it has them.",
    )
