"""A formula's parts: outcome, fixed effects, random terms in bars. Text only, neither checked nor evaluated.

Both routes use this: a notebook's formula may hold any Python that patsy takes, so only what stands
outside of calls is looked at.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from mixedcore.errors import FormulaError
from mixedcore.formula.text import Token, show, tokenize

_BARS = ("|", "||")


@dataclass(frozen=True, slots=True)
class BarTerm:
    """`(covariates | group)`: coefficients that vary over the levels of `group`.

    covariates : formula text of one side, '1 + x'; as in lme4, the intercept is implied ('x' has one)
    group      : formula text of columns joined by ':', 'school' or 'school:Q("class no")'
    correlated : False for `||`
    """

    covariates: str
    group: str
    correlated: bool

    def group_columns(self) -> tuple[str, ...]:
        """The names of the columns whose combinations are the levels, unquoted."""
        cuts = [i for i in tokenize(self.group) if i.depth == 0 and i.text == ":"]
        return tuple(_group_atom(piece)[1] for piece in _between(self.group, cuts))


@dataclass(frozen=True, slots=True)
class FormulaParts:
    """response : text left of `~`, None in a one-sided formula; fixed : text right of it without the bar
    terms, '1' where nothing else is left; bars : random terms, `a/b` expanded to a and a:b."""

    response: str | None
    fixed: str
    bars: tuple[BarTerm, ...]


@lru_cache(maxsize=256)
def split(formula: str) -> FormulaParts:
    """The parts of `y ~ x + (1 + x | g)`. The text of each part is the user's, unchanged.

    Errors: FormulaError, with the remedy, for a missing or second `~`, an empty side, or a bar term that
    does not stand by itself.
    """
    parts = read(formula)
    if parts.response is None:
        if formula.lstrip().startswith("~"):
            raise FormulaError("There is no outcome before the ~. Write one, as in 'y ~ x'.")
        raise FormulaError(
            "The formula has no ~. Write the outcome, then ~, then what explains it, as in 'y ~ x'."
        )
    return parts


def one_sided(text: str) -> str:
    """The right side alone, of a `re_formula` or of a variance component: '~ 0 + x' and '0 + x' give '0 + x'.

    Errors: FormulaError for text left of the `~`, nothing at all, or a bar term.
    """
    left, right = _sides(_one_line(text))
    if left:
        raise FormulaError(
            f"The formula {show(text.strip())} of a random effect has no outcome: "
            f"leave out {show(left)} before the ~."
        )
    if _bar_tokens(tokenize(right)):
        raise FormulaError(
            f"{show(text.strip())} describes one random effect: "
            "random terms in bars, such as (1 | g), belong in the main formula."
        )
    return right


def read(formula: str) -> FormulaParts:
    """As `split`, but a formula without `~`, or without an outcome before it, is taken as one-sided."""
    left, right = _sides(_one_line(formula))
    if left and _bar_tokens(tokenize(left)):
        raise FormulaError("A random term such as (1 | g) belongs to the right of the ~.")
    fixed, bars = _take_bars(right)
    return FormulaParts(left or None, fixed, bars)


def _one_line(formula: str) -> str:
    if not isinstance(formula, str):
        raise FormulaError(f"A formula is text, as in 'y ~ x'; this is of type {type(formula).__name__}.")
    if not formula.strip():
        raise FormulaError("The formula is empty. Write the outcome, then ~, then what explains it: 'y ~ x'.")
    return formula.replace("\n", " ")  # as patsy does


def _sides(text: str) -> tuple[str | None, str]:
    """Left of `~` (None without one) and right of it, stripped."""
    tildes = [t for t in tokenize(text) if t.text == "~" and t.depth == 0]
    if len(tildes) > 1:
        raise FormulaError(
            "The formula has more than one ~. Only one may stand between outcome and predictors."
        )
    left = text[: tildes[0].start].strip() if tildes else None
    right = text[tildes[0].end :].strip() if tildes else text.strip()
    if not right:
        raise FormulaError("There is nothing after the ~. Write 1 there for an intercept alone: 'y ~ 1'.")
    return left, right


def _bar_tokens(tokens: list[Token]) -> list[int]:
    return [i for i, t in enumerate(tokens) if t.text in _BARS and t.kind == "op" and not t.python]


def _take_bars(text: str) -> tuple[str, tuple[BarTerm, ...]]:
    """`text` without its bar terms, and these."""
    tokens = tokenize(text)
    spans = [_bar_span(tokens, at, text) for at in _bar_tokens(tokens)]
    terms: list[BarTerm] = []
    for opening, bar, closing in spans:
        covariates = text[opening.end : bar.start].strip()
        group = text[bar.end : closing.start].strip()
        if not covariates or not group:
            raise FormulaError(
                f"{show(text[opening.start : closing.end])} lacks a side. Write (1 | g) for intercepts by g."
            )
        terms += [BarTerm(covariates, g, bar.text == "|") for g in _nested_groups(group)]
    for opening, _, closing in reversed(spans):
        before = text[: opening.start].rstrip()
        text = before.removesuffix("+").rstrip() + text[closing.end :]
    return (text.strip().removeprefix("+").strip() if spans else text) or "1", tuple(terms)


def _bar_span(tokens: list[Token], at: int, text: str) -> tuple[Token, Token, Token]:
    """Opening parenthesis, bar and closing parenthesis of the bar term around token `at`."""
    bar = tokens[at]
    if bar.depth == 0:
        raise FormulaError(f"Put the random term around {show(bar.text)} in parentheses, as in (1 | g).")
    opening = max(i for i in range(at) if tokens[i].depth == 0 and tokens[i].text == "(")
    closing = min(i for i in range(at, len(tokens)) if tokens[i].depth == 0 and tokens[i].text == ")")
    inside = tokens[opening + 1 : closing]
    term = show(text[tokens[opening].start : tokens[closing].end])
    before = tokens[opening - 1].text if opening else "+"
    after = tokens[closing + 1].text if closing + 1 < len(tokens) else "+"
    if before == "-":
        raise FormulaError(f"The random term {term} cannot be subtracted. Leave it out instead.")
    if bar.depth > 1 or before != "+" or after not in ("+", "-"):
        raise FormulaError(f"The random term {term} must stand by itself, joined to the others by +.")
    if len(_bar_tokens(inside)) > 1:
        raise FormulaError(
            f"{term} has more than one bar. Write (x | g), or (x || g) for independent effects."
        )
    return tokens[opening], bar, tokens[closing]


def _nested_groups(text: str) -> list[str]:
    """'a/b/c' → 'a', 'a:b', 'a:b:c', as in lme4."""
    groups: list[str] = []
    for level in _between(text, [t for t in tokenize(text) if t.depth == 0 and t.text == "/"]):
        cuts = [t for t in tokenize(level) if t.depth == 0 and t.text == ":"]
        atoms = [_group_atom(piece)[0] for piece in _between(level, cuts)]
        groups.append(":".join([*groups[-1:], *atoms]))
    return groups


def _between(text: str, cuts: list[Token]) -> list[str]:
    starts, ends = [0, *(c.end for c in cuts)], [*(c.start for c in cuts), len(text)]
    return [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def _group_atom(text: str) -> tuple[str, str]:
    """Formula text and column name of one grouping column: `g`, `Q("g")`, or one of these in `C()`."""
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        node = None
    match node:
        case ast.Call(func=ast.Name(id="C"), args=[inner], keywords=[]):
            return _group_atom(ast.get_source_segment(text, inner) or "")
        case ast.Name(id=name):
            return text, name
        case ast.Call(func=ast.Name(id="Q"), args=[ast.Constant(value=str(name))], keywords=[]):
            return text, name
    raise FormulaError(
        f"{show(text)} cannot group rows. Right of a bar goes a column, or columns joined by / or :, "
        "as in (1 | school/class). For two separate factors write two terms: (1 | a) + (1 | b)."
    )
