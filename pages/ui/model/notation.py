"""The part of the formula language that widgets can express: writing it, and reading it back.

Sums of columns and their interactions, each column plain or marked as categorical, with or without an
intercept: `y ~ 0 + C(sex) * age`. Reading follows the precedence of patsy (`**`, `:`, `*`, `+`) and gives
up with a sentence on anything else; nothing is evaluated.
"""

from __future__ import annotations

import ast
import io
import keyword
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from mixedcore.formula import quote_name

MOST_TERMS = 20_000
DEEPEST = 50
POWERS = ("1", "2", "3", "4", "5", "6")


class UnreadError(ValueError):
    """The text says something that the widgets cannot show; the message says what."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One column as it stands in a term; `categorical` when it is marked with C()."""

    column: str
    categorical: bool = False

    def __str__(self) -> str:
        name = quote_name(self.column)
        return f"C({name})" if self.categorical else name


Term = frozenset[Factor]


@dataclass(frozen=True, slots=True)
class Expression:
    """What a formula says: its outcome (None when one-sided), its intercept and its terms in order."""

    outcome: Factor | None
    intercept: bool
    terms: tuple[Term, ...]


def plus(parts: Iterable[object]) -> str:
    """The parts as a sum; an empty sum is left to the caller's intercept."""
    return " + ".join(str(part) for part in parts)


def read(text: str) -> Expression:
    """Read a formula, with or without an outcome. Raises UnreadError."""
    return _Reader(_tokens(text)).formula()


def _tokens(text: str) -> list[str]:
    """The words and signs of the text; strings stay quoted."""
    layout = (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    one_line = " ".join(text.split("\n")).strip()
    _check_depth(one_line)
    try:
        found = list(tokenize.generate_tokens(io.StringIO(one_line).readline))
    except (tokenize.TokenError, SyntaxError) as err:
        raise UnreadError("The formula is not complete: a bracket or a quote is open.") from err
    if any(token.type == tokenize.COMMENT for token in found):
        raise UnreadError("The formula contains a comment.")
    return [token.string for token in found if token.type not in layout]


def _check_depth(text: str) -> None:
    """Refuse brackets deep inside each other before Python's tokenizer, whose own limit varies by version."""
    if max(accumulate((sign == "(") - (sign == ")") for sign in text), default=0) > DEEPEST:
        raise UnreadError("The formula has too many brackets inside each other.")


class _Reader:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.position = 0

    def formula(self) -> Expression:
        outcome = self._outcome()
        intercept, terms = self._sum(top=True)
        if self._peek():
            raise UnreadError(f"The widgets cannot show {self._peek()!r}.")
        return Expression(outcome, intercept, tuple(terms))

    def _outcome(self) -> Factor | None:
        """What stands before '~', if anything."""
        if self._take("~") or "~" not in self.tokens:
            return None
        if self.tokens.index("~") != self._length_of_factor():
            raise UnreadError("The outcome is calculated, not a column.")
        outcome = self._factor()
        self._take("~")
        return outcome

    def _length_of_factor(self) -> int:
        return 4 if self.tokens[:2] == ["Q", "("] else 1

    def _sum(self, *, top: bool) -> tuple[bool, dict[Term, None]]:
        """term + term …; at the top, 1 and 0 (and - 1) say whether there is an intercept."""
        intercept, terms = True, dict[Term, None]()
        sign = self._take("+", "-") or "+"
        while sign:
            number = self._take("0", "1")
            if number and top:
                intercept = (number == "1") == (sign == "+")
            elif number or sign == "-":
                raise UnreadError("The widgets cannot take terms away from a formula.")
            else:
                terms |= self._product()
            if len(terms) > MOST_TERMS:
                raise UnreadError("The formula has too many terms for the widgets.")
            sign = self._take("+", "-")
        return intercept, terms

    def _product(self) -> dict[Term, None]:
        """a * b, which is a + b + a:b."""
        terms = self._interaction()
        while self._take("*"):
            other = self._interaction()
            terms = terms | other | _crossed(terms, other)
        return terms

    def _interaction(self) -> dict[Term, None]:
        terms = self._power()
        while self._take(":"):
            terms = _crossed(terms, self._power())
        return terms

    def _power(self) -> dict[Term, None]:
        """(a + b + c)**2: all terms with up to that many different factors."""
        terms = base = self._atom()
        if not self._take("**"):
            return terms
        exponent = self._next()
        if exponent not in POWERS:
            raise UnreadError("The widgets cannot show this power.")
        for _ in range(int(exponent) - 1):
            terms = terms | _crossed(terms, base)
        return terms

    def _atom(self) -> dict[Term, None]:
        if not self._take("("):
            return {frozenset({self._factor()}): None}
        _, terms = self._sum(top=False)
        self._expect(")")
        return terms

    def _factor(self) -> Factor:
        """A column name, Q("a name"), or C() around either."""
        word = self._next()
        if word == "C" and self._take("("):
            inner = self._factor()
            self._expect(")")
            return Factor(inner.column, categorical=True)
        if word == "Q" and self._take("("):
            name = _string(self._next())
            self._expect(")")
            return Factor(name)
        if not word.isidentifier() or keyword.iskeyword(word) or self._peek() in ("(", ".", "["):
            raise UnreadError(f"The widgets cannot show {word!r} and what follows it.")
        return Factor(word)

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def _next(self) -> str:
        word = self._peek()
        if not word:
            raise UnreadError("The formula ends too early.")
        self.position += 1
        return word

    def _take(self, *words: str) -> str:
        """The next token when it is one of `words`, else ''."""
        return self._next() if self._peek() in words else ""

    def _expect(self, word: str) -> None:
        if not self._take(word):
            found = self._peek() or "the end"
            raise UnreadError(f"The widgets cannot show {found!r} where {word!r} is needed.")


def _crossed(left: dict[Term, None], right: dict[Term, None]) -> dict[Term, None]:
    if len(left) * len(right) > MOST_TERMS**2 // 1000:
        raise UnreadError("The formula has too many terms for the widgets.")
    return {one | other: None for one in left for other in right}


def _string(token: str) -> str:
    try:
        value = ast.literal_eval(token)
    except (ValueError, SyntaxError) as err:
        raise UnreadError("Q() needs a column name in quotes.") from err
    if not isinstance(value, str):
        raise UnreadError("Q() needs a column name in quotes.")
    return value
