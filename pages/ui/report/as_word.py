"""A report as a Word file: heading styles, real tables with a header row, equations that can be edited,
pictures with alternative text.
"""

from __future__ import annotations

import io
import re
from typing import Any

import docx
import pandas as pd
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Pt, RGBColor

from pages.ui import text
from pages.ui.charts import Chart
from pages.ui.report import omml, still
from pages.ui.report.document import (
    Block,
    Bullets,
    Code,
    Formula,
    Heading,
    Paragraph,
    Picture,
    Report,
    Tabular,
)
from pages.ui.tables import Table

INK, QUIET = RGBColor(0x1F, 0x29, 0x33), RGBColor(0x4A, 0x54, 0x5E)
STYLES = {
    "Title": (20, True, INK, 0, 12),
    "Heading 1": (13, True, INK, 16, 4),
    "Caption": (9.5, False, QUIET, 6, 4),
    "Normal": (10.5, False, INK, 0, 6),
    "List Bullet": (10.5, False, INK, 0, 3),
}
"""Size (points), bold, colour, space above and below (points)."""
ROOM = 6.5
"""Inches between the margins of a page."""
LETTER = 0.085
"""Inches that a letter of a table takes."""
LONGEST = 40
"""Letters of a cell from which it is broken into lines."""
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write(report: Report) -> bytes:
    """The .docx file."""
    document = _styled(docx.Document())
    title = _safe(report.title)
    document.core_properties.title = title[:255]
    document.core_properties.author = ""
    document.add_heading(title, level=0)
    for block in report.blocks:
        _add(document, block)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _styled(document: Any) -> Any:
    """The styles of a plain paper in the place of the template's blue ones."""
    for section in document.sections:
        section.left_margin = section.right_margin = (section.page_width - Inches(ROOM)) // 2
    for name, (size, bold, colour, above, below) in STYLES.items():
        style = document.styles[name]
        style.font.size, style.font.bold, style.font.color.rgb = Pt(size), bold, colour
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(above), Pt(below)
    rule = document.styles["Title"].element.pPr.find(qn("w:pBdr"))
    if rule is not None:
        document.styles["Title"].element.pPr.remove(rule)
    return document


def _safe(value: object) -> str:
    """One line of letters that XML can hold."""
    return text.one_line(_NOT_XML.sub(" ", str(value)))


def _add(document: Any, block: Block) -> None:
    match block:
        case Heading(said):
            document.add_heading(_safe(said), level=1)
        case Paragraph(said):
            document.add_paragraph(_safe(said))
        case Bullets(items):
            for item in items:
                document.add_paragraph(_safe(item), style="List Bullet")
        case Tabular(table, caption):
            _add_caption(document, caption)
            _add_table(document, table)
        case Picture(chart):
            _add_picture(document, chart)
        case Formula(latex, caption):
            _add_caption(document, caption)
            for equation in omml.write(latex, _safe):
                paragraph = document.add_paragraph()
                paragraph.paragraph_format.space_after = Pt(2)
                paragraph._p.append(equation)
        case Code(program, caption):
            _add_caption(document, caption)
            run = document.add_paragraph().add_run(_NOT_XML.sub(" ", program.rstrip()))
            run.font.name, run.font.size = "Consolas", Pt(8.5)


def _add_caption(document: Any, said: str) -> None:
    """Above what it belongs to, on the same page."""
    document.add_paragraph(_safe(said), style="Caption").paragraph_format.keep_with_next = True


def _add_table(document: Any, table: Table) -> None:
    """Three rules as in papers, numbers to the right; the first row repeats on every page."""
    right = [pd.api.types.is_numeric_dtype(dtype) for dtype in table.values.dtypes]
    made = document.add_table(rows=1, cols=len(right), style="Light Shading")
    look = made._tbl.tblPr.find(qn("w:tblLook"))
    look.set(qn("w:val"), "0620")  # a header row, nothing else set apart
    look.set(qn("w:firstColumn"), "0")
    look.set(qn("w:noHBand"), "1")
    made.autofit = False
    header = OxmlElement("w:tblHeader")
    header.set(qn("w:val"), "true")
    made.rows[0]._tr.get_or_add_trPr().append(header)
    for place, name in enumerate(table.shown.columns):
        _fill(made.rows[0].cells[place], name, right[place])
    for row in table.shown.to_numpy():
        for cell, value, numeric in zip(made.add_row().cells, row, right, strict=True):
            _fill(cell, value, numeric)
    for column, width in zip(made.columns, widths(table), strict=True):
        for cell in column.cells:
            cell.width = width
    document.add_paragraph()


def widths(table: Table) -> list[Any]:
    """Widths of the columns by their longest words and cells, all together within the page."""
    letters = [
        min(LONGEST, max(map(len, (*str(name).split(), *map(str, table.shown[name]))))) + 3
        for name in table.shown.columns
    ]
    letter = min(LETTER, ROOM / sum(letters))
    return [Inches(count * letter) for count in letters]


def _fill(cell: Any, value: object, right: bool) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1)
    paragraph.add_run(_safe(value)).font.size = Pt(9)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _add_picture(document: Any, chart: Chart) -> None:
    shape = document.add_picture(io.BytesIO(still.png(chart.figure)), width=Inches(still.WIDTH - 0.3))
    document.paragraphs[-1].paragraph_format.keep_with_next = True
    properties = shape._inline.docPr
    properties.set("descr", _safe(chart.alt))
    properties.set("title", _safe(chart.title))
    said = " ".join(filter(None, [f"{chart.title}.", chart.message, chart.caption, chart.note]))
    document.add_paragraph(_safe(said), style="Caption")
