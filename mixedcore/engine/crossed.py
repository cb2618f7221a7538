"""Expected information of all variances of crossed groupings with one coefficient each.

    tr(P Z Ψ̇_a Z' P Z Ψ̇_b Z') = |[Z'PZ]_ab|²,  Z'PZ = W − U'U,  W = Z'V⁻¹Z,  |·| Frobenius's norm.

The remainder's W_RR = KX, X = I − GK, is formed. A grouping that was eliminated before it may have many
levels; with g = (k + 1/ψ)⁻¹ and e = 1 − kg for each of them, A their coupling with the remainder,

    W_ss = ek − eAGA'e,  W_sR = eAX,

only sums over its levels are needed: B = A'e²A, and C = U_s eA for the fixed effects.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mixedcore.engine.dense import DenseStack, mirrored
from mixedcore.engine.factor import Factor
from mixedcore.terms import Floats


def applies(factor: Factor) -> bool:
    """Whether the remainder is one matrix, at most one grouping stands before it, and none has slopes."""
    cp, stacks = factor.cp, factor.stacks
    single = len(stacks) == 1 and stacks[0].layout.count == 1
    return single and cp.nested <= 1 and all(g.q == 1 for g in cp.groupings)


def expected_information(factor: Factor, U: Sequence[Floats]) -> Floats:
    """tr(P Z Ψ̇ Z' P Z Ψ̇' Z'), (k, k), where it `applies`.

    U : R_X⁻ᵀ X'V⁻¹Z of each grouping, (p, m); p = 0 gives V⁻¹ in the place of P
    """
    cp, nested = factor.cp, factor.cp.nested
    G, inverse = mirrored(factor.stacks[0].G)[0], _inverse(factor)
    X, W = _complement(factor.stacks[0], G, inverse)
    share = np.concatenate(U[nested:], axis=1)
    cuts = np.cumsum([0, *(u.shape[1] for u in U[nested:])])
    index = [int(g.template.index[0]) for g in cp.groupings]
    norms = np.zeros((len(U), len(U)))
    squares = (W - share.T @ share) ** 2
    norms[nested:, nested:] = np.add.reduceat(np.add.reduceat(squares, cuts[:-1], 0), cuts[:-1], 1)
    if nested:
        norms[0, 0], by_column = _eliminated(factor, G, X, inverse, U[0], share)
        norms[0, 1:] = norms[1:, 0] = [by_column[begin:end].sum() for begin, end in pairwise(cuts)]
    out = np.zeros((cp.k, cp.k))
    np.add.at(out, np.ix_(index, index), norms)
    return out


def _inverse(factor: Factor) -> Floats | None:
    """The diagonal of Ψ⁻¹ of the remainder, (s,), where it serves in the place of K."""
    if (inverses := factor.stacks[0].inverses) is None:
        return None
    levels = [g.m for g in factor.cp.groupings[factor.cp.nested :]]
    return np.repeat([float(each[0, 0]) for each in inverses], levels)


def _complement(stack: DenseStack, G: Floats, inverse: Floats | None) -> tuple[Floats, Floats]:
    """X = I − GK = GΨ⁻¹ and W = KX = Ψ⁻¹(I − X) of the remainder, (s, s) each."""
    if inverse is None:
        assert stack.K is not None
        K = mirrored(stack.K)[0]
        X = np.eye(len(G)) - G @ K
        return X, K @ X
    X = G * inverse
    W = -inverse[:, None] * X
    W[np.diag_indices_from(W)] += inverse
    return X, W


def _eliminated(
    factor: Factor, G: Floats, X: Floats, inverse: Floats | None, u: Floats, share: Floats
) -> tuple[float, Floats]:
    """|[Z'PZ]_ss|² of the grouping before the remainder, and |[Z'PZ]_sR|² column by column, (s,)."""
    stage, coupling = factor.stages[0], factor.plan.couplings[0]
    values = stage.values
    assert values is not None
    k = stage.K[0, 0]
    e = 1 - k * stage.G[0, 0]

    def summed(weights: Floats) -> Floats:
        """A' diag(weights) A, (s, s)."""
        lower = -coupling.eliminate(np.zeros(G.size), weights[None, None], values)
        return np.asarray(mirrored(lower.reshape(1, *G.shape))[0])

    C = coupling.down((u * e)[:, None], values) if len(u) else np.zeros((0, len(G)))
    GB = G @ (B := summed(e**2))
    own = float((e * k) @ (e * k)) - 2 * float((G * summed(e**3 * k)).sum()) + float((GB * GB.T).sum())
    with_u = float((u**2 @ (e * k)).sum()) - float((C @ G * C).sum())
    gram, BX = u @ u.T, B @ X if inverse is None else GB.T * inverse
    across = (BX * X).sum(axis=0) + (share * (gram @ share - 2 * (C @ X))).sum(axis=0)
    return own - 2 * with_u + float((gram**2).sum()), across
