"""The columns of a random term's matrix Z in statsmodels' order: group after group, each with all its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csc_array

from mixedcore.terms import Floats, Ints, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """All c columns of one term, those of a group together, padding left out.

    Z (n, c) sparse; group (c,) code of each column's group; labels (c,) names of the coefficients
    """

    Z: csc_array
    group: Ints
    labels: Sequence[str]


def columns_of(term: RandomTerm) -> Columns:
    """The columns of a term in memory."""
    group, labels, rows, columns, values, first = [], [], [], [], [], 0
    for block in term.blocks:
        q = block.width
        at = first + (block.codes * q)[:, None] + np.arange(q)
        rows.append(np.repeat(np.arange(block.codes.size), q))
        columns.append(at.ravel())
        values.append(block.basis.ravel())
        group.append(np.repeat(block.group_of_level, q))
        labels.append(np.asarray(block.labels, dtype=object))
        first += block.n_levels * q
    every = np.concatenate(labels)
    order = np.argsort(np.concatenate(group), kind="stable")
    order = order[every[order] != ""]
    shape = (term.blocks[0].codes.size, first)
    whole = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    return Columns(whole.tocsc()[:, order], np.concatenate(group)[order], every[order].tolist())


def matrices_by_group(
    found: Columns, name: str, rows: Sequence[Ints]
) -> tuple[list[list[str]], list[Floats]]:
    """For each group, with its rows, the names of its columns without the component's, and its matrix."""
    ends = np.searchsorted(found.group, np.arange(len(rows) + 1))
    names, matrices = [], []
    for own, first, last in zip(rows, ends[:-1], ends[1:], strict=True):
        matrices.append(found.Z[:, first:last].tocsr()[own].toarray())
        names.append([label.removeprefix(f"{name}[").removesuffix("]") for label in found.labels[first:last]])
    return names, matrices
