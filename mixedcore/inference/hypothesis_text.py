"""Linear hypotheses Rβ = q from text, mappings and arrays, read by a small grammar that evaluates nothing.

    hypotheses := hypothesis ("," hypothesis)*         'age = 0, pretest = 0'
    hypothesis := sum ("=" sum)* | "(" hypotheses ")"   'a = b = 0'; without '=' the sum is held against zero
    sum        := product (("+" | "-") product)*
    product    := sign (("*" | "/") sign)*              one side of '*' and the right side of '/' are numbers
    sign       := ("+" | "-") sign | number | name | "(" sum ")"

A name is that of a parameter as it stands, brackets and spaces included ('C(recipe)[T.B]', 'a x b Cov'). The
same language as patsy's `DesignInfo.linear_constraint`, which statsmodels reads hypotheses with.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.errors import FormulaError, ModelError
from mixedcore.terms import Floats

MOST_BRACKETS = 200
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORD = re.compile(r"[^\s=,+\-*/()]+")
_INSIDE_NAME = re.compile(r"[\w.]")


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """R (r, P) and q (r,) of the hypotheses Rβ = q on P parameters; `named` if P are the names asked for."""

    R: Floats
    q: Floats
    named: bool = True


def read_hypotheses(given: Any, names: Sequence[str]) -> Linear:
    """Hypotheses on the parameters `names` (P,): one row each.

    given : text ('a = b, c = 2'), a list of texts, a mapping of texts (or positions) to numbers, an array or
            list (P,) or (r, P) of coefficients, a Series or DataFrame of them with the parameters' names, or
            (R, q)

    Arrays may have any width; who knows the parameters checks it. Raises FormulaError for text that is no
    hypothesis or names no parameter, ModelError for arrays that are none.
    """
    if isinstance(given, str):
        return _stacked(_Reader(given, names).hypotheses())
    if isinstance(given, Mapping):
        return _from_mapping(given, names)
    if isinstance(given, (list, tuple)) and given and all(isinstance(part, str) for part in given):
        return _stacked([row for part in given for row in _Reader(part, names).hypotheses()])
    pair = isinstance(given, tuple) and len(given) == 2
    R, named = _coefficients(given[0] if pair else given, names)
    return Linear(R, _values(given[1], len(R)) if pair else np.zeros(len(R)), named)


def _from_mapping(given: Mapping[Any, Any], names: Sequence[str]) -> Linear:
    rows = []
    for key, value in given.items():
        known = isinstance(key, (int, np.integer)) and 0 <= key < len(names)
        text = names[key] if known else str(key)
        found = _Reader(text, names).hypotheses()
        if len(found) != 1 or (text not in names and "=" in text):
            raise FormulaError(f"{text!r} must be one sum of parameters; its value stands beside it.")
        row = found[0].copy()
        row[-1] -= float(value)
        rows.append(row)
    return _stacked(rows)


def _stacked(rows: Sequence[Floats]) -> Linear:
    """From sums (P + 1,) that are to be zero, their constants last."""
    if not rows:
        raise FormulaError("The hypotheses are empty; write for example 'age = 0'.")
    every = np.array(rows)
    return Linear(every[:, :-1] + 0.0, 0.0 - every[:, -1])  # no zero with a minus sign


def _coefficients(given: Any, names: Sequence[str]) -> tuple[Floats, bool]:
    """R (r, any width), and whether its columns were found by name."""
    named = False
    if isinstance(given, (pd.Series, pd.DataFrame)):
        given, named = _by_names(given, names)
    try:
        R = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as err:
        raise ModelError(
            "Give hypotheses as text, such as 'a = b', or as an array of numbers, one column a parameter."
        ) from err
    R = R[None] if R.ndim == 1 else R
    if R.ndim != 2 or not R.size or not np.isfinite(R).all():
        raise ModelError("An array of hypotheses has one row each, of finite numbers, one a parameter.")
    return R, named


def _by_names(given: pd.Series | pd.DataFrame, names: Sequence[str]) -> tuple[Any, bool]:
    """Coefficients under the parameters' names in the order of the parameters, zero where there is none."""
    labels = given.index if isinstance(given, pd.Series) else given.columns
    if not labels.is_unique or not set(labels) <= set(names):
        return given.to_numpy(), False
    own = given.to_frame().T if isinstance(given, pd.Series) else given
    return own.reindex(columns=list(names), fill_value=0.0).to_numpy(), True


def _values(given: Any, r: int) -> Floats:
    q = np.asarray(given, dtype=np.float64).ravel()
    if q.size not in (1, r) or not np.isfinite(q).all():
        raise ModelError(f"There are {r} hypotheses and {q.size} values for them; give one or as many.")
    return np.broadcast_to(q, (r,)).copy()


class _Reader:
    """Recursive descent over one text. A sum is (P + 1,): coefficients, then the constant."""

    def __init__(self, text: str, names: Sequence[str]) -> None:
        self.text, self.names, self.at = text, list(names), 0
        if text.count("(") > MOST_BRACKETS:
            raise FormulaError(f"The hypotheses have more than {MOST_BRACKETS} brackets; give an array.")
        self.longest_first = sorted(enumerate(names), key=lambda pair: -len(pair[1]))

    def hypotheses(self) -> list[Floats]:
        """All of the text."""
        rows = self._list()
        if self._peek():
            raise self._unexpected("an operator")
        if not all(row[:-1].any() for row in rows):
            raise FormulaError(f"The hypothesis {self.text!r} compares numbers: no parameter is left in it.")
        return rows

    def _list(self) -> list[Floats]:
        rows = self._hypothesis()
        while self._take(","):
            rows += self._hypothesis()
        return rows

    def _hypothesis(self) -> list[Floats]:
        start = self.at
        if self._take("(") and re.search("[=,]", self._inside()):  # around hypotheses, not a part of a sum
            rows = self._list()
            if self._take(")") and self._peek() in ("", ",", ")"):
                return rows
        self.at = start
        sums = [self._sum()]
        while self._take("="):
            sums.append(self._sum())
        return sums if len(sums) == 1 else [a - b for a, b in pairwise(sums)]

    def _sum(self) -> Floats:
        total = self._product()
        while sign := self._take("+-"):
            other = self._product()
            total = total + other if sign == "+" else total - other
        return total

    def _product(self) -> Floats:
        total = self._signed()
        while sign := self._take("*/"):
            other = self._signed()
            if sign == "*" and not total[:-1].any():
                total = total[-1] * other
            elif not other[:-1].any() and (sign == "*" or other[-1]):
                total = total * other[-1] if sign == "*" else total / other[-1]
            else:
                raise FormulaError(
                    f"{self.text!r} is not linear in the parameters: multiply or divide them by numbers only."
                )
        return total

    def _signed(self) -> Floats:
        factor = 1.0
        while sign := self._take("+-"):
            factor = -factor if sign == "-" else factor
        bracket = self._peek() == "(" and self._name() is None
        return factor * (self._bracket() if bracket else self._parameter())

    def _bracket(self) -> Floats:
        self._take("(")
        inner = self._sum()
        if not self._take(")"):
            raise self._unexpected("')'")
        return inner

    def _inside(self) -> str:
        """What stands from here to the bracket that closes the one before, or to the end."""
        depth = 1
        for end in range(self.at, len(self.text)):
            depth += {"(": 1, ")": -1}.get(self.text[end], 0)
            if not depth:
                return self.text[self.at : end]
        return self.text[self.at :]

    def _parameter(self) -> Floats:
        out = np.zeros(len(self.names) + 1)
        self._peek()
        if (found := self._name()) is not None:
            self.at += len(self.names[found])
            out[found] = 1.0
            return out
        number = _NUMBER.match(self.text, self.at)
        if number is None or _INSIDE_NAME.match(self.text, number.end()):
            raise self._unexpected("a parameter or a number")
        self.at = number.end()
        out[-1] = float(number.group())
        return out

    def _name(self) -> int | None:
        """The longest parameter's name that stands here and does not go on."""
        for number, name in self.longest_first:
            end = self.at + len(name)
            whole = not (_INSIDE_NAME.match(name[-1:]) and _INSIDE_NAME.match(self.text, end))
            if name and whole and self.text.startswith(name, self.at):
                return number
        return None

    def _peek(self) -> str:
        """The next character, spaces left out; empty at the end."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def _take(self, signs: str) -> str:
        """The next character if it is one of `signs`, else ''. A sign that begins a name is the name's."""
        here = self._peek()
        if here and here in signs and not (here == "(" and self._name() is not None):
            self.at += 1
            return here
        return ""

    def _unexpected(self, wanted: str) -> FormulaError:
        rest = self.text[self.at :]
        if not rest.strip():
            return FormulaError(f"The hypothesis {self.text!r} ends where {wanted} should follow.")
        word = _WORD.match(self.text, self.at)
        shown = word.group() if word else rest[0]
        near = "" if wanted == "an operator" else _near(shown, self.names)
        return FormulaError(f"{shown!r} in the hypothesis {self.text!r} is not {wanted}.{near}")


def _near(word: str, names: Iterable[str]) -> str:
    known = list(names)
    close = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else f" The parameters are {', '.join(known)}."
