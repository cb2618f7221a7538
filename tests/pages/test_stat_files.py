"""Files of SPSS, Stata and SAS: labels in the order of their codes, missing values, dates, awkward text."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pages.ui.data import columns
from pages.ui.data.readers.base import Labels, ReadOptions, ReadResult
from pages.ui.data.reading import read
from pages.ui.data.sources import USUAL_MISSING, Choices
from tests.pages import files


def settled(result: ReadResult, choices: Choices | None = None) -> columns.Settled:
    return columns.settle(
        result.frame, choices or Choices(), None, result.labels, by_codes=result.options.codes
    )


def spss(choices: Choices | None = None, asked: ReadOptions | None = None, **how: object) -> columns.Settled:
    return settled(read("x.sav", files.pupils_sav(**how), asked), choices)


def column(found: columns.Settled, name: str) -> columns.Column:
    return next(each for each in found.columns if each.name == name)


def test_labels_become_levels_in_the_order_of_their_codes() -> None:
    found = spss()
    sex = found.frame["sex"]
    assert sex.tolist() == ["male", "female", "female", "male", "female", "male"]
    assert list(sex.cat.categories) == ["male", "female"]  # not by the alphabet
    assert not sex.cat.ordered
    assert column(found, "sex").kind == "category"


def test_what_spss_calls_ordinal_is_ordered() -> None:
    found = spss(variable_measure={"sex": "ordinal"})
    assert found.frame["sex"].cat.ordered
    assert column(found, "sex").kind == "ordered"


def test_a_scale_with_labels_at_its_ends_stays_a_number_and_says_so() -> None:
    found = spss()
    assert found.frame["mood"].tolist() == [1, 3, 7, 5, 7, 2]
    assert "1 = never, 7 = always" in column(found, "mood").note
    asked = spss(Choices(kinds=(("mood", "ordered"),))).frame["mood"]
    assert list(asked.cat.categories) == ["never", "2", "3", "5", "always"]


def test_codes_can_be_had_for_the_file_and_for_one_column() -> None:
    assert spss(asked=ReadOptions(codes=True)).frame["sex"].tolist() == [1, 2, 2, 1, 2, 1]
    found = spss(Choices(kinds=(("sex", "number"),)))
    assert found.frame["sex"].tolist() == [1, 2, 2, 1, 2, 1]
    assert (column(found, "sex").kind, column(found, "sex").guessed) == ("number", "category")
    again = spss(Choices(kinds=(("sex", "category"),)), ReadOptions(codes=True))
    assert list(again.frame["sex"].cat.categories) == ["male", "female"]


@pytest.mark.parametrize("code", ["2", "female"])
def test_a_code_or_its_label_may_stand_for_missing(code: str) -> None:
    found = spss(Choices(missing=(*USUAL_MISSING, code)))
    assert found.frame["sex"].isna().tolist() == [False, True, True, False, True, False]
    assert list(found.frame["sex"].cat.categories) == ["male"]
    assert column(found, "sex").by_code == {code: 3}


def test_values_marked_as_missing_become_missing_and_are_named() -> None:
    result = read("x.sav", files.pupils_sav())
    assert result.frame["income"].isna().tolist() == [False, True, False, True, True, False]
    assert "2 values of “income” marked as missing in the file: 98 = refused, 99." in result.notes


def test_meanings_are_kept() -> None:
    assert read("x.sav", files.pupils_sav()).meanings == {
        "sex": "Sex of the pupil",
        "income": "Income in thousands",
    }


def test_dates_before_and_after_1970_are_dates() -> None:
    for content in (files.pupils_sav(), files.stata()):
        assert read("x", content).frame["born"].tolist() == files.PUPILS["born"].tolist()


def test_times_and_durations_are_seconds() -> None:
    frame = pd.DataFrame({"t": [100_000.0, 5.0, np.nan]})
    result = read("x.sav", files.sav(frame, variable_format={"t": "TIME8"}))
    assert result.frame["t"].tolist()[:2] == [100_000, 5]  # 27 hours do not begin again at 3
    assert "“t” is a time; it was read as a number of seconds." in result.notes


def test_months_of_spss_are_dates() -> None:
    seconds = (dt.datetime(2020, 5, 1) - dt.datetime(1582, 10, 14)).total_seconds()
    result = read("x.sav", files.sav(pd.DataFrame({"m": [seconds]}), variable_format={"m": "MOYR8"}))
    assert result.frame["m"].tolist() == [pd.Timestamp("2020-05-01")]


def test_an_impossible_date_is_said_and_nothing_is_lost() -> None:
    frame = pd.DataFrame({"d": [1e18, 1.0], "y": [1.5, 2.5]})
    result = read("x.sav", files.sav(frame, variable_format={"d": "DATE11"}))
    assert result.frame["y"].tolist() == [1.5, 2.5]
    assert "too far away" in result.warnings[0]


def test_padded_text_is_trimmed_and_empty_text_is_missing() -> None:
    frame = pd.DataFrame({"id": ["ab        ", "c", ""]})
    found = settled(read("x.sav", files.sav(frame)))
    assert found.frame["id"].tolist()[:2] == ["ab", "c"]
    assert found.frame["id"].isna().tolist() == [False, False, True]


def test_letters_that_mark_missing_values_in_stata() -> None:
    frame = pd.DataFrame({"inc": pd.Series([1, 2, "a", "b"], dtype="object"), "k": [1, 2, 3, 4]})
    content = files.stata(
        frame,
        missing_user_values={"inc": ["a", "b"]},
        variable_value_labels={"inc": {"a": "refused", "b": "unknown", 1: "one", 2: "two"}},
    )
    result = read("x.dta", content)
    assert "2 values of “inc” marked as missing in the file: a = refused, b = unknown." in result.notes
    assert settled(result).frame["inc"].tolist()[:2] == ["one", "two"]


def test_months_of_stata_are_counts_and_say_so() -> None:
    content = files.stata(pd.DataFrame({"m": [720]}), variable_format={"m": "%tm"})
    result = read("x.dta", content)
    assert result.frame["m"].tolist() == [720]
    assert "“m” counts months since the beginning of 1960." in result.notes


def test_a_label_that_stands_for_two_codes_keeps_them_apart() -> None:
    labels = Labels.of([(9.0, "other"), (8.0, "other"), (1.0, "bus")])
    assert labels.pairs == ((1.0, "bus"), (8.0, "other (8)"), (9.0, "other (9)"))


def test_hostile_labels_and_names_stay_letters() -> None:
    bad = "<img src=x onerror=alert(1)>"
    content = files.sav(
        pd.DataFrame({"x": [1.0, 2.0]}),
        variable_value_labels={"x": {1: bad, 2: "=1+1"}},
        column_labels={"x": "**b** $y$"},
    )
    result = read("x.sav", content)
    assert settled(result).frame["x"].tolist() == [bad, "=1+1"]
    assert result.meanings == {"x": "**b** $y$"}


def test_many_columns_with_marked_values_make_few_notes() -> None:
    names = [f"v{i}" for i in range(30)]
    frame = pd.DataFrame({name: [1.0, 99.0] for name in names})
    result = read("x.sav", files.sav(frame, missing_ranges={name: [99] for name in names}))
    assert result.notes[-1] == "18 more columns have values that the file marks as missing."
    assert int(result.frame.isna().sum().sum()) == 30


SAMPLE = Path(__file__).parent / "samples" / "sample.sas7bdat.gz"


@pytest.mark.parametrize("name", ["sample.sas7bdat", "misnamed.csv"])
def test_a_table_that_sas_wrote(name: str) -> None:
    """pyreadstat's own sample: numbers, dates before 1600, times, and a missing value in each."""
    result = read(name, gzip.decompress(SAMPLE.read_bytes()), ReadOptions())
    assert result.kind == "sas"
    assert result.frame["mychar"].tolist() == list("abcde")
    assert result.frame["mynum"].tolist() == [1.1, 1.2, -1000.3, -1.4, 1000.3]
    assert result.frame["mydate"].iloc[3] == pd.Timestamp("1583-01-01")
    assert result.frame["mydate"].isna().tolist() == [False] * 4 + [True]
    assert result.frame["mytime"].iloc[0] == 10 * 3600 + 10 * 60 + 10
    assert result.notes == ("“mytime” is a time; it was read as a number of seconds.",)
