"""Equations as pictures: every line in its place, names as letters, nothing in the files but outlines."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pages.ui import fitting, text
from pages.ui.data import examples
from pages.ui.data.dataset import Dataset
from pages.ui.model import changes, equated
from pages.ui.model.choices import Choices
from pages.ui.model.equations import Equations
from pages.ui.model.form import Form
from pages.ui.model.modelcall import ModelCall
from pages.ui.model.shape import Shape
from pages.ui.report import as_html, as_word, contents, formula
from pages.ui.report.choices import ReportChoices
from pages.ui.report.document import Formula, Paragraph, Report
from tests.pages import fits
from tests.pages.test_equations import OF_SCHOOLS, SCHOOLS, SLEEP, drawn
from tests.pages.test_report import Elements, material
from tests.pages.test_report_word import opened

ELEMENTS = {f"{{http://www.w3.org/2000/svg}}{name}" for name in ("svg", "path")}


def blocks(found: Equations) -> list[str]:
    return [latex for _, latex in (*found.by_level, ("", found.combined))]


def element(latex: str) -> ElementTree.Element:
    written = formula.svg(latex)
    return ElementTree.fromstring(written.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))


def test_equations_as_words() -> None:
    assert [formula.words(latex) for latex in blocks(drawn(SLEEP))] == [
        "Reaction_ij = β_0j + β_1j Days_ij + ε_ij; ε_ij ~ N(0, σ^2)",
        "β_0j = γ_00 + u_0j; β_1j = γ_10 + u_1j; (u_0j, u_1j) ~ N(0, Ψ_u)",
        "Reaction_ij = γ_00 + γ_10 Days_ij + u_0j + u_1j Days_ij + ε_ij; (u_0j, u_1j) ~ N(0, Ψ_u); "
        "ε_ij ~ N(0, σ^2)",
    ]


def test_lines_are_those_of_the_page() -> None:
    found = formula.lines(drawn(SLEEP).combined)
    assert [line.left for line in found if not line.broken] == [
        r"\text{Reaction}_{ij}",
        r"(u_{0j},\ u_{1j})",
        r"\varepsilon_{ij}",
    ]
    assert all(line.right[0] in "+=\\" for line in found)


@pytest.mark.parametrize("shape", [Shape("log"), Shape("sqrt", 3), Shape("centre", 2), Shape("standardise")])
def test_every_way_a_column_enters_can_be_drawn(shape: Shape) -> None:
    choices = Choices("y", ("x",), groups="g", slopes=("x",), shapes=(("x", shape),), outcome_transform="log")
    for latex in blocks(drawn(choices)):
        assert formula.drawn(latex).outlines
        assert "\\" not in formula.words(latex)


def test_left_sides_end_where_right_sides_begin() -> None:
    picture = formula.drawn(drawn(SCHOOLS, OF_SCHOOLS).combined)
    boxes = [outline.get_extents() for outline in picture.outlines]
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= picture.width
    assert min(box.y0 for box in boxes) >= 0
    assert max(box.y1 for box in boxes) <= picture.height
    left_sides = boxes[-6::2]  # of the three distributions
    assert max(box.x1 for box in left_sides) - min(box.x1 for box in left_sides) < 2


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=1, max_size=12), st.text(max_size=12))
@example(r"\text{", "}$")
@example("<img src=x onerror=alert(1)>", "&\" '\\")
@example("日本 \U0001f600", "{:}{-}")
@example("a" * 200, "\\\\[4pt]\n & \\\\ ")
def test_a_name_is_letters_and_breaks_nothing(outcome: str, predictor: str) -> None:
    latex = drawn(Choices(outcome, (predictor,), groups="g")).combined
    assert len(formula.lines(latex)) >= 3
    found = list(element(latex).iter())
    assert {each.tag for each in found} == ELEMENTS
    assert set().union(*(each.attrib for each in found)) == {
        "role", "aria-label", "width", "viewBox", "fill", "d"
    }  # fmt: skip


@given(st.text())
def test_from_latex_undoes_latex(value: str) -> None:
    assert text.from_latex(text.latex(value)) == text.one_line(value)


def test_a_script_that_the_nice_font_lacks_is_drawn_in_another() -> None:
    assert formula._kind_for(r"\text{Größe α Ж}_{i}") == "stix"
    assert formula._kind_for(r"\text{שלום}_{i}") == "dejavusans"


def test_the_picture_for_word_has_ink_and_a_size() -> None:
    from matplotlib import image

    content, width = formula.png(drawn(SLEEP).combined)
    picture = image.imread(io.BytesIO(content))
    assert picture.shape[1] == pytest.approx(width * 300, abs=1)
    assert 0.02 < (picture[..., 0] < 0.5).mean() < 0.3
    assert np.ptp(picture[:2, :, 0]) == np.ptp(picture[-2:, :, 0]) == 0  # nothing is cut at the edges


# --- in the report --------------------------------------------------------------------------------


def equations_of(data: Dataset, call: ModelCall) -> Equations | None:
    columns = fitting.profiled(data.digest, data.frame)
    return equated.of(Form(changes.reading_of(call, data), columns, data))


def reported(data: Dataset, call: ModelCall) -> Report:
    made_of = material(fits.fitted("sleepstudy"), data, call, ReportChoices(parts=("equations",)))
    return contents.report(replace(made_of, equations=equations_of(data, call)))


def test_the_report_shows_each_level_and_all_in_one() -> None:
    report = reported(examples.dataset("sleepstudy"), examples.suggested("sleepstudy"))
    formulas = [block for block in report.blocks if isinstance(block, Formula)]
    assert [block.caption for block in formulas] == ["Level 1: rows", "Level 2: Subject", "All levels in one"]
    page = Elements(as_html.write(report))
    said = [str(has["aria-label"]) for tag, has in page.found if tag == "svg"]
    assert said == [formula.words(block.latex) for block in formulas]
    assert "Indices: i: rows · j: Subject." in page.said
    document = opened(report)
    assert [shape._inline.docPr.get("descr") for shape in document.inline_shapes] == said
    assert len(as_word.write(report)) < 200_000


def test_hostile_names_in_equations_stay_in_words() -> None:
    data = Dataset.of("mine", fits.hostile_data(), "upload:x")
    page = as_html.write(reported(data, fits.HOSTILE_CALL))
    assert not {"b", "a", "img"} & {tag for tag, _ in Elements(page).found}
    assert b"&lt;b&gt;y&lt;/b&gt; $a$_ij" in page


def test_a_model_without_equations_says_so() -> None:
    data = examples.dataset("sleepstudy")
    report = reported(data, ModelCall("np.exp(Reaction / 100) ~ Days", "Subject"))
    assert [block.text for block in report.blocks if isinstance(block, Paragraph)] == [equated.NONE]
