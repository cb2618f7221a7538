"""Timings of fits: several processes an engine, in turn, so that a slow minute meets all engines alike."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.benchmarks import engines, lmer, processes
from tests.benchmarks.problems import Problem

State = Literal["measured", "stopped", "failed", "absent", "no notation", "left out"]
WORDS: dict[State, str] = {
    "measured": "",
    "stopped": "",
    "failed": "failed",
    "absent": "absent",
    "no notation": "–",
    "left out": "",
}


@dataclass(frozen=True)
class Measured:
    """What an engine did on a problem.

    seconds      CPU of a fit, the median; where the limit stopped it, the limit, which the fit exceeds
    first        CPU of the first fit of a process, the median over processes
    runs         fits behind `seconds`
    note         last words of an engine that failed
    """

    state: State
    seconds: float | None = None
    first: float | None = None
    llf: float | None = None
    evaluations: int | None = None
    runs: int = 0
    note: str | None = None


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    rounds   processes an engine and problem
    runs     warm fits a process
    enough   CPU seconds in a process after which no further fit begins
    long     CPU seconds of one fit after which no further process begins
    limit    seconds of wall clock after which a process is stopped
    quick    leave out what takes long
    """

    rounds: int = 3
    runs: int = 5
    enough: float = 5.0
    long: float = 60.0
    limit: float = 900.0
    quick: bool = False


FULL = Effort()
QUICK = Effort(rounds=1, runs=3, enough=0.5, limit=10.0, quick=True)

Pair = tuple[str, Problem]


def summarise(outputs: Iterable[processes.Output], limit: float) -> Measured:
    """One verdict from what the processes of one engine and problem reported.

    The first fit of a process is kept apart, unless there were no others: one that takes longer than `enough`
    is not repeated in its process, and what a first call costs is little beside it.
    """
    outputs = list(outputs)
    firsts = [output.lines[0] for output in outputs if output.lines]
    later = [line for output in outputs for line in output.lines[1:]]
    lines = later or firsts
    if not lines:
        if any(output.stopped for output in outputs):
            return Measured("stopped", seconds=limit)
        return Measured("failed", note=next((output.error for output in outputs if output.error), None))
    return Measured(
        "measured",
        seconds=statistics.median(line["seconds"] for line in lines),
        first=statistics.median(line["seconds"] for line in firsts),
        llf=lines[-1]["llf"],
        evaluations=lines[-1]["evaluations"],
        runs=len(lines),
    )


def unable(engine: str, problem: Problem, quick: bool) -> State | None:
    """Why this engine is not asked, if it is not."""
    if engine in engines.PEERS and not engines.present(engine):
        return "absent"
    if not engines.expresses(engine, problem):
        return "no notation"
    if quick and engine in problem.not_quick:
        return "left out"
    return None


def command(engine: str, problem: Problem, effort: Effort, folder: Path) -> list[str]:
    """The measuring process of an engine; R's data are written to `folder` once."""
    if engine != "lme4":
        return processes.worker("fit", engine, problem.key, effort.runs, effort.enough)
    columns = folder / problem.key
    if not columns.exists():
        lmer.write_columns(problem.data(), columns)
    return lmer.command(problem.formula, columns, effort.runs, effort.enough)


def measure(pairs: Iterable[Pair], effort: Effort, folder: Path) -> list[Measured]:
    """Each engine on its problem, in the order of `pairs`, round by round."""
    pairs = list(pairs)
    reasons = [unable(engine, problem, effort.quick) for engine, problem in pairs]
    outputs: list[list[processes.Output]] = [[] for _ in pairs]
    for _ in range(effort.rounds):
        for (engine, problem), reason, mine in zip(pairs, reasons, outputs, strict=True):
            if reason is None and not _settled(mine, effort):
                print(f"{engine}: {problem.key} …", file=sys.stderr, flush=True)
                mine.append(processes.run(command(engine, problem, effort, folder), effort.limit))
    return [
        Measured(reason) if reason else summarise(mine, effort.limit)
        for reason, mine in zip(reasons, outputs, strict=True)
    ]


def _settled(outputs: list[processes.Output], effort: Effort) -> bool:
    """Nothing would be learnt from another process: it failed, was stopped, or took long for one fit."""
    long = any(line["seconds"] > effort.long for output in outputs for line in output.lines)
    return long or any(output.stopped or output.error for output in outputs)


def ratio(theirs: Measured, ours: Measured) -> float | None:
    """How many times our time theirs is; a lower bound where they were stopped."""
    if ours.state != "measured" or theirs.seconds is None or not ours.seconds:
        return None
    return theirs.seconds / ours.seconds


def reached(theirs: Measured, ours: Measured, goal: float | None) -> bool | None:
    """Whether the goal is met; None where there is none, or what was measured cannot tell."""
    found = ratio(theirs, ours)
    if goal is None or found is None:
        return None
    if theirs.state == "stopped" and found < goal:
        return None
    return found >= goal or math.isclose(found, goal)
