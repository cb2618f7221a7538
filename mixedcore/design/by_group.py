"""Variance components whose columns depend on the group: patsy evaluates the rows of one group at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import patsy
from patsy.eval import EvalEnvironment

from mixedcore.data.frame import Frame
from mixedcore.design.evaluation import NotFiniteError, design_info, matrix
from mixedcore.terms import Block, Floats, Ints

Rows = Ints


def evaluate_by_group(
    name: str, terms: Sequence[patsy.Term], frame: Frame, codes: Ints, m: int, env: EvalEnvironment
) -> tuple[Block, ...]:
    """Blocks from patsy's own matrix of each group; transforms and levels see only its rows."""
    rows = rows_of_groups(codes, m)
    matrices: list[Floats] = []
    names: list[list[str]] = []
    for own in rows:
        part = frame.values(own)
        info = design_info(terms, part, env, len(own))
        try:
            matrices.append(matrix(info, part, len(own)))
        except NotFiniteError as found:
            bad = np.zeros(frame.n, dtype=bool)
            bad[own[found.bad]] = True
            raise NotFiniteError(bad, found.term) from found
        names.append([f"{name}[{column}]" for column in info.column_names])
    return assemble(rows, matrices, names)


def rows_of_groups(codes: Ints, m: int) -> list[Rows]:
    """The rows of each group, in their order."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes, minlength=m))[:-1])


def assemble(
    rows: Sequence[Rows], matrices: Sequence[Floats], names: Sequence[Sequence[str]]
) -> tuple[Block, ...]:
    """Blocks that together hold every column of every group's matrix, columns of zeros left out.

    rows     : rows of each group; matrices : (n_g, k_g) of each group; names : k_g labels of each group

    Columns of one group without a common row share a slot (a row then belongs to the level of its only
    non-zero column), so a set of dummy columns is one block. Slots with the same levels become one block
    with several covariates.
    """
    n = sum(len(own) for own in rows)
    slots: list[_Slot] = []
    for group, (own, Z, columns) in enumerate(zip(rows, matrices, names, strict=True)):
        for slot, members in enumerate(_colour(Z)):
            if slot == len(slots):
                slots.append(_Slot(n))
            slots[slot].add(group, own, Z, members, columns)
    for slot_ in slots:
        slot_.pad(rows)
    return _merged(slots)


def _colour(Z: Floats) -> list[list[int]]:
    """Columns of Z in slots, greedily: columns of one slot have no common non-zero row."""
    slots: list[list[int]] = []
    taken: list[np.ndarray] = []
    for j, support in enumerate(Z.T != 0):
        if not support.any():
            continue
        free = next((s for s, rows in enumerate(taken) if not (rows & support).any()), len(slots))
        if free == len(slots):
            slots.append([])
            taken.append(np.zeros(len(Z), dtype=bool))
        slots[free].append(j)
        taken[free] = taken[free] | support
    return slots


class _Slot:
    """One coefficient at most for each row: codes, covariate, and the group and name of each level."""

    def __init__(self, n: int) -> None:
        self.codes = np.full(n, -1, dtype=np.intp)
        self.basis = np.zeros(n)
        self.groups: list[int] = []
        self.labels: list[str] = []

    def add(self, group: int, own: Rows, Z: Floats, members: list[int], names: Sequence[str]) -> None:
        """Give the columns `members` of one group a level each; rows without a column join the first."""
        first = len(self.groups)
        part = Z[:, members]
        self.codes[own] = first + np.argmax(part != 0, axis=1)
        self.basis[own] = part.sum(axis=1)
        self.groups += [group] * len(members)
        self.labels += [names[j] for j in members]

    def pad(self, rows: Sequence[Rows]) -> None:
        """A level without a coefficient in Z for each group that has no column here."""
        for group, own in enumerate(rows):
            if len(own) and self.codes[own[0]] < 0:
                self.codes[own] = len(self.groups)
                self.groups.append(group)
                self.labels.append("")


def _merged(slots: Sequence[_Slot]) -> tuple[Block, ...]:
    """Slots with equal codes side by side in one block."""
    kept: list[list[_Slot]] = []
    for slot in slots:
        same = next((others for others in kept if np.array_equal(others[0].codes, slot.codes)), None)
        if same is None:
            kept.append([slot])
        else:
            same.append(slot)
    return tuple(_block(together) for together in kept)


def _block(slots: Sequence[_Slot]) -> Block:
    first = slots[0]
    basis = np.ascontiguousarray(np.column_stack([slot.basis for slot in slots]))
    labels = tuple(label for level in zip(*(s.labels for s in slots), strict=True) for label in level)
    return Block(first.codes, len(first.groups), basis, np.array(first.groups, dtype=np.intp), labels)
