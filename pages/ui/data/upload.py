"""The upload box, what went wrong with a file, and how it was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.ui import state
from pages.ui.data import intake
from pages.ui.data.reading import MAX_BYTES, ReadOptions
from pages.ui.data.sniffing import ENCODINGS, SEPARATORS
from pages.ui.data.sources import Opened
from pages.ui.text import escape, shorten

AUTOMATIC = "auto"
DECIMALS = {".": "Point: 1.5", ",": "Comma: 1,5"}
THOUSANDS = {
    "": "None",
    ",": "Comma: 1,000",
    ".": "Point: 1.000",
    " ": "Space: 1 000",
    "'": "Apostrophe: 1'000",
}
FOUND = SEPARATORS | {".": "point"}
"""Names of what was found out, in the middle of a line."""
BOX = "upload"


def show() -> None:
    """The box; beside it the sentence that says why a file could not be read."""
    st.file_uploader(
        "Open your own file: CSV, TSV or other text with one row a line",
        key=BOX,
        max_upload_size=MAX_BYTES // 2**20,
        on_change=_taken,
        help="Separator, decimal mark and encoding are found out and can be changed. The file stays in this "
        "session's memory: nothing is stored, nobody else sees it.",
    )
    opened = state.opened()
    if opened is not None and opened.error:
        _refused(opened)


def _taken() -> None:
    file = st.session_state[BOX]
    if file is not None:
        intake.open_file(file.name, file.getvalue())
    elif (opened := state.opened()) is not None and opened.error:
        state.set_opened(None, is_new=False)


def _refused(opened: Opened) -> None:
    st.error(
        f"**{escape(shorten(opened.name, 60))}** was not opened. {escape(opened.error)}",
        icon=":material/error:",
    )
    if state.data() is not None:
        st.caption("What was loaded before is still there.")
    with st.expander("Read it in another way", key="reread_refused"):
        options(opened, opened.asked)


def options(opened: Opened, used: ReadOptions) -> None:
    """Widgets for everything that was found out about the file, each with what was used."""
    st.caption("Everything was found out from the file; change what is wrong and it is read again.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = opened.asked
        _choice(
            "Separator",
            "separator",
            asked.separator,
            {k: v.capitalize() for k, v in SEPARATORS.items()},
            used.separator,
        )
        _choice("Decimal mark", "decimal", asked.decimal, DECIMALS, used.decimal)
        _choice(
            "Encoding", "encoding", asked.encoding, {name: name.upper() for name in ENCODINGS}, used.encoding
        )
        _thousands(asked.thousands)
        _header(asked.header)


def _choice(label: str, part: str, asked: str | None, names: dict[str, str], used: str | None) -> None:
    """A select box whose first entry leaves the matter to the reader and says what it found."""
    found = f" ({FOUND.get(used, used.upper())})" if used is not None and asked is None else ""
    keys = [AUTOMATIC, *names]
    st.selectbox(
        label,
        keys,
        index=keys.index(asked) if asked in keys else 0,
        format_func=lambda key: f"Automatic{found}" if key == AUTOMATIC else names[key],
        key=f"{part}_{state.serial()}",
        on_change=_changed(part),
        width=190,
    )


def _thousands(asked: str) -> None:
    st.selectbox(
        "Thousands mark",
        list(THOUSANDS),
        index=list(THOUSANDS).index(asked),
        format_func=THOUSANDS.__getitem__,
        key=f"thousands_{state.serial()}",
        on_change=_changed("thousands"),
        help="Never guessed: 1,234 can be one thousand or one point two.",
        width=190,
    )


def _header(asked: bool | None) -> None:
    st.toggle(
        "First row holds the names",
        value=asked is not False,
        key=f"header_{state.serial()}",
        on_change=_changed("header"),
        width="content",
    )


def _changed(part: str) -> Callable[[], None]:
    key = f"{part}_{state.serial()}"

    def change() -> None:
        opened, value = state.opened(), st.session_state[key]
        if opened is not None:
            changes: dict[str, Any] = {part: None if value == AUTOMATIC else value}
            intake.reopen(replace(opened.asked, **changes))

    return change
