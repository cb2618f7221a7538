"""The results of a run as one value, and the files that keep it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.first_use import FirstUse
from tests.benchmarks.growth import Growth
from tests.benchmarks.huge import Huge
from tests.benchmarks.measure import Measured
from tests.benchmarks.memory import Memory

FOLDER = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Results:
    """Everything that a run measured.

    date       ISO date
    machine    label → version or name
    fits       problem → engine → what it did
    gram       the limit: columns read and their Gram matrix formed
    """

    date: str
    machine: dict[str, str]
    fits: dict[str, dict[str, Measured]]
    gram: Measured | None = None
    growth: list[Growth] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    first_use: FirstUse | None = None
    huge: Huge | None = None


def to_json(results: Results) -> str:
    """Readable text, from which `from_json` makes the same value."""
    return json.dumps(dataclasses.asdict(results), indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Results:
    """The value that `to_json` wrote."""
    kept: dict[str, Any] = json.loads(text)
    fits = {
        problem: {engine: Measured(**each) for engine, each in engines.items()}
        for problem, engines in kept["fits"].items()
    }
    return Results(
        date=kept["date"],
        machine=kept["machine"],
        fits=fits,
        gram=Measured(**kept["gram"]) if kept["gram"] else None,
        growth=[
            Growth(**each | {"sizes": tuple(each["sizes"]), "seconds": tuple(each["seconds"])})
            for each in kept["growth"]
        ],
        memory=[Memory(**each) for each in kept["memory"]],
        first_use=FirstUse(**kept["first_use"]) if kept["first_use"] else None,
        huge=Huge(**kept["huge"]) if kept.get("huge") else None,
    )


def save(results: Results, text: str, folder: Path = FOLDER) -> Path:
    """Keep the results and the text that was printed, named by date; the path of the former."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{results.date}.json"
    path.write_text(to_json(results), encoding="utf-8")
    path.with_suffix(".txt").write_text(text, encoding="utf-8")
    return path


def newest(folder: Path = FOLDER) -> Results:
    """The results of the latest date that is kept."""
    kept = sorted(folder.glob("[0-9]*.json"))
    if not kept:
        raise SystemExit("No results are kept yet: run `python -m tests.benchmarks --save` first.")
    return from_json(kept[-1].read_text(encoding="utf-8"))
