"""The report: the chosen parts with the app's own tables, escaped, in one file, in the order of a paper."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults
from mixedcore.inference.hypotheses import Ddf
from pages.ui import state, tables
from pages.ui.compare import comparing
from pages.ui.data import examples
from pages.ui.data.dataset import Dataset
from pages.ui.data.exclusions import Exclusion, without
from pages.ui.model.kept import Kept
from pages.ui.model.modelcall import ModelCall
from pages.ui.report import as_html, contents, methods
from pages.ui.report import page as report_page
from pages.ui.report.choices import PARTS, ReportChoices
from pages.ui.report.contents import Material
from pages.ui.report.document import Heading, Paragraph, Report, Tabular
from tests.pages import fits

WALD = ("Wald", "Wald")


def material(
    result: MixedLMResults, data: Dataset, call: ModelCall, choices: ReportChoices, *left_out: Exclusion
) -> Material:
    return Material(choices, without(data, left_out), data, left_out, call, call.formula, result)


def of_example(name: str, choices: ReportChoices, *left_out: Exclusion) -> Report:
    fit, data = fits.fitted(name), examples.dataset(name)
    return contents.report(material(fit, data, examples.suggested(name), choices, *left_out))


def hostile(choices: ReportChoices) -> Report:
    data = Dataset.of("<img src=x onerror=alert(1)>", fits.hostile_data(), "upload:x", ("<b>note</b>",))
    left_out = Exclusion(3, "</li><script>x")
    return contents.report(material(fits.hostile(), data, fits.HOSTILE_CALL, choices, left_out))


class Elements(HTMLParser):
    """Every element with its attributes, and the text outside scripts and styles."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.said, self.inside = "", ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.said += data


def test_the_parts_stand_in_the_order_of_a_paper_whatever_the_order_of_the_choice() -> None:
    report = of_example("sleepstudy", ReportChoices(parts=("scripts", "fixed", "data")))
    headings = [block.text for block in report.blocks if isinstance(block, Heading)]
    assert headings == [PARTS["data"], PARTS["fixed"], PARTS["scripts"]]


def test_tables_are_those_of_the_pages() -> None:
    report = of_example("sleepstudy", ReportChoices(parts=("fixed",), level=0.9))
    (found,) = [block.table for block in report.blocks if isinstance(block, Tabular)]
    same = tables.fixed_effects(fits.fitted("sleepstudy").tidy(effects="fixed", level=0.9), 0.9)
    assert found.shown.equals(same.shown)


def test_every_row_left_out_is_listed_with_its_reason() -> None:
    chosen = ReportChoices(parts=("data",))
    page = as_html.write(of_example("sleepstudy", chosen, Exclusion(4, "typing error")))
    said = Elements(page).said
    assert "Row 4: typing error" in said
    assert "179 rows are in use: 1 was left out by hand" in said


def test_methods_name_versions_and_cite_only_what_is_used() -> None:
    few = of_example("sleepstudy", ReportChoices(parts=("methods", "fixed")))
    said = " ".join(block.text for block in few.blocks if isinstance(block, Paragraph))
    assert re.search(r"mixedcore \d+\.\d+\.\d+ on Python 3\.\d+\.\d+ with NumPy \d", said)
    assert "Satterthwaite" in said
    page = Elements(as_html.write(few)).said
    assert "10.2307/3002019" in page
    assert "Nakagawa" not in page
    assert "Patterson" not in methods.paragraph(
        reml=False, ddf="satterthwaite", intervals=WALD, level=0.95, parts=()
    )


def test_every_reference_is_cited_somewhere_and_has_a_doi() -> None:
    ways: tuple[Ddf, ...] = ("satterthwaite", "kenward-roger")
    cited = " ".join(
        methods.paragraph(reml=True, ddf=ddf, intervals=WALD, level=0.95, parts=tuple(PARTS)) for ddf in ways
    )
    assert set(methods.references(cited)) == set(methods.REFERENCES.values())
    assert all("https://doi.org/10." in entry for entry in methods.REFERENCES.values())


@pytest.mark.parametrize("name", ["sleepstudy", "Dyestuff2", "classrooms"])
def test_one_file_holds_everything(name: str) -> None:
    page = Elements(as_html.write(of_example(name, ReportChoices())))
    assert not [tag for tag, has in page.found if "src" in has or "href" in has]
    policy = str(next(has["content"] for _, has in page.found if has.get("http-equiv")))
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    pictures = [has for _, has in page.found if has.get("role") == "img"]
    assert len(pictures) >= 4
    assert all(has["aria-label"] for has in pictures)
    assert not re.search(r"\bnan\b", page.said)


def test_hostile_names_stay_text() -> None:
    notes = "<script>alert(1)</script>\n$x$ **b**"
    page = Elements(as_html.write(hostile(ReportChoices("<h1>t", notes))))
    charts = [has for _, has in page.found if "data-chart" in has]
    assert sum(tag == "script" for tag, _ in page.found) == 3 + len(charts)
    assert not {"img", "b", "a", "i"} & {tag for tag, _ in page.found}
    assert not [has for _, has in page.found if any(name.startswith("on") for name in has)]
    assert "<script>alert(1)</script>" in page.said


@pytest.mark.parametrize(
    "call",
    [
        ModelCall("Reaction ~ 1", "Subject", reml=False),
        ModelCall("Reaction ~ 0 + Days", "Subject", "0 + Days"),
        ModelCall("Reaction ~ Days", "Subject", "1", (("d", "0 + Days"),)),
    ],
    ids=lambda call: call.formula,
)
def test_odd_models_have_a_report(call: ModelCall) -> None:
    data = examples.dataset("sleepstudy")
    app = fits.opened_with("report", data.frame, call)
    assert not app.exception
    result = fits.fit_of(call, data.frame)
    page = Elements(as_html.write(contents.report(material(result, data, call, ReportChoices()))))
    assert not re.search(r"\bnan\b", page.said)


def test_kept_models_stand_with_their_tests_and_what_cannot_be_fitted_is_said() -> None:
    data = examples.dataset("sleepstudy")
    calls = {
        "flat": ModelCall("Reaction ~ Days", "Subject"),
        "tilted": examples.suggested("sleepstudy"),
        "broken": ModelCall("Reaction ~ nothing", "Subject"),
    }
    kept = [Kept(name, call, data) for name, call in calls.items()]

    def fit(call: ModelCall, data: Dataset) -> MixedLMResults:
        return fits.fit_of(call, data.frame)

    made_of = replace(
        material(fits.fitted("sleepstudy"), data, calls["tilted"], ReportChoices(parts=("kept",))),
        kept=comparing.gathered(kept, fit),
    )
    found = contents.report(made_of)
    said = Elements(as_html.write(found)).said
    assert "“broken” cannot be fitted" in said
    assert "tilted fits better than flat by more than chance would (χ²(2) = 42.8, p < 0.001)." in said
    (models, _) = [block.table for block in found.blocks if isinstance(block, Tabular)]
    assert models.shown["Tested against"].tolist() == ["–", "flat"]


def test_the_words_are_those_of_the_estimates_page() -> None:
    report = of_example("sleepstudy", ReportChoices(parts=("words",)))
    said = Elements(as_html.write(report)).said
    assert "10.5" in said
    assert "**" not in said


# --- the page -------------------------------------------------------------------------------------


def test_the_page_offers_files_project_and_programs() -> None:
    app = fits.opened("report", "sleepstudy")
    assert not app.exception
    keys = {element.key for element in app.get("download_button")}
    assert {"report_html", "project_save", "report_prepared"} <= keys
    assert "Comparison of kept models" not in " ".join(each.value for each in app.markdown)


def test_choices_outlive_the_page() -> None:
    app = fits.opened("report", "sleepstudy")
    app.text_input(key="report_title").set_value("My <b>title</b>").run()
    app.text_area(key="report_notes").set_value("Hello").run()
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/report.py").run()
    assert app.text_input(key="report_title").value == "My <b>title</b>"
    assert app.text_area(key="report_notes").value == "Hello"


def test_kept_models_can_be_compared() -> None:
    data = examples.dataset("sleepstudy")
    app = fits.opened("report", "sleepstudy")
    app.session_state[state._KEPT] = (Kept("one", examples.suggested("sleepstudy"), data),)
    app.run()
    assert not app.exception
    assert "Comparison of kept models" in app.pills(key="report_parts").options


def test_without_data_or_model_the_page_invites() -> None:
    app = fits.opened("report", "none-such")
    assert not app.exception
    assert not app.get("download_button")


def test_the_numbers_are_those_of_the_estimates_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals and degrees of freedom as chosen there, in every table of the report."""
    app = fits.opened("estimates", "sleepstudy")
    app.selectbox(key="estimates_ddf").set_value("kenward-roger").run()
    app.selectbox(key="estimates_intervals").set_value("profile").run()
    on_page = [read_cells(element.value) for element in app.table[:3]]
    made: list[Report] = []
    monkeypatch.setattr(report_page, "downloads", lambda gather: made.append(contents.report(gather())))
    app.switch_page("pages/report.py").run()
    assert "Degrees of freedom (Kenward–Roger) and intervals (profile likelihood) as on" in " ".join(
        fits.texts(app)
    ).replace("\\", "")
    assert not app.exception
    tabular = [block.table for block in made[0].blocks if isinstance(block, Tabular)]
    assert [read_cells(table.values) for table in tabular[:3]] == on_page
    methods_said = " ".join(block.text for block in made[0].blocks if isinstance(block, Paragraph))
    assert "method of Kenward and Roger (1997)" in methods_said
    assert "Intervals of standard deviations are profile-likelihood intervals." in methods_said


def read_cells(values: pd.DataFrame) -> list[float]:
    """The numbers of a table."""
    numbers = values.select_dtypes("number").to_numpy(dtype=float).ravel()
    return [round(float(value), 9) for value in numbers if np.isfinite(value)]


def test_pictures_say_what_they_come_to() -> None:
    page = Elements(as_html.write(of_example("sleepstudy", ReportChoices(parts=("caterpillar",))))).said
    assert "Caterpillar plot. 6 of 18 groups differ clearly from the average" in page
