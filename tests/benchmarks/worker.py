"""What runs inside a measuring process.

python -m tests.benchmarks.worker fit ENGINE PROBLEM RUNS ENOUGH
python -m tests.benchmarks.worker memory FOLDER
python -m tests.benchmarks.worker huge FOLDER
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

from tests.benchmarks import huge, memory, processes
from tests.benchmarks.engines import PYTHON
from tests.benchmarks.growth import SERIES
from tests.benchmarks.problems import PROBLEMS, Problem


def find(key: str) -> Problem:
    """The problem with this key, of the table or of a growth series."""
    everything = [*PROBLEMS, *(problem for series in SERIES for problem in series.problems)]
    return next(problem for problem in everything if problem.key == key)


def fit(engine: str, key: str, runs: int, enough: float) -> None:
    """Report the first fit, then up to `runs` more while all have taken less than `enough` seconds."""
    problem = find(key)
    data = problem.data()
    processes.ready()
    spent = 0.0
    for _ in range(1 + runs):
        start = time.process_time()
        found = PYTHON[engine](problem, data)
        seconds = time.process_time() - start
        processes.report({"seconds": seconds, "llf": found.llf, "evaluations": found.evaluations})
        spent += seconds
        if spent >= enough:
            break


def main(what: str, *arguments: str) -> None:
    """Do one measurement."""
    warnings.simplefilter("ignore")  # a peer's complaints are not what is measured
    if what == "fit":
        engine, key, runs, enough = arguments
        fit(engine, key, int(runs), float(enough))
    elif what == "memory":
        memory.fit_in_memory(Path(arguments[0]))
    elif what == "huge":
        huge.fit_folder(Path(arguments[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
