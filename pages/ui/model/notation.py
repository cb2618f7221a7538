"""The part of the formula language that widgets can express: reading it back.

Sums of columns and their interactions, each column in one of the shapes that `shape.Factor` writes, with or
without an intercept: `np.log(y) ~ 0 + C(sex, Sum) * age + I(age**2)`. Reading follows the precedence of patsy
(`**`, `:`, `*`, `+`) and gives up with a sentence on anything else; nothing is evaluated.
"""

from __future__ import annotations

import ast
import io
import keyword
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import cast

from pages.ui.model.shape import (
    FUNCTIONS,
    HIGHEST_POWER,
    LEAST_DF,
    MOST_DF,
    Contrast,
    Factor,
    Level,
    Spline,
    Transform,
)

__all__ = ["Expression", "Factor", "Term", "UnreadError", "plus", "read"]

MOST_TERMS = 20_000
DEEPEST = 50
POWERS = ("1", "2", "3", "4", "5", "6")
TRANSFORMS: Mapping[str, Transform] = {name: transform for transform, name in FUNCTIONS.items()}
CONTRASTS: tuple[Contrast, ...] = ("Treatment", "Sum", "Helmert", "Diff", "Poly")
CALCULATED = "The outcome is calculated in a way that the widgets do not have."


class UnreadError(ValueError):
    """The text says something that the widgets cannot show; the message says what."""


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
        try:
            outcome = self._factor()
        except UnreadError as err:
            raise UnreadError(CALCULATED) from err
        if not self._take("~"):
            raise UnreadError(CALCULATED)
        return outcome

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
        """A column in one of the shapes that are written for it."""
        word = self._peek()
        follows = self.tokens[self.position + 1 : self.position + 2]
        if word == "C" and follows == ["("]:
            return self._categories()
        if word == "I" and follows == ["("]:
            return self._power_of_column()
        if word in ("bs", "cr") and follows == ["("]:
            return self._spline(cast("Spline", word))
        return self._transformed()

    def _categories(self) -> Factor:
        """C(x), C(x, Sum) or C(x, Treatment("level"))."""
        self._begin("C")
        column = self._column()
        contrast: Contrast = "none"
        reference: Level | None = None
        if self._take(","):
            contrast = cast("Contrast", self._next())
            if contrast not in CONTRASTS:
                raise UnreadError(f"The widgets cannot show the coding {contrast!r}.")
            if contrast == "Treatment" and self._take("("):
                reference = self._level()
                self._expect(")")
            elif contrast == "Treatment":
                contrast = "none"
        self._expect(")")
        return Factor(column, True, contrast=contrast, reference=reference)

    def _level(self) -> Level:
        sign = self._take("-")
        try:
            level = ast.literal_eval(sign + self._next())
        except (ValueError, SyntaxError) as err:
            raise UnreadError("The reference level must be a text in quotes or a number.") from err
        if not isinstance(level, str | int | float):
            raise UnreadError("The reference level must be a text in quotes or a number.")
        return level

    def _power_of_column(self) -> Factor:
        """I(x**2)."""
        self._begin("I")
        base = self._transformed()
        self._expect("**")
        exponent = self._next()
        if exponent not in POWERS[1:HIGHEST_POWER]:
            raise UnreadError("The widgets cannot show this power.")
        self._expect(")")
        return replace(base, power=int(exponent))

    def _spline(self, kind: Spline) -> Factor:
        """bs(x, df=4) or cr(x, df=4, constraints="center")."""
        self._begin(kind)
        base = self._transformed()
        for sign in (",", "df", "="):
            self._expect(sign)
        df = self._next()
        if not df.isdecimal() or not LEAST_DF <= int(df) <= MOST_DF:
            raise UnreadError(f"The widgets show splines with {LEAST_DF} to {MOST_DF} df.")
        if kind == "cr":
            for sign in (",", "constraints", "="):
                self._expect(sign)
            if _string(self._next()) != "center":
                raise UnreadError("The widgets cannot show this spline.")
        self._expect(")")
        return replace(base, spline=kind, df=int(df))

    def _transformed(self) -> Factor:
        """A column, or one of the transforms of a column."""
        for name, transform in TRANSFORMS.items():
            words = [*name.replace(".", " . ").split(), "("]
            if self.tokens[self.position : self.position + len(words)] == words:
                self.position += len(words)
                column = self._column()
                self._expect(")")
                return Factor(column, transform=transform)
        return Factor(self._column())

    def _column(self) -> str:
        """A column name, or Q("a name")."""
        word = self._next()
        if word == "Q" and self._take("("):
            name = _string(self._next())
            self._expect(")")
            return name
        if not word.isidentifier() or keyword.iskeyword(word) or self._peek() in ("(", ".", "["):
            raise UnreadError(f"The widgets cannot show {word!r} and what follows it.")
        return word

    def _begin(self, name: str) -> None:
        self._expect(name)
        self._expect("(")

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
            raise UnreadError(f"The widgets cannot show {found!r} at this place.")


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
