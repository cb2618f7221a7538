"""The report and the picture show what was measured: from small results with known ratios."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.benchmarks import picture, report, store
from tests.benchmarks.engines import PEERS
from tests.benchmarks.first_use import FirstUse
from tests.benchmarks.growth import Growth
from tests.benchmarks.huge import Huge
from tests.benchmarks.measure import Measured
from tests.benchmarks.memory import Memory
from tests.benchmarks.problems import PROBLEMS
from tests.benchmarks.store import Results

SVG = "{http://www.w3.org/2000/svg}"
TITLES = {problem.key: problem.title for problem in PROBLEMS}


def timed(seconds: float, llf: float = -871.814136, evaluations: int | None = 5) -> Measured:
    return Measured("measured", seconds, 2 * seconds, llf, evaluations, runs=15)


ABSENT = Measured("absent")
SMALL = Results(
    date="2026-02-03",
    machine={"processor": "Abacus, 2 cores", "numpy": "2.4.6", "lme4": "1.1.31"},
    fits={
        "sleepstudy": {
            "mixedcore": timed(0.005),
            "lme4": timed(0.02, llf=-871.814136 - 1e-8, evaluations=43),
            "mixedlm": timed(0.004, evaluations=18),
            "statsmodels": timed(0.04, llf=-872.124136, evaluations=None),
        },
        "million": {
            "mixedcore": timed(0.25, llf=-1424981.78734),
            "lme4": timed(20.0, llf=-1424981.78),
            "mixedlm": ABSENT,
            "statsmodels": Measured("stopped", seconds=900.0),
        },
        "vector_terms": {
            "mixedcore": timed(0.15),
            "lme4": Measured("left out"),
            "mixedlm": Measured("failed", note="MemoryError: no room"),
            "statsmodels": Measured("no notation"),
        },
    },
    gram=timed(0.05),
    growth=[
        Growth("rows", (1_000, 2_000), (0.1, 0.22), 1.14, 1.05),
        Growth("terms", (1, 2), (0.1, None), None),
    ],
    memory=[
        Memory(1_000_000, 100_000_000, 196_000_000, 48_000_000),
        Memory(10_000_000, None, None, 480_000_000),
    ],
    first_use=FirstUse(dependencies=0.25, beyond=0.9),
    huge=Huge(100_000_000, 100_000, wall=50.0, cpu=80.4, peak=1_500_000_000, llf=-1.5e8),
)
TEXT = report.render(SMALL)


def row(title: str, place: int = 0) -> str:
    return [line for line in TEXT.splitlines() if line.startswith(title)][place]


def cells(title: str, place: int = 0) -> list[list[str]]:
    return [cell.split() for cell in row(title, place).removeprefix(title).split("|")]


def test_times_ratios_and_goals_stand_in_a_row() -> None:
    assert cells(TITLES["sleepstudy"]) == [
        ["0.0050"],
        ["0.0200", "4.00", "≥", "3", "met"],
        ["0.0040", "0.80", "≥", "1", "missed"],
        ["0.0400", "8.00"],
    ]


def test_who_was_stopped_or_is_absent_is_told() -> None:
    assert cells(TITLES["million"]) == [
        ["0.250"],
        ["20.0", "80", "≥", "100", "missed"],
        ["absent", "≥", "2.5"],
        [">", "900", ">", "3600", "≥", "100", "met"],
    ]
    assert cells(TITLES["vector_terms"]) == [["0.150"], ["≥", "20"], ["failed", "≥", "30"], ["–"]]
    assert "mixedlm failed on vector_terms: MemoryError: no room" in TEXT


def test_log_likelihoods_stand_side_by_side_and_differences_are_flagged() -> None:
    assert cells(TITLES["sleepstudy"], 1) == [
        ["-871.814136", "5"],
        ["-871.814136", "43", "same"],
        ["-871.814136", "18", "same"],
        ["-872.124136", "short", "by", "0.31"],
    ]
    assert cells(TITLES["million"], 1)[1] == ["-1424981.780000", "5", "ABOVE", "by", "0.00734"]


@pytest.mark.parametrize(
    "words",
    [
        "2026-02-03, one BLAS thread",
        "1,000,000 rows fit in 5.0 times the 0.0500 s CPU",
        "Gram matrix once (≤ 6 met)",
        "1.14  ≤ 1.05 missed",
        "1,000: 0.100  2,000: 0.220",
        "1: 0.100  2: –",
        "1,000,000 rows:     96 MB, 2.00 times the 48 MB of its design (< 3 met)",
        "10,000,000 rows: not measured",
        "100,000,000 rows × 3 columns × 100,000 groups in 50 s (80 s CPU), 2.00 million rows a second",
        "with a peak of 1.50 GB for the whole process (< 2 met)",
        "takes 0.90 s CPU beyond the 0.25 s of its bare dependencies (< 0.8 missed)",
        "takes 0.0100 s CPU, a later one 0.0050 s",
    ],
)
def test_the_other_sections(words: str) -> None:
    assert words in TEXT


def test_a_run_without_peers_is_reported() -> None:
    alone = {"mixedcore": timed(0.005)} | dict.fromkeys(PEERS, ABSENT)
    results = Results("2026-02-03", {}, {"sleepstudy": alone})
    assert report.render(results).count("absent") == len(PEERS)
    assert ElementTree.fromstring(picture.draw(results)).tag == f"{SVG}svg"


def test_a_huge_fit_that_did_not_end_is_told() -> None:
    stopped = dataclasses.replace(SMALL, huge=Huge(100, 10, note="stopped after 60 s"))
    assert "100 rows × 3 columns × 10 groups: not fitted (stopped after 60 s)" in report.render(stopped)


def test_what_is_kept_is_read_again_and_the_newest_is_found(tmp_path: Path) -> None:
    later = dataclasses.replace(SMALL, date="2026-11-01", gram=None, first_use=None, huge=None)
    for results in (later, SMALL):
        store.save(results, report.render(results), tmp_path)
    assert store.from_json((tmp_path / "2026-02-03.json").read_text(encoding="utf-8")) == SMALL
    assert (tmp_path / "2026-02-03.txt").read_text(encoding="utf-8") == TEXT
    assert store.newest(tmp_path) == later


def test_nothing_kept_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="--save"):
        store.newest(tmp_path)


DRAWN = ElementTree.fromstring(picture.draw(SMALL))


def marks(engine: str) -> list[float]:
    """Where an engine's marks stand on the axis, its mark of the legend left out."""
    drawn = [each for each in DRAWN.iter() if each.get("class") == engine]
    places = [float(each.get("cx") or str(each.get("points")).split(",")[0]) for each in drawn]
    return places[1:]


def test_the_picture_has_a_mark_for_every_time() -> None:
    assert {engine: len(marks(engine)) for engine in picture.ENGINES} == {
        "mixedcore": 3,
        "lme4": 2,
        "mixedlm": 1,
        "statsmodels": 2,
    }


def test_the_picture_has_a_logarithmic_axis() -> None:
    small, large, between = marks("mixedcore")
    expected = math.log(0.15 / 0.005) / math.log(0.25 / 0.005)
    assert (between - small) / (large - small) == pytest.approx(expected, abs=0.001)


def test_the_picture_says_the_ratios() -> None:
    words = [each.text for each in DRAWN.iter(f"{SVG}text")]
    assert {"4.0×", "0.80×", "8.0×", "80×", "> 3,600×"} <= set(words)
    assert all(TITLES[key] in words for key in SMALL.fits)


@pytest.mark.parametrize(
    "found, words",
    [(0.667, "0.67"), (1.96, "2.0"), (9.96, "10"), (36.4, "36"), (184.2, "180"), (1234.0, "1,200")],
)
def test_ratios_are_rounded_as_a_reader_compares_them(found: float, words: str) -> None:
    assert picture.rounded(found) == words
