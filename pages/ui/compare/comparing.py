"""Models held against each other: which rows they share, which is tested against which. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import pandas as pd

from mixedcore import MixedLMResults, compare
from mixedcore.errors import MixedCoreError
from mixedcore.formula import formula_columns
from pages.ui.data.dataset import Dataset
from pages.ui.data.making import restricted
from pages.ui.model.kept import Kept
from pages.ui.model.modelcall import ModelCall


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A kept model and its fit, as it is compared.

    digest : of the data; with `call` it stands for the fit
    """

    name: str
    call: ModelCall
    result: MixedLMResults
    digest: str = ""

    @property
    def parameters(self) -> int:
        """Fixed effects, covariance parameters and σ."""
        return len(self.result.fe_params) + len(self.result.theta) + 1

    @property
    def rows(self) -> pd.Index:
        """Labels of the rows that the fit used."""
        found: pd.Index = self.result.fittedvalues.index
        return found


@dataclass(frozen=True, slots=True)
class Lrt:
    """A likelihood-ratio test of one model against a smaller one, or why there is none.

    against : name of the smaller model; '' where none was found
    note    : what the p-value is taken from, or the reason
    """

    name: str
    against: str = ""
    df: float = float("nan")
    chisq: float = float("nan")
    p_value: float = float("nan")
    note: str = ""


def by_ml(calls: Sequence[ModelCall], fixed: Sequence[Sequence[str]]) -> bool:
    """Whether likelihoods can be compared by ML only: some are ML, or REML fits differ in fixed effects.

    fixed : names of the fixed effects of each
    """
    return not all(call.reml for call in calls) or len({frozenset(names) for names in fixed}) > 1


def as_ml(call: ModelCall) -> ModelCall:
    """The same model by full maximum likelihood."""
    return replace(call, reml=False)


def ordered(entries: Sequence[Entry]) -> list[Entry]:
    """From the fewest parameters to the most; of equals the one kept first."""
    return sorted(entries, key=lambda entry: entry.parameters)


def tested(entries: Sequence[Entry]) -> list[Lrt]:
    """Each model against the largest smaller one that it contains; `entries` as `ordered` gives them."""
    return [_test(entry, entries[:place]) for place, entry in enumerate(entries)]


def _test(entry: Entry, smaller: Sequence[Entry]) -> Lrt:
    reason = ""
    for other in reversed(smaller):
        try:
            frame = compare(other.result, entry.result)
        except MixedCoreError as err:
            reason = reason or str(err)
            continue
        row = frame.iloc[-1]
        note = frame.attrs["notes"][-1].rpartition(": ")[2]
        return Lrt(entry.name, other.name, float(row["df"]), float(row["chisq"]), float(row["p_value"]), note)
    return Lrt(entry.name, note=reason)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Kept models, fitted so that they can be held against each other.

    entries : in the order of size
    ml      : whether all are fitted by ML for the comparison's sake
    failed  : (name, why) of those that cannot be fitted
    """

    entries: tuple[Entry, ...]
    ml: bool
    failed: tuple[tuple[str, str], ...]


def gathered(kept: Sequence[Kept], fit: Callable[[ModelCall, Dataset], MixedLMResults]) -> Comparison:
    """The kept models by `fit`, which raises MixedCoreError where one cannot be fitted."""
    entries, failed = _entries(kept, fit)
    ml = by_ml([entry.call for entry in entries], [list(entry.result.fe_params.index) for entry in entries])
    if ml:
        entries, failed = _entries([replace(each, call=as_ml(each.call)) for each in kept], fit)
    return Comparison(tuple(ordered(entries)), ml, tuple(failed))


def _entries(
    kept: Sequence[Kept], fit: Callable[[ModelCall, Dataset], MixedLMResults]
) -> tuple[list[Entry], list[tuple[str, str]]]:
    entries, failed = list[Entry](), list[tuple[str, str]]()
    for each in kept:
        try:
            entries.append(Entry(each.name, each.call, fit(each.call, each.data), each.data.digest))
        except MixedCoreError as err:
            failed.append((each.name, str(err)))
    return entries, failed


# --- rows ----------------------------------------------------------------------------------------


def same_rows(entries: Sequence[Entry]) -> bool:
    """Whether all fits used the same rows."""
    return all(entry.rows.equals(entries[0].rows) for entry in entries[1:])


def common_rows(entries: Sequence[Entry]) -> pd.Index:
    """Labels of the rows that every fit used, in the order of the first."""
    return reduce(lambda left, right: left[left.isin(right)], (entry.rows for entry in entries))


def on_rows(kept: Kept, rows: pd.Index, columns: Sequence[str]) -> Kept:
    """The same model on these rows of its data; the script says it by the columns that must be complete."""
    frame = kept.data.frame
    inside = frame.index.isin(rows)
    if inside.all():
        return kept
    needed = [name for name in columns if name in frame.columns]
    complete = frame[needed].notna().all(axis=1).to_numpy()
    names = tuple(needed) if not complete.all() else ()
    rest = tuple(frame.index[complete & ~inside].tolist())
    made = kept.made.less(names, rest) if kept.made else None
    return replace(kept, data=restricted(kept.data, names, rest), made=made)


def columns_of(call: ModelCall, known: Sequence[str]) -> list[str]:
    """The columns that the model uses, in the order of the data."""
    used = {call.groups, call.weights, call.offset}
    for _, formula in call.parts():
        used |= set(formula_columns(formula))
    return [name for name in known if name in used]
