"""The criterion with one parameter held: at a given residual variance, or (ML) at a given fixed effect.

With σ² held, d(ψ, σ²) = log|Ω| (+ log|R_X|²) + df log 2πσ² + r²/σ², and its derivatives follow from those of
the profiled criterion by leaving σ² where it is. With a'β = c held, β and the residual sum of squares become

    β_c = β + M a (c − a'β) / a'Ma,    r²_c = r² + (c − a'β)² / a'Ma,    M = (X'V⁻¹X)⁻¹,

and everything else is as if the column along Ma were moved into the offset: M loses that direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mixedcore.engine.chart import Roots
from mixedcore.engine.criterion import Evaluation, evaluate
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.exact import with_exact_residual
from mixedcore.engine.factor import Root
from mixedcore.engine.rows import Rows
from mixedcore.inference.information import quadratics
from mixedcore.terms import Floats
from mixedcore.units import UserUnits


@dataclass(frozen=True, eq=False)
class GivenSigma(Evaluation):
    """An evaluation at a residual variance that is given, not profiled, in the engine's units."""

    given: float

    @property
    def sigma2(self) -> float:
        return self.given

    @cached_property
    def value(self) -> float:
        return self.determinants + self.df * float(np.log(2 * np.pi * self.given)) + self.r2 / self.given

    @cached_property
    def average_information(self) -> Floats:
        """Average information for ψ at this σ², (k, k)."""
        return np.asarray(self.working[0] / self.given)

    @property
    def slope_of_log(self) -> float:
        """∂d/∂ log σ."""
        return 2 * self.df - 2 * self.r2 / self.given

    @property
    def bend_of_log(self) -> float:
        """∂²d/∂(log σ)²."""
        return 4 * self.r2 / self.given

    @property
    def cross_of_log(self) -> Floats:
        """∂²d/∂ψ∂ log σ, (k,)."""
        return 2 * quadratics(self) / self.given


def given_sigma(point: Evaluation, log_sigma: float) -> GivenSigma:
    """The evaluation at a residual SD of exp(log_sigma), in the engine's units."""
    variance = float(np.exp(2 * log_sigma))
    return GivenSigma(
        point.cp, point.reml, point.factor, point.border,
        point.R_X, point.R_inverse, point.beta, point.r2, given=variance,
    )  # fmt: skip


def given_effect(point: Evaluation, a: Floats, c: float) -> tuple[Evaluation, float, float]:
    """The evaluation with a'β = c for a (p,), in the engine's units; ∂d/∂c, and ∂²d/∂c² at constant ψ."""
    v = point.R_inverse.T @ a
    spread = float(v @ v)
    off = c - float(a @ point.beta)
    R_inverse = point.R_inverse - np.outer(point.R_inverse @ v, v) / spread
    beta = point.beta + point.R_inverse @ v * (off / spread)
    held = replace(point, R_inverse=R_inverse, beta=beta, r2=point.r2 + off * off / spread)
    return held, 2 * off / (spread * held.sigma2), 2 / (spread * held.sigma2)


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The criterion of a fitted model as a function of any roots of its covariances.

    Roots are counted as (K,) `entries`: all q² of a full Λ by rows, the diagonal of others.
    """

    user: UserUnits

    @property
    def cp(self) -> CrossProducts:
        return self.user.estimate.evaluation.cp

    @cached_property
    def chart(self) -> Roots:
        return Roots(self.cp, self.user.estimate.terms)

    @cached_property
    def offsets(self) -> list[int]:
        """First entry of each term, and their number."""
        sizes = [self.size(t) ** (2 if self.is_full(t) else 1) for t in range(len(self.chart.terms))]
        return [int(k) for k in np.cumsum([0, *sizes])]

    def is_full(self, t: int) -> bool:
        """Whether term t has a full covariance."""
        return self.chart.terms[t].structure == "full"

    def size(self, t: int) -> int:
        """Rows of Λ of term t."""
        return len(self.user.estimate.factors[t])

    def factors(self, entries: Floats) -> list[Floats]:
        """A root of every term, (q, q) each."""
        out = []
        for t, (first, end) in enumerate(zip(self.offsets[:-1], self.offsets[1:], strict=True)):
            own = entries[first:end]
            out.append(own.reshape(self.size(t), -1) if self.is_full(t) else np.diag(own))
        return out

    def entries(self, factors: Sequence[Floats]) -> Floats:
        """Entries (K,) of roots."""
        parts = [T.ravel() if self.is_full(t) else np.diag(T) for t, T in enumerate(factors)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def at(self, factors: Sequence[Floats]) -> Evaluation:
        """The evaluation at these roots, σ² profiled; NotPositiveDefiniteError as `evaluate`."""
        roots, terms = [], self.chart.terms
        for g in self.cp.groupings:
            T = np.zeros((g.q, g.q))
            for member in g.members:
                own = factors[member.term]
                if terms[member.term].structure == "isotropic":
                    own = own[0, 0] * np.eye(member.columns.stop - member.columns.start)
                T[member.columns, member.columns] = own
            roots.append(Root.of_factor(T))
        fit = self.user.estimate.evaluation
        point = evaluate(self.cp, fit.factor.plan, tuple(roots), reml=fit.reml)
        rows = self.user.rows
        return with_exact_residual(point, rows, terms) if isinstance(rows, Rows) else point
