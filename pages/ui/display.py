"""Charts and verdicts on a page: heading, figure, how to read it, download."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui import text
from pages.ui.charts import DARK, LIGHT, Chart, Ink
from pages.ui.charts.base import CONFIG
from pages.ui.charts.sent import sent
from pages.ui.results import words


def ink() -> Ink:
    """Colours for the appearance of this browser."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def verdict(said: words.Verdict) -> None:
    """The verdict on a fit, in its colour."""
    icons = {
        "success": ":material/check_circle:",
        "warning": ":material/warning:",
        "error": ":material/error:",
    }
    box = {"success": st.success, "warning": st.warning, "error": st.error}[said.kind]
    box(said.words, icon=icons[said.kind])


def chart(shown: Chart, key: str, *, on_click: Callable[[str], None] | None = None) -> None:
    """Draw a chart under its title, with its words; `on_click(key)` runs when a point is clicked."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header(text.escape(shown.title), anchor=False)
        _download(shown, key)
    if shown.message:
        said = [text.unbroken(text.escape(line)) for line in shown.message.split("\n")]
        st.markdown("\n".join(f"- {line}" for line in said) if len(said) > 1 else said[0])
    figure = sent(shown.figure, ink(), clicked=on_click is not None)
    if on_click is None:
        st.plotly_chart(figure, key=key, config=CONFIG, theme=None, alt=shown.alt)
    else:
        st.plotly_chart(
            figure,
            key=key,
            config=CONFIG,
            theme=None,
            alt=shown.alt,
            on_select=lambda: on_click(key),
            selection_mode="points",
        )
    st.caption(text.escape(" ".join(filter(None, [shown.caption, shown.note]))))


def _download(shown: Chart, key: str) -> None:
    st.download_button(
        "HTML",
        data=shown.to_html,
        file_name=f"{key.replace('_', '-')}.html",
        mime="text/html",
        key=f"{key}_html",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="Download an interactive page that works offline. The camera above the chart saves a picture.",
    )
