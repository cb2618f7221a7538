"""Expected information of the variances in a dense remainder, which makes their Hessian exact.

    ∂²d/∂ψ∂ψ' = 2 w'Pw/σ² − tr(P Z Ψ̇ Z' P Z Ψ̇' Z') at a given σ²;

the average information w'Pw/σ² stands halfway between that and the trace, its expectation (Gilmour, Thompson
& Cullis 1995, Biometrics 51). With the inverse of the remainder there, the trace is cheap: for groupings a, b

    |A − U_a'U_b|²,  A = δ_ab/ψ_a − G_ab/(ψ_a ψ_b) = [Z'V⁻¹Z]_ab,  U = R_X⁻ᵀ X'V⁻¹Z,  |·| Frobenius's norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.factor import Factor
from mixedcore.terms import Floats

TILE = 128  # rows of a triangle that are squared at once


def known(factor: Factor) -> Mask:
    """The parameters whose expected information is at hand, (k,).

    Those of the remainder alone, when that is one matrix of groupings with one coefficient each, none of
    which is without variance.
    """
    cp, stacks = factor.cp, factor.stacks
    single = len(stacks) == 1 and stacks[0].layout.count == 1 and stacks[0].inverses is not None
    if not single or any(g.q > 1 for g in cp.groupings[cp.nested :]):
        return np.zeros(cp.k, dtype=bool)
    eliminated = np.concatenate([[], *(g.template.index for g in cp.groupings[: cp.nested])])
    return np.asarray(~np.isin(np.arange(cp.k), eliminated))


def expected_information(factor: Factor, U: Sequence[Floats]) -> Floats:
    """tr(P Z Ψ̇ Z' P Z Ψ̇' Z') over the remainder, (k, k), whole for the parameters that are `known`.

    U : that of each grouping of the remainder, (p, m); p = 0 gives V⁻¹ in the place of P
    """
    cp, (stack,) = factor.cp, factor.stacks
    psi = [float(root.psi[0, 0]) for root in factor.roots[cp.nested :]]
    index = [int(g.template.index[0]) for g in cp.groupings[cp.nested :]]
    cuts = np.cumsum([0, *(u.shape[1] for u in U)])
    G, own = stack.G[0], [slice(begin, end) for begin, end in pairwise(cuts)]
    alone = np.zeros((len(U), len(U[0]), 1, len(G)))  # U of one grouping at a time
    for u, here, rows in zip(U, own, alone, strict=True):
        rows[:, 0, here] = u
    through = stack.solve(alone.reshape(-1, 1, len(G))).reshape(alone.shape)
    out = np.zeros((cp.k, cp.k))
    for a, one in enumerate(own):
        for b, two in enumerate(own[: a + 1]):
            scale = 1 / (psi[a] * psi[b])
            size = scale**2 * (_symmetric_square(G[one, one]) if a == b else _square(G[one, two]))
            fixed = -scale * _dot(U[a], through[b, :, 0, one])  # <A, U_a'U_b>
            if a == b:
                size += len(U[a].T) / psi[a] ** 2 - 2 * scale / psi[a] * float(np.trace(G[one, one]))
                fixed += _dot(U[a], U[a]) / psi[a]
            part = size - 2 * fixed + _dot(U[a] @ U[a].T, U[b] @ U[b].T)
            out[index[a], index[b]] += part
            out[index[b], index[a]] += part if a != b else 0.0
    return out


def _dot(one: Floats, two: Floats) -> float:
    """Sum of the products, entry by entry."""
    return float(np.einsum("ij,ij->", one, two))


def _square(block: Floats) -> float:
    return _dot(block, block)


def _symmetric_square(lower: Floats) -> float:
    """Sum of the squares of a symmetric matrix whose upper triangle may hold anything."""
    total = float(np.diag(lower) @ np.diag(lower))
    for begin in range(0, len(lower), TILE):
        end = begin + TILE
        total += 2 * (_square(lower[begin:end, :begin]) + _square(np.tril(lower[begin:end, begin:end], -1)))
    return total
