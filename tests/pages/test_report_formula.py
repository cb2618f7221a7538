"""Equations in documents: every line in its place, names as letters, nothing that could be markup."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

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
from pages.ui.report import as_html, as_word, contents, formula, mathml, omml
from pages.ui.report.choices import ReportChoices
from pages.ui.report.document import Formula, Paragraph, Report
from tests.pages import fits
from tests.pages.test_equations import OF_SCHOOLS, SCHOOLS, SLEEP, drawn
from tests.pages.test_report import Elements, material
from tests.pages.test_report_word import opened

MATHS = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
ELEMENTS = {
    "math", "mtable", "mtr", "mtd", "mrow", "mtext", "mi", "mn", "mo", "mspace", "msub", "msup", "msubsup",
    "msqrt", "mover",
}  # fmt: skip


def blocks(found: Equations) -> list[str]:
    return [latex for _, latex in (*found.by_level, ("", found.combined))]


def element(latex: str) -> ElementTree.Element:
    return ElementTree.fromstring(mathml.write(latex))


def for_word(latex: str) -> list[ElementTree.Element]:
    """Each equation as a Word file has it, read by another reader."""
    report = Report("t", (Formula(latex, "c"),))
    return list(ElementTree.fromstring(opened(report).element.xml).iter(f"{MATHS}oMathPara"))


def every(found: list[ElementTree.Element], tag: str) -> list[ElementTree.Element]:
    return [each for equation in found for each in equation.iter(f"{MATHS}{tag}")]


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


ODD = Choices("y", ("x",), groups="g", slopes=("x",), outcome_transform="log")


@pytest.mark.parametrize("shape", [Shape("log"), Shape("sqrt", 3), Shape("centre", 2), Shape("standardise")])
def test_every_way_a_column_enters_can_be_written(shape: Shape) -> None:
    for latex in blocks(drawn(replace(ODD, shapes=(("x", shape),)))):
        in_word = "".join(part for equation in for_word(latex) for part in equation.itertext())
        said = "".join(element(latex).itertext()), in_word
        for each in (formula.words(latex), *said):
            assert "\\" not in each
            assert "{" not in each


def test_an_index_and_a_power_stand_at_the_same_part() -> None:
    (node,) = formula.tree(r"\tau^2_{u0}")
    assert node == formula.Indexed(
        formula.Atom("τ", "letter"),
        (formula.Atom("u", "letter"), formula.Atom("0", "number")),
        (formula.Atom("2", "number"),),
    )
    assert formula.tree(r"\beta_{1{,}12}")[0].below[0] == formula.Atom("1", "number")  # type: ignore[union-attr]


def test_left_sides_and_right_sides_are_columns() -> None:
    latex = drawn(SCHOOLS, OF_SCHOOLS).combined
    rows = [row.findall("mtd") for row in element(latex).iter("mtr")]
    assert {len(cells) for cells in rows} == {2}
    assert len(rows) == len(formula.lines(latex))


def test_word_breaks_lines_itself() -> None:
    """An equation stands whole in a paragraph: a part that began with a sign is not read by every program."""
    latex = drawn(SCHOOLS, OF_SCHOOLS).combined
    assert any(line.broken for line in formula.lines(latex))
    found = for_word(latex)
    assert (
        len(found) == len(formula.equations(latex)) == sum(not line.broken for line in formula.lines(latex))
    )
    for equation in found:
        first, *_, last = [each.text for each in equation.iter(f"{MATHS}t")]
        assert {first, last}.isdisjoint(formula.SPACED)


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
    assert {each.tag for each in found} <= ELEMENTS
    assert set().union(*(each.attrib for each in found)) <= {
        "alttext", "width", "class", "stretchy", "accent", "mathvariant", "form", "columnalign"
    }  # fmt: skip
    assert len(for_word(latex)) == len(formula.equations(latex))


@given(st.text())
def test_from_latex_undoes_latex(value: str) -> None:
    assert text.from_latex(text.latex(value)) == text.one_line(value)


@pytest.mark.parametrize("name", ["성적", "得点", "Größe", "שלום", "R&D <b>"])
def test_a_name_in_any_script_is_text_in_the_file(name: str) -> None:
    latex = drawn(Choices(name, ("x",), groups="g")).combined
    assert name in {each.text for each in element(latex).iter("mtext")}
    runs = {each.text for each in every(for_word(latex), "t")}
    assert name in runs


def test_word_gets_its_parts_in_the_order_of_its_schema() -> None:
    found = for_word(drawn(replace(ODD, shapes=(("x", Shape("sqrt", 3)),))).combined)
    order = {
        "r": ["rPr", "rPr", "t"], "sSub": ["e", "sub"], "sSup": ["e", "sup"], "sSubSup": ["e", "sub", "sup"],
        "rad": ["radPr", "deg", "e"], "bar": ["barPr", "e"],
    }  # fmt: skip
    for tag, parts in order.items():
        for each in every(found, tag):
            names = [part.tag.rpartition("}")[2] for part in each]
            assert names in (parts, parts[-len(names) :]), tag
    assert omml.FONT == "Cambria Math"


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
    said = [str(has["alttext"]) for tag, has in page.found if tag == "math"]
    assert said == [formula.words(block.latex) for block in formulas]
    assert "Indices: i: rows · j: Subject." in page.said
    equations = sum(len(formula.equations(block.latex)) for block in formulas)
    assert opened(report).element.xml.count("<m:oMathPara>") == equations
    assert len(as_word.write(report)) < 60_000


def test_hostile_names_in_equations_stay_in_words() -> None:
    data = Dataset.of("mine", fits.hostile_data(), "upload:x")
    page = as_html.write(reported(data, fits.HOSTILE_CALL))
    assert not {"b", "a", "img"} & {tag for tag, _ in Elements(page).found}
    assert b"<mtext>&lt;b&gt;y&lt;/b&gt; $a$</mtext>" in page


def test_a_model_without_equations_says_so() -> None:
    data = examples.dataset("sleepstudy")
    report = reported(data, ModelCall("np.exp(Reaction / 100) ~ Days", "Subject"))
    assert [block.text for block in report.blocks if isinstance(block, Paragraph)] == [equated.NONE]
