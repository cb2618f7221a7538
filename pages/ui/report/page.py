"""What the Report page shows: the choices, the outline, the files; project and link beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from mixedcore import MixedLMResults
from pages.ui import exports, fitting, invitation, shell, state
from pages.ui.compare import comparing
from pages.ui.model import changes, equated, scripts
from pages.ui.model.form import Form
from pages.ui.model.modelcall import ModelCall
from pages.ui.report import as_html, as_word, contents
from pages.ui.report.choices import LEVELS, PARTS, ReportChoices
from pages.ui.report.material import Material
from pages.ui.results import computed, estimates_options

LONGEST_NOTES = 20_000


def choose(*, kept: bool) -> ReportChoices:
    """Title, the person's own words, parts and interval level; the choice outlives the page."""
    before = state.report()
    st.text_input(
        "Title",
        key=state.show("report_title", before.title),
        max_chars=200,
        placeholder="Mixed model",
        on_change=_keep,
        args=("title", "report_title"),
    )
    st.text_area(
        "Your own words, at the beginning",
        key=state.show("report_notes", before.notes),
        max_chars=LONGEST_NOTES,
        height=110,
        on_change=_keep,
        args=("notes", "report_notes"),
        help="Plain text; a new line begins a paragraph.",
    )
    st.segmented_control(
        "Intervals",
        LEVELS,
        required=True,
        format_func=lambda value: f"{value:.0%}",
        key=state.show("report_level", before.level),
        on_change=_keep,
        args=("level", "report_level"),
        help="How often such intervals cover the true value, if the model holds.",
    )
    st.pills(
        "Parts",
        contents.available(tuple(PARTS), kept=kept),
        selection_mode="multi",
        wrap=True,
        format_func=PARTS.__getitem__,
        key=state.show("report_parts", contents.available(before.parts, kept=kept)),
        on_change=_keep_parts,
        args=("report_parts", kept),
        help="Press a part to take it in or out; the order is that of a paper.",
    )
    return state.report()


def _keep(part: str, key: str) -> None:
    changes: dict[str, Any] = {part: st.session_state[key]}
    state.set_report(replace(state.report(), **changes))


def _keep_parts(key: str, kept: bool) -> None:
    """The parts now pressed; the one that is hidden without kept models stays as it was chosen."""
    hidden = [part for part in state.report().parts if part == "kept" and not kept]
    pressed = [*st.session_state[key], *hidden]
    state.set_report(replace(state.report(), parts=tuple(part for part in PARTS if part in pressed)))


def material(chosen: ReportChoices, call: ModelCall, result: MixedLMResults) -> Callable[[], Material]:
    """What the report is made of; gathered when a file is asked for, for kept models may need a fit."""
    data, loaded = invitation.data_or_stop(), state.all_rows()
    exclusions, kept = state.exclusions(), state.kept()
    ddf = estimates_options.chosen_ddf(reml=result.reml)
    method = estimates_options.chosen_method(result, call, data.digest, chosen.level)

    def gather() -> Material:
        found = comparing.gathered(kept, fitting.fit) if kept else None
        form = Form(changes.reading_of(call, data), fitting.profiled(data.digest, data.frame), data)
        bounds = computed.intervals(result, call, data.digest, method, chosen.level)
        return Material(
            chosen,
            data,
            loaded or data,
            exclusions,
            call,
            shell.described(call),
            result,
            found,
            equated.of(form),
            ddf,
            bounds,
            estimates_options.interval_names(method, bounds),
        )

    return gather


def outline(chosen: ReportChoices, result: MixedLMResults, *, kept: bool) -> None:
    """How much of what could be in the report will stand in it, and how its numbers are computed."""
    parts = len(contents.available(chosen.parts, kept=kept))
    if not parts:
        st.caption("No part is chosen: the report would hold your own words only.")
        return
    most = len(contents.available(tuple(PARTS), kept=kept))
    how_many = "All" if parts == most else f"{parts} of the"
    how = estimates_options.said(reml=result.reml)
    st.caption(f"{how_many} {most} parts, in the order of a paper, on this fit. {how}")


def downloads(gather: Callable[[], Material]) -> None:
    """The files; each is made when its button is pressed."""
    with st.container(horizontal=True):
        st.download_button(
            "HTML",
            data=lambda: as_html.write(contents.report(gather())),
            file_name="report.html",
            mime="text/html",
            key="report_html",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
            help="One file with interactive plots; opens anywhere, offline too, and prints well.",
        )
        st.download_button(
            "Word",
            data=lambda: as_word.write(contents.report(gather())),
            file_name="report.docx",
            mime="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            key="report_word",
            icon=":material/download:",
            on_click="ignore",
            help="Heading styles, tables and equations to edit, still pictures with alternative text.",
        )


def programs(call: ModelCall) -> None:
    """The same fit with three packages, and the data that the R program reads."""
    data = invitation.data_or_stop()
    shown = {
        "mixedcore": (scripts.mixedcore(call, data), "python", "py"),
        "statsmodels": (scripts.statsmodels(call, data), "python", "py"),
        "lme4 (R)": (scripts.lme4(call, data.frame), "r", "R"),
    }
    name = st.segmented_control(
        "Program", list(shown), default="mixedcore", required=True, key="report_program"
    )
    program, language, _ = shown[name]
    if name == "statsmodels":
        st.caption(scripts.about_statsmodels(call, data))
    st.code(program, language=language)
    st.download_button(
        "Prepared data as CSV",
        data=lambda: exports.csv(data.frame),
        file_name=scripts.PREPARED,
        mime="text/csv",
        key="report_prepared",
        icon=":material/table:",
        on_click="ignore",
        help="The rows in use, new columns included: what the R program reads. In a spreadsheet no cell of "
        "it runs as a formula.",
    )


def link_to_copy() -> None:
    """The address that shows someone else the same example with the same model."""
    found = shell.address()
    if found is None:
        st.caption("A link carries examples only, never a file of your own: save the project instead.")
        return
    st.caption(
        "A link for someone else: the same example, model and page. Every page has one in its address."
    )
    st.code(found, language=None, wrap_lines=True)
