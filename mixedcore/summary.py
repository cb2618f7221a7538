"""The classic two-table summary, as statsmodels prints it, with significant digits for fixed decimals."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mixedcore.design.design import Design
from mixedcore.design.stream import StreamDesign

DIGITS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """title; facts: pairs in two columns, or none; coefficients: text, one row a parameter; notes below."""

    title: str
    facts: tuple[tuple[str, str, str, str], ...]
    coefficients: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def tables(self) -> list[pd.DataFrame]:
        """The two tables as frames of text."""
        return [pd.DataFrame(list(self.facts)), self.coefficients]

    def as_text(self) -> str:
        """Plain text, for a terminal."""
        body = _text_table(self.coefficients)
        facts = _facts_table(self.facts, max(map(len, body))) if self.facts else []
        width = max(len(line) for line in (*body, *facts))
        heavy, light = "=" * width, "-" * width
        lines = [
            *([self.title.center(width).rstrip()] if self.title else []),
            heavy,
            *([*facts, light] if facts else []),
            body[0],
            light,
            *body[1:],
            heavy,
            *self.notes,
        ]
        return "\n".join(lines)

    def as_html(self) -> str:
        """Two HTML tables; every name is escaped."""
        facts = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.facts
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        title = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        body = self.coefficients.to_html(escape=True)
        return f'<table class="simpletable">{title}{facts}</table>\n{body}{notes}'

    def as_latex(self) -> str:
        """Two LaTeX tables; every name is escaped."""
        rows = [" & ".join(map(_latex, row)) + r" \\" for row in self.facts]
        head = " & ".join(["", *map(_latex, self.coefficients.columns)]) + r" \\"
        body = [
            " & ".join([_latex(str(name)), *map(_latex, row)]) + r" \\"
            for name, row in zip(self.coefficients.index, self.coefficients.to_numpy(), strict=True)
        ]
        columns = "l" + "r" * self.coefficients.shape[1]
        return "\n".join([
            r"\begin{table}", rf"\caption{{{_latex(self.title)}}}",
            *([r"\begin{tabular}{llll}", r"\hline", *rows, r"\hline", r"\end{tabular}", ""] if rows else []),
            rf"\begin{{tabular}}{{{columns}}}", r"\hline", head, r"\hline", *body, r"\hline",
            r"\end{tabular}", r"\end{table}",
        ])  # fmt: skip

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()


def beside_facts(design: Design | StreamDesign) -> list[tuple[str, str, str, str]]:
    """A line on weights and offset where there are any, each by its column."""
    weights = design.weights_column or ("Yes" if design.has("weights") else "No")
    offset = design.offset_column or ("Yes" if design.has("offset") else "No")
    return [] if weights == offset == "No" else [("Weights:", weights, "Offset:", offset)]


def number(value: float) -> str:
    """Significant digits for any size; empty for a missing value."""
    if value != value:
        return ""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 10**DIGITS:
        text = f"{value:.{DIGITS}g}"
        return text if "e" not in text else f"{value:.0f}"
    return f"{value:.{DIGITS - 1}g}"


def p_text(p: float) -> str:
    """Three decimals, or '<0.001'."""
    if p != p:
        return ""
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def _text_table(table: pd.DataFrame) -> list[str]:
    names = [str(name) for name in table.index]
    first = max((len(name) for name in names), default=0)
    cells = [list(map(str, row)) for row in table.to_numpy()]
    widths = [
        max(len(str(c)), *(len(row[i]) for row in cells), 1) if cells else len(str(c))
        for i, c in enumerate(table.columns)
    ]
    head = " " * first + "".join(f"  {c!s:>{w}}" for c, w in zip(table.columns, widths, strict=True))
    rows = ["".join(f"  {cell:>{w}}" for cell, w in zip(row, widths, strict=True)) for row in cells]
    return [head, *(f"{name:<{first}}{row}".rstrip() for name, row in zip(names, rows, strict=True))]


def _facts_table(facts: Sequence[tuple[str, str, str, str]], width: int) -> list[str]:
    a, b, c, d = (max(len(row[i]) for row in facts) for i in range(4))
    gap = max(1, width - (a + b + c + d + 2))
    return [f"{p:<{a}} {q:<{b}}{' ' * gap}{r:<{c}} {s:<{d}}".rstrip() for p, q, r, s in facts]


def _latex(text: object) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, "\\" + c if c in "&%$#_{}" else c) for c in str(text))
