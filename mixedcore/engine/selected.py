"""Selected inverse: covariances of b on the pattern of Z'Z, and the diagonal faces of Z'V⁻¹Z.

Goes from the remainder back to the first grouping. For level f of stage k, with R the levels that f meets,

    Q_f = A_fR H_RR A_Rf,  H_ff = G_f + G_f Q_f G_f, (Z'V⁻¹Z)_ff = E_f K_f − E_f Q_f E_f',  E_f = I − K_f G_f,
    H_fR = −G_f A_fR H_RR.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.engine.blocks import multiply, transpose
from mixedcore.engine.couplings import SparseCoupling
from mixedcore.engine.dense import DenseStack
from mixedcore.engine.factor import Factor, Stage
from mixedcore.terms import Floats, Ints


@dataclass(frozen=True, eq=False)
class Faces:
    """The diagonal faces of one factor, each found when first asked for."""

    factor: Factor

    @cached_property
    def H(self) -> tuple[Floats, ...]:
        """Conditional covariance of b over σ² given β, per grouping (q, q, m)."""
        found = [_covariance(stage, Q) for stage, Q in zip(self.factor.stages, self._Q, strict=True)]
        return (*found, *self._remaining)

    @cached_property
    def M(self) -> tuple[Floats, ...]:
        """Σ_f (Z'V⁻¹Z)_ff, per grouping (q, q)."""
        nested, by_set = self.factor.cp.nested, self._by_set
        first = self._M(0, self._Q[0]) if by_set is None else by_set
        eliminated = (first, *(self._M(k, self._Q[k]) for k in range(1, nested)))
        remaining = enumerate(self._remaining, start=nested)
        return (*eliminated, *(_information(self.factor, t, H.sum(axis=2)) for t, H in remaining))

    def _M(self, k: int, Q: Floats | None) -> Floats:
        """Σ_f of E_f K_f − E_f Q_f E_f' over the levels of stage k."""
        E, K = _complement(self.factor.stages[k]), self.factor.stages[k].K
        q = len(K)
        M = E.reshape(q, -1) @ K.reshape(q, -1).T
        return M if Q is None else np.asarray(M - multiply(E, Q).reshape(q, -1) @ E.reshape(q, -1).T)

    @cached_property
    def _by_set(self) -> Floats | None:
        """M of a first grouping whose levels share a few G_f, from sums over the levels of each."""
        coupling = self.factor.plan.couplings[0] if self.factor.plan.couplings else None
        if not isinstance(coupling, SparseCoupling) or len(coupling.values) > 1 or self.factor.cp.nested > 1:
            return None
        stage = self.factor.stages[0]
        E = _complement(stage)
        Q = coupling.quadratic_by_set(self._cells)
        return np.asarray((E * stage.K).sum(axis=2) - E[:, :, coupling.examples] ** 2 @ Q)

    @cached_property
    def _cells(self) -> Floats:
        parts = [stack.G.ravel() for stack in self.factor.stacks]
        return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0), *parts])

    @cached_property
    def _remaining(self) -> tuple[Floats, ...]:
        """H of the remainder's groupings."""
        cp, remainder = self.factor.cp, self.factor.plan.remainder
        if remainder is None:
            return ()
        found = []
        for at, g in zip(remainder.position, cp.groupings[cp.nested :], strict=True):
            i, j = np.indices((g.q, g.q))[:, :, :, None]
            found.append(self._cells[remainder.cell(at + np.maximum(i, j), at + np.minimum(i, j))])
        return tuple(found)

    @property
    def _Q(self) -> tuple[Floats | None, ...]:
        """Q_f of the eliminated groupings, (q, q, m) each; None for one that nothing comes after."""
        return self._swept[0]

    @cached_property
    def _swept(self) -> tuple[tuple[Floats | None, ...], _Above]:
        """Q_f of the eliminated groupings, and what the first of them needs of the others."""
        H: dict[tuple[int, int], Floats] = {}
        HR: dict[int, Floats] = {}
        found: dict[int, Floats | None] = {}
        for k in range(self.factor.cp.nested - 1, -1, -1):
            above = _Above(self.factor, k, H, HR, self._cells)
            found[k] = above.quadratic()
            if k:
                H[k, k] = _covariance(self.factor.stages[k], found[k])
                above.keep()
        return tuple(found[k] for k in range(self.factor.cp.nested)), above

    @cached_property
    def across(self) -> dict[tuple[int, int], Floats]:
        """H between the levels of two groupings that meet in a row: (q_s, q_t, nnz) as in `cp.pairs`."""
        first = self._swept[1]
        first.keep()
        out, cp = {}, self.factor.cp
        for (s, t), pairs in cp.pairs.items():
            if t < cp.nested:
                out[s, t] = first.H[s, t]
            else:
                out[s, t] = self._with_remainder(first.HR, s, t, (pairs.rows, pairs.cols))
        return out

    def _with_remainder(self, HR: dict[int, Floats], s: int, t: int, at: tuple[Ints, Ints]) -> Floats:
        """H between pairs of levels, the second of a grouping of the remainder, (q_s, q_t, nnz)."""
        cp, remainder = self.factor.cp, self.factor.plan.remainder
        assert remainder is not None
        q = cp.groupings[t].q
        coefs = remainder.position[t - cp.nested][at[1]] + np.arange(q)[:, None]
        if s < cp.nested:
            return self.factor.plan.couplings[s].at(HR[s], at[0], coefs)
        own = remainder.position[s - cp.nested][at[0]] + np.arange(cp.groupings[s].q)[:, None]
        one, two = own[:, None], coefs[None]
        return self._cells[remainder.cell(np.maximum(one, two), np.minimum(one, two))]


def _covariance(stage: Stage, Q: Floats | None) -> Floats:
    """H_ff = G_f + G_f Q_f G_f."""
    return stage.G if Q is None else np.asarray(stage.G + multiply(multiply(stage.G, Q), stage.G))


def _complement(stage: Stage) -> Floats:
    """E_f = I − K_f G_f."""
    E = -multiply(stage.K, stage.G)
    E[np.arange(len(E)), np.arange(len(E))] += 1.0
    return E


@dataclass(frozen=True, slots=True, eq=False)
class _Above:
    """What stage k needs of the stages after it: H among them, HR with the remainder, the remainder's H."""

    factor: Factor
    k: int
    H: dict[tuple[int, int], Floats]
    HR: dict[int, Floats]
    cells: Floats

    @property
    def stage(self) -> Stage:
        return self.factor.stages[self.k]

    def keep(self) -> None:
        """Add what the stages before this one need of it to H and HR."""
        for t in self.stage.up:
            self.H[self.k, t] = -multiply(self.stage.G, self.times(t))
        if self.stage.values is not None:
            self.HR[self.k] = self.to_remainder()

    def _H(self, t: int, u: int) -> Floats:
        """H_tu at the ancestors of each level of k, (q_t, q_u, m_k)."""
        if t > u:
            return transpose(self._H(u, t))
        return self.H[t, u][:, :, self.factor.cp.parents[self.k, t]]

    def times(self, t: int) -> Floats:
        """A_kR H_Rt, (q_k, q_t, m_k)."""
        out = sum(multiply(A, self._H(u, t)) for u, A in self.stage.up.items())
        if self.stage.values is not None:
            c = self.factor.plan.couplings[self.k]
            out = out + c.along(self.stage.values, c.from_parents(self.HR[t], t))
        return np.asarray(out)

    def quadratic(self) -> Floats | None:
        """Q = A_kR H_RR A_Rk, (q, q, m); None where nothing comes after the stage."""
        stage = self.stage
        if not stage.up and stage.values is None:
            return None
        Q = np.zeros_like(stage.K)
        for t, A in stage.up.items():
            Q += multiply(multiply(A, self._H(t, t)), transpose(A))
            for u in range(t + 1, self.factor.cp.nested):
                Q += _twice_symmetric(multiply(multiply(A, self._H(t, u)), transpose(stage.up[u])))
        if stage.values is None:
            return Q
        c = self.factor.plan.couplings[self.k]
        if stage.up:
            Q += _twice_symmetric(c.along(self._through_parents(), stage.values))
        return Q + c.quadratic(self.cells, stage.values)

    def _through_parents(self) -> Floats:
        """What the ancestors of each level have with the remainder, as values of k's coupling."""
        c = self.factor.plan.couplings[self.k]
        parts = [c.scaled(A, c.from_parents(self.HR[t], t)) for t, A in self.stage.up.items()]
        return sum(parts[1:], parts[0])

    def to_remainder(self) -> Floats:
        """H between each level of k and the coefficients it meets, as values of its coupling."""
        c, stage = self.factor.plan.couplings[self.k], self.stage
        assert stage.values is not None
        out = c.times(self.cells, stage.values)
        if stage.up:
            out = out + self._through_parents()
        return -c.scaled(stage.G, out)


def _twice_symmetric(A: Floats) -> Floats:
    """A + A' for each block."""
    return A + transpose(A)


def _information(factor: Factor, t: int, sum_H: Floats) -> Floats:
    """Σ_f (Z'V⁻¹Z)_ff of a remainder grouping, (q, q).

    Ψ⁻¹(mΨ − ΣH_ff)Ψ⁻¹ where Ψ is well conditioned, else K − KGK on the grouping's own columns.
    """
    number = t - factor.cp.nested
    if (inverses := factor.stacks[0].inverses) is not None:
        inverse = inverses[number]
        return np.asarray(inverse * factor.cp.groupings[t].m - inverse @ sum_H @ inverse)
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
