"""The harness reads what a process reports, stops it, and counts right. No time is judged here."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mixedcore import datasets, mixedlm
from tests.benchmarks import engines, growth, huge, lmer, measure, memory, processes
from tests.benchmarks.measure import Effort, Measured, ratio, reached, summarise
from tests.benchmarks.problems import PROBLEMS, Problem, slopes
from tests.benchmarks.processes import Output
from tests.benchmarks.worker import find

PATIENCE = 120.0  # seconds within which a process of these tests ends, on any machine
BY_KEY = {problem.key: problem for problem in PROBLEMS}


def script(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def line(seconds: float, llf: float = -1.0) -> processes.Line:
    return {"seconds": seconds, "llf": llf, "evaluations": 7}


def test_results_are_read_among_whatever_else_is_printed() -> None:
    command = script("print('Hello'); print('ready'); print('{\"seconds\": 0.5}'); print('Bye')")
    assert processes.run(command, PATIENCE) == Output(({"seconds": 0.5},))


def test_a_process_at_the_limit_is_stopped_and_keeps_what_it_reported() -> None:
    text = "import time; print('ready'); print('{\"seconds\": 2.0}', flush=True); time.sleep(3600)"
    assert processes.run(script(text), limit=0.5) == Output(({"seconds": 2.0},), stopped=True)


def test_a_process_that_fails_is_quoted() -> None:
    output = processes.run(script("raise MemoryError('no room')"), PATIENCE)
    assert output == Output((), error="MemoryError: no room")


def test_a_process_that_ends_without_a_word_is_told() -> None:
    assert processes.run(script("raise SystemExit(3)"), PATIENCE).error == "exit status 3"


def test_the_first_fit_of_a_process_stands_apart_from_the_median() -> None:
    found = summarise(
        [Output((line(9.0), line(1.0), line(2.0))), Output((line(8.0), line(4.0), line(3.0, -2.0)))], 60
    )
    assert found == Measured("measured", seconds=2.5, first=8.5, llf=-2.0, evaluations=7, runs=4)


def test_fits_that_are_not_repeated_count_themselves() -> None:
    found = summarise([Output((line(50.0),)), Output((line(52.0),), stopped=True)], 60)
    assert (found.state, found.seconds, found.runs) == ("measured", 51.0, 2)


def test_a_peer_that_finished_nothing_was_stopped_or_failed() -> None:
    assert summarise([Output((), stopped=True)], 60) == Measured("stopped", seconds=60)
    assert summarise([Output((), error="Killed")], 60) == Measured("failed", note="Killed")


def test_ratios_and_goals() -> None:
    ours, theirs = Measured("measured", seconds=0.5), Measured("measured", seconds=1.5)
    assert ratio(theirs, ours) == 3.0
    assert [reached(theirs, ours, goal) for goal in (2, 3, 4, None)] == [True, True, False, None]


def test_a_bound_meets_a_goal_but_never_misses_one() -> None:
    ours, stopped = Measured("measured", seconds=0.5), Measured("stopped", seconds=60.0)
    assert ratio(stopped, ours) == 120.0
    assert [reached(stopped, ours, goal) for goal in (100, 120, 121)] == [True, True, None]


@pytest.mark.parametrize("state", ["failed", "absent", "no notation", "left out"])
def test_without_a_time_there_is_no_ratio(state: measure.State) -> None:
    assert ratio(Measured(state), Measured("measured", seconds=0.5)) is None
    assert reached(Measured(state), Measured("measured", seconds=0.5), 3) is None
    assert ratio(Measured("measured", seconds=0.5), Measured(state)) is None


def test_who_is_not_asked_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "present", lambda engine: engine != "mixedlm")
    million, twenty = BY_KEY["million"], BY_KEY["vector_terms"]
    assert measure.unable("mixedlm", million, quick=False) == "absent"
    assert measure.unable("statsmodels", twenty, quick=False) == "no notation"
    assert measure.unable("lme4", million, quick=True) == "left out"
    assert measure.unable("lme4", million, quick=False) is None
    assert measure.unable("mixedcore", million, quick=True) is None


def test_engines_take_turns_and_one_that_was_stopped_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def run(command: list[str], limit: float) -> Output:
        asked.append(command[4])
        return Output((), stopped=True) if command[4] == "statsmodels" else Output((line(1.0), line(0.5)))

    monkeypatch.setattr(engines, "present", lambda engine: True)
    monkeypatch.setattr(processes, "run", run)
    pairs = [("mixedcore", BY_KEY["nested"]), ("statsmodels", BY_KEY["nested"])]
    ours, theirs = measure.measure(pairs, Effort(rounds=3, limit=60), tmp_path)
    assert asked == ["mixedcore", "statsmodels", "mixedcore", "mixedcore"]
    assert (ours.seconds, ours.runs, theirs) == (0.5, 3, Measured("stopped", seconds=60))


def test_a_fit_in_a_process_of_its_own(tmp_path: Path) -> None:
    effort = Effort(rounds=1, runs=2, limit=PATIENCE)
    (found,) = measure.measure([("mixedcore", BY_KEY["sleepstudy"])], effort, tmp_path)
    here = mixedlm(BY_KEY["sleepstudy"].formula, datasets.load("sleepstudy")).fit()
    assert (found.state, found.runs) == ("measured", 2)
    assert found.llf == pytest.approx(here.llf, rel=1e-12)
    assert found.evaluations == here.optimisation.evaluations


def test_r_reads_the_same_numbers_and_labels(tmp_path: Path) -> None:
    data = pd.DataFrame(
        {"y": [0.1, -3e300], "n": [7, -8], "g": pd.Categorical(["ü b", "a"], ["ü b", "z", "a"])}
    )
    folder = tmp_path / "columns"
    lmer.write_columns(data, folder)
    assert (folder / "columns").read_text() == "y double 2\nn integer 2\ng factor 2\n"
    assert np.fromfile(folder / "y.bin", np.float64).tolist() == [0.1, -3e300]
    assert np.fromfile(folder / "n.bin", np.int32).tolist() == [7, -8]
    assert np.fromfile(folder / "g.bin", np.int32).tolist() == [1, 3]
    assert (folder / "g.levels").read_text(encoding="utf-8").splitlines() == ["ü b", "z", "a"]


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_the_exponent_is_that_of_the_power_law(power: float) -> None:
    sizes = [1_000, 2_000, 4_000, 8_000]
    assert growth.exponent(sizes, [3e-4 * size**power for size in sizes]) == pytest.approx(power)


def test_growth_leaves_out_what_was_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seconds = (1.0, 2.0, 4.0, None)

    def canned(pairs: list[measure.Pair], effort: Effort, folder: Path) -> list[Measured]:
        return [Measured("measured", seconds=s) if s else Measured("stopped", seconds=60) for s in seconds]

    monkeypatch.setattr(growth, "measure", canned)
    terms = growth.SERIES[-1]
    found = growth.measure_growth(terms, Effort(), tmp_path)
    assert (found.sizes, found.seconds) == ((1, 2, 4, 8), seconds)
    assert found.exponent == pytest.approx(1.0)


def test_every_problem_is_found_by_its_key() -> None:
    keys = [problem.key for problem in PROBLEMS]
    keys += [problem.key for series in growth.SERIES for problem in series.problems]
    assert len(keys) == len(set(keys))
    assert [find(key).key for key in keys] == keys


@pytest.mark.parametrize("key", ["sleepstudy", "hsb82", "chem97", "nested"])
def test_both_notations_say_the_same_model(key: str) -> None:
    problem: Problem = BY_KEY[key]
    data = problem.data()
    assert problem.seed is not None
    in_bars, as_seed = mixedlm(problem.formula, data).fit(), mixedlm(data=data, **problem.seed).fit()
    assert as_seed.llf == pytest.approx(in_bars.llf, abs=1e-6)


def test_there_are_twenty_parameters() -> None:
    problem = BY_KEY["vector_terms"]
    data = problem.data()
    assert len(data) == 1_792
    assert mixedlm(problem.formula, data).fit().optimisation.theta.size == 20


def test_peak_memory_of_a_fit_in_a_fresh_process(tmp_path: Path) -> None:
    rows = 100_000
    found = memory.measure_memory(rows, tmp_path, PATIENCE)
    here = mixedlm(memory.FORMULA, slopes(memory.GROUPS, rows // memory.GROUPS)).fit()
    assert found.llf == pytest.approx(here.llf, rel=1e-12)
    assert found.design == 8 * 6 * rows
    if sys.platform != "win32":  # which counts nothing that Python can read
        assert found.multiple is not None
        assert found.multiple > 0


def test_a_multiple_counts_what_is_above_the_frame() -> None:
    assert memory.Memory(10, before=1_000, peak=2_440, design=480).multiple == 3.0
    assert memory.Memory(10, before=None, peak=None, design=480).multiple is None


def test_huge_data_come_in_files_that_each_hold_a_part_of_the_same_groups(tmp_path: Path) -> None:
    huge.write(tmp_path / "huge", rows=2_500, groups=5, chunk=1_000)
    parts = [pd.read_parquet(file) for file in sorted((tmp_path / "huge").iterdir())]
    assert [part.shape for part in parts] == [(1_000, 3), (1_000, 3), (500, 3)]
    assert [sorted(part["g"].unique()) for part in parts] == [[0, 1, 2, 3, 4]] * 3
    result = mixedlm(huge.FORMULA, pd.concat(parts, ignore_index=True)).fit()
    assert result.converged
    assert result.scale == pytest.approx(1.0, abs=4 * (2 / 2_500) ** 0.5)  # four standard errors of the truth
