r"""The LaTeX of the Model page as a tree, which `mathml` and `omml` write for documents. Pure.

Only what `pages.ui.model.equations` writes is known: names in `\text{…}`, letters, indices, powers, roots and
bars, in the lines of an `aligned` block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pages.ui import text

Kind = Literal["name", "letter", "upright", "bold", "number", "sign", "space"]


@dataclass(frozen=True, slots=True)
class Atom:
    """What stands alone: a name from the data, a letter, digits, a sign or a space."""

    said: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Indexed:
    """A part with what stands below and above it; () where nothing does."""

    base: Node
    below: Nodes
    above: Nodes


@dataclass(frozen=True, slots=True)
class Over:
    """A part under a root or a bar."""

    what: Literal["root", "bar"]
    inside: Nodes


Node = Atom | Indexed | Over
Nodes = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of mathematics.

    left   : what stands before the place at which the lines are aligned
    right  : the rest;  broken : whether it goes on with the line above
    """

    left: str
    right: str
    broken: bool


_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|.", re.DOTALL)
_COMMANDS = {
    r"\beta": Atom("β", "letter"),
    r"\gamma": Atom("γ", "letter"),
    r"\pi": Atom("π", "letter"),
    r"\varepsilon": Atom("ε", "letter"),
    r"\sigma": Atom("σ", "letter"),
    r"\tau": Atom("τ", "letter"),
    r"\Psi": Atom("Ψ", "upright"),
    r"\sim": Atom("∼", "sign"),
    r"\cdots": Atom("…", "sign"),
    r"\ldots": Atom("…", "sign"),
    r"\cdot": Atom("·", "sign"),
    r"\log": Atom("log", "upright"),
    r"\,": Atom("\N{THIN SPACE}", "space"),
    r"\ ": Atom("\N{FOUR-PER-EM SPACE}", "space"),
    "-": Atom("−", "sign"),
}
_IN_WORDS = {"∼": "~", "−": "-", "log": "log "}
SPACED = frozenset("=+∼−·…")
"""Signs with space on both sides."""


def lines(latex: str) -> list[Line]:
    """The lines of an `aligned` block."""
    body = latex.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    found = []
    for equation in body.split(" \\\\[4pt]\n"):
        for place, line in enumerate(equation.split(r" \\ ")):
            left, _, right = re.sub(r"(?<!\\)&", "\n", line, count=1).rpartition("\n")
            found.append(Line(left.strip(), right.replace(r"\quad ", "").strip(), place > 0))
    return found


def equations(latex: str) -> list[str]:
    """Each equation of an `aligned` block on one line, for those who break lines themselves."""
    found: list[str] = []
    for line in lines(latex):
        if line.broken:
            found[-1] += f" {line.right}"
        else:
            found.append(f"{line.left} {line.right}")
    return found


def tree(piece: str) -> Nodes:
    """A piece of a line, part by part."""
    return _parts(_Tokens(piece))


class _Tokens:
    """The signs of a piece, read one after the other."""

    def __init__(self, piece: str) -> None:
        self.all = _TOKEN.findall(piece)
        self.at = 0

    def next(self) -> str:
        """The next sign; '' at the end."""
        self.at += 1
        return self.all[self.at - 1] if self.at <= len(self.all) else ""

    def peek(self) -> str:
        """The same, left where it is."""
        return self.all[self.at] if self.at < len(self.all) else ""

    def name(self) -> str:
        """The name between the braces that come next."""
        depth, inside = 0, ""
        while token := self.next():
            depth += {"{": 1, "}": -1}.get(token, 0)
            inside += token
            if depth == 0:
                break
        return text.from_latex(inside[1:-1])


def _parts(tokens: _Tokens) -> Nodes:
    """Everything up to the brace that closes this group."""
    found: list[Node] = []
    while (token := tokens.next()) not in ("", "}"):
        if token in "_^" and found:
            found.append(_indexed(found.pop(), token, tokens))
        elif token == "{":
            found += _parts(tokens)
        elif token != " ":
            found.append(_atom(token, tokens))
    return tuple(_joined(found))


def _group(tokens: _Tokens) -> Nodes:
    """What is in the braces that come next, or the one sign there."""
    token = tokens.next()
    return _parts(tokens) if token == "{" else (_atom(token, tokens),)


def _indexed(base: Node, sign: str, tokens: _Tokens) -> Node:
    """The part with its index or power; one that has the other already gets both."""
    inside = _group(tokens)
    if isinstance(base, Indexed) and not (base.below if sign == "_" else base.above):
        own, below, above = base.base, base.below, base.above
    else:
        own, below, above = base, (), ()
    return Indexed(own, inside, above) if sign == "_" else Indexed(own, below, inside)


def _atom(token: str, tokens: _Tokens) -> Node:
    if token == r"\text":
        return Atom(tokens.name(), "name")
    if token in (r"\sqrt", r"\overline"):
        return Over("root" if token == r"\sqrt" else "bar", _group(tokens))
    if token in (r"\mathcal", r"\mathbf"):
        said = "".join(part.said for part in _group(tokens) if isinstance(part, Atom))
        return Atom(said, "bold" if token == r"\mathbf" else "letter")
    if token in _COMMANDS:
        return _COMMANDS[token]
    if token.isdigit():
        return Atom(token, "number")
    return Atom(token, "letter" if token.isalpha() else "sign")


def _joined(parts: Sequence[Node]) -> Iterator[Node]:
    """Digits beside each other are one number."""
    held = ""
    for part in parts:
        if isinstance(part, Atom) and part.kind == "number":
            held += part.said
            continue
        if held:
            yield Atom(held, "number")
        held = ""
        yield part
    if held:
        yield Atom(held, "number")


def words(latex: str) -> str:
    """The block as plain text on one line: Reaction_ij = β_0j + ε_ij; ε_ij ~ N(0, σ^2)."""
    return "; ".join(" ".join(_said(tree(equation)).split()) for equation in equations(latex))


def _said(parts: Nodes) -> str:
    return "".join(_one_said(part) for part in parts)


def _one_said(part: Node) -> str:
    if isinstance(part, Over):
        return ("√" if part.what == "root" else "mean of ") + _said(part.inside)
    if isinstance(part, Indexed):
        pairs = (("_", part.below), ("^", part.above))
        return _one_said(part.base) + "".join(f"{sign}{_said(own)}" for sign, own in pairs if own)
    if part.kind == "name":
        return part.said
    said = _IN_WORDS.get(part.said, part.said)
    return " " if part.kind == "space" else f" {said} " if part.said in SPACED else said
