"""Cross-products free of θ, formed once per fit: nothing after this file depends on the number of rows.

Terms on the same levels are merged into one `Grouping`; groupings are ordered by their number of levels,
largest first, and levels are numbered so that those of one coarser level stand together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixedcore.errors import ModelError
from mixedcore.scaling import FixedScaling, ScaledTerm, scale_fixed, scale_term
from mixedcore.terms import Floats, Ints, RandomTerm, Template, entries, n_parameters

SAME = 1e-12  # squared share of a covariate outside another term
DENSE_PAIRS = 4  # find pairs of levels by a table while it has at most this many cells a row


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """Where block `block` of term `term` stands in a grouping: coefficient columns `columns` of a level."""

    term: int
    block: int
    columns: slice


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """All coefficients that share one set of levels.

    codes (n,), m levels, basis (n, q) in the engine's units; `order` (m,) gives the number here of each
    level of the members' blocks.
    """

    codes: Ints
    m: int
    basis: Floats
    template: Template
    members: tuple[Member, ...]
    order: Ints

    @property
    def q(self) -> int:
        """Coefficients a level."""
        return int(self.basis.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Z_s'Z_t of two groupings: blocks `values` (q_s, q_t, nnz) at levels rows (nnz,) of s, cols (nnz,) of t.

    Sorted by row, then column.
    """

    rows: Ints
    cols: Ints
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CrossProducts:
    """What the criterion needs of the data; W = [X y] in the engine's units, prior weights in every row.

    groupings : T, by decreasing number of levels
    nested    : E, the first E groupings are each nested in all later ones of these E
    parents   : parents[k, t] (m_k,) level of grouping t that holds each level of k, for k < t < E, ascending
    ZZ        : per grouping Z_t'Z_t (q, q, m)
    ZW        : per grouping Z_t'W, (p + 1, q, m)
    pairs     : pairs[s, t] for s < t unless both are nested; pairs[k, t] for k < t < E hold one block a row
    WW        : (p + 1, p + 1)
    root_weights : (n,) square roots of prior weights, None without; log_weights: Σ log w
    """

    n: int
    p: int
    k: int
    groupings: tuple[Grouping, ...]
    nested: int
    parents: dict[tuple[int, int], Ints]
    ZZ: tuple[Floats, ...]
    ZW: tuple[Floats, ...]
    pairs: dict[tuple[int, int], Pairs]
    WW: Floats
    fixed: FixedScaling
    scaled_terms: tuple[ScaledTerm, ...]
    offsets: tuple[int, ...]
    root_weights: Floats | None = None
    log_weights: float = 0.0


def cross_products(
    y: Floats, X: Floats, terms: tuple[RandomTerm, ...], weights: Floats | None = None
) -> CrossProducts:
    """Form the cross-products of outcome y (n,), fixed design X (n, p) and random terms.

    weights : (n,) prior weights w > 0; the residual variance of a row is σ²/w
    Raises ModelError when the fixed part leaves no variation.
    """
    root = None if weights is None else np.sqrt(weights)
    fixed = scale_fixed(y, X, root)
    scaled = tuple(scale_term(term, root) for term in terms)
    offsets = tuple(int(k) for k in np.cumsum([0, *(n_parameters(term) for term in terms)]))
    groupings = sorted(_merge(terms, scaled, offsets), key=lambda g: -g.m)
    groupings, parents = _nest(groupings)
    nested = 1 + max((t for _, t in parents), default=0)
    W = np.column_stack([fixed.Xs, fixed.ys])
    pairs = {
        (s, t): _pairs(groupings[s], groupings[t])
        for s in range(len(groupings))
        for t in range(s + 1, len(groupings))
    }
    return CrossProducts(
        n=y.size,
        p=fixed.kept.size,
        k=offsets[-1],
        groupings=tuple(groupings),
        nested=nested,
        parents=parents,
        ZZ=tuple(_gram(g) for g in groupings),
        ZW=tuple(_border(g, W) for g in groupings),
        pairs=pairs,
        WW=W.T @ W,
        fixed=fixed,
        scaled_terms=scaled,
        offsets=offsets,
        root_weights=root,
        log_weights=0.0 if weights is None else float(np.log(weights).sum()),
    )


def _merge(
    terms: tuple[RandomTerm, ...], scaled: tuple[ScaledTerm, ...], offsets: tuple[int, ...]
) -> list[Grouping]:
    """Collect the blocks that share their levels."""
    found: list[list[tuple[int, int]]] = []
    for t, term in enumerate(terms):
        for b, block in enumerate(term.blocks):
            for same in found:
                other = terms[same[0][0]].blocks[same[0][1]]
                if other.n_levels == block.n_levels and np.array_equal(other.codes, block.codes):
                    same.append((t, b))
                    break
            else:
                found.append([(t, b)])
    for same in found:
        _check_distinct(same, terms, scaled)
    return [_grouping(same, terms, scaled, offsets) for same in found]


def _check_distinct(
    same: list[tuple[int, int]], terms: tuple[RandomTerm, ...], scaled: tuple[ScaledTerm, ...]
) -> None:
    for t, b in same:
        own = scaled[t].bases[b]
        if own.shape[1] > 1 or len(terms[t].blocks) > 1:
            continue
        for s, c in same:
            other = scaled[s].bases[c]
            columns = [other] if terms[s].structure == "full" else list(other.T[:, :, None])
            if s != t and len(terms[s].blocks) == 1 and any(_within(own[:, 0], basis) for basis in columns):
                one, two = sorted((terms[t].name, terms[s].name))
                raise ModelError(
                    f"The random terms {one} and {two} give the same rows the same effect, so their "
                    "variances cannot be told apart; take one of them out."
                )


def _within(column: Floats, basis: Floats) -> bool:
    """Whether a column (n,) is a combination of the columns of a basis (n, q)."""
    size = float(column @ column)
    gram, along = basis.T @ basis, basis.T @ column
    return size > 0 and size - float(along @ np.linalg.lstsq(gram, along)[0]) < SAME * size


def _grouping(
    same: list[tuple[int, int]],
    terms: tuple[RandomTerm, ...],
    scaled: tuple[ScaledTerm, ...],
    offsets: tuple[int, ...],
) -> Grouping:
    rows, cols, index, members = [], [], [], []
    q = 0
    for t, b in same:
        width = terms[t].blocks[b].width
        r, c, k = entries(terms[t].structure, width)
        rows.append(r + q)
        cols.append(c + q)
        index.append(k + offsets[t])
        members.append(Member(t, b, slice(q, q + width)))
        q += width
    block = terms[same[0][0]].blocks[same[0][1]]
    template = Template(q, np.concatenate(rows), np.concatenate(cols), np.concatenate(index))
    basis = np.column_stack([scaled[t].bases[b] for t, b in same])
    return Grouping(block.codes, block.n_levels, basis, template, tuple(members), np.arange(block.n_levels))


def _parent(fine: Grouping, coarse: Grouping) -> Ints | None:
    """Level of `coarse` that holds each level of `fine`, or None where one reaches into several."""
    parent = np.zeros(fine.m, dtype=np.intp)
    parent[fine.codes] = coarse.codes
    return parent if np.array_equal(parent[fine.codes], coarse.codes) else None


def _nest(groupings: list[Grouping]) -> tuple[list[Grouping], dict[tuple[int, int], Ints]]:
    """The leading chain of groupings, each nested in all later ones of it; levels renumbered along it."""
    parents: dict[tuple[int, int], Ints] = {}
    length = 1
    while length < len(groupings):
        up = [_parent(groupings[k], groupings[length]) for k in range(length)]
        if any(parent is None for parent in up):
            break
        parents |= {(k, length): parent for k, parent in enumerate(up) if parent is not None}
        length += 1
    number = {length - 1: np.arange(groupings[length - 1].m)}
    for k in range(length - 2, -1, -1):
        by_parent = np.argsort(number[k + 1][parents[k, k + 1]], kind="stable")
        number[k] = np.empty_like(by_parent)
        number[k][by_parent] = np.arange(groupings[k].m)
    renumbered = [_renumber(g, number[k]) if k in number else g for k, g in enumerate(groupings)]
    sorted_parents = {(k, t): number[t][parent][np.argsort(number[k])] for (k, t), parent in parents.items()}
    return renumbered, sorted_parents


def _renumber(g: Grouping, number: Ints) -> Grouping:
    if np.array_equal(number, g.order):
        return g
    return Grouping(number[g.codes], g.m, g.basis, g.template, g.members, number)


def _gram(g: Grouping) -> Floats:
    """Z'Z of one grouping, (q, q, m)."""
    out = np.empty((g.q, g.q, g.m))
    for i in range(g.q):
        for j in range(i + 1):
            out[i, j] = out[j, i] = np.bincount(g.codes, g.basis[:, i] * g.basis[:, j], minlength=g.m)
    return out


def _border(g: Grouping, W: Floats) -> Floats:
    """Z'W, (w, q, m)."""
    out = np.empty((W.shape[1], g.q, g.m))
    for a in range(W.shape[1]):
        for i in range(g.q):
            out[a, i] = np.bincount(g.codes, W[:, a] * g.basis[:, i], minlength=g.m)
    return out


def _pairs(s: Grouping, t: Grouping) -> Pairs:
    """Z_s'Z_t over the pairs of levels that meet in a row of the data."""
    key = s.codes * t.m + t.codes
    cells = s.m * t.m
    if cells <= DENSE_PAIRS * key.size:
        present = np.flatnonzero(np.bincount(key, minlength=cells))
        position = np.empty(cells, dtype=np.intp)
        position[present] = np.arange(present.size)
        where = position[key]
    else:
        present, where = np.unique(key, return_inverse=True)
    values = np.empty((s.q, t.q, present.size))
    for i in range(s.q):
        for j in range(t.q):
            values[i, j] = np.bincount(where, s.basis[:, i] * t.basis[:, j], minlength=present.size)
    return Pairs(present // t.m, present % t.m, values)
