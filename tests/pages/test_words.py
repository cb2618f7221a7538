"""Verdicts and readings say what the fit says, and no name in them is markup."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from mixedcore.diagnostics.findings import Finding
from pages.ui.results import words
from tests.pages import fits

FOUND = Finding("k", "warning", "A title :red[x]", "Evidence.", "Meaning", "Remedy *now*")


@pytest.mark.parametrize(
    ("converged", "singular", "findings", "kind", "said"),
    [
        (True, False, (), "success", "converged"),
        (True, True, (), "warning", "singular"),
        (False, False, (), "error", "did not converge"),
        (False, True, (), "error", "did not converge"),
        (True, False, (FOUND,), "warning", "Look at one thing"),
        (True, False, (FOUND, FOUND), "warning", "Look at 2 things"),
    ],
)
def test_the_verdict(converged: bool, singular: bool, findings: tuple, kind: str, said: str) -> None:
    verdict = words.verdict(converged=converged, singular=singular, findings=findings)
    assert verdict.kind == kind
    assert said in verdict.words


def test_information_alone_leaves_the_verdict_good() -> None:
    info = Finding("k", "info", "t", "e", "m", "r")
    assert words.verdict(converged=True, singular=False, findings=(info,)).kind == "success"


def test_a_finding_is_one_escaped_line_of_sentences() -> None:
    line = words.finding(FOUND)
    assert "\n" not in line
    assert ":red[" not in line
    assert line.count(". ") + line.count(".** ") + line.count("\\. ") >= 2
    assert "*What to try:* Remedy \\*now\\*." in line


def test_the_singular_example_names_what_does_not_vary() -> None:
    found = fits.fitted("Dyestuff2").diagnose()
    assert any("Batch" in words.finding(each) for each in found)


def test_icc_readings_one_a_level() -> None:
    said = words.icc_readings(fits.fitted("classrooms").icc(), "test_score")
    assert len(said) == 2
    assert "school" in said[0]
    assert "classroom" in said[1]


@pytest.mark.parametrize(
    ("value", "said"), [(0.394, "**39%**"), (0.0, "Practically none"), (np.nan, "could not")]
)
def test_icc_reading_at_the_edges(value: float, said: str) -> None:
    assert said in words.icc_readings(pd.DataFrame({"group": ["g"], "icc": [value]}), "y")[0]


@pytest.mark.parametrize("name", fits.NAMES)
def test_icc_readings_escape_names(name: str) -> None:
    said = words.icc_readings(pd.DataFrame({"group": [name], "icc": [0.5]}), name)[0]
    marks = said.replace("**", "")
    assert not re.search(r"(?<!\\)[<$`\[=&]|(?<!\\):(?!\s)", marks)


def test_notes_are_a_list() -> None:
    assert words.notes(["3 rows were dropped.", "a_b"]) == "- 3 rows were dropped\\.\n- a\\_b"
    assert words.notes([]) == ""
