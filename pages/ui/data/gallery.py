"""The gallery of examples: cards with a story, a picture and two ways to begin."""

from __future__ import annotations

import functools

import streamlit as st

from mixedcore import datasets
from pages.ui import display, state
from pages.ui.charts import Ink
from pages.ui.data import examples, pictures
from pages.ui.text import escape

FRONT = 6
STORY = 130
ESTIMATES_PAGE = "pages/estimates.py"


def show(*, folded: bool) -> None:
    """The examples under their heading; or, beside data that are loaded, behind a button."""
    if not folded:
        st.header("Examples with a story", anchor=False)
        _gallery()
        return
    other = st.expander(
        "Another example", icon=":material/gallery_thumbnail:", key="examples", on_change="rerun"
    )
    if other.open:
        with other:
            _gallery()


def _gallery() -> None:
    """The first cards, and the others behind a button."""
    every = examples.names()
    _cards(every[:FRONT])
    more = st.expander(f"{len(every) - FRONT} more examples", key="more_examples", on_change="rerun")
    if more.open:
        with more:
            _cards(every[FRONT:])


def _cards(chosen: tuple[str, ...]) -> None:
    with st.grid(3, min_column_width=240):
        for name in chosen:
            with st.container(border=True, height="stretch", key=f"card_{name}"):
                _card(name)


def _card(name: str) -> None:
    example = datasets.describe(name)
    st.markdown(f"### {escape(example.title)}")
    st.image(drawn(name, display.ink()), width="stretch", alt=f"Small picture: {alt(name)}")
    st.caption(f"{escape(opening(example.story))}  \n**{escape(size(name))}**")
    st.space("stretch")
    with st.container(horizontal=True, gap="small"):
        st.button("Use this example", key=f"use_{name}", on_click=state.use_example, args=(name,))
        if st.button("See the fit", key=f"fit_{name}", type="tertiary", icon=":material/arrow_forward:"):
            state.use_example(name)
            st.switch_page(ESTIMATES_PAGE)


@functools.cache
def drawn(name: str, ink: Ink) -> str:
    """The picture of an example; the same for everyone, so it is drawn once."""
    example, frame = datasets.describe(name), datasets.load(name)
    group = example.groups or example.grouping[0]
    return pictures.picture(frame, example.outcome, group, _over(name), ink)


@functools.cache
def _over(name: str) -> str | None:
    example, frame = datasets.describe(name), datasets.load(name)
    predictors = [column.name for column in example.columns if column.role == "predictor"]
    in_slopes = [each for each in predictors if each in (example.re_formula or "")]
    group = example.groups or example.grouping[0]
    return pictures.line_variable(frame, example.outcome, group, in_slopes)


def alt(name: str) -> str:
    """What the picture shows, for those who cannot see it."""
    example, over = datasets.describe(name), _over(name)
    group = example.groups or example.grouping[0]
    return f"{example.outcome} over {over}, a line each {group}" if over else f"{example.outcome} by {group}"


@functools.cache
def size(name: str) -> str:
    """Rows and groups in words."""
    example = datasets.describe(name)
    frame = datasets.load(name)
    if example.groups:
        return f"{example.rows:,} rows in {frame[example.groups].nunique():,} groups ({example.groups})"
    counts = " × ".join(f"{frame[group].nunique():,}" for group in example.grouping[:2])
    return f"{example.rows:,} rows, {counts} ({' × '.join(example.grouping[:2])})"


def opening(story: str) -> str:
    """The first sentences of a story, as many as fit on a card; at least one."""
    sentences = story.replace(". ", ".\n").split("\n")
    shown = sentences[0]
    for sentence in sentences[1:]:
        if len(shown) + len(sentence) > STORY:
            break
        shown += f" {sentence}"
    return shown
