"""Equations for HTML as MathML, which browsers set in the reader's fonts: any script, any size. Pure."""

from __future__ import annotations

from pages.ui import text
from pages.ui.report import formula
from pages.ui.report.formula import Atom, Indexed, Node, Nodes

_TAGS = {
    "name": "<mtext>{}</mtext>",
    "letter": "<mi>{}</mi>",
    "upright": '<mi mathvariant="normal">{}</mi>',
    "bold": '<mn class="bold">{}</mn>',
    "number": "<mn>{}</mn>",
    "sign": '<mo stretchy="false">{}</mo>',
}
_WIDTHS = {"\N{THIN SPACE}": "0.17em", "\N{FOUR-PER-EM SPACE}": "0.25em"}


def write(latex: str) -> str:
    """A math element, its lines aligned at their relations; names are text in it and can be no markup."""
    rows = []
    for line in formula.lines(latex):
        left, right = (_row(formula.tree(side)) for side in (line.left, line.right))
        indent = '<mspace width="2em"/>' if line.broken else ""
        rows.append(f"<mtr><mtd>{left}</mtd><mtd><mrow>{indent}{right}</mrow></mtd></mtr>")
    table = f'<mtable columnalign="right left">{"".join(rows)}</mtable>'
    return f'<math alttext="{text.html(formula.words(latex))}">{table}</math>'


def _row(parts: Nodes) -> str:
    inside = "".join(map(_one, parts))
    return inside if len(parts) == 1 else f"<mrow>{inside}</mrow>"


def _one(part: Node) -> str:
    if isinstance(part, Atom):
        if part.kind == "space":
            return f'<mspace width="{_WIDTHS[part.said]}"/>'
        written = _TAGS[part.kind].format(text.html(part.said))
        # At the beginning of a line a plus would be the sign of a number, close to what follows.
        return written.replace("<mo ", '<mo form="infix" ') if part.said in formula.SPACED else written
    if isinstance(part, Indexed):
        base, below, above = _one(part.base), _row(part.below), _row(part.above)
        if part.below and part.above:
            return f"<msubsup>{base}{below}{above}</msubsup>"
        return f"<msub>{base}{below}</msub>" if part.below else f"<msup>{base}{above}</msup>"
    if part.what == "root":
        return f"<msqrt>{_row(part.inside)}</msqrt>"
    return f'<mover accent="true">{_row(part.inside)}<mo stretchy="true">¯</mo></mover>'
