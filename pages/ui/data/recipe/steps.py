"""All kinds of steps, a list of them to and from JSON, and a list of them applied. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pages.ui.data.columns import Column, Settled, kind_of
from pages.ui.data.recipe.arithmetic import Combine, Days, Lag
from pages.ui.data.recipe.categories import Bands, Recode
from pages.ui.data.recipe.cells import Edit
from pages.ui.data.recipe.names import Drop, Rename
from pages.ui.data.recipe.reshape import Lengthen
from pages.ui.data.recipe.rows import Filter
from pages.ui.data.recipe.step import Step, StepError
from pages.ui.data.recipe.transforms import Centre, GroupCentre, GroupMean, Standardise, Transform

KINDS: dict[str, type[Step]] = {
    each.kind: each
    for each in (
        Transform, Standardise, Centre, GroupMean, GroupCentre, Combine, Days, Lag, Recode, Bands, Filter,
        Lengthen, Edit, Rename, Drop,
    )
}  # fmt: skip
MOST_STEPS = 2_000


def to_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The steps as plain values that JSON can hold."""
    return [step.to_mapping() for step in steps]


def from_json(content: object) -> tuple[Step, ...]:
    """The steps that `to_json` wrote; raises StepError naming the first one that cannot be read."""
    if not isinstance(content, list | tuple):
        raise StepError("The steps of preparing the data must be a list.")
    if len(content) > MOST_STEPS:
        raise StepError(
            f"There are {len(content):,} steps of preparing the data; {MOST_STEPS:,} are the most."
        )
    return tuple(_step(each, place) for place, each in enumerate(content, start=1))


def _step(content: object, place: int) -> Step:
    kind = content.get("kind") if isinstance(content, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise StepError(f"Step {place} of preparing the data is of a kind that is not known.")
    try:
        return KINDS[kind].from_mapping(content)
    except StepError as err:
        raise StepError(f"Step {place} of preparing the data: {err}") from err


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What a recipe made of a table.

    base    : the table before
    frame   : the table after
    refused : why a step was passed over, one text a step; '' where it was applied
    """

    base: pd.DataFrame
    steps: tuple[Step, ...]
    frame: pd.DataFrame
    refused: tuple[str, ...]

    @property
    def applied(self) -> tuple[Step, ...]:
        """The steps that fit."""
        return tuple(step for step, reason in zip(self.steps, self.refused, strict=True) if not reason)

    @property
    def code(self) -> tuple[str, ...]:
        """Python lines that make `frame` of `base`, which they call `data`."""
        return tuple(line for step in self.applied for line in step.code())

    @property
    def rows_made_by(self) -> tuple[Step, ...]:
        """The steps that gave rows new labels: where these differ, a label means another row."""
        return tuple(step for step in self.applied if isinstance(step, Lengthen))

    def same_columns(self, other: Done) -> set[str]:
        """Names of columns that hold the same in both, as far as the steps tell."""
        shorter, longer = sorted([self, other], key=lambda done: len(done.steps))
        if longer.base is not shorter.base or longer.steps[: len(shorter.steps)] != shorter.steps:
            return set()
        more = Done(
            self.base, longer.steps[len(shorter.steps) :], longer.frame, longer.refused[len(shorter.steps) :]
        )
        if any(isinstance(step, Filter | Lengthen) for step in more.applied):
            return set()
        written = {getattr(step, part, "") for step in more.applied for part in ("column", "new")}
        return (set(self.frame.columns) & set(other.frame.columns)) - written


def run(base: pd.DataFrame, steps: Sequence[Step], before: Done | None = None) -> Done:
    """Apply the steps in order; one that does not fit is passed over.

    before : what was done last: when only steps were added to it, its work is not repeated
    """
    steps = tuple(steps)
    frame, refused, start = base, list[str](), 0
    if before is not None and before.base is base and steps[: len(before.steps)] == before.steps:
        frame, refused, start = before.frame, list(before.refused), len(before.steps)
    for step in steps[start:]:
        try:
            frame = step.apply(frame)
        except StepError as err:
            refused.append(str(err))
        else:
            refused.append("")
    return Done(base, steps, frame, tuple(refused))


def settled_after(settled: Settled, frame: pd.DataFrame) -> Settled:
    """What is known of the columns of `frame`, which a recipe made of the settled table."""
    known = {column.name: column for column in settled.columns}
    return Settled(frame, tuple(_column(frame[name], known.get(name)) for name in frame.columns))


def _column(series: pd.Series, known: Column | None) -> Column:
    kind, missing = kind_of(series) or "category", int(series.isna().sum())
    if known is None or known.kind != kind:
        return Column(str(series.name), kind, kind, missing)
    return known if missing == known.missing else replace(known, missing=missing, by_code={})
