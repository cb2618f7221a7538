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
from docx.shared import Inches, Pt

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

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write(report: Report) -> bytes:
    """The .docx file."""
    document = docx.Document()
    title = _safe(report.title)
    document.core_properties.title = title[:255]
    document.core_properties.author = ""
    document.add_heading(title, level=0)
    for block in report.blocks:
        _add(document, block)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


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
            document.add_paragraph(_safe(caption), style="Caption")
            _add_table(document, table)
        case Picture(chart):
            _add_picture(document, chart)
        case Formula(latex, caption):
            document.add_paragraph(_safe(caption), style="Caption")
            document.add_paragraph()._p.append(omml.write(latex, _safe))
        case Code(program, caption):
            document.add_paragraph(_safe(caption), style="Caption")
            run = document.add_paragraph().add_run(_NOT_XML.sub(" ", program.rstrip()))
            run.font.name, run.font.size = "Consolas", Pt(8.5)


def _add_table(document: Any, table: Table) -> None:
    """Numbers to the right; the first row repeats on every page."""
    right = [pd.api.types.is_numeric_dtype(dtype) for dtype in table.values.dtypes]
    made = document.add_table(rows=1, cols=len(right), style="Light List Accent 1")
    header = OxmlElement("w:tblHeader")
    header.set(qn("w:val"), "true")
    made.rows[0]._tr.get_or_add_trPr().append(header)
    for place, name in enumerate(table.shown.columns):
        _fill(made.rows[0].cells[place], name, right[place])
    for row in table.shown.to_numpy():
        for cell, value, numeric in zip(made.add_row().cells, row, right, strict=True):
            _fill(cell, value, numeric)
    document.add_paragraph()


def _fill(cell: Any, value: object, right: bool) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.add_run(_safe(value)).font.size = Pt(9)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _add_picture(document: Any, chart: Chart) -> None:
    shape = document.add_picture(io.BytesIO(still.png(chart.figure)), width=Inches(still.WIDTH - 0.3))
    properties = shape._inline.docPr
    properties.set("descr", _safe(chart.alt))
    properties.set("title", _safe(chart.title))
    said = " ".join(filter(None, [f"{chart.title}.", chart.caption, chart.note]))
    document.add_paragraph(_safe(said), style="Caption")
