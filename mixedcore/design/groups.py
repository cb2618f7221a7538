"""Top-level groups, and the random terms that stand on a grouping factor of their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.errors import DataError, ModelError
from mixedcore.terms import Block, Floats, Ints, RandomTerm, Structure


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """A grouping of the rows.

    codes  : (n,) group of each row, 0 … m − 1
    labels : m labels, sorted where they can be
    name   : the grouping column, columns joined by ':', or 'Group'
    """

    codes: Ints
    labels: list[Any]
    name: str

    @property
    def m(self) -> int:
        """Number of groups."""
        return len(self.labels)


def make_grouping(groups: pd.Series, name: str) -> Grouping:
    """Codes and sorted labels of the groups."""
    codes, labels = _factorized(groups, name)
    try:
        if all(one <= two for one, two in pairwise(labels)):
            return Grouping(codes, labels, name)
        order = sorted(range(len(labels)), key=labels.__getitem__)
    except TypeError:  # labels of different types have no order of their own
        order = sorted(range(len(labels)), key=lambda i: (type(labels[i]).__name__, str(labels[i])))
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return Grouping(rank[codes], [labels[i] for i in order], name)


def _factorized(groups: pd.Series, name: str) -> tuple[Ints, list[Any]]:
    """Code of each row's label, and the labels that occur."""
    if isinstance(groups.dtype, pd.CategoricalDtype):
        values: Any = groups.array
        codes, labels = np.asarray(values.codes, dtype=np.intp), values.categories
        present = np.bincount(codes, minlength=len(labels)) > 0
        if present.all():
            return codes, labels.tolist()
        return np.cumsum(present)[codes] - 1, labels[present].tolist()
    if isinstance(groups.dtype, np.dtype) and groups.dtype.kind in "iu" and len(groups):
        found = _counted(groups.to_numpy())
        if found is not None:
            return found
    try:
        codes, uniques = pd.factorize(groups)
    except (TypeError, NotImplementedError) as err:
        raise DataError(f"{name} holds values that cannot be labels of groups, such as lists.") from err
    return codes, uniques.tolist()


def _counted(numbers: Ints) -> tuple[Ints, list[Any]] | None:
    """The same for integers from a range not much longer than the data, by counting; None for others."""
    low, high = int(numbers.min()), int(numbers.max())
    if high - low > 2 * numbers.size or high >= 2**62:
        return None
    codes = np.asarray(numbers, dtype=np.intp) - low
    present = np.bincount(codes) > 0
    labels = (np.flatnonzero(present) + low).tolist()
    return codes if present.all() else np.cumsum(present)[codes] - 1, labels


def interaction(parts: Sequence[Grouping]) -> Grouping:
    """The combinations of levels that occur: 'school:class', with labels 's1 / a'."""
    return parts[0] if len(parts) == 1 else reduce(_cross, parts)


def group_term(
    basis: Floats, columns: Sequence[str], grouping: Grouping, components: Collection[str] = ()
) -> RandomTerm:
    """The term of `re_formula`, beside `components`: correlated coefficients of `columns` in all groups."""
    return grouped_term(basis, columns, grouping, correlated=True, top=True, ambiguous=components)


def grouped_term(
    basis: Floats,
    columns: Sequence[str],
    grouping: Grouping,
    *,
    correlated: bool,
    top: bool = False,
    ambiguous: Collection[str] = (),
    counts: Ints | None = None,
) -> RandomTerm:
    """Coefficients of `columns` in every level of a grouping; basis (n, q).

    top       : the grouping is that of the top-level groups, so each level is in its own group
    ambiguous : names that other terms may have as well
    counts    : rows that each of the grouping's codes stands for, where rows are not kept (see `Block`)
    Raises ModelError where the variance cannot be known: a single level, or one row in each.
    """
    n, m = len(basis) if counts is None else int(counts.sum()), grouping.m
    if m == 1:
        raise ModelError(
            f"All rows are in one group ({grouping.name} = {grouping.labels[0]!r}), and a variance between "
            "groups needs at least two. Choose another grouping factor; for crossed effects in one "
            "constant group give only variance components."
        )
    if m == n and "Intercept" in columns:
        raise ModelError(
            f"Every group of {grouping.name} has one row, so the variance between groups cannot be told from "
            "the residual. Choose a coarser grouping factor."
        )
    names = tuple(_effect_name(column, grouping.name, ambiguous) for column in columns)
    inside = np.arange(m, dtype=np.intp) if top else np.zeros(m, dtype=np.intp)
    block = Block(grouping.codes, m, basis, inside, names * m, counts)
    structure: Structure = "full" if correlated or len(columns) == 1 else "diagonal"
    return RandomTerm(grouping.name, "group", structure, tuple(columns), (block,), grouping.labels)


def named_apart(
    groupings: Sequence[Grouping], columns: Sequence[Sequence[str]]
) -> tuple[list[Grouping], set[str]]:
    """Groupings of several terms in bars under names of their own, and the slopes that need a factor's name.

    A second term with the same column over the same factor is called 'g.1', as in lme4.
    """
    seen: dict[str, set[str]] = {}
    found = []
    for grouping, own in zip(groupings, columns, strict=True):
        names = [grouping.name, *(f"{grouping.name}.{i}" for i in range(1, len(groupings)))]
        name = next(name for name in names if not seen.get(name, set()) & set(own))
        seen.setdefault(name, set()).update(own)
        found.append(replace(grouping, name=name))
    slopes = {column for own in columns for column in own} - {"Intercept"}
    return found, slopes if len(groupings) > 1 else set()


def _effect_name(column: str, factor: str, ambiguous: Collection[str]) -> str:
    """'school' for its intercept, 'x' for a slope, as statsmodels has it; 'school: x' where others have x."""
    name = factor if column == "Intercept" else column
    return f"{factor}: {column}" if name in ambiguous else name


def _cross(left: Grouping, right: Grouping) -> Grouping:
    codes, cells = pd.factorize(left.codes * np.int64(right.m) + right.codes, sort=True)
    labels = [f"{left.labels[i]} / {right.labels[j]}" for i, j in zip(*divmod(cells, right.m), strict=True)]
    return Grouping(codes.astype(np.intp), labels, f"{left.name}:{right.name}")
