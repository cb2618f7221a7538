"""The pure parts of the app's benchmark: statistics, verdicts, the table, the files that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import store
from tests.benchmarks.app import table
from tests.benchmarks.app.goals import Held, Results, Waits, gray, percentile
from tests.benchmarks.app.journeys import make_new, resident, write_million

MACHINE = {"processor": "Abacus, 2 cores", "streamlit": "1.67.0"}
FAST = Waits("a click", 0.4, (0.3,) * 19 + (0.7,), (0.2,) * 20)
SLOW = Waits("a page", 0.4, (0.5,) * 20)
KEPT = Held("server memory", (10, 30, 50), (400_000_000, 410_000_000, 415_000_000))
GROWING = Held("server memory", (10, 50), (400_000_000, 900_000_000))


@pytest.mark.parametrize("bits", [1, 2, 3, 5])
def test_switches_visit_every_setting_once(bits: int) -> None:
    setting, seen = 0, {0}
    for switch in gray(bits):
        setting ^= 1 << switch
        assert setting not in seen
        seen.add(setting)
    assert len(seen) == 2**bits


def test_the_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.95) == 3.0
    assert percentile(range(1, 21), 0.95) == 19
    assert percentile([1.0], 0.95) == 1.0


def test_a_goal_is_met_by_median_and_late_values_together() -> None:
    assert FAST.met is True
    assert Waits("late", 0.4, (0.3,) * 10 + (0.9,) * 3).met is False
    assert SLOW.met is False
    assert Waits("no goal", None, (9.0,)).met is None


def test_memory_is_judged_by_its_growth() -> None:
    assert KEPT.met is True
    assert GROWING.met is False
    assert Held("unread", (), ()).met is None


def test_the_table_says_what_was_met_and_where() -> None:
    text = table.render(Results("2026-02-03", MACHINE, [FAST, SLOW], [KEPT, Held("unread", (), ())]))
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert lines["a click"].endswith(" met")
    assert "0.300" in lines["a click"]
    assert "0.200" in lines["a click"]
    assert lines["a page"].endswith(" missed")
    assert "400 MB after 10, 410 MB after 30, 415 MB after 50 (no growth beyond 5%: met)" in text
    assert "unread: cannot be read on this system" in text
    assert "processor: Abacus, 2 cores" in text


def test_kept_results_do_not_pass_for_those_of_the_core(tmp_path: Path) -> None:
    path = table.save(Results("2026-02-03", MACHINE, [FAST], [KEPT]), "as printed\n", tmp_path)
    assert json.loads(path.read_text())["waits"][0]["seconds"][-1] == 0.7
    assert path.with_suffix(".txt").read_text() == "as printed\n"
    with pytest.raises(SystemExit, match="No results are kept"):
        store.newest(tmp_path)


def test_a_large_file_has_six_columns_and_becomes_another(tmp_path: Path) -> None:
    path = write_million(tmp_path / "rows.csv", rows=50)
    before = path.read_bytes()
    assert before.count(b"\n") == 51
    assert before.splitlines()[0].count(b",") == 5
    make_new(path, 3)
    after = path.read_bytes()
    assert len(after) == len(before)
    assert after.endswith(b"3\n")
    assert after != before


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert resident(2**22 + 1) is None
