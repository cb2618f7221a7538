"""Levels of the random terms: which terms share them, how they nest, and which of them meet.

Terms on the same levels are merged into one `Grouping`; groupings are ordered by their number of levels,
largest first, and levels are numbered so that those of one coarser level stand together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixedcore.terms import Ints, RandomTerm, Template, entries, n_parameters

DENSE_PAIRS = 4  # find pairs of levels by a table while it has at most this many cells a row


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """Where block `block` of term `term` stands in a grouping: coefficient columns `columns` of a level."""

    term: int
    block: int
    columns: slice


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """All coefficients that share one set of m levels; `order` (m,) gives the number here of each level
    of the members' blocks.
    """

    m: int
    template: Template
    members: tuple[Member, ...]
    order: Ints

    @property
    def q(self) -> int:
        """Coefficients a level."""
        return self.template.q


@dataclass(frozen=True, slots=True, eq=False)
class Groupings:
    """The groupings of a model and how they meet.

    each    : T groupings, by decreasing number of levels
    nested  : E, the first E are each nested in all later ones of these E
    parents : parents[k, t] (m_k,) level of grouping t that holds each level of k, for k < t < E, ascending
    meet    : meet[s, t] for s < t unless both are nested: levels of s and of t that meet in a row, sorted
    """

    each: tuple[Grouping, ...]
    nested: int
    parents: dict[tuple[int, int], Ints]
    meet: dict[tuple[int, int], tuple[Ints, Ints]]


def offsets_of(terms: Sequence[RandomTerm]) -> tuple[int, ...]:
    """First parameter of each term, and their number."""
    return tuple(int(k) for k in np.cumsum([0, *(n_parameters(term) for term in terms)]))


def arrange(terms: Sequence[RandomTerm]) -> tuple[Groupings, list[Ints], dict[tuple[int, int], Ints]]:
    """The groupings of terms in memory.

    Also, for every row, its level in each grouping (n,), and its pair in each entry of `meet` (n,).
    """
    merged = sorted(_merge(terms), key=lambda found: -found[0].m)
    each, codes = [g for g, _ in merged], [c for _, c in merged]
    parents = _chain(each, codes)
    nested = 1 + max((t for _, t in parents), default=0)
    numbers = _along(each, parents, nested)
    codes = [c if number is None else number[c] for c, number in zip(codes, numbers, strict=True)]
    each = [
        g if number is None else replace(g, order=number) for g, number in zip(each, numbers, strict=True)
    ]
    parents = {(k, t): _renumbered(parent, numbers[k], numbers[t]) for (k, t), parent in parents.items()}
    meet, pair_of = {}, {}
    for s in range(len(each)):
        for t in range(max(s + 1, nested), len(each)):
            meet[s, t], pair_of[s, t] = pairs_met(codes[s], each[s].m, codes[t], each[t].m)
    return Groupings(tuple(each), nested, parents, meet), codes, pair_of


def _merge(terms: Sequence[RandomTerm]) -> list[tuple[Grouping, Ints]]:
    """The blocks that share their levels, and the levels of their rows."""
    found: list[list[tuple[int, int]]] = []
    for t, term in enumerate(terms):
        for b, block in enumerate(term.blocks):
            for same in found:
                other = terms[same[0][0]].blocks[same[0][1]]
                if other.n_levels == block.n_levels and _equal(other.codes, block.codes):
                    same.append((t, b))
                    break
            else:
                found.append([(t, b)])
    return [(_grouping(same, terms), terms[same[0][0]].blocks[same[0][1]].codes) for same in found]


def _equal(one: Ints, two: Ints) -> bool:
    return one is two or np.array_equal(one, two)


def _grouping(same: list[tuple[int, int]], terms: Sequence[RandomTerm]) -> Grouping:
    offsets, q = offsets_of(terms), 0
    rows, cols, index, members = [], [], [], []
    for t, b in same:
        width = terms[t].blocks[b].width
        r, c, k = entries(terms[t].structure, width)
        rows.append(r + q)
        cols.append(c + q)
        index.append(k + offsets[t])
        members.append(Member(t, b, slice(q, q + width)))
        q += width
    template = Template(q, np.concatenate(rows), np.concatenate(cols), np.concatenate(index))
    m = terms[same[0][0]].blocks[same[0][1]].n_levels
    return Grouping(m, template, tuple(members), np.arange(m))


def _chain(each: Sequence[Grouping], codes: Sequence[Ints]) -> dict[tuple[int, int], Ints]:
    """Parents along the leading chain of groupings, each nested in all later ones of it."""
    parents: dict[tuple[int, int], Ints] = {}
    for t in range(1, len(each)):
        up = [_parent(codes[k], each[k].m, codes[t]) for k in range(t)]
        if any(parent is None for parent in up):
            break
        parents |= {(k, t): parent for k, parent in enumerate(up) if parent is not None}
    return parents


def _parent(fine: Ints, m: int, coarse: Ints) -> Ints | None:
    """Level of `coarse` that holds each of the m levels of `fine`, or None where one reaches into several."""
    parent = np.zeros(m, dtype=np.intp)
    parent[fine] = coarse
    return parent if np.array_equal(parent[fine], coarse) else None


def _along(each: Sequence[Grouping], parents: dict[tuple[int, int], Ints], nested: int) -> list[Ints | None]:
    """New number of each level, those of one parent together; None where the numbers stay."""
    numbers: list[Ints | None] = [None] * len(each)
    for k in range(nested - 2, -1, -1):
        above, parent = numbers[k + 1], parents[k, k + 1]
        parent = parent if above is None else above[parent]
        if (parent[1:] >= parent[:-1]).all():
            continue
        number = np.empty_like(parent)
        number[np.argsort(parent, kind="stable")] = np.arange(each[k].m)
        numbers[k] = number
    return numbers


def _renumbered(parent: Ints, fine: Ints | None, coarse: Ints | None) -> Ints:
    parent = parent if coarse is None else coarse[parent]
    return parent if fine is None else parent[np.argsort(fine)]


def pairs_met(s: Ints, m_s: int, t: Ints, m_t: int) -> tuple[tuple[Ints, Ints], Ints]:
    """Pairs of levels that meet in a row, sorted, and the number of each row's pair, (n,)."""
    key, cells = s * m_t + t, m_s * m_t
    if cells <= DENSE_PAIRS * key.size:
        present = np.flatnonzero(np.bincount(key, minlength=cells))
        position = np.empty(cells, dtype=np.intp)
        position[present] = np.arange(present.size)
        where = position[key]
    else:
        present, where = np.unique(key, return_inverse=True)
    return (present // m_t, present % m_t), where
