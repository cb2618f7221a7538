"""What the likelihood-ratio statistic of two nested mixed models is distributed as.

At the null hypothesis the larger model's covariances are those of the smaller one, embedded. A covariance
Ψ = U A U' of rank q₀ may then move by M with N'MN ⪰ 0, N the directions without variance: all of M but N'MN
goes either way, and N'MN is a covariance of its own. So the limit is that of `chi_bar`, with

    free parameters  those that go either way and are not the smaller model's; its missing fixed effects,
    a cone           the matrices N'MN, with the larger model's average information at the smaller one's fit.

q → q + 1 correlated effects: ½χ²_q + ½χ²_{q+1}; one independent variance: ½χ²_0 + ½χ²_1 (Stram & Lee 1994).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.criterion import Evaluation
from mixedcore.inference.chi_bar import chi_bar_p
from mixedcore.inference.constrained import Likelihood
from mixedcore.inference.nesting import Embedding, covariances
from mixedcore.terms import Floats, RandomTerm, entries
from mixedcore.units import UserUnits

RANK = 1e-8  # share of the largest singular value below which a direction counts as none


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The limit of the statistic: free parameters, sizes of the cone's matrices, and their information."""

    free: int
    sizes: tuple[int, ...]
    information: Floats

    def p_value(self, statistic: float) -> float:
        """P(T ≥ statistic)."""
        return chi_bar_p(statistic, self.free, self.sizes, self.information)

    @property
    def words(self) -> str:
        """The limit in words: 'χ²(2)', '½χ²(1) + ½χ²(2)', or a mixture."""
        if not self.sizes:
            return f"χ²({self.free})"
        if self.sizes == (1,):
            return f"½χ²({self.free}) + ½χ²({self.free + 1})"
        most = self.free + len(self.information)
        return f"a mixture of χ² with {self.free} to {most} degrees of freedom"


@dataclass(frozen=True, eq=False)
class Null:
    """The larger model's covariances where the smaller one holds.

    small  : the smaller fit, or None for a model without random effects
    places : where its terms stand in the larger model
    """

    small: UserUnits | None
    large: UserUnits
    places: Sequence[Embedding]

    @cached_property
    def _maps(self) -> list[Floats]:
        """For each embedded term, (q_large, q_small): its coefficients in the larger model's engine's."""
        terms, out = self.large.estimate.evaluation.cp.scaled_terms, []
        for place in self.places:
            scaled = terms[place.large]
            scalar = self.large.estimate.terms[place.large].structure == "isotropic"
            out.append(place.C / scaled.unit if scalar else np.asarray(np.linalg.solve(scaled.A, place.C)))
        return out

    def _own_maps(self, t: int) -> Floats:
        """Those of term t side by side, (q, …)."""
        q = len(self.large.estimate.factors[t])
        own = [C for place, C in zip(self.places, self._maps, strict=True) if place.large == t]
        return np.column_stack([np.zeros((q, 0)), *own])

    def _directions(self, t: int) -> tuple[Floats, int]:
        """Orthonormal W (q, q) of term t, and how many of its first columns have variance here."""
        maps = self._own_maps(t)
        if not maps.size:
            return np.eye(len(maps)), 0
        left, size, _ = np.linalg.svd(maps)
        return left, int((size > RANK * size[0]).sum())

    @cached_property
    def _frame(self) -> tuple[Floats, Mask, tuple[int, ...]]:
        """Columns (k, k): moves of ψ along W; which of them are the cone's (k,); sizes of its matrices."""
        estimate = self.large.estimate
        cp = estimate.evaluation.cp
        frame, held, sizes = np.zeros((cp.k, cp.k)), np.zeros(cp.k, dtype=bool), []
        for t, term in enumerate(estimate.terms):
            W, rank = self._directions(t)
            first, q = cp.offsets[t], len(W)
            rows, cols, _ = entries("full" if term.structure == "full" else "diagonal", q)
            if term.structure != "full":
                nothing = ~(np.abs(self._own_maps(t)) > 0).any(axis=1)
                sizes += [1] * int(nothing.sum())
                held[first : first + q] = nothing
                W = np.eye(q)
            else:
                sizes += [q - rank] if rank < q else []
                held[first : first + rows.size] = np.minimum(rows, cols) >= rank
            for e, (i, j) in enumerate(zip(rows, cols, strict=True)):
                move = np.outer(W[:, i], W[:, j])
                frame[first : first + rows.size, first + e] = (move if i == j else move + move.T)[rows, cols]
        return frame, held, tuple(sizes)

    @cached_property
    def _jacobian(self) -> Floats:
        """∂ψ_large/∂ψ_small, (k_large, k_small)."""
        cp, columns = self.large.estimate.evaluation.cp, []
        for place, C in zip(self.places, self._maps, strict=True):
            term = self.large.estimate.terms[place.large]
            rows, cols, index = entries("full" if term.structure == "full" else "diagonal", len(C))
            assert self.small is not None
            for psi in covariances(self.small.estimate.terms[place.small]):
                column = np.zeros(cp.k)
                column[cp.offsets[place.large] + index] = (C @ psi @ C.T)[rows, cols]
                columns.append(column)
        return np.array(columns).reshape(-1, cp.k).T

    @property
    def roots(self) -> list[Floats]:
        """A root of every covariance of the larger model, (q, q) each, in its engine's units."""
        out = []
        for t, term in enumerate(self.large.estimate.terms):
            q = len(self.large.estimate.factors[t])
            psi = np.zeros((q, q))
            for place, C in zip(self.places, self._maps, strict=True):
                if place.large == t and self.small is not None:
                    psi += C @ self.small.psi(place.small) @ C.T
            values, vectors = np.linalg.eigh(psi)
            full = term.structure == "full"
            out.append(vectors * np.sqrt(np.maximum(values, 0)) if full else np.sqrt(np.diag(np.diag(psi))))
        return out

    @cached_property
    def point(self) -> Evaluation:
        """The larger model's criterion at the smaller one's fit."""
        return Likelihood(self.large).at(self.roots)

    def reference(self, fixed: int) -> Reference:
        """The limit of the statistic, the smaller model having `fixed` fewer fixed effects."""
        frame, held, sizes = self._frame
        free, cone = np.flatnonzero(~held), np.flatnonzero(held)
        known = np.linalg.matrix_rank(self._jacobian) if self._jacobian.size else 0
        either_way = free.size - int(known) + fixed
        if cone.size <= 1:
            return Reference(either_way, sizes, np.ones((cone.size, cone.size)))
        whole = frame.T @ self.point.average_information @ frame
        cross = whole[np.ix_(free, cone)]
        inside = np.linalg.pinv(whole[np.ix_(free, free)]) @ cross
        return Reference(either_way, sizes, whole[np.ix_(cone, cone)] - cross.T @ inside)

    @property
    def one_variance(self) -> RandomTerm | None:
        """The tested effect as a term of its own, if one variance is all that the larger model adds."""
        found = self.reference(0)
        if found.free or found.sizes != (1,):
            return None
        number, offsets = int(np.flatnonzero(self._frame[1])[0]), self.large.estimate.evaluation.cp.offsets
        t = int(np.searchsorted(offsets, number, side="right")) - 1
        term = self.large.estimate.terms[t]
        if term.structure != "diagonal":
            return term
        j = number - offsets[t]
        own = replace(term.blocks[0], basis=term.blocks[0].basis[:, [j]])
        return replace(term, columns=term.columns[j : j + 1], blocks=(own,))
