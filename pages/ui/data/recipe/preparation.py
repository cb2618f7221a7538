"""How a session prepares its data: the steps, what was before, and what is held back. Pure.

A step such as a logarithm fits any version of a file. A changed cell and a row left out belong to one row,
known by its label; in another file of the same name that label may mean another row. Such decisions are held
back until somebody says that they still hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pages.ui.data.columns import Settled
from pages.ui.data.exclusions import Exclusion
from pages.ui.data.likely_codes import Likely
from pages.ui.data.recipe.cells import Edit
from pages.ui.data.recipe.step import Step
from pages.ui.data.recipe.steps import Done
from pages.ui.data.sources import Source
from pages.ui.model.modelcall import ModelCall

MOST_UNDONE = 50
"""Changes of the steps that can be taken back."""


@dataclass(frozen=True, slots=True)
class Held:
    """Cells changed and rows left out, of rows that may be others now."""

    edits: tuple[Edit, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.edits or self.exclusions)

    def words(self) -> str:
        """'2 changed cells and one row left out'."""
        cells, rows = len(self.edits), len(self.exclusions)
        parts = ["one changed cell" if cells == 1 else f"{cells:,} changed cells"] if cells else []
        parts += ["one row left out" if rows == 1 else f"{rows:,} rows left out"] if rows else []
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class Preparation:
    """The recipe with its past.

    steps    : in the order in which they are applied
    before   : the steps before each of the last changes, latest last
    declined : what was offered for these data and not wanted
    revision : differs with every change in a session
    """

    steps: tuple[Step, ...] = ()
    before: tuple[tuple[Step, ...], ...] = ()
    held: Held = Held()
    declined: frozenset[str] = frozenset()
    revision: int = 0

    def declining(self, *offers: str) -> Preparation:
        """With these offers not wanted."""
        return replace(self, declined=self.declined | set(offers))

    def changed(self, steps: Sequence[Step]) -> Preparation:
        """With other steps; `undone` takes that back."""
        before = (*self.before, self.steps)[-MOST_UNDONE:]
        return replace(self, steps=tuple(steps), before=before)

    def undone(self) -> Preparation:
        """As before the last change of the steps; the same when there was none."""
        if not self.before:
            return self
        return replace(self, steps=self.before[-1], before=self.before[:-1])

    def holding(self, exclusions: Sequence[Exclusion], *, edits: bool) -> Preparation:
        """With these rows, and the cell edits if wanted, held back."""
        taken = tuple(step for step in self.steps if isinstance(step, Edit)) if edits else ()
        if not taken and not exclusions:
            return self
        held = Held((*self.held.edits, *taken), (*self.held.exclusions, *exclusions))
        steps = tuple(step for step in self.steps if step not in taken)
        return replace(self, steps=steps, before=(), held=held)

    def put_back(self) -> Preparation:
        """With the edits held back as last steps again; rows left out are not part of the steps."""
        steps = (*self.steps, *self.held.edits)
        return replace(self.changed(steps) if self.held.edits else self, held=Held())

    def forgetting(self) -> Preparation:
        """Without what is held back."""
        return replace(self, held=Held())


@dataclass(frozen=True, slots=True, eq=False)
class Typed:
    """The typed columns of a source.

    settled   : before any step
    suspects  : texts that may stand for a missing value, with their counts
    likely    : those of them that very probably do
    done      : what steps made of them, or of the same columns when they were of other types
    lost_call : the model put aside because a column of it is gone
    """

    settled: Settled
    suspects: Mapping[str, int]
    likely: tuple[Likely, ...] = ()
    done: Done | None = None
    lost_call: ModelCall | None = None

    def is_done(self, steps: tuple[Step, ...]) -> bool:
        """Whether these steps were applied to these columns."""
        return self.done is not None and self.done.base is self.settled.frame and self.done.steps == steps


def same_rows(before: Source, after: Source) -> bool:
    """Whether a label means the same row in both: the same file, read so that it has as many rows."""
    return before.content == after.content and len(before.frame) == len(after.frame)
