"""The chosen model in mathematics: LaTeX for `st.latex`, with names from data made inert. No Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pages.ui.model.choices import Choices, Component
from pages.ui.text import latex, shorten

LONGEST_NAME = 18
MOST_TERMS = 12
LINE = 34
"""Characters on one line of an equation, so that a phone shows it without scrolling far."""


@dataclass(frozen=True, slots=True)
class Part:
    """One summand: its LaTeX and about how wide it is, in characters."""

    latex: str
    width: int


def equations(choices: Choices, categories: Iterable[str]) -> str:
    """The model of `choices` as an aligned block of LaTeX.

    categories : columns that are text or marked as categories, so have one coefficient a level
    """
    sums = [
        *_fixed(choices, set(categories)),
        *_random(choices),
        Part(rf"\varepsilon_{{{_row(choices)}}}", 3),
    ]
    left = rf"{_name(choices.outcome)}_{{{_row(choices)}}}"
    begun = min(len(choices.outcome), LONGEST_NAME) + 4
    lines = [rf"{left} &= {_broken(sums, begun)}", *_distributions(choices)]
    return "\\begin{aligned}\n" + " \\\\[4pt]\n".join(lines) + "\n\\end{aligned}"


def _row(choices: Choices) -> str:
    return "ij" if choices.groups else "i"


def _name(column: str) -> str:
    return rf"\text{{{latex(shorten(column, LONGEST_NAME))}}}"


def _value(column: str, choices: Choices) -> str:
    return rf"{_name(column)}_{{{_row(choices)}}}"


def _broken(parts: Sequence[Part], begun: int) -> str:
    """The summands joined by plus signs, on as many lines as they need; `begun` characters are used up."""
    text, width = parts[0].latex, begun + parts[0].width
    for part in parts[1:]:
        new_line = width + part.width > LINE
        text += (r" \\ &\quad + " if new_line else " + ") + part.latex
        width = begun + part.width if new_line else width + part.width + 3
    return text


def _fixed(choices: Choices, categories: set[str]) -> list[Part]:
    """β₀ + β₁x + …; a category has one coefficient a level, β₁[x]."""
    terms = [Part(r"\beta_0", 2)] if choices.intercept else []
    for number, term in enumerate(islice(_terms(choices), MOST_TERMS), start=1):
        terms.append(_coefficient(number, term, choices, categories))
    if next(islice(_terms(choices), MOST_TERMS, None), None):
        terms.append(Part(r"\cdots", 3))
    return terms or [Part("0", 1)]


def _terms(choices: Choices) -> Iterator[tuple[str, ...]]:
    """Predictors, then the interactions chosen."""
    yield from ((column,) for column in choices.fixed)
    yield from choices.all_interactions()


def _coefficient(number: int, term: tuple[str, ...], choices: Choices, categories: set[str]) -> Part:
    levels = [column for column in term if column in categories]
    values = [column for column in term if column not in categories]
    inside = ", ".join(_value(column, choices) for column in levels)
    index = f"[{inside}]" if levels else ""
    factors = "".join(rf"\,{_value(column, choices)}" for column in values)
    return Part(rf"\beta_{{{number}}}{index}{factors}", 4 + sum(min(len(c), LONGEST_NAME) + 2 for c in term))


def _random(choices: Choices) -> list[Part]:
    """u₀ⱼ + u₁ⱼx + … and one letter v a variance component."""
    parts = [Part("u_{0j}", 3)] if choices.random_intercept else []
    for number, column in enumerate(choices.slopes, start=1):
        parts.append(Part(rf"u_{{{number}j}}\,{_value(column, choices)}", 7 + min(len(column), LONGEST_NAME)))
    for number, row in enumerate(choices.components, start=1):
        parts.append(_component(number, row, choices))
    return parts


def _component(number: int, row: Component, choices: Choices) -> Part:
    factor = row.column if row.kind == "factor" else row.factor
    group = ["j"] if choices.groups else []
    index = ",".join([str(number), *group, *([_value(factor, choices)] if factor else [])])
    slope = "" if row.kind == "factor" else rf"\,{_value(row.column, choices)}"
    width = min(len(factor), LONGEST_NAME) + (min(len(row.column), LONGEST_NAME) if slope else 0)
    return Part(rf"v_{{{index}}}{slope}", 6 + width)


def _distributions(choices: Choices) -> list[str]:
    normal = r"\sim \mathcal{N}"
    lines = [*_group_lines(choices, normal)]
    for number, row in enumerate(choices.components, start=1):
        lines.append(rf"v_{{{number}}} &{normal}(0,\ \tau^2_{{{_name(row.name)}}})")
    return [*lines, rf"\varepsilon_{{{_row(choices)}}} &{normal}(0,\ \sigma^2)"]


def _group_lines(choices: Choices, normal: str) -> list[str]:
    """The distribution of the coefficients of a group: joint when correlated."""
    first = 0 if choices.random_intercept else 1
    numbers = range(first, len(choices.slopes) + 1)
    if len(numbers) > 1 and choices.correlated:
        letters = r",\ ".join(f"u_{{{number}j}}" for number in numbers)
        return [rf"({letters}) &{normal}(\mathbf{{0}},\ \Psi)"]
    return [rf"u_{{{number}j}} &{normal}(0,\ \tau^2_{{{number}}})" for number in numbers]
