"""A frame as CSV, Markdown or LaTeX, safe for whatever opens it."""

from __future__ import annotations

import re

import pandas as pd

from pages.ui import text

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+!|<>~$&]")


def csv(frame: pd.DataFrame, *, index: bool = False) -> bytes:
    """UTF-8 with a byte order mark (spreadsheets need it), every number in full, no cell run as a formula."""
    safe = frame.copy()
    for position, dtype in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            safe.isetitem(position, [text.csv_safe(cell) for cell in frame.iloc[:, position]])
    safe.columns = pd.Index([text.csv_safe(str(name)) for name in frame.columns])
    if index:
        safe.index = frame.index.map(text.csv_safe)
    return safe.to_csv(index=index).encode("utf-8-sig")


def markdown(frame: pd.DataFrame) -> str:
    """A table in GitHub's Markdown; text columns left, numbers (as text) right."""
    rows = [[_markdown_cell(cell) for cell in row] for row in _cells(frame)]
    sides = ["---" if left else "---:" for left in _text_columns(frame)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], sides, *rows[1:]])


def latex(frame: pd.DataFrame) -> str:
    """A `tabular` that needs no package."""
    rows = [" & ".join(_latex_cell(cell) for cell in row) + r" \\" for row in _cells(frame)]
    columns = "".join("l" if left else "r" for left in _text_columns(frame))
    body = [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\hline",
        rows[0],
        r"\hline",
        *rows[1:],
        r"\hline",
        r"\end{tabular}",
    ]
    return "\n".join(body)


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    return [[str(name) for name in frame.columns], *(list(map(str, row)) for row in frame.to_numpy())]


def _text_columns(frame: pd.DataFrame) -> list[bool]:
    """Whether each column holds words: a column whose first letters are all digits or signs holds numbers."""
    return [
        not all(re.match(r"[−∞–<>\d]", str(cell)) for cell in frame.iloc[:, position])
        for position in range(frame.shape[1])
    ]


def _markdown_cell(cell: str) -> str:
    return _MARKDOWN.sub(lambda found: "\\" + found[0], text.one_line(cell))


def _latex_cell(cell: str) -> str:
    shown = text.latex(cell).replace("{:}", ":").replace("{-}", "-")
    for sign, command in {"−": "$-$", "∞": r"$\infty$", "–": "--", "×": r"$\times$", "√": r"$\surd$"}.items():
        shown = shown.replace(sign, command)
    return re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", _exponent, shown)


def _exponent(found: re.Match[str]) -> str:
    plain = found[0].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return f"$^{{{plain}}}$"
