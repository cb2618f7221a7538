"""The classic summary: its facts, its significant digits, and names that cannot break a page or document."""

from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest

from mixedcore import MixedLMResults, datasets, mixedlm
from mixedcore.summary import Summary, number, p_text

SLEEP = datasets.load("sleepstudy")


def sleep(data: pd.DataFrame = SLEEP, formula: str = "Reaction ~ Days") -> MixedLMResults:
    return mixedlm(formula, data, "1 + Days", groups="Subject").fit()


def test_the_text_of_sleepstudy() -> None:
    """The numbers are those of lme4 (tests/reference/lme4.json) to the digits shown."""
    assert (
        sleep().summary().as_text()
        == """\
               Mixed Linear Model Regression Results
====================================================================
Model:            MixedLM              Dependent Variable: Reaction
No. Observations: 180                  Method:             REML
No. Groups:       18                   Scale:              654.94
Min. group size:  10                   Log-Likelihood:     -871.8141
Max. group size:  10                   Converged:          Yes
Mean group size:  10.0                 Singular:           No
--------------------------------------------------------------------
                     Coef.  Std.Err.       z   P>|z|  [0.025  0.975]
--------------------------------------------------------------------
Intercept           251.41    6.8246  36.838  <0.001  238.03  264.78
Days                10.467    1.5458   6.771  <0.001  7.4376  13.497
Subject Var         612.09    288.78
Subject x Days Cov  9.6043    46.678
Days Var            35.072    14.782
===================================================================="""
    )


def test_variances_are_in_the_units_of_the_data() -> None:
    table = sleep().summary().tables[1]
    assert float(table.loc["Subject Var", "Coef."]) == pytest.approx(sleep().cov_re.iloc[0, 0], rel=1e-4)
    assert float(table.loc["Days Var", "Std.Err."]) == pytest.approx(sleep().bse_re["Days Var"], rel=1e-4)
    assert (table.loc["Subject Var", "z":] == "").all()


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_small_and_large_outcomes_keep_their_digits(factor: float) -> None:
    table = sleep(SLEEP.assign(Reaction=SLEEP["Reaction"] * factor)).summary().tables[1]
    shown = [float(x) / factor for x in table["Coef."][:2]]
    assert shown == pytest.approx([251.405, 10.4673], rel=1e-3)
    assert list(table["z"][:2]) == ["36.838", "6.771"]


def test_another_level() -> None:
    summary = sleep().summary(alpha=0.1)
    low, high = sleep().conf_int(0.1).loc["Days"]
    table = summary.tables[1]
    assert list(table.columns[-2:]) == ["[0.05", "0.95]"]
    assert [float(x) for x in table.loc["Days"].iloc[-2:]] == pytest.approx([low, high], rel=1e-4)


def test_a_singular_fit_says_so_below() -> None:
    text = mixedlm("Yield ~ 1", datasets.load("Dyestuff2"), groups="Batch").fit().summary().as_text()
    assert "Singular:           Yes" in text
    assert text.splitlines()[-1].startswith("The intercept does not vary over Batch")


class Tags(HTMLParser):
    """Which tags a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)


HOSTILE = "<script>x</script>&$_%#{}~^\\"


def test_hostile_names_are_inert_in_html_and_latex() -> None:
    data = SLEEP.rename(columns={"Days": HOSTILE})
    result = mixedlm(f"Reaction ~ Q({HOSTILE!r})", data, groups="Subject").fit()
    assert HOSTILE in result.summary().as_text().replace("\\\\", "\\")
    parser = Tags()
    parser.feed(result.summary().as_html())
    assert parser.seen <= {"table", "caption", "tr", "td", "th", "thead", "tbody", "p"}
    latex = result.summary().as_latex()
    body = latex.split(r"\hline")[-2]
    assert r"\&\$\_\%\#\{\}" in body
    assert r"\textasciitilde{}\textasciicircum{}" in body


def test_html_and_text_have_the_same_cells() -> None:
    summary = sleep().summary()
    for cell in summary.tables[1].to_numpy().ravel():
        assert str(cell).replace("<", "&lt;") in summary.as_html()
    assert str(summary) == repr(summary) == summary.as_text()
    assert summary._repr_html_() == summary.as_html()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1.0, "1"), (12345.678, "12346"), (99999.4, "99999"), (123456.0, "1.235e+05"),
        (0.001234567, "0.0012346"), (1.234567e-7, "1.235e-07"), (-3.14159265, "-3.1416"), (float("nan"), ""),
        (99999.99, "100000"),
    ],
)  # fmt: skip
def test_numbers_have_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.05, "0.050"),
        (0.0005, "0.001"),
        (0.00049, "<0.001"),
        (1e-300, "<0.001"),
        (1.0, "1.000"),
        (float("nan"), ""),
    ],
)
def test_p_values(p: float, text: str) -> None:
    assert p_text(p) == text


def test_a_summary_without_coefficients_is_still_a_page() -> None:
    empty = Summary("Title", (("A:", "1", "B:", "2"),), pd.DataFrame(columns=["Coef."]), ())
    assert empty.as_text().startswith("Title") or "Title" in empty.as_text()
    assert "<table" in empty.as_html()
    assert r"\end{table}" in empty.as_latex()
