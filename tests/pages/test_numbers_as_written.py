"""Numbers as people write them in tables: money, shares, the minus of print, digits in groups."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from pages.ui.data import columns, parsing
from pages.ui.data.parsing import Marks
from pages.ui.data.readers import sniffing
from pages.ui.data.readers.base import ReadOptions
from pages.ui.data.readers.text import read
from pages.ui.data.sources import Choices


def numbers(*written: str, marks: Marks | None = None) -> list[float] | None:
    frame = pd.DataFrame({"x": written}, dtype="str")
    settled = columns.settle(frame, Choices(), marks)
    return settled.frame["x"].tolist() if settled.columns[0].kind == "number" else None


@pytest.mark.parametrize(
    "written, values",
    [
        (("95%", "7.5 %", "-2%"), [95, 7.5, -2]),
        (("$5", "$ 7.25", "-$3"), [5, 7.25, -3]),
        (("5 €", "7 €"), [5, 7]),
        (("\u22125.5", "3"), [-5.5, 3]),
    ],
)
def test_signs_beside_numbers_are_left_out(written: tuple[str, ...], values: list[float]) -> None:
    assert numbers(*written) == values


@pytest.mark.parametrize(
    "written", [("1A", "2A"), ("5 kg", "6 kg"), ("%", "5%"), ("a%", "b%"), ("$x$", "$y$")]
)
def test_other_signs_stay_what_they_are(written: tuple[str, ...]) -> None:
    assert numbers(*written) is None


def test_the_sign_that_was_left_out_is_said() -> None:
    settled = columns.settle(pd.DataFrame({"x": ["95%", "7%"]}, dtype="str"), Choices())
    assert settled.notes == ("“x”: The % beside the numbers was left out.",)


@pytest.mark.parametrize(
    "cells, decimal, mark",
    [
        (["1,234.5", "2.5"], ".", ","),
        (["1,234,567"], ".", ","),
        (["17,503", "8.01"], ".", ","),
        (["$1,502.25"], ".", ","),
        (["1'000", "20"], ".", "'"),
        (["1.234,5", "2,5"], ",", "."),
        (["1.000", "2,5"], ",", "."),
        (["1,234", "2,345"], ".", ""),
        (["1,5", "1,234"], ".", ""),
        (["1.234", "2.345"], ".", ""),
        (["0,500", "1.5"], ".", ""),
        (["12", "13"], ".", ""),
    ],
)
def test_digits_in_groups_are_found_only_beyond_doubt(cells: list[str], decimal: str, mark: str) -> None:
    assert sniffing.thousands([cells], decimal) == mark


def test_a_table_with_thousands_is_read_and_a_doubtful_one_is_asked_about() -> None:
    found = read(b'g,income,x\na,"17,503",1.5\nb,"8,210",2.5\n')
    assert found.options.thousands == ","
    assert not found.warnings
    assert "groups the digits" in found.notes[0]
    doubtful = read(b'g,income\na,"17,503"\nb,"8,210"\n')
    assert doubtful.options.thousands == ""
    assert "Nothing was guessed" in doubtful.warnings[0]
    asked = read(b'g,income\na,"17,503"\n', ReadOptions(thousands=","))
    assert asked.options.thousands == ","
    assert not asked.notes


def test_values_without_such_signs_are_the_same_array() -> None:
    values = pa.array(["1", "x", None])
    assert parsing.undressed(values) is values
