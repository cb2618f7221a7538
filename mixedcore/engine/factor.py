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

from mixedcore.engine import blocks
from mixedcore.engine.blocks import apply, multiply, sum_runs, transpose
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.dense import DenseStack, factorise_stack
from mixedcore.engine.elimination import Plan
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
    """One eliminated grouping: K and G (q, q, m); `up[t]` (q, q_t, m) its couplings with later ones.

    values : those with the remainder, as its `Coupling` has them; None where nothing remains
    """

    K: Floats
    G: Floats
    up: dict[int, Floats]
    values: Floats | None


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
    """w columns carried through the factor, as rows: stages[k] (w, q, m), dense (w, size), gram (w, w).

    solved : once reduced, G times the dense rows, (w, c, s) for each stack
    """

    stages: tuple[Floats, ...]
    dense: Floats
    gram: Floats
    solved: tuple[Floats, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Per grouping, for w columns c: b = ΛCΛ'Z'c and a = Z'V⁻¹c, each (w, q, m)."""

    b: tuple[Floats, ...]
    a: tuple[Floats, ...]


def factorise(cp: CrossProducts, plan: Plan, roots: tuple[Root, ...]) -> Factor:
    """Eliminate grouping after grouping, then the dense remainder."""
    K = [zz.copy() if k else zz for k, zz in enumerate(cp.ZZ)]
    up = {key: cp.pairs[key].values.copy() if key[0] else cp.pairs[key].values for key in cp.parents}
    coupled = [c.values for c in plan.couplings]
    dense = plan.dense
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
            coupling, values = plan.couplings[k], coupled[k]
            for t in later:
                moved = coupling.scaled(transpose(GA[t]), values)
                coupled[t] = coupled[t] - coupling.to_parents(moved, t)
            dense = coupling.eliminate(dense, G, values)
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
        if stage.values is not None:
            dense = dense - plan.couplings[k].down(GB, stage.values)
        gram = gram - stages[k].reshape(w, -1) @ GB.reshape(w, -1).T
    solved = tuple(stack.solve(stack.part(dense)) for stack in factor.stacks)
    for stack, part in zip(factor.stacks, solved, strict=True):
        gram = gram - stack.part(dense).reshape(w, -1) @ part.reshape(w, -1).T
    return Border(tuple(stages), dense, gram, solved)


def cross_gram(factor: Factor, one: Border, two: Border, gram: Floats) -> Floats:
    """Schur complement of `gram` (w1, w2) between two borders that were reduced apart."""
    w1, w2 = len(one.gram), len(two.gram)
    for k, stage in enumerate(factor.stages):
        gram = gram - one.stages[k].reshape(w1, -1) @ apply(stage.G, two.stages[k]).reshape(w2, -1).T
    for stack, solved in zip(factor.stacks, one.solved, strict=True):
        gram = gram - solved.reshape(w1, -1) @ stack.part(two.dense).reshape(w2, -1).T
    return gram


def solve(factor: Factor, reduced: Border) -> Solution:
    """Go back up with the columns of a reduced border."""
    cp, plan = factor.cp, factor.plan
    b: list[Floats] = [np.zeros(0)] * len(cp.groupings)
    a = list(b)
    dense_b, dense_a = np.zeros_like(reduced.dense), np.zeros_like(reduced.dense)
    for stack, solved in zip(factor.stacks, reduced.solved, strict=True):
        stack.part(dense_b)[:] = solved
        stack.part(dense_a)[:] = stack.scores(stack.part(reduced.dense), solved)
    if plan.remainder is not None:
        for t, at in enumerate(plan.remainder.position, start=cp.nested):
            coefs = at + np.arange(cp.groupings[t].q)[:, None]
            b[t], a[t] = dense_b[:, coefs], dense_a[:, coefs]
    for k in range(cp.nested - 1, -1, -1):
        stage = factor.stages[k]
        rest = reduced.stages[k]
        for t, A in stage.up.items():
            rest = rest - apply(A, b[t][:, :, cp.parents[k, t]])
        if stage.values is not None:
            rest = rest - plan.couplings[k].up(dense_b, stage.values)
        b[k] = apply(stage.G, rest)
        a[k] = rest - apply(stage.K, b[k])
    return Solution(tuple(b), tuple(a))
