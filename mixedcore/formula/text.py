"""Formula text: its tokens, names and how to quote them, and the pieces that messages are made of."""

from __future__ import annotations

import difflib
import keyword
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mixedcore.errors import FormulaError
from mixedcore.formula.functions import RESERVED_PREFIX

Kind = Literal["string", "number", "name", "op"]

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<string>(?:[rRbBuUfF]{1,2})?(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
        |"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))
  | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\w*)
  | (?P<name>\w+)
  | (?P<op>\|\||\*\*|//|==|!=|<=|>=|:=|->|<<|>>|\.\.\.|.)
    """,
    re.VERBOSE | re.DOTALL,
)

# In a message: long enough to recognise the piece, short enough for one line.
_SHOWN = 60
# Longer names are not offered as "did you mean": comparing them takes time, and nobody mistypes them.
_SUGGESTED = 100


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `text` is the formula's text from `start` to `end`. `python`: inside a call or subscript."""

    kind: Kind
    text: str
    start: int
    end: int
    depth: int
    python: bool


def tokenize(text: str) -> list[Token]:
    """The tokens of `text` with their bracket depth; a bracket token carries the depth outside it.

    Errors: FormulaError for an unclosed quote or an unmatched bracket.
    """
    tokens: list[Token] = []
    open_: list[tuple[str, bool]] = []
    for match in _TOKEN.finditer(text):
        kind, piece = match.lastgroup, match.group()
        if kind == "space":
            continue
        if kind == "op" and piece in "\"'":
            raise FormulaError(f"The quote that opens at {show(text[match.start() :])} is never closed.")
        closes = kind == "op" and piece in ")]}"
        if closes:
            _close(open_, piece)
        python = bool(open_) and open_[-1][1]
        tokens.append(Token(kind, piece, match.start(), match.end(), len(open_), python))  # type: ignore[arg-type]
        if kind == "op" and piece in "([{":
            open_.append((piece, python or piece != "(" or _is_called(tokens[:-1])))
    if open_:
        raise FormulaError(f"A {open_[-1][0]} is never closed.")
    return tokens


def _close(open_: list[tuple[str, bool]], piece: str) -> None:
    if not open_ or open_.pop()[0] + piece not in ("()", "[]", "{}"):
        raise FormulaError(f"A {piece} closes nothing.")


def _is_called(before: list[Token]) -> bool:
    """Whether a parenthesis after these tokens is the list of arguments of a call."""
    return bool(before) and (before[-1].kind != "op" or before[-1].text in ")]}")


def show(piece: str) -> str:
    """`piece` in quotes, cut to a length that fits a sentence, with control characters escaped."""
    short = piece if len(piece) <= _SHOWN else piece[: _SHOWN - 1] + "…"
    return "'" + "".join(c if c.isprintable() else _escaped(c) for c in short) + "'"


def is_plain_name(name: str) -> bool:
    """Whether `name` can stand in a formula as it is and means the column of that name.

    Python reads identifiers in their NFKC form, so that 'µ' (micro sign) becomes 'μ' (Greek letter).
    'Intercept' is quoted so that its coefficient is not taken for the model's intercept, and names with
    two leading underscores because Python gives `__debug__` and its like a meaning. patsy takes 'inf',
    'infinity' and 'nan' for numbers.
    """
    return (
        name.isidentifier()
        and re.fullmatch(r"\w+", name) is not None  # patsy's tokenizer stops at '·', Python's parser does not
        and not keyword.iskeyword(name)
        and unicodedata.normalize("NFKC", name) == name
        and not name.startswith(("__", RESERVED_PREFIX))
        and name != "Intercept"
        and name.lower() not in ("inf", "infinity", "nan")
    )


def quote_name(name: str) -> str:
    """The column `name` as formula text: `x` as it is, anything else as `Q("odd name")`.

    A column with the name of a function (`C`, `np`, `center`) stays bare: as a name it is the column.
    Characters that do not print are escaped, so the result is one line that can be read and copied.
    """
    if is_plain_name(name):
        return name
    return 'Q("' + "".join(_quoted(c) for c in name) + '")'


def _quoted(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else _escaped(character)


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` most likely stands for, or None. Case does not count."""
    folded: dict[str, str] = {}
    for candidate in names:
        if len(candidate) <= _SUGGESTED:
            folded.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(name[:_SUGGESTED].casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def unknown_column(name: str, columns: Iterable[str]) -> FormulaError:
    """The error for a name that is no column, with the nearest one that is, ready to be copied."""
    close = nearest(name, columns)
    suggestion = f" Did you mean {quote_name(close)}?" if close is not None else ""
    return FormulaError(f"There is no column {show(name)}.{suggestion}")
