"""Equations for Word in its own language of mathematics (Office Open XML, ECMA-376 part 1, 22.1): they can be
edited there, and need no font of ours. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from pages.ui.report import formula
from pages.ui.report.formula import Atom, Indexed, Node, Nodes

FONT = "Cambria Math"
_STYLES = {"upright": "p", "number": "p", "sign": "p", "space": "p", "bold": "b"}
Safe = Callable[[object], str]


def write(latex: str, safe: Safe) -> list[Any]:
    """An element for each equation, to stand in a paragraph of its own.

    Word breaks long ones itself. A table of lines, which would align them at their relations, is not read by
    other programs: they want something on both sides of a sign.

    safe : makes of any text one that XML can hold
    """
    return [
        _new(
            "m:oMathPara",
            _new("m:oMathParaPr", _valued("m:jc", "left")),
            _new("m:oMath", *_all(formula.tree(equation), safe)),
        )
        for equation in formula.equations(latex)
    ]


def _new(tag: str, *inside: Any) -> Any:
    made = OxmlElement(tag)
    for each in inside:
        made.append(each)
    return made


def _valued(tag: str, value: str) -> Any:
    made = OxmlElement(tag)
    made.set(qn("m:val"), value)
    return made


def _all(parts: Nodes, safe: Safe) -> list[Any]:
    return [_one(part, safe) for part in parts]


def _one(part: Node, safe: Safe) -> Any:
    if isinstance(part, Atom):
        return _run(part, safe)
    if isinstance(part, Indexed):
        tag = "m:sSubSup" if part.below and part.above else "m:sSub" if part.below else "m:sSup"
        sides = [("m:sub", part.below), ("m:sup", part.above)]
        own = [_new(side, *_all(parts, safe)) for side, parts in sides if parts]
        return _new(tag, _new("m:e", _one(part.base, safe)), *own)
    inside = _new("m:e", *_all(part.inside, safe))
    if part.what == "root":
        return _new("m:rad", _new("m:radPr", _valued("m:degHide", "1")), _new("m:deg"), inside)
    return _new("m:bar", _new("m:barPr", _valued("m:pos", "top")), inside)


def _run(atom: Atom, safe: Safe) -> Any:
    """Letters are in italics unless something else is said of them; a name is ordinary text."""
    made = _new("m:r")
    if atom.kind == "name":
        made.append(_new("m:rPr", _new("m:nor")))
    elif atom.kind in _STYLES:
        made.append(_new("m:rPr", _valued("m:sty", _STYLES[atom.kind])))
    font = OxmlElement("w:rFonts")
    for side in ("w:ascii", "w:hAnsi"):
        font.set(qn(side), FONT)
    made.append(_new("w:rPr", font))
    said = OxmlElement("m:t")
    said.set(qn("xml:space"), "preserve")
    said.text = atom.said if atom.kind == "space" else safe(atom.said)
    made.append(said)
    return made
