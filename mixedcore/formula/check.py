"""`check_formula`: whether a stranger's formula is in the language, and what it may cost.

Two fences, one behind the other. The characters and tokens of the text must be those of the language.
Then each factor, exactly as patsy will hand it to Python, is parsed and compared with a whitelist.
Nothing is evaluated, and no length of text makes it slow: every expansion is counted before it is made.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

from mixedcore.errors import FormulaError
from mixedcore.formula import limits
from mixedcore.formula.expressions import FactorCheck, parse
from mixedcore.formula.functions import TRANSFORMS
from mixedcore.formula.parts import FormulaParts, one_sided, read
from mixedcore.formula.terms import (
    check_columns_made,
    count_terms,
    expand,
    factor_codes,
    names_in,
    parse_side,
)
from mixedcore.formula.text import Token, quote_name, show, tokenize, unknown_column

_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Only escapes that mean the same in every version of Python, so that no backslash warns or surprises.
_STRING = re.compile(
    r"""(?P<quote>["'])(?:[^\\]|\\(?:[\\"'abfnrtv]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))*(?P=quote)"""
)
_OPERATORS = frozenset([*"~+-*/%:()[],=<>|.", "//", "**", "==", "!=", "<=", ">=", "||"])


def check_formula(formula: str, columns: Iterable[str]) -> None:
    """Accept `formula` only if it is in the formula language over `columns`, and bounded in cost.

    The language: columns, numbers, strings (levels and names), patsy's operators, arithmetic and
    comparison inside a term, `C Q I`, the contrast classes, center, standardize, scale, bs, cr, cc, te,
    a short list of NumPy functions written `np.log(x)`, and random terms in bars, `(1 + x | g)`.
    One-sided formulas, with or without `~`, are accepted as well.

    Errors: FormulaError for anything else, before anything is evaluated. The message names the piece and
    the limit or the nearest column. It may quote the user's text: escape it before showing it as markup.
    """
    _checked(formula, columns)


def numeric_columns(formula: str, columns: Iterable[str]) -> frozenset[str]:
    """The columns that a checked formula calculates with, which must be numbers.

    Text times a number repeats the text: `I(name * 10**9)` would fill the memory, and only the data know
    which columns are text. Errors: as `check_formula`.
    """
    return frozenset(name for factor in _checked(formula, columns) for name in factor.numeric)


def check_width(text: str, levels: Mapping[str, int], numeric: Collection[str]) -> None:
    """Refuse one side of a formula that would make too many columns of these data.

    levels  : number of distinct values by column
    numeric : columns that are numbers, so that they make one column unless they stand in C()
    Errors: FormulaError that names the term and the limit.
    """
    tree = parse_side(one_sided(text))
    count_terms(tree)
    check_columns_made(expand(tree), levels, numeric)


def formula_columns(formula: str) -> tuple[str, ...]:
    """Names that `formula` uses, in order: variables and those in Q(), found without evaluating.

    Outcome, fixed effects, random effects, groups. In a notebook's formula a name may also be a variable
    of the caller; only those that are columns of the data count.
    Errors: FormulaError if the formula cannot be read.
    """
    parts = read(formula)
    names: dict[str, None] = {}
    for text in _sides(parts):
        for code in factor_codes(parse_side(text)):
            names |= dict.fromkeys(names_in(parse(code)))
    return tuple(names | dict.fromkeys(_group_names(parts)))


def _checked(formula: str, columns: Iterable[str]) -> list[FactorCheck]:
    known = frozenset(name for name in columns if isinstance(name, str))
    try:
        _check_text(formula)
        parts = read(formula)
        if parts.response is not None:
            _check_response(parts.response)
        factors = [factor for text in _sides(parts) for factor in _check_side(text, known)]
        _check_groups(parts, known)
    except FormulaError as err:
        hint = _quoting_hint(formula, known)
        if hint:
            raise FormulaError(f"{err} {hint}") from err
        raise
    return factors


def _sides(parts: FormulaParts) -> list[str]:
    """The texts that patsy reads, each once."""
    texts = [parts.response, parts.fixed, *(bar.covariates for bar in parts.bars)]
    return list(dict.fromkeys(text for text in texts if text is not None))


def _group_names(parts: FormulaParts) -> list[str]:
    return [name for bar in parts.bars for name in bar.group_columns()]


def _check_text(formula: str) -> None:
    """The first fence: length, characters, tokens."""
    if isinstance(formula, str) and len(formula) > limits.MAX_CHARACTERS:
        raise FormulaError(
            f"The formula has {len(formula):,} characters; at most {limits.MAX_CHARACTERS:,} are allowed."
        )
    for character in formula if isinstance(formula, str) else "":
        if not character.isprintable():
            name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
            raise FormulaError(
                f"The formula holds a character that does not print ({name}). Write it on one line with "
                f"plain spaces; inside Q() write {quote_name(character)[3:-2]} for it."
            )
    tokens = tokenize(formula) if isinstance(formula, str) else []
    if len(tokens) > limits.MAX_TOKENS:
        raise FormulaError(
            f"The formula has {len(tokens):,} words and signs; at most {limits.MAX_TOKENS:,} are allowed."
        )
    for before, token in zip([None, *tokens], tokens, strict=False):
        _check_token(token, before)
    transforms = sum(t.kind == "name" and t.text in TRANSFORMS for t in tokens)
    if transforms > limits.MAX_TRANSFORMS:
        raise FormulaError(
            f"The formula has {transforms} splines, center() and the like; "
            f"at most {limits.MAX_TRANSFORMS} are allowed."
        )


def _check_token(token: Token, before: Token | None) -> None:
    piece = show(token.text)
    if token.depth > limits.MAX_NESTING:
        raise FormulaError(f"The formula has more than {limits.MAX_NESTING} brackets inside one another.")
    if token.kind == "string":
        if before is not None and before.kind == "string":
            raise FormulaError(
                f"Two strings follow each other at {piece}: a comma or an operator is missing."
            )
        if not _STRING.fullmatch(token.text) or token.text[:3] in ('"""', "'''"):
            raise FormulaError(
                f"The string {piece} must be in plain quotes, without a letter before them, "
                "and a backslash in it written twice."
            )
    elif token.kind == "number":
        if not _NUMBER.fullmatch(token.text) or len(token.text) > limits.MAX_DIGITS:
            raise FormulaError(f"{piece} is not a number that a formula may hold, such as 2, 0.5 or 1e-3.")
    elif token.kind == "name":
        _check_name(token.text)
    elif token.text not in _OPERATORS:
        raise FormulaError(f"The sign {piece} is not part of the formula language.")
    elif token.text == "~" and token.depth:
        raise FormulaError("The ~ may only stand between outcome and predictors, outside of brackets.")
    elif token.text in ("|", "||") and token.python:
        raise FormulaError(f"{piece} inside a function is not allowed. For 'or' of comparisons add them up.")


def _check_name(name: str) -> None:
    if not name.isidentifier() or unicodedata.normalize("NFKC", name) != name:
        raise FormulaError(f"Python would not read the name {show(name)} as it is written.")
    if name.startswith("__") or (keyword.iskeyword(name) and name not in ("True", "False", "None")):
        raise FormulaError(f"{show(name)} is not part of the formula language.")


def _check_response(text: str) -> None:
    if parse_side(text).args[-1].type != "PYTHON_EXPR":
        raise FormulaError(
            f"The outcome {show(text)} must be one column, or one function of columns such as np.log(y)."
        )


def _check_side(text: str, known: Collection[str]) -> list[FactorCheck]:
    """The second fence, for one text that patsy will read."""
    tree = parse_side(text)
    count_terms(tree)
    factors = [FactorCheck(code, known) for code in factor_codes(tree)]
    check_columns_made(expand(tree), {}, ())
    return factors


def _check_groups(parts: FormulaParts, known: Collection[str]) -> None:
    if len(parts.bars) > limits.MAX_BARS:
        raise FormulaError(
            f"The formula has {len(parts.bars)} random terms after nesting is written out; "
            f"at most {limits.MAX_BARS} are allowed."
        )
    for name in _group_names(parts):
        if name not in known:
            raise unknown_column(name, known)


def _quoting_hint(formula: str, known: Collection[str]) -> str:
    """How to write a column with an odd name, if one seems to stand in the formula unquoted."""
    if not isinstance(formula, str) or len(formula) > limits.MAX_CHARACTERS:
        return ""
    unquoted = [
        name
        for name in known
        if name in formula
        and quote_name(name) != name
        and any(c.isalpha() for c in name)
        and re.search(rf"(?<![\w\"']){re.escape(name)}(?![\w\"'])", formula)
    ]
    if not unquoted:
        return ""
    name = max(unquoted, key=len)
    return f"The column {show(name)} must be written {quote_name(name)}."
