"""Selected inverse: covariances of b, and Z'V⁻¹Z, on the diagonal faces only.

Goes from the remainder back to the first grouping. For level f of stage k, with R the levels that f meets,

    Q_f = A_fR H_RR A_Rf,  H_ff = G_f + G_f Q_f G_f, (Z'V⁻¹Z)_ff = E_f K_f − E_f Q_f E_f',  E_f = I − K_f G_f.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixedcore.blocks import multiply, sum_by, sum_runs, transpose
from mixedcore.dense import DenseStack
from mixedcore.factor import Factor, Stage
from mixedcore.terms import Floats

WELL_CONDITIONED = 1e-3  # smallest singular value of T from which Ψ⁻¹ keeps ten digits


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Per grouping: H (q, q, m) = conditional covariance of b over σ² given β, and Σ_f (Z'V⁻¹Z)_ff (q, q)."""

    H: tuple[Floats, ...]
    M: tuple[Floats, ...]


def faces(factor: Factor) -> Faces:
    """All diagonal faces at once."""
    cp, plan = factor.cp, factor.plan
    H: dict[tuple[int, int], Floats] = {}
    HR: dict[int, Floats] = {}
    M: list[Floats] = [np.zeros(0)] * len(cp.groupings)
    parts = [stack.G.ravel() for stack in factor.stacks]
    cells = parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0), *parts])
    if plan.remainder is not None:
        for t, at in enumerate(plan.remainder.position, start=cp.nested):
            j = np.arange(cp.groupings[t].q)
            H[t, t] = cells[plan.remainder.cell(at + j[:, None, None], at + j[None, :, None])]
            M[t] = _information(factor, t, H[t, t].sum(axis=2))
    for k in range(cp.nested - 1, -1, -1):
        stage = factor.stages[k]
        above = _Above(factor, k, H, HR, cells)
        Q = above.quadratic()
        GQ = multiply(stage.G, Q)
        H[k, k] = stage.G + multiply(GQ, stage.G)
        E = -multiply(stage.K, stage.G)
        E[np.arange(len(E)), np.arange(len(E))] += 1.0
        M[k] = (multiply(E, stage.K) - multiply(multiply(E, Q), transpose(E))).sum(axis=2)
        if k:
            for t in stage.up:
                H[k, t] = -multiply(stage.G, above.times(t))
            if plan.couplings:
                HR[k] = above.to_remainder()
    return Faces(tuple(H[t, t] for t in range(len(cp.groupings))), tuple(M))


@dataclass(frozen=True, slots=True, eq=False)
class _Above:
    """What stage k needs of the stages after it."""

    factor: Factor
    k: int
    H: dict[tuple[int, int], Floats]
    HR: dict[int, Floats]
    cells: Floats

    @property
    def stage(self) -> Stage:
        return self.factor.stages[self.k]

    def _H(self, t: int, u: int) -> Floats:
        """H_tu at the ancestors of each level of k, (q_t, q_u, m_k)."""
        if t > u:
            return transpose(self._H(u, t))
        return self.H[t, u][:, :, self.factor.cp.parents[self.k, t]]

    def _HR(self, t: int) -> Floats:
        """H between the ancestor in t and each entry's coefficient, (q_t, nnz)."""
        return self.HR[t][:, self.factor.plan.lift[self.k, t]]

    def times(self, t: int) -> Floats:
        """A_kR H_Rt, (q_k, q_t, m_k)."""
        out = sum(multiply(A, self._H(u, t)) for u, A in self.stage.up.items())
        if self.stage.dense is not None:
            c = self.factor.plan.couplings[self.k]
            out = out + sum_runs(self.stage.dense[:, None] * self._HR(t)[None], c.starts)
        return np.asarray(out)

    def quadratic(self) -> Floats:
        """Q = A_kR H_RR A_Rk, (q, q, m)."""
        stage = self.stage
        Q = np.zeros_like(stage.K)
        for t, A in stage.up.items():
            Q += multiply(multiply(A, self._H(t, t)), transpose(A))
            for u in range(t + 1, self.factor.cp.nested):
                Q += _twice_symmetric(multiply(multiply(A, self._H(t, u)), transpose(stage.up[u])))
        if stage.dense is None:
            return Q
        c, values = self.factor.plan.couplings[self.k], stage.dense
        for t, A in stage.up.items():
            moved = (A[:, :, c.level] * self._HR(t)[None]).sum(axis=1)
            Q += _twice_symmetric(sum_runs(moved[:, None] * values[None], c.starts))
        weighted = self.cells[c.cell] * c.twice
        if len(values) == 1:
            return np.asarray(Q + sum_runs(c.pair_products(values) * weighted, c.pair_starts))
        weighted *= 0.5
        product = values[:, None, c.first] * (values[:, c.second] * weighted)[None]
        return np.asarray(Q + _twice_symmetric(sum_runs(product, c.pair_starts)))

    def to_remainder(self) -> Floats:
        """H between each level of k and the coefficients it meets, (q, nnz)."""
        plan, stage = self.factor.plan, self.stage
        c, values = plan.couplings[self.k], stage.dense
        assert values is not None
        out = np.zeros_like(values)
        for t, A in stage.up.items():
            out += (A[:, :, c.level] * self._HR(t)[None]).sum(axis=1)
        weights = self.cells[c.cell]
        out += sum_by(values[:, c.second] * weights, c.first, out.shape[1])
        apart = c.first != c.second
        out += sum_by(values[:, c.first[apart]] * weights[apart], c.second[apart], out.shape[1])
        return np.asarray(-(stage.G[:, :, c.level] * out[None]).sum(axis=1))


def _twice_symmetric(A: Floats) -> Floats:
    """A + A' for each block."""
    return A + transpose(A)


def _information(factor: Factor, t: int, sum_H: Floats) -> Floats:
    """Σ_f (Z'V⁻¹Z)_ff of a remainder grouping, (q, q).

    Ψ⁻¹(mΨ − ΣH_ff)Ψ⁻¹ where Ψ is well conditioned, else K − KGK on the grouping's own columns.
    """
    root = factor.roots[t]
    if np.linalg.svd(root.T, compute_uv=False).min() > WELL_CONDITIONED:
        inverse = np.linalg.inv(root.psi)
        return np.asarray(inverse * factor.cp.groupings[t].m - inverse @ sum_H @ inverse)
    number = t - factor.cp.nested
    widths = [len(r.T) for r in factor.roots[factor.cp.nested :]]
    return sum((_information_in(stack, number, widths) for stack in factor.stacks), np.zeros_like(sum_H))


def _information_in(stack: DenseStack, number: int, widths: list[int]) -> Floats:
    """Sum of the diagonal faces of K − KGK over the levels of one grouping in a stack."""
    q, levels = widths[number], stack.layout.levels
    begin = sum(w * n for w, n in zip(widths[:number], levels[:number], strict=True))
    own = slice(begin, begin + q * levels[number])
    columns = stack.information_columns(own)
    moved = stack.solve(np.moveaxis(columns, 2, 0))
    product = columns[:, own] - np.matmul(columns.swapaxes(1, 2), np.moveaxis(moved, 0, 2))
    split = product.reshape(stack.layout.count, levels[number], q, levels[number], q)
    return np.asarray(np.einsum("cfifj->ij", split))
