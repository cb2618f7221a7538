"""Kept models held against each other: order, tests, rows, words."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from mixedcore import compare, datasets
from pages.ui.charts.compared import MOST_TERMS, compared_coefficients
from pages.ui.compare import compared, comparing, keeping
from pages.ui.compare.comparing import Entry, Lrt
from pages.ui.data import making
from pages.ui.data.dataset import Dataset
from pages.ui.data.making import Made
from pages.ui.data.sources import Source
from pages.ui.fitting import _fit
from pages.ui.model.kept import Kept
from pages.ui.model.modelcall import ModelCall
from tests.pages import fits

CALLS = {
    "null": ModelCall("Reaction ~ 1", "Subject", reml=False),
    "days": ModelCall("Reaction ~ Days", "Subject", reml=False),
    "slope": ModelCall("Reaction ~ Days", "Subject", "1 + Days", reml=False),
}


@cache
def entry(name: str) -> Entry:
    return Entry(name, CALLS[name], _fit(CALLS[name], datasets.load("sleepstudy")))


def ladder() -> list[Entry]:
    return comparing.ordered([entry("slope"), entry("null"), entry("days")])


def test_models_stand_by_size_and_each_is_tested_against_the_next_smaller_one() -> None:
    entries = ladder()
    assert [each.name for each in entries] == ["null", "days", "slope"]
    assert [each.parameters for each in entries] == [3, 4, 6]
    none, days, slope = comparing.tested(entries)
    assert not none.against
    assert (days.against, slope.against) == ("null", "days")
    expected = compare(*(each.result for each in entries))
    assert days.p_value == pytest.approx(expected["p_value"].iloc[1], rel=1e-12)
    assert slope.chisq == pytest.approx(expected["chisq"].iloc[2], rel=1e-12)
    assert "½χ²" in slope.note


def test_a_model_that_contains_no_other_says_so() -> None:
    data = datasets.load("sleepstudy").assign(z=lambda frame: np.cos(frame["Reaction"].rank()))
    calls = [ModelCall(f"Reaction ~ {x}", "Subject", reml=False) for x in ("Days", "z")]
    entries = [Entry(call.formula, call, _fit(call, data)) for call in calls]
    assert [test.against for test in comparing.tested(entries)] == ["", ""]
    assert "not nested" in comparing.tested(entries)[1].note
    against = comparing.tested([entry("null"), *entries])
    assert [test.against for test in against] == ["", "null", "null"]


@pytest.mark.parametrize(
    ("calls", "names", "needed"),
    [
        ([True, True], [["a"], ["a"]], False),
        ([True, True], [["a", "b"], ["b", "a"]], False),
        ([True, True], [["a"], ["a", "b"]], True),
        ([True, False], [["a"], ["a"]], True),
        ([False, False], [["a"], ["b"]], True),
    ],
)
def test_reml_likelihoods_are_compared_only_with_the_same_predictors(
    calls: list[bool], names: list[list[str]], needed: bool
) -> None:
    made = [ModelCall("y ~ x", "g", reml=reml) for reml in calls]
    assert comparing.by_ml(made, names) is needed


# --- rows ----------------------------------------------------------------------------------------

GAPS = datasets.load("sleepstudy").assign(z=lambda frame: frame["Days"] ** 2.0)
GAPS.loc[[3, 50, 51], "z"] = np.nan
WITH_Z = ModelCall("Reaction ~ Days + z", "Subject", reml=False)


def gappy(call: ModelCall, frame: pd.DataFrame = GAPS) -> tuple[Kept, Entry]:
    kept = Kept(call.formula, call, Dataset.of("gaps", frame, "upload:gaps.csv"))
    return kept, Entry(call.formula, call, _fit(call, frame))


def test_models_on_different_rows_are_put_on_common_ones_and_the_script_says_how() -> None:
    kept, entries = zip(gappy(CALLS["days"]), gappy(WITH_Z), strict=True)
    assert not comparing.same_rows(entries)
    common = comparing.common_rows(entries)
    assert len(common) == 177
    used = comparing.columns_of(WITH_Z, list(GAPS.columns))
    assert used == ["Reaction", "Days", "Subject", "z"]
    again = [comparing.on_rows(each, common, used) for each in kept]
    fits_ = [Entry(each.name, each.call, _fit(each.call, each.data.frame)) for each in again]
    assert comparing.same_rows(fits_)
    for each in again:
        scope = {"data": GAPS}
        exec("\n".join(each.data.code), scope)  # noqa: S102 - our own lines, which is what is tested
        pd.testing.assert_frame_equal(scope["data"], each.data.frame)


def test_as_many_other_rows_are_not_the_same_rows() -> None:
    entries = [gappy(CALLS["days"], GAPS.drop(index=[row]))[1] for row in (7, 8)]
    assert len(entries[0].rows) == len(entries[1].rows)
    assert not comparing.same_rows(entries)
    assert len(comparing.common_rows(entries)) == len(GAPS) - 2


def test_rows_left_out_of_one_model_only_are_dropped_by_their_labels() -> None:
    kept, entries = zip(gappy(CALLS["days"]), gappy(CALLS["slope"], GAPS.drop(index=[7, 8])), strict=True)
    common = comparing.common_rows(entries)
    again = comparing.on_rows(kept[0], common, ["Reaction", "Days", "Subject"])
    assert again.data.code == ("data = data.drop(index=[7, 8])",)
    assert comparing.on_rows(kept[1], common, ["Reaction"]) is kept[1]


# --- what is shown -------------------------------------------------------------------------------


def test_the_table_has_every_number_in_full_to_take_away() -> None:
    entries = ladder()
    table = compared.models(entries, comparing.tested(entries))
    assert table.shown["Tested against"].tolist() == ["–", "null", "days"]
    assert table.shown["p"].tolist()[1:] == ["< 0.001", "< 0.001"]
    assert table.raw["AIC"].tolist() == pytest.approx([each.result.aic for each in entries])
    assert table.raw["method"].tolist() == ["ML"] * 3


def test_coefficients_stand_in_the_row_of_their_effect() -> None:
    shown = compared.coefficients(ladder()).shown.set_index("Effect")
    assert shown.index.tolist() == [
        "Intercept",
        "Days",
        "SD of Intercept by Subject",
        "SD of Days by Subject",
        "SD of residuals",
        "Correlation of Intercept and Days by Subject",
    ]
    assert shown.loc["Days", "null"] == "–"
    assert shown.loc["Days", "slope"] == "10.47 (1.50)"
    assert shown.loc["SD of residuals"].tolist() == ["44.26", "30.90", "25.59"]
    assert shown.loc["Correlation of Intercept and Days by Subject"].tolist() == ["–", "–", "0.08"]


def test_the_reading_names_the_best_model_and_each_test() -> None:
    entries = ladder()
    said = compared.reading(entries, comparing.tested(entries))
    assert said[0] == "**AIC** and **BIC** are lowest for **slope**."
    assert "**slope** fits better than **days** by more than chance would (χ²(2) = 42.1, p < 0.001)." in said


def test_models_that_fit_about_as_well_are_not_ranked() -> None:
    twice = [entry("slope"), Entry("again", CALLS["slope"], entry("slope").result)]
    assert compared.reading(twice, comparing.tested(twice))[0] == (
        "**AIC** and **BIC** are lowest for **slope**, and again comes within 2 of it, which is about as "
        "good."
    )


def test_a_test_that_proves_nothing_says_may_be_chance() -> None:
    (said,) = compared.reading([], [Lrt("b", "a", 1.0, 0.3, 0.58)])
    assert said == "That **b** fits better than **a** may be chance (χ²(1) = 0.300, p = 0.580)."


def test_names_from_people_are_text() -> None:
    entries = [Entry(name, entry("days").call, entry("days").result) for name in fits.NAMES[:3]]
    for sentence in compared.reading(entries, comparing.tested(entries)):
        assert "<script>" not in sentence
        assert ":red[" not in sentence
    chart = compared_coefficients({each.name: each.result.tidy(effects="fixed") for each in entries})
    assert all("<script>" not in trace.name for trace in chart.figure.data)


def test_the_picture_keeps_to_what_can_be_read() -> None:
    terms = [f"x{i}" for i in range(MOST_TERMS + 5)]
    frame = pd.DataFrame({"term": terms, "estimate": 1.0, "conf_low": 0.5, "conf_high": 1.5})
    chart = compared_coefficients({"one": frame, "two": frame})
    assert len(chart.figure.data[0].x) == MOST_TERMS
    assert chart.note == f"The first {MOST_TERMS} of {MOST_TERMS + 5} effects are drawn."


def test_a_name_is_taken_once() -> None:
    kept = [Kept("mine", CALLS["null"], Dataset.of("s", GAPS, "upload:s.csv"))]
    assert keeping._unlike("mine", kept) == "mine 2"
    assert keeping._unlike("  other\nname ", kept) == "other name"


def test_common_rows_of_data_that_know_how_they_were_made_can_be_made_again() -> None:
    source = Source("s", "upload:s.csv", GAPS)
    made = Made()
    kept = Kept("mine", CALLS["null"], making.again(source, made), made)
    less = comparing.on_rows(kept, kept.data.frame.index[2:9:2], list(GAPS.columns))
    assert less.made is not None
    assert making.again(source, less.made).digest == less.data.digest
    assert making.again(source, less.made).code == less.data.code != ()
