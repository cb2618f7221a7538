"""The report as a Word file: the same parts, with styles, header rows and alternative texts."""

from __future__ import annotations

import io
from typing import Any

import docx
import numpy as np
import pytest

from pages.ui import charts
from pages.ui.charts import Chart
from pages.ui.report import as_word, still
from pages.ui.report.choices import PARTS, ReportChoices
from pages.ui.report.document import Bullets, Heading, Paragraph, Picture, Report, Tabular
from tests.pages import fits
from tests.pages.test_report import hostile, of_example


def opened(report: Report) -> Any:
    return docx.Document(io.BytesIO(as_word.write(report)))


@pytest.mark.parametrize("name", ["sleepstudy", "Dyestuff2", "classrooms"])
def test_it_has_the_parts_of_the_report(name: str) -> None:
    report = of_example(name, ReportChoices("A title"))
    document = opened(report)
    styles = [(each.style.name, each.text) for each in document.paragraphs]
    assert styles[0] == ("Title", "A title")
    headings = [said for style, said in styles if style == "Heading 1"]
    assert headings == [block.text for block in report.blocks if isinstance(block, Heading)]
    tables = [block.table for block in report.blocks if isinstance(block, Tabular)]
    assert len(document.tables) == len(tables)
    for made, table in zip(document.tables, tables, strict=True):
        assert [cell.text for cell in made.rows[0].cells] == [str(name) for name in table.shown.columns]
        assert len(made.rows) == len(table.shown) + 1
    pictures = [block.chart for block in report.blocks if isinstance(block, Picture)]
    assert [shape._inline.docPr.get("descr") for shape in document.inline_shapes] == [
        chart.alt for chart in pictures
    ]


def test_tables_have_the_width_of_the_page_and_columns_that_of_their_words() -> None:
    tables = [
        block.table
        for block in of_example("classrooms", ReportChoices()).blocks
        if isinstance(block, Tabular)
    ]
    for table in tables:
        found = [width.inches for width in as_word.widths(table)]
        assert sum(found) <= as_word.ROOM + 1e-3
        longest = [max(len(word) for word in str(name).split()) for name in table.shown.columns]
        assert all(width > 0.06 * letters for width, letters in zip(found, longest, strict=True))


def test_hostile_names_are_letters() -> None:
    document = opened(hostile(ReportChoices("\x00<b>\ud800", "a\x0bb")))
    said = " ".join(each.text for each in document.paragraphs)
    assert "<img src=x onerror=alert(1)>" in said
    assert document.paragraphs[0].text.strip() == "<b>"


def test_signs_that_xml_has_not_are_left_out() -> None:
    said = opened(Report("t", (Paragraph("a\ufffe\x01b"), Bullets(("\udfff",))))).paragraphs[1].text
    assert said == "a b"


def pictures() -> dict[str, Chart]:
    fit = fits.fitted("sleepstudy")
    blups = fit.tidy(effects="blups")
    augmented = fit.augment()
    return {
        "coefficients": charts.coefficient_plot(fit.tidy(effects="fixed")),
        "few groups": charts.caterpillar(blups[blups["term"] == "Days"]),
        "many groups": charts.caterpillar(fits.many_effects(400)),
        "very many groups": charts.caterpillar(fits.many_effects(5000)),
        "residuals": charts.residuals_against_fitted(augmented),
        "rows": charts.residuals_against_fitted(fits.many_rows(30_000)),
        "quantiles": charts.normal_qq(augmented["resid_std"].to_numpy(), augmented.index),
    }


@pytest.mark.parametrize("name", list(pictures()))
def test_every_chart_of_the_report_has_a_picture_with_something_on_it(name: str) -> None:
    from matplotlib import image

    drawn = image.imread(io.BytesIO(still.png(pictures()[name].figure)))
    assert drawn.shape[1] == round(still.WIDTH * 200)
    coloured = np.ptp(drawn[..., :3], axis=2) > 0.2
    assert 0.001 < coloured.mean() < 0.5


def test_text_in_a_picture_is_never_mathematics() -> None:
    assert still.words("&lt;b&gt; &#36;x&#36;") == r"<b> \$x\$"
    assert set(PARTS) >= {"coefficients", "caterpillar", "residuals", "quantiles"}
