"""What a project file holds of a session, as values; to JSON and, checked part by part, back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import pandas as pd

from mixedcore.errors import MixedCoreError
from mixedcore.formula import check_formula
from pages.ui.data import columns, examples
from pages.ui.data.dataset import Dataset, digest_of
from pages.ui.data.exclusions import Exclusion
from pages.ui.data.making import Made
from pages.ui.data.readers import apart
from pages.ui.data.readers.base import ReadError, ReadOptions
from pages.ui.data.recipe import steps as recipe
from pages.ui.data.recipe.step import Step, StepError
from pages.ui.data.sources import Choices, Opened, Source
from pages.ui.model.kept import Kept
from pages.ui.model.modelcall import ModelCall
from pages.ui.project import frames
from pages.ui.project.problem import ProjectError, damaged, listing, mapping, text, texts
from pages.ui.report.choices import ReportChoices

MOST_KEPT = 100
MOST_EXCLUSIONS = 1_000_000
_PARTS = ("source", "choices", "steps", "exclusions", "call", "kept", "tables", "group", "grouping", "report")
_MADE = ("choices", "steps", "exclusions", "complete", "dropped")
_SOURCE = ("name", "origin", "notes", "warnings", "options", "asked", "table", "original")
Files = dict[str, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Everything that a person decided or made, with the data it is about.

    The data in use follow from `source`, `choices`, `steps` and `exclusions`; a kept model has its own.
    `grouping` is the factor that the highlighted `group` belongs to.
    """

    source: Source
    choices: Choices = field(default_factory=Choices)
    steps: tuple[Step, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    call: ModelCall | None = None
    kept: tuple[Kept, ...] = ()
    group: str | None = None
    grouping: str = ""
    report: ReportChoices = field(default_factory=ReportChoices)


def write(session: Session) -> tuple[dict[str, Any], Files]:
    """JSON content, and the files that it refers to."""
    files: Files = {}
    tables = {each.data.digest: each.data for each in session.kept}
    content = {
        "source": _source_content(session.source, files),
        **_decided(session.choices, session.steps, session.exclusions),
        "call": asdict(session.call) if session.call else None,
        "kept": [
            {
                "name": each.name,
                "call": asdict(each.call),
                "table": list(tables).index(each.data.digest),
                "made": _made_content(each.made),
            }
            for each in session.kept
        ],
        "tables": [_table_content(place, data, files) for place, data in enumerate(tables.values())],
        "group": session.group,
        "grouping": session.grouping,
        "report": asdict(session.report),
    }
    return content, files


def _decided(choices: Choices, steps: Sequence[Step], exclusions: Sequence[Exclusion]) -> dict[str, Any]:
    return {
        "choices": {"missing": list(choices.missing), "kinds": [*map(list, choices.kinds)]},
        "steps": recipe.to_json(steps),
        "exclusions": [{"row": _label(each.row), "reason": each.reason} for each in exclusions],
    }


def _made_content(made: Made | None) -> dict[str, Any] | None:
    if made is None:
        return None
    return {
        **_decided(made.choices, made.steps, made.exclusions),
        "complete": list(made.complete),
        "dropped": [_label(row) for row in made.dropped],
    }


def _label(row: object) -> int | str:
    """A row's label as JSON has it; NumPy's numbers are numbers."""
    return row if isinstance(row, str) else int(row)  # type: ignore[call-overload]


def _source_content(source: Source, files: Files) -> dict[str, Any]:
    table = None
    if not source.is_example:
        files["source.parquet"], table = frames.write(source.frame)
        if source.content is not None:
            files["original.bin"] = source.content
    return {
        "name": source.name,
        "origin": source.origin,
        "notes": list(source.notes),
        "warnings": list(source.warnings),
        "options": asdict(source.options),
        "asked": asdict(source.asked),
        "table": table,
        "original": "original.bin" in files,
    }


def _table_content(place: int, data: Dataset, files: Files) -> dict[str, Any]:
    files[f"kept-{place}.parquet"], table = frames.write(data.frame)
    return {"name": data.name, "source": data.source, "notes": list(data.notes), "table": table}


# --- and back ------------------------------------------------------------------------------------


def read(content: object, files: Files) -> Session:
    """The session, when every part of it is sound. Raises ProjectError with a sentence."""
    parts = mapping(content, "the list of its parts", _PARTS)
    source = _source(parts["source"], files)
    tables = _tables(parts["tables"], files)
    return Session(
        source,
        _choices(parts["choices"]),
        _steps(parts["steps"]),
        _exclusions(parts["exclusions"]),
        None if parts["call"] is None else _call(parts["call"]),
        _kept(parts["kept"], tables),
        None if parts["group"] is None else text(parts["group"], "the chosen group"),
        text(parts["grouping"], "the factor of the chosen group"),
        ReportChoices.from_content(parts["report"]),
    )


def _source(content: object, files: Files) -> Source:
    known = mapping(content, "the description of the data", _SOURCE)
    origin = text(known["origin"], "where the data came from")
    kind, _, name = origin.partition(":")
    if kind == "example":
        if not examples.known(name):
            raise ProjectError(f"The project uses the example {name!r}, which this version does not have.")
        return Source.example(examples.dataset(name))
    if kind not in ("upload", "paste") or "source.parquet" not in files:
        raise damaged("it holds no data")
    stored = Source(
        text(known["name"], "the name of the data"),
        origin,
        _frame(files["source.parquet"], known["table"]),
        texts(known["notes"], "the notes"),
        texts(known["warnings"], "the warnings"),
        files.get("original.bin") if known["original"] is True else None,
        _options(known["options"]),
        _options(known["asked"]),
    )
    return _read_again(stored)


def _frame(content: bytes, description: object) -> pd.DataFrame:
    """A table of the file, unpacked where a bomb does no harm."""
    try:
        return apart.run(frames.read, content, description)
    except apart.BrokenOffError as err:
        raise damaged("a table in it cannot be read") from err


def _read_again(stored: Source) -> Source:
    """The source as its original file gives it: what labels mean, how a script reads it. The table stays.

    Where this version cannot read the file any more, the table is there without them.
    """
    if stored.content is None:
        return stored
    opened = Opened.of(stored)
    try:
        result = apart.read(opened.name, opened.content, opened.asked)
    except ReadError:
        return stored
    again = Source.upload(opened, result)
    same = list(again.frame.columns) == list(stored.frame.columns)
    return replace(again, frame=stored.frame) if same else stored


def _steps(content: object) -> tuple[Step, ...]:
    try:
        return recipe.from_json(content)
    except StepError as err:
        raise damaged(f"a step that prepares the data cannot be read ({err})") from err


def _options(content: object) -> ReadOptions:
    known = {each.name for each in fields(ReadOptions)}
    if not isinstance(content, dict) or not set(content) <= known:
        raise damaged("how the file was read is not known")
    if not all(value is None or isinstance(value, str | bool | int) for value in content.values()):
        raise damaged("how the file was read is not known")
    return ReadOptions(**content)


def _choices(content: object) -> Choices:
    known = mapping(content, "the types of the columns", ("missing", "kinds"))
    kinds = [texts(pair, "the type of a column", 2) for pair in listing(known["kinds"], "the types", 5_000)]
    if not all(len(pair) == 2 and pair[1] in columns.KINDS for pair in kinds):
        raise damaged("the type of a column is not known")
    return Choices(texts(known["missing"], "the codes for missing values"), tuple((a, b) for a, b in kinds))


def _exclusions(content: object) -> tuple[Exclusion, ...]:
    found = []
    for each in listing(content, "the rows left out", MOST_EXCLUSIONS):
        known = mapping(each, "a row left out", ("row", "reason"))
        found.append(Exclusion(_row(known["row"]), text(known["reason"], "the reason for a row left out")))
    return tuple(found)


def _row(label: object) -> int | str:
    if isinstance(label, bool) or not isinstance(label, int | str):
        raise damaged("a row left out has no label")
    return label


def _made(content: object) -> Made | None:
    """How the data of a kept model were made; projects of the first version do not say it."""
    if content is None:
        return None
    known = mapping(content, "how the data of a kept model were made", _MADE)
    return Made(
        _choices(known["choices"]),
        _steps(known["steps"]),
        _exclusions(known["exclusions"]),
        texts(known["complete"], "the columns of a kept model"),
        tuple(_row(label) for label in listing(known["dropped"], "the rows left out", MOST_EXCLUSIONS)),
    )


def _call(content: object) -> ModelCall:
    """A model as it was typed, perhaps not yet whole: the Model page refuses what cannot be fitted."""
    if not isinstance(content, dict):
        raise damaged("a model in it is not complete")
    try:
        return ModelCall.from_mapping(content)
    except MixedCoreError as err:
        raise damaged(f"a model in it cannot be read ({err})") from err


def _checked(call: ModelCall, names: Sequence[str]) -> ModelCall:
    """A model that was fitted: every formula is within the language and names columns that exist."""
    try:
        for _, formula in call.parts():
            check_formula(formula, names)
    except MixedCoreError as err:
        raise damaged(f"a model in it cannot be fitted to its data ({err})") from err
    return call


def _tables(content: object, files: Files) -> list[Dataset]:
    found = []
    for place, each in enumerate(listing(content, "the data of kept models", MOST_KEPT)):
        known = mapping(each, "the data of a kept model", ("name", "source", "notes", "table"))
        if f"kept-{place}.parquet" not in files:
            raise damaged("the data of a kept model are missing")
        frame = _frame(files[f"kept-{place}.parquet"], known["table"])
        # Program lines are never taken from a file: a script shows only what this app wrote itself.
        found.append(
            Dataset(
                text(known["name"], "the name of the data"),
                frame,
                digest_of(frame),
                text(known["source"], "where the data came from"),
                texts(known["notes"], "the notes"),
            )
        )
    return found


def _kept(content: object, tables: Sequence[Dataset]) -> tuple[Kept, ...]:
    found = []
    for each in listing(content, "the kept models", MOST_KEPT):
        each = {"made": None, **each} if isinstance(each, dict) else each
        known = mapping(each, "a kept model", ("name", "call", "table", "made"))
        place = known["table"]
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(tables):
            raise damaged("a kept model has no data")
        names = list(map(str, tables[place].frame.columns))
        call = _checked(_call(known["call"]), names)
        name = text(known["name"], "the name of a kept model", 200)
        found.append(Kept(name, call, tables[place], _made(known["made"])))
    if len({each.name for each in found}) != len(found):
        raise damaged("two kept models have the same name")
    return tuple(found)
