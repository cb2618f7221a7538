r"""Equations as pictures: the LaTeX of the Model page set by matplotlib, as SVG and as PNG. Pure.

matplotlib knows a part of LaTeX only: no `aligned`, and other escapes inside `\text{…}`. So the lines are set
one by one, at their relations, and names are taken out of one kind of quotes and put into the other. The
outlines of the letters are drawn: the file needs no font, and nothing in it can be markup.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pages.ui import text

if TYPE_CHECKING:
    from matplotlib.path import Path

SIZE = 16.0
"""Height of the letters, in units of the picture."""
STEP, GAP = 1.5 * SIZE, 0.35 * SIZE
"""From line to line, and what more lies between two equations."""
INDENT, SPACE, EDGE = 1.2 * SIZE, 0.28 * SIZE, 2.0
FONTS = {"stix": "STIXGeneral", "dejavusans": "DejaVu Sans"}
"""Kind of mathematics → the font of its names: the first looks best, the second has more scripts."""
UNKNOWN = "\N{WHITE SQUARE}"
_ONE_AT_A_TIME = threading.Lock()
"""matplotlib's reader of formulas keeps its place in itself, and a server has many threads."""
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|.", re.DOTALL)
_SPECIAL = re.compile(r"[\\{}$]")
_WORDS = {
    r"\beta": "β",
    r"\gamma": "γ",
    r"\pi": "π",
    r"\varepsilon": "ε",
    r"\sigma": "σ",
    r"\tau": "τ",
    r"\Psi": "Ψ",
    r"\sim": "~",
    r"\cdots": "…",
    r"\ldots": "…",
    r"\cdot": "·",
    r"\log": "log ",
    r"\sqrt": "√",
    r"\overline": "mean of ",
    r"\mathcal": "",
    r"\mathbf": "",
    r"\,": " ",
    r"\ ": " ",
    "{": "",
    "}": "",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of mathematics.

    left   : what stands before the place at which the lines are aligned
    right  : the rest;  broken : whether it goes on with the line above
    """

    left: str
    right: str
    broken: bool


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Outlines, y upwards from the lower edge, in the units of `SIZE`."""

    outlines: tuple[Path, ...]
    width: float
    height: float


def lines(latex: str) -> list[Line]:
    """The lines of an `aligned` block."""
    body = latex.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    found = []
    for equation in body.split(" \\\\[4pt]\n"):
        for place, line in enumerate(equation.split(r" \\ ")):
            left, _, right = re.sub(r"(?<!\\)&", "\n", line, count=1).rpartition("\n")
            found.append(Line(left.strip(), right.replace(r"\quad ", "").strip(), place > 0))
    return found


def words(latex: str) -> str:
    """The block as plain text on one line: Reaction_ij = β_0j + ε_ij; ε_ij ~ N(0, σ^2)."""
    said = ""
    for line in lines(latex):
        signs = (name or _WORDS.get(sign, sign) for sign, name in _signs(f"{line.left} {line.right}"))
        said += (" " if line.broken else "; ") + " ".join("".join(signs).split())
    return said.removeprefix("; ")


def _signs(piece: str) -> Iterator[tuple[str, str]]:
    """Sign by sign as (sign, ''), a name with what quotes it as ('', name)."""
    tokens = iter(_TOKEN.findall(piece))
    for token in tokens:
        yield ("", _name(tokens)) if token == r"\text" else (token, "")


def _name(tokens: Iterator[str]) -> str:
    """The name between the braces that come next."""
    depth, inside = 0, ""
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token, 0)
        inside += token
        if depth == 0:
            break
    return text.from_latex(inside[1:-1])


# --- pictures ------------------------------------------------------------------------------------


def drawn(latex: str) -> Drawn:
    """The block: left sides end, and right sides begin, where the widest left side ends."""
    listed, kind = lines(latex), _kind_for(latex)
    with _ONE_AT_A_TIME:
        sides = [(_outline(line.left, kind), _outline(line.right, kind)) for line in listed]
    column = max(width for (_, width), _ in sides)
    begin = EDGE + column + (SPACE if column else 0.0)
    outlines: list[Path] = []
    edge, down = 0.0, 1.15 * SIZE - STEP - GAP
    for line, ((left, left_width), (right, right_width)) in zip(listed, sides, strict=True):
        down += STEP if line.broken else STEP + GAP
        x = begin + (INDENT if line.broken else 0.0)
        outlines += _moved(left, EDGE + column - left_width, -down) + _moved(right, x, -down)
        edge = max(edge, x + right_width)
    height = down + 0.5 * SIZE
    return Drawn(tuple(part for each in outlines for part in _moved(each, 0, height)), edge + EDGE, height)


def _outline(piece: str, kind: str) -> tuple[Path | None, float]:
    """Outlines of one piece, its baseline at 0, and its width."""
    if not piece:
        return None, 0.0
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath, text_to_path

    # At the beginning of a line a plus is taken for the sign of a number, and moves up to it.
    piece = re.sub(r"^\+ ", r"+\\: ", piece)
    font, said = FontProperties(math_fontfamily=kind, size=SIZE), f"${_for_matplotlib(piece, kind)}$"
    width = text_to_path.get_text_width_height_descent(said, font, ismath=True)[0]
    return TextPath((0, 0), said, size=SIZE, prop=font), float(width)


def _moved(outline: Path | None, x: float, y: float) -> list[Path]:
    from matplotlib.transforms import Affine2D

    return [] if outline is None else [outline.transformed(Affine2D().translate(x, y))]


def _for_matplotlib(piece: str, kind: str) -> str:
    """The piece with names quoted as matplotlib does, and squares for signs that no font here has."""
    found = ""
    for sign, name in _signs(piece):
        known = "".join(letter if _has(kind, letter) else UNKNOWN for letter in name)
        found += sign or r"\text{" + _SPECIAL.sub(r"\\\g<0>", known) + "}"
    return found


def _kind_for(latex: str) -> str:
    """The kind of mathematics that lacks the fewest signs of the names."""
    letters = {letter for _, name in _signs(latex) for letter in name}
    return min(FONTS, key=lambda kind: sum(not _has(kind, letter) for letter in letters))


@cache
def _font(kind: str) -> frozenset[int]:
    """The signs that the font of names has."""
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(findfont(FONTS[kind])).get_charmap())


def _has(kind: str, letter: str) -> bool:
    return ord(letter) in _font(kind)


def svg(latex: str) -> str:
    """An SVG element in the colour of the text around it; only numbers are written into it."""
    picture = drawn(latex)
    shape = " ".join(_commands(outline, picture.height) for outline in picture.outlines)
    size = f'width="{picture.width / SIZE:.2f}em" viewBox="0 0 {picture.width:.1f} {picture.height:.1f}"'
    said = f'role="img" aria-label="{text.html(words(latex))}"'
    return f'<svg {said} {size}><path fill="currentColor" d="{shape}"/></svg>'


def _commands(outline: Path, height: float) -> str:
    """The outline in the language of SVG, y downwards."""
    letters = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
    found = []
    for points, code in outline.iter_segments(simplify=False):
        pairs = points.reshape(-1, 2) if code != 79 else points[:0].reshape(0, 2)
        found.append(letters[int(code)] + " ".join(f"{x:.2f} {height - y:.2f}" for x, y in pairs))
    return "".join(found)


def png(latex: str) -> tuple[bytes, float]:
    """A picture for print, black on white, 300 dots an inch, and its width in inches at 11 points."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch

    picture, inch = drawn(latex), 11 / 72 / SIZE
    page = Figure(figsize=(picture.width * inch, picture.height * inch))
    FigureCanvasAgg(page)
    axes = page.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, picture.width), ylim=(0, picture.height))
    for outline in picture.outlines:
        axes.add_patch(PathPatch(outline, facecolor="black", linewidth=0))
    file = io.BytesIO()
    page.savefig(file, format="png", dpi=300)
    return file.getvalue(), picture.width * inch
