"""Categories merged or renamed, and numbers cut into bands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd

from pages.ui.data.recipe.step import (
    Step,
    StepError,
    called,
    cell,
    check_new,
    column,
    literal,
    numeric,
    shown,
    with_column,
)

MOST_SAID = 4


@dataclass(frozen=True, slots=True)
class Recode(Step):
    """`new` = the column's labels, those in `changes` (pairs: before, after) replaced; others stay.

    new   : may be the column itself
    order : all labels afterwards, in their order, when they have one; () makes plain text
    """

    kind: ClassVar[str] = "recode"
    column: str
    new: str
    changes: tuple[tuple[str, str], ...]
    order: tuple[str, ...] = ()

    def describe(self) -> str:
        """Which label becomes which."""
        said = [f"{called(before)} → {called(after)}" for before, after in self.changes[:MOST_SAID]]
        more = len(self.changes) - len(said)
        changes = ", ".join(said) + (f" and {more:,} more" if more else "")
        if self.new == self.column:
            return f"Column {called(self.column)} recoded: {changes}."
        return f"New column {called(self.new)}: {called(self.column)} recoded, {changes}."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Replace the labels; every label to be replaced must occur."""
        values = column(frame, self.column)
        if not self.changes:
            raise StepError("Choose at least one label, and what it becomes.")
        if any(not after.strip() for _, after in self.changes):
            raise StepError("The new label needs a name.")
        labels = as_labels(values)
        present = set(levels(values))
        gone = [before for before, _ in self.changes if before not in present]
        if gone:
            raise StepError(f"No row of {called(self.column)} has the label {called(gone[0])}.")
        if self.new != self.column:
            check_new(frame, self.new)
        recoded = labels.replace(dict(self.changes))
        if not self.order:
            return frame.assign(**{self.new: recoded})
        self._check_order(recoded)
        ranked = recoded.astype(pd.CategoricalDtype(list(self.order), ordered=True))
        return frame.assign(**{self.new: ranked})

    def _check_order(self, recoded: pd.Series) -> None:
        if len(set(self.order)) < len(self.order):
            raise StepError("Each label can have one place in the order.")
        lost = set(recoded.dropna().unique()) - set(self.order)
        if lost:
            raise StepError(f"The label {called(min(lost))} has no place in the order of the labels.")

    def lines(self) -> tuple[str, ...]:
        """`replace` on the labels as text."""
        recoded = f'{cell(self.column)}.astype("str").replace({literal(dict(self.changes))})'
        if not self.order:
            return (f"{cell(self.new)} = {recoded}",)
        order = f"pd.CategoricalDtype({literal(self.order)}, ordered=True)"
        return "import pandas as pd", f"{cell(self.new)} = {recoded}.astype({order})"


def as_labels(values: pd.Series) -> pd.Series:
    """The values as text, missing ones left missing."""
    return values.astype("str")


def levels(values: pd.Series) -> list[str]:
    """The labels that occur, in their order if they have one, else as they sort."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        used = values.cat.remove_unused_categories().cat.categories
        return [str(level) for level in used]
    found = pd.Series(values.dropna().unique())
    return as_labels(found.sort_values()).tolist()


def order_after(values: pd.Series, changes: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The order of the labels after `changes`, for an ordered column; () for any other."""
    if not (isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered):
        return ()
    after = dict(changes)
    return tuple(dict.fromkeys(after.get(level, level) for level in levels(values)))


@dataclass(frozen=True, slots=True)
class Bands(Step):
    """`new` = the band in which a number falls: an ordered category.

    edges  : increasing; a value equal to an edge falls below it
    labels : one more than edges
    """

    kind: ClassVar[str] = "bands"
    column: str
    new: str
    edges: tuple[float, ...]
    labels: tuple[str, ...]

    def describe(self) -> str:
        """Where the cuts are."""
        cuts = ", ".join(shown(edge) for edge in self.edges[:8]) + (" …" if len(self.edges) > 8 else "")
        bands = f"{len(self.labels)} bands at {cuts}"
        return f"New column {called(self.new)}: {called(self.column)} cut into {bands}."

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the column."""
        values = numeric(frame, self.column)
        if not self.edges:
            raise StepError("Give at least one number at which to cut.")
        if any(high <= low for low, high in pairwise(self.edges)):
            raise StepError("The numbers at which to cut must increase, each larger than the one before.")
        if len(self.labels) != len(self.edges) + 1:
            raise StepError(f"{len(self.edges)} cuts make {len(self.edges) + 1} bands; each needs a label.")
        if len(set(self.labels)) < len(self.labels) or not all(label.strip() for label in self.labels):
            raise StepError("Each band needs a label of its own.")
        cut = pd.cut(values, [-np.inf, *self.edges, np.inf], labels=list(self.labels))
        return with_column(frame, self.new, cut)

    def lines(self) -> tuple[str, ...]:
        """`pandas.cut`."""
        edges = f"[-np.inf, {', '.join(map(literal, self.edges))}, np.inf]"
        x, labels = f"{cell(self.column)}.astype(float)", literal(self.labels)
        return (
            "import numpy as np",
            "import pandas as pd",
            f"{cell(self.new)} = pd.cut({x}, {edges}, labels={labels})",
        )


def band_labels(edges: Sequence[float]) -> tuple[str, ...]:
    """'up to 10', 'over 10 to 20', 'over 20'."""
    if not edges:
        return ()
    names = [shown(edge) for edge in edges]
    between = [f"over {low} to {high}" for low, high in pairwise(names)]
    return (f"up to {names[0]}", *between, f"over {names[-1]}")


def equal_widths(values: pd.Series, bands: int) -> tuple[float, ...]:
    """Cuts that make bands of the same width, rounded to three digits of the width."""
    low, high = float(values.min()), float(values.max())
    if not low < high:
        return ()
    return _rounded(np.linspace(low, high, bands + 1)[1:-1], (high - low) / bands)


def equal_counts(values: pd.Series, bands: int) -> tuple[float, ...]:
    """Cuts that make bands of about the same number of rows."""
    present = values.dropna()
    if present.empty:
        return ()
    cuts = np.quantile(present, np.linspace(0, 1, bands + 1)[1:-1])
    low, high = float(present.min()), float(present.max())
    return tuple(cut for cut in _rounded(cuts, (high - low) / bands) if low <= cut < high)


def _rounded(cuts: np.ndarray, width: float) -> tuple[float, ...]:
    """The cuts with three digits of a band's width, each once."""
    if not width > 0:
        return ()
    places = 2 - int(np.floor(np.log10(width)))
    return tuple(dict.fromkeys(round(float(cut), places) for cut in cuts))
