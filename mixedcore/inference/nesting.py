"""Whether the random terms of one model are among those of another, and as what.

A term of the smaller model is embedded in a term of the larger one on the same levels, if its covariates are
combinations of that term's: basis_small = basis_large · C. Its covariance Ψ is then CΨC' there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixedcore.terms import Block, Floats, RandomTerm, entries, n_parameters

SAME = 1e-8  # share of a covariate that may lie outside others of which it still counts as a combination


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Term `small` of the smaller model stands in term `large` of the larger; C (q_large, q_small)."""

    small: int
    large: int
    C: Floats


def embed(small: Sequence[RandomTerm], large: Sequence[RandomTerm]) -> list[Embedding] | None:
    """Where each term of the smaller model stands in the larger, or None where one does not."""
    found = []
    for s, term in enumerate(small):
        places = (
            Embedding(s, t, C) for t, other in enumerate(large) if (C := _within(term, other)) is not None
        )
        place = next(places, None)
        if place is None:
            return None
        found.append(place)
    return found


def covariances(term: RandomTerm) -> Floats:
    """∂Ψ/∂ψ for the free entries of a term's covariance, (k, q, q); (1, 1, 1) for an isotropic one."""
    q = 1 if term.structure == "isotropic" else term.blocks[0].width
    rows, cols, index = entries(term.structure, q)
    out = np.zeros((n_parameters(term), q, q))
    out[index, rows, cols] = out[index, cols, rows] = 1.0
    return out


def _within(one: RandomTerm, other: RandomTerm) -> Floats | None:
    """C of an embedding of one term in another, or None."""
    if len(one.blocks) != len(other.blocks):
        return None
    pairs = list(zip(one.blocks, other.blocks, strict=True))
    if any(own.counts is not None or its.counts is not None for own, its in pairs):
        return _by_name(one, other)
    if not all(_same_levels(own, its) for own, its in pairs):
        return None
    if _scalar(other):
        return _common_factor(pairs) if _scalar(one) else None
    if len(pairs) > 1 or (_scalar(one) and one.blocks[0].width > 1):
        return None
    return _fitting(combination(one.blocks[0].basis, other.blocks[0].basis), one, other)


def _scalar(term: RandomTerm) -> bool:
    return term.structure == "isotropic" and (len(term.blocks) > 1 or term.blocks[0].width > 1)


def _fitting(C: Floats | None, one: RandomTerm, other: RandomTerm) -> Floats | None:
    """C if every CΨC' has the other term's structure."""
    if C is not None and other.structure != "full":
        for psi in covariances(one):
            moved = C @ psi @ C.T
            if np.abs(moved - np.diag(np.diag(moved))).max(initial=0.0) > 0:
                return None
    return C


def _same_levels(one: Block, other: Block) -> bool:
    """Whether two blocks divide the rows alike, whatever the numbers of their levels."""
    if one.n_levels != other.n_levels or one.codes.size != other.codes.size:
        return False
    if np.array_equal(one.codes, other.codes):
        return True
    number = np.zeros(one.n_levels, dtype=np.intp)
    number[one.codes] = other.codes
    return bool(np.array_equal(number[one.codes], other.codes))


def combination(one: Floats, other: Floats) -> Floats | None:
    """C (q, r) with one (n, r) = other (n, q) @ C, zeros exact; None where there is none."""
    size = np.linalg.norm(other, axis=0)
    size[size == 0] = 1.0
    own = np.linalg.norm(one, axis=0)
    C = np.linalg.lstsq(other / size, one)[0]
    if (np.linalg.norm(one - other / size @ C, axis=0) > SAME * own).any():
        return None
    C[np.abs(C) < SAME * own] = 0.0
    return np.asarray(C / size[:, None], dtype=np.float64)


def _common_factor(pairs: Sequence[tuple[Block, Block]]) -> Floats | None:
    """(1, 1): the number that makes all covariates of a component out of those of another, or None."""
    own = np.concatenate([one.basis.ravel() for one, _ in pairs])
    its = np.concatenate([other.basis.ravel() for _, other in pairs])
    return combination(own[:, None], its[:, None]) if own.size == its.size else None


def _by_name(one: RandomTerm, other: RandomTerm) -> Floats | None:
    """C where rows were not kept: by the names of terms and covariates."""
    if one.name != other.name or one.role != other.role:
        return None
    if one.role == "component":
        return np.eye(1)
    if not set(one.columns) <= set(other.columns):
        return None
    C = np.array([[float(a == b) for b in one.columns] for a in other.columns])
    return _fitting(C, one, other)
