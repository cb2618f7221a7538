"""Equations broken into lines that a narrow column shows without scrolling: LaTeX in, LaTeX out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LINE = 34.0
"""Characters of average width on one line; a phone and the column of a wide screen have as many."""
INDENT = 2.2
RELATION = 2.6
"""Width of an equals sign or a plus with the space around it."""
ROOM = LINE - INDENT - RELATION
"""What one summand may take on a line of its own."""
SMALL = 0.72
"""Size of indices against the line."""
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|.", re.DOTALL)
_NO_WIDTH = frozenset(
    ["\\text", "\\overline", "\\mathcal", "\\mathbf", "\\log", "\\sqrt", "\\textbackslash", "&"]
)
_WIDTHS = {"\\log": 3.0, "\\sqrt": 1.5, "\\,": 0.35, "\\ ": 0.5, " ": 0.0, "\\sim": RELATION, "+": RELATION}
_WIDTHS |= {"\\cdots": 2.4, "=": RELATION, "\\mathcal": 0.4, "\\quad": INDENT, "…": 2.5, "\\cdot": 1.4}


@dataclass(frozen=True, slots=True)
class Equation:
    """One equation or distribution.

    left     : what stands left; several pieces are joined by commas
    relation : '=' or '\\sim'
    sums     : the summands on the right
    """

    left: tuple[str, ...]
    relation: str
    sums: tuple[str, ...]

    @property
    def left_text(self) -> str:
        return r",\ ".join(self.left)


def width(latex: str) -> float:
    """About how wide a piece of LaTeX is, in characters of average width."""
    total, sizes, pending = 0.0, [1.0], 1.0
    for token in _TOKEN.findall(latex):
        if token in "_^":
            pending = SMALL
        elif token == "{":
            sizes.append(sizes[-1] * pending)
            pending = 1.0
        elif token == "}":
            if len(sizes) > 1:
                sizes.pop()
        else:
            total += sizes[-1] * pending * _WIDTHS.get(token, 0.0 if token in _NO_WIDTH else 1.0)
            pending = 1.0
    return total


def aligned(equations: Iterable[Equation]) -> str:
    """The equations below each other: at their relations where that fits, else from the left margin."""
    listed = list(equations)
    column = max(width(each.left_text) for each in listed)
    widest = max(width(part) for each in listed for part in each.sums)
    fits = column + RELATION + INDENT + RELATION + widest <= LINE
    lines = [_at_relation(each, column) if fits else _from_margin(each) for each in listed]
    return "\\begin{aligned}\n" + " \\\\[4pt]\n".join(lines) + "\n\\end{aligned}"


def _at_relation(each: Equation, column: float) -> str:
    """Broken lines go on below the right side, which begins at `column`."""
    used = column + RELATION + width(each.sums[0])
    found = f"{each.left_text} &{each.relation} {each.sums[0]}"
    for part in each.sums[1:]:
        own = RELATION + width(part)
        broken = used + own > LINE
        found += rf" \\ &\quad + {part}" if broken else f" + {part}"
        used = column + RELATION + INDENT + own if broken else used + own
    return found


def _from_margin(each: Equation) -> str:
    """Broken wherever the line is full, the rest a little indented."""
    found, used = "&", 0.0
    for glue, piece in _pieces(each):
        own = width(piece)
        if used and used + own > LINE:
            found += rf" \\ &\quad {piece}"
            used = INDENT + own
        else:
            found += glue + piece
            used += own
    return found


def _pieces(each: Equation) -> Iterator[tuple[str, str]]:
    """What may begin a line, with what joins it to the piece before on the same line."""
    for place, piece in enumerate(each.left):
        yield "", piece + (r",\ " if place + 1 < len(each.left) else "")
    for sign, part in zip([each.relation, *["+"] * len(each.sums)], each.sums, strict=False):
        first, *others = _factors(part) if INDENT + RELATION + width(part) > LINE else [part]
        yield " ", f"{sign} {first}"
        yield from ((" ", rf"\cdot {other}") for other in others)


def _factors(part: str) -> list[str]:
    r"""A product at its thin spaces, but for those inside braces and before the first value."""
    found, depth = [""], 0
    for token in _TOKEN.findall(part):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if token == r"\," and depth == 0:
            found.append("")
        else:
            found[-1] += token
    return [r"\,".join(found[:2]), *found[2:]]


def several(symbols: Sequence[str], most: int) -> tuple[str, ...]:
    """The symbols; the first and the last with dots between them where there are more than `most`."""
    if len(symbols) <= most:
        return tuple(symbols)
    return (*symbols[: most - 2], r"\ldots", symbols[-1])
