"""Whole fits, from a DataFrame and formulas to standard errors: this core and every peer that is installed.

    python -m tests.benchmarks [--quick] [--limit SECONDS] [--huge] [--save]

Times are CPU seconds of one process with one BLAS thread, the median of several runs after a first one;
engines take turns. A peer that has not finished a fit within the limit is stopped and shown as '> limit'.
The peers are lme4 (by Rscript), PyPI's mixedlm and statsmodels, each 'absent' where it is not installed.
`--huge` adds a fit of 100,000,000 rows from Parquet files, which need 2.4 GB in the temporary folder.
What runs is told on standard error; the report is printed at the end. `--save` keeps it and its numbers in
tests/benchmarks/results, from which `python -m tests.benchmarks.picture` draws.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import tempfile
from pathlib import Path

from tests.benchmarks import first_use, huge, machine, memory, report, store
from tests.benchmarks.engines import OURS, PEERS
from tests.benchmarks.growth import SERIES, measure_growth
from tests.benchmarks.measure import FULL, QUICK, Effort, Measured, measure
from tests.benchmarks.problems import PROBLEMS, Problem
from tests.benchmarks.store import Results

GRAM_ON = "million"


def measure_fits(problem: Problem, effort: Effort, folder: Path) -> dict[str, Measured]:
    """Every engine on a problem, and on the largest the limit."""
    engines = [OURS, *PEERS, *(["gram"] if problem.key == GRAM_ON else [])]
    found = measure([(engine, problem) for engine in engines], effort, folder)
    return dict(zip(engines, found, strict=True))


def measure_all(effort: Effort, folder: Path, with_huge: bool) -> Results:
    """The whole run."""
    machine_before = machine.describe()
    fits = {problem.key: measure_fits(problem, effort, folder) for problem in PROBLEMS}
    sizes = memory.SIZES[:1] if effort.quick else memory.SIZES
    return Results(
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        machine=machine_before,
        gram=fits[GRAM_ON].pop("gram"),
        fits=fits,
        growth=[measure_growth(series, effort, folder) for series in SERIES],
        memory=[memory.measure_memory(rows, folder, effort.limit) for rows in sizes],
        first_use=first_use.measure_import(2 if effort.quick else 9, effort.limit),
        huge=huge.measure_huge(folder) if with_huge else None,
    )


def options() -> argparse.Namespace:
    """What was asked for."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute: leave out what takes long")
    parser.add_argument("--limit", type=float, help="seconds after which a peer is stopped")
    parser.add_argument("--huge", action="store_true", help="fit 100,000,000 rows from Parquet files too")
    parser.add_argument("--save", action="store_true", help="keep the results, named by date")
    chosen = parser.parse_args()
    if chosen.save and chosen.quick:
        parser.error("only a full run is kept: leave out --quick or --save")
    return chosen


def main() -> None:
    """Measure, print, and keep what was printed where that is asked for."""
    chosen = options()
    effort = QUICK if chosen.quick else FULL
    if chosen.limit is not None:
        effort = dataclasses.replace(effort, limit=chosen.limit)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        results = measure_all(effort, Path(folder), chosen.huge)
    text = report.render(results)
    print(text, end="")
    if chosen.save:
        store.save(results, text)


if __name__ == "__main__":
    main()
