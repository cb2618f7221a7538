"""A formula as people type it, with the habits of R, in the formula language; and what was changed. Pure.

Only what says exactly the same model is changed: `class` is a word of Python, `^` is `**`, `log` is `np.log`,
`factor(x)` is `C(x)`. All else stays as typed, and whoever reads the formula says what is wrong with it.
"""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mixedcore.formula import quote_name

FUNCTIONS = frozenset(("log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan"))
FACTORS = ("factor", "as.factor", "as.ordered", "ordered")
_FITTER = re.compile(
    r"\s*(?:[\w.]+\s*(?:<-|=)\s*)?(?:[\w.]+::)?(?:lmer|lme|mixedlm|mixed|glmmTMB)\s*\(\s*(?:formula\s*=\s*)?(?P<rest>.*)\)?\s*",
    re.DOTALL,
)
_BACKTICKED = re.compile(r"`([^`]+)`")
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Spelled:
    """text : the formula;  said : plain sentences on what was changed"""

    text: str
    said: tuple[str, ...] = ()


def spelled(typed: str, columns: Collection[str]) -> Spelled:
    """The formula with the habits of R put into the formula language; what cannot be read stays as typed."""
    text, said = _without_call(typed)
    text = _BACKTICKED.sub(lambda found: _quoted(found, columns), text)
    try:
        tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.string]
    except (tokenize.TokenError, SyntaxError):
        return Spelled(typed)
    if any("\n" in token.string for token in tokens):
        return Spelled(typed)
    changed = _changed(tokens, columns)
    if not changed and not said:
        return Spelled(text)
    for start, end, new, _ in sorted(changed, reverse=True):
        text = text[:start] + new + text[end:]
    return Spelled(text, (*said, *dict.fromkeys(sentence for *_, sentence in sorted(changed))))


def _quoted(found: re.Match[str], columns: Collection[str]) -> str:
    return quote_name(found[1]) if found[1] in columns else found[0]


def _without_call(typed: str) -> tuple[str, tuple[str, ...]]:
    """The formula out of `lmer(…, data = d, REML = FALSE)`, or before such arguments."""
    call = _FITTER.fullmatch(typed)
    text = call["rest"] if call and "~" in call["rest"] else typed
    end = _end(text)
    rest = text[end:].strip().rstrip(")").strip(" ,")
    if text == typed and not rest:
        return typed, ()
    said = (f"Only the formula was read; set {rest} with the widgets.",) if rest else ()
    return text[:end].strip(), said


def _end(text: str) -> int:
    """Where the formula ends: before a comma or a bracket that is not within its own brackets."""
    depth, quote = 0, ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'`":
            quote = sign
        elif sign in OPENING:
            depth += 1
        elif sign in CLOSING:
            depth -= 1
        if depth < 0 and "~" in text[:place] and not text[place:].strip(") "):
            return place
        if sign == "," and depth == 0 and not quote and "~" in text[:place]:
            return place
    return len(text)


_Change = tuple[int, int, str, str]
"""Where a piece begins and ends, what stands there instead, and the sentence about it."""


def _changed(tokens: Sequence[tokenize.TokenInfo], columns: Collection[str]) -> list[_Change]:
    found: list[_Change] = []
    for place, token in enumerate(tokens):
        start, end, word = token.start[1], token.end[1], token.string
        calls = place + 1 < len(tokens) and tokens[place + 1].string == "("
        after_dot = place > 0 and tokens[place - 1].string == "."
        if word == "^":
            found.append((start, end, "**", "^ is written **."))
        elif token.type != tokenize.NAME or after_dot:
            continue
        elif dotted := _dotted(tokens, place):
            found.append((start, dotted.end[1], "C", "factor(x) is written C(x)."))
        elif word in FACTORS and calls and word not in columns:
            found.append((start, end, "C", "factor(x) is written C(x)."))
        elif word in FUNCTIONS and calls and word not in columns:
            found.append((start, end, f"np.{word}", f"{word}(x) is written np.{word}(x)."))
        elif keyword.iskeyword(word) and word in columns:
            quoted = quote_name(word)
            found.append((start, end, quoted, f"The column {word} is written {quoted}."))
    return found


def _dotted(tokens: Sequence[tokenize.TokenInfo], place: int) -> tokenize.TokenInfo | None:
    """The last token of `as.factor` when that begins here as a function."""
    words = [token.string for token in tokens[place : place + 4]]
    return (
        tokens[place + 2]
        if "".join(words[:3]) in FACTORS and words[1:2] == ["."] and words[3:] == ["("]
        else None
    )
