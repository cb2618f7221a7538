"""The results as text, and the files that keep them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.app.goals import GROWTH, LATE, Held, Results, Waits
from tests.benchmarks.report import VERDICTS, seconds_text

FOLDER = Path(__file__).parents[1] / "results"
TITLE = 62
ALLOWED = f"goal: median within it, 95th percentile within {LATE:g} times it"


def render(results: Results) -> str:
    """The whole report."""
    lines = [*_waits(results.waits), "", *map(held_line, results.held), "", *_machine(results)]
    return "\n".join(lines) + "\n"


def _waits(waits: list[Waits]) -> Iterator[str]:
    heading = f"{'seconds in Chromium, from input to paint':<{TITLE}}{'times':>6}{'goal':>7}{'median':>9}"
    heading += f"{'95 %':>9}{'server':>9}"
    yield heading
    yield "-" * len(heading)
    yield from map(wait_line, waits)
    yield f"({ALLOWED}; server: median until it had sent everything)"


def wait_line(each: Waits) -> str:
    """One line of the table."""
    goal = "" if each.goal is None else f"{each.goal:g}"
    served = seconds_text(dataclasses.replace(each, seconds=each.served).median) if each.served else ""
    return (
        f"{each.what:<{TITLE}}{len(each.seconds):>6}{goal:>7}{seconds_text(each.median):>9}"
        f"{seconds_text(each.late):>9}{served:>9}  {VERDICTS[each.met]}"
    ).rstrip()


def held_line(each: Held) -> str:
    """One sentence on memory."""
    sizes = ", ".join(
        f"{size / 1e6:,.0f} MB after {count}"
        for count, size in zip(each.changes, each.resident, strict=False)
    )
    verdict = f" (no growth beyond {GROWTH - 1:.0%}: {VERDICTS[each.met]})" if each.resident else ""
    return f"{each.what}: {sizes or 'cannot be read on this system'}{verdict}"


def _machine(results: Results) -> Iterator[str]:
    yield f"date: {results.date}"
    yield from (f"{label}: {value}" for label, value in results.machine.items())


def save(results: Results, text: str, folder: Path = FOLDER) -> Path:
    """Keep the numbers and the text that was printed, named by date; the path of the former.

    The other benchmark's files lie beside them and are found by their date alone.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"app-{results.date}.json"
    path.write_text(json.dumps(dataclasses.asdict(results), indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".txt").write_text(text, encoding="utf-8")
    return path
