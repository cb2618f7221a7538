"""The examples' descriptions, read from one TOML file a data set in `data/`.

To add a data set: put NAME.csv.gz and NAME.toml into `data/`, its name into `NAMES`, its source and
licence into LICENCES.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from mixedcore.datasets.example import Column, Example
from mixedcore.errors import DataError

FOLDER = Path(__file__).parent / "data"

# The order a class would meet them in, which is the order of the gallery.
NAMES = (
    "sleepstudy",
    "classrooms",
    "Exam",
    "Hsb82",
    "Orthodont",
    "Dyestuff",
    "Dyestuff2",
    "Rail",
    "Pastes",
    "Oxide",
    "Machines",
    "Oats",
    "cake",
    "Penicillin",
    "Assay",
    "BodyWeight",
    "Early",
    "egsingle",
    "ScotsSec",
    "Chem97",
    "InstEval",
)

_UNIT_OF_LABELS = {"label": "label", "ordered": "ordered label"}


def find(name: str) -> Example:
    """The description of the data set of that name, upper and lower case alike.

    Raises DataError, with the nearest name, for a name that is not there.
    """
    wanted = str(name).strip().casefold()
    known = {each.casefold(): each for each in NAMES}
    if wanted in known:
        return _read(known[wanted])
    near = get_close_matches(wanted, known, n=1, cutoff=0.5)
    hint = f'Did you mean "{known[near[0]]}"?' if near else f"There are {', '.join(NAMES)}."
    raise DataError(f'There is no example data set "{name}". {hint}')


def every() -> tuple[Example, ...]:
    """All descriptions, in the order of `NAMES`."""
    return tuple(_read(name) for name in NAMES)


@cache
def _read(name: str) -> Example:
    return _example(tomllib.loads((FOLDER / f"{name.lower()}.toml").read_text(encoding="utf-8")))


def _example(entry: Mapping[str, Any]) -> Example:
    model = entry["model"]
    return Example(
        name=entry["name"],
        title=entry["title"],
        story=_one_line(entry["story"]),
        source=_one_line(entry["source"]),
        licence=entry["licence"],
        rows=entry["rows"],
        columns=tuple(map(_column, entry["columns"])),
        formula=model["formula"],
        groups=model["groups"],
        re_formula=model.get("re_formula"),
        components=tuple(model.get("vc_formula", {}).items()),
        tags=tuple(entry["tags"]),
        truth=tuple(entry.get("truth", {}).items()),
    )


def _column(entry: Mapping[str, Any]) -> Column:
    kind = entry.get("kind", "number")
    return Column(
        name=entry["name"],
        role=entry["role"],
        kind=kind,
        unit=entry.get("unit") or _UNIT_OF_LABELS[kind],
        meaning=entry["meaning"],
        levels=tuple(entry.get("levels", ())),
    )


def _one_line(text: str) -> str:
    """The text without the line breaks that only serve the TOML file."""
    return " ".join(text.split())
