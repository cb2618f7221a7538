"""Charts on a page: heading, figure, how to read it, download. And the choice of one group for every plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.ui import state, text, words
from pages.ui.charts import DARK, LIGHT, Chart, Ink
from pages.ui.charts.base import CONFIG

OPTIONS = 1_000
"""More groups than this are found by typing: a list of all would travel to the browser on every run."""
MATCHES = 100


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
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.subheader(text.escape(shown.title), anchor=False)
        _download(shown, key)
    if on_click is None:
        st.plotly_chart(shown.figure, key=key, config=CONFIG, alt=shown.alt)
    else:
        st.plotly_chart(
            shown.figure,
            key=key,
            config=CONFIG,
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


def clicked_place(key: str) -> int | None:
    """The whole number in the last cell of the clicked point's customdata, if a point was clicked."""
    points = st.session_state[key].selection.points
    custom = points[0].get("customdata") if points else None
    place = custom[-1] if isinstance(custom, Sequence) and custom and not isinstance(custom, str) else custom
    return int(place) if isinstance(place, int | float) else None


def choose_group(labels: Sequence[str], key: str) -> str | None:
    """A box to highlight one group in every plot; the choice holds on every page."""
    chosen = state.chosen_group()
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
        on_change=lambda: state.set_chosen_group(st.session_state[key]),
        help="The same group is highlighted in every plot of this and the other pages.",
    )
    return state.chosen_group()


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
