"""The upload box and the field for pasting, what went wrong with a file, and how it was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.ui import state
from pages.ui.data import intake
from pages.ui.data.readers.base import MAX_BYTES, ReadOptions
from pages.ui.data.readers.sniffing import ENCODINGS, SEPARATORS
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
CELLS = "pasted_cells"


def show() -> None:
    """The box and the field for pasting; beside them the sentence that says why a table could not be read."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _box()
        # A new key with every table, so that it closes when the cells are taken.
        key = f"paste_{state.serial()}"
        with st.popover("Paste from a spreadsheet", icon=":material/content_paste:", key=key):
            _paste()
    opened = state.opened()
    if opened is not None and opened.error:
        _refused(opened)


def _box() -> None:
    st.file_uploader(
        "Open your own file: CSV or other text, Excel, SPSS, Stata, SAS or Parquet",
        key=BOX,
        max_upload_size=MAX_BYTES // 2**20,
        on_change=_taken,
        help="Text with one row a line (CSV, TSV; also zipped), Excel (.xlsx, .xls) and OpenDocument (.ods), "
        "SPSS (.sav, .zsav, .por), Stata (.dta), SAS (.sas7bdat, .xpt) and Parquet. What a file is, its "
        "separator, sheet, value labels and so on are found out and can be changed. The file stays "
        "in this session's memory: nothing is stored, nobody else sees it.",
    )


def _paste() -> None:
    with st.form("paste_form", border=False):
        st.text_area(
            "Cells",
            key=CELLS,
            height=200,
            placeholder="school\tpupil\tscore\nA\t1\t12.5\nA\t2\t9",
            help="Copy the cells in the spreadsheet, the row of names too, and paste them here. Tabs, commas "
            "or semicolons may stand between the values.",
        )
        st.form_submit_button("Use these cells", on_click=_pasted, icon=":material/arrow_forward:")


def _pasted() -> None:
    intake.paste(st.session_state[CELLS])


def _taken() -> None:
    file = st.session_state[BOX]
    if file is not None:
        intake.open_file(file.name, file.getvalue())
    elif (opened := state.opened()) is not None and opened.error:
        state.set_opened(None, is_new=False)


def _refused(opened: Opened) -> None:
    what = "not read" if opened.by == "paste" else "not opened"
    st.error(
        f"**{escape(shorten(opened.name, 60))}** {'were' if opened.by == 'paste' else 'was'} {what}. "
        f"{escape(opened.error)}",
        icon=":material/error:",
    )
    if state.data() is not None:
        st.caption("What was loaded before is still there.")
    if has_options(opened):
        with st.expander("Read it in another way", key="reread_refused"):
            options(opened, opened.asked)


def has_options(opened: Opened) -> bool:
    """Whether there is anything to choose about how a file is read."""
    match opened.kind:
        case "text":
            return True
        case "workbook":
            return bool(opened.sheets)
        case "parquet":
            return False
        case _:
            return not opened.error


def options(opened: Opened, used: ReadOptions) -> None:
    """Widgets for everything that was found out about the file, each with what was used."""
    st.caption("Everything was found out from the file; change what is wrong and it is read again.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if opened.kind == "workbook":
            _workbook(opened, used)
        elif opened.kind == "text":
            _text(opened.asked, used)
        else:
            _labels(opened.asked)
            _encoding(opened.asked, used)


def _text(asked: ReadOptions, used: ReadOptions) -> None:
    separators = {key: name.capitalize() for key, name in SEPARATORS.items()}
    _choice("Separator", "separator", asked.separator, separators, used.separator)
    _choice("Decimal mark", "decimal", asked.decimal, DECIMALS, used.decimal)
    _encoding(asked, used)
    _thousands(used.thousands)
    _surroundings(asked, used, "Line of the names")


def _encoding(asked: ReadOptions, used: ReadOptions) -> None:
    names = {name: name.upper() for name in ENCODINGS}
    _choice("Encoding", "encoding", asked.encoding, names, used.encoding)


def _workbook(opened: Opened, used: ReadOptions) -> None:
    sheets, key = list(opened.sheets), f"sheet_{state.serial()}"
    st.selectbox(
        "Sheet",
        sheets,
        index=sheets.index(used.sheet) if used.sheet in sheets else 0,
        key=key,
        # Another sheet has its table in another place.
        on_change=lambda: intake.reopen(
            replace(opened.asked, sheet=st.session_state[key], header_row=None, explained=None, below=None)
        ),
        width=240,
    )
    _surroundings(opened.asked, used, "Row of the names")


def _surroundings(asked: ReadOptions, used: ReadOptions, label: str) -> None:
    """Where the table begins and ends."""
    _count(
        label,
        "header_row",
        used,
        used.header_row,
        "Where the names of the columns stand, counted from 1. What is above is left out.",
    )
    if used.header:
        _count(
            "Rows that explain the names",
            "explained",
            used,
            used.explained,
            "Rows right under the names with units or whole questions. They are no data; the first of them "
            "is shown as the meaning of each column.",
        )
    _count(
        "Rows left out at the end",
        "below",
        used,
        used.below,
        "Totals, means and footnotes below the table are no data.",
    )
    _header(asked.header)


def _count(label: str, part: str, used: ReadOptions, value: int | None, about: str) -> None:
    # Found out anew on each sheet and with other options: the field shows what was found.
    key = state.show(f"{part}_{used.sheet}_{state.serial()}", value)
    st.number_input(
        label,
        min_value=1 if part == "header_row" else 0,
        key=key,
        on_change=_changed(part, key),
        help=about,
        width=190,
    )


def _labels(asked: ReadOptions) -> None:
    key = f"codes_or_labels_{state.serial()}"
    st.selectbox(
        "Labelled values",
        [False, True],
        index=int(asked.codes),
        format_func=lambda codes: "Codes: 1, 2, 3" if codes else "Labels, in the order of their codes",
        key=key,
        on_change=_changed("codes", key),
        help="A column whose codes all have labels becomes a category with those labels. For one column "
        "alone, set its type to Number under Columns: that gives its codes.",
        width=300,
    )


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


def _thousands(used: str) -> None:
    st.selectbox(
        "Thousands mark",
        list(THOUSANDS),
        index=list(THOUSANDS).index(used),
        format_func=THOUSANDS.__getitem__,
        key=f"thousands_{state.serial()}",
        on_change=_changed("thousands"),
        help="Found only where the numbers leave no doubt: 1,234 alone can be one thousand or one point two.",
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


def _changed(part: str, key: str = "") -> Callable[[], None]:
    """What reads the file again with the new value of one option; `key` if it differs from the usual."""
    key = key or f"{part}_{state.serial()}"

    def change() -> None:
        opened, value = state.opened(), st.session_state[key]
        if opened is not None:
            changes: dict[str, Any] = {part: None if value == AUTOMATIC else value}
            intake.reopen(replace(opened.asked, **changes))

    return change
