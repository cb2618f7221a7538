"""The factor of the mixed-model equations at one value of the covariance parameters.

Written for b rather than for the spherical u = Λ⁻¹b, so that a singular Λ needs no special case: with K_f the
information on level f that is left after the earlier eliminations and Ψ = TT',

    D_f = I + T'K_f T,    G_f = T D_f⁻¹ T' = (Ψ⁻¹ + K_f)⁻¹,    Schur update  A_st ← A_st − Σ_f A_sf G_f A_ft.

Going back up gives H = ΛCΛ', the conditional covariance of b over σ², on the pattern of Z'Z, and the diagonal
faces of Z'V⁻¹Z. Bates et al. (2015), J. Stat. Softw. 67(1), eqs. 17–18, 51; Takahashi's equations for C.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixedcore import blocks
from mixedcore.blocks import multiply, sum_by, sum_runs, transpose
from mixedcore.crossproducts import CrossProducts
from mixedcore.dense import DenseStack, factorise_stack
from mixedcore.elimination import Coupling, Plan
from mixedcore.terms import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """Ψ = T diag(signs) T' of one grouping, (q, q). Signs are 1 except just outside the parameter space."""

    T: Floats
    signs: Floats

    @classmethod
    def of_factor(cls, T: Floats) -> Root:
        """Ψ = TT'."""
        return cls(T, np.ones(len(T)))

    @classmethod
    def of_covariance(cls, psi: Floats) -> Root:
        """Any symmetric Ψ, indefinite ones included."""
        values, vectors = np.linalg.eigh(psi)
        return cls(vectors * np.sqrt(np.abs(values)), np.where(values < 0, -1.0, 1.0))

    @property
    def psi(self) -> Floats:
        """Ψ, (q, q)."""
        return (self.T * self.signs) @ self.T.T


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One eliminated grouping: K and G (q, q, m); `up[t]` (q, q_t, m) and `dense` (q, nnz) its couplings."""

    K: Floats
    G: Floats
    up: dict[int, Floats]
    dense: Floats | None


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """Blocked factor; `logdet` is log|Λ'Z'ZΛ + I|."""

    cp: CrossProducts
    plan: Plan
    roots: tuple[Root, ...]
    stages: tuple[Stage, ...]
    stacks: tuple[DenseStack, ...]
    logdet: float


@dataclass(frozen=True, slots=True, eq=False)
class Border:
    """w columns carried through the factor, as rows: stages[k] (w, q, m), dense (w, size), gram (w, w)."""

    stages: tuple[Floats, ...]
    dense: Floats
    gram: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Per grouping, for w columns c: b = ΛCΛ'Z'c and a = Z'V⁻¹c, each (w, q, m)."""

    b: tuple[Floats, ...]
    a: tuple[Floats, ...]


def factorise(cp: CrossProducts, plan: Plan, roots: tuple[Root, ...]) -> Factor:
    """Eliminate grouping after grouping, then the dense remainder."""
    K = [zz.copy() if k else zz for k, zz in enumerate(cp.ZZ)]
    up = {key: cp.pairs[key].values.copy() if key[0] else cp.pairs[key].values for key in cp.parents}
    coupled = [c.values.copy() if k else c.values for k, c in enumerate(plan.couplings)]
    dense = plan.dense.copy()
    stages, logdet = [], 0.0
    for k in range(cp.nested):
        G, log_pivots = _eliminate(K[k], roots[k])
        logdet += log_pivots
        later = range(k + 1, cp.nested)
        GA = {t: multiply(G, up[k, t]) for t in later}
        for t in later:
            runs = plan.run_starts[k, t]
            K[t] -= sum_runs(multiply(transpose(up[k, t]), GA[t]), runs)
            for u in range(t + 1, cp.nested):
                up[t, u] -= sum_runs(multiply(transpose(GA[t]), up[k, u]), runs)
        values = None
        if plan.couplings:
            c, values = plan.couplings[k], coupled[k]
            for t in later:
                moved = (GA[t][:, :, c.level] * values[:, None]).sum(axis=0)
                coupled[t] -= sum_by(moved, plan.lift[k, t], coupled[t].shape[1])
            dense -= np.bincount(c.cell, _pair_updates(G, c, values), minlength=dense.size)
        stages.append(Stage(K[k], G, {t: up[k, t] for t in later}, values))
    stacks = _factorise_remainder(plan, dense, roots[cp.nested :])
    return Factor(cp, plan, roots, tuple(stages), stacks, logdet + sum(s.logdet for s in stacks))


def _eliminate(K: Floats, root: Root) -> tuple[Floats, float]:
    """G (q, q, m) and log|D| summed over the levels."""
    T, q = root.T, len(root.T)
    D = blocks.congruence(T, K)
    D[np.arange(q), np.arange(q)] += root.signs[:, None]
    inverse, logdet = blocks.inverse_and_logdet(D)
    return blocks.congruence(T.T, inverse), float(logdet.sum())


def _pair_updates(G: Floats, c: Coupling, values: Floats) -> Floats:
    """A_fr' G_f A_fs for each pair of entries r ≥ s of a level f, (pairs,)."""
    if len(values) == 1:
        return np.asarray(c.pair_products(values) * np.repeat(G[0, 0], c.pair_counts))
    G_values = (G[:, :, c.level] * values[None]).sum(axis=1)
    return np.asarray((values[:, c.first] * G_values[:, c.second]).sum(axis=0))


def _factorise_remainder(plan: Plan, dense: Floats, roots: Sequence[Root]) -> tuple[DenseStack, ...]:
    if plan.remainder is None:
        return ()
    return tuple(factorise_stack(stack, dense, roots) for stack in plan.remainder.stacks)


def reduce(factor: Factor, border: Border) -> Border:
    """Carry a border down the factor; `gram` becomes its Schur complement c'V⁻¹c'."""
    plan, nested = factor.plan, factor.cp.nested
    stages, dense, gram = list(border.stages), border.dense, border.gram
    w = len(gram)
    for k, stage in enumerate(factor.stages):
        GB = apply(stage.G, stages[k])
        for t in range(k + 1, nested):
            stages[t] = stages[t] - sum_runs(apply(transpose(stage.up[t]), GB), plan.run_starts[k, t])
        if stage.dense is not None:
            c = plan.couplings[k]
            dense = dense - sum_by((GB[:, :, c.level] * stage.dense).sum(axis=1), c.coef, dense.shape[1])
        gram = gram - stages[k].reshape(w, -1) @ GB.reshape(w, -1).T
    for stack in factor.stacks:
        part = stack.part(dense)
        gram = gram - part.reshape(w, -1) @ stack.solve(part).reshape(w, -1).T
    return Border(tuple(stages), dense, gram)


def cross_gram(factor: Factor, one: Border, two: Border, gram: Floats) -> Floats:
    """Schur complement of `gram` (w1, w2) between two borders that were reduced apart."""
    w1, w2 = len(one.gram), len(two.gram)
    for k, stage in enumerate(factor.stages):
        gram = gram - one.stages[k].reshape(w1, -1) @ apply(stage.G, two.stages[k]).reshape(w2, -1).T
    for stack in factor.stacks:
        solved = stack.solve(stack.part(two.dense))
        gram = gram - stack.part(one.dense).reshape(w1, -1) @ solved.reshape(w2, -1).T
    return gram


def apply(A: Floats, B: Floats) -> Floats:
    """Blocks A (r, q, m) on columns B (w, q, m) → (w, r, m)."""
    out = B[:, 0, None] * A[None, :, 0]
    for j in range(1, A.shape[1]):
        out += B[:, j, None] * A[None, :, j]
    return out


def solve(factor: Factor, reduced: Border) -> Solution:
    """Go back up with the columns of a reduced border."""
    cp, plan = factor.cp, factor.plan
    b: list[Floats] = [np.zeros(0)] * len(cp.groupings)
    a = list(b)
    dense_b, dense_a = np.zeros_like(reduced.dense), np.zeros_like(reduced.dense)
    for stack in factor.stacks:
        part = stack.part(reduced.dense)
        solved = stack.solve(part)
        stack.part(dense_b)[:] = solved
        stack.part(dense_a)[:] = part - stack.information(solved)
    if plan.remainder is not None:
        for t, at in enumerate(plan.remainder.position, start=cp.nested):
            coefs = at + np.arange(cp.groupings[t].q)[:, None]
            b[t], a[t] = dense_b[:, coefs], dense_a[:, coefs]
    for k in range(cp.nested - 1, -1, -1):
        stage = factor.stages[k]
        rest = reduced.stages[k]
        for t, A in stage.up.items():
            rest = rest - apply(A, b[t][:, :, cp.parents[k, t]])
        if stage.dense is not None:
            c = plan.couplings[k]
            rest = rest - sum_runs(stage.dense[None] * dense_b[:, None, c.coef], c.starts)
        b[k] = apply(stage.G, rest)
        a[k] = rest - apply(stage.K, b[k])
    return Solution(tuple(b), tuple(a))
