"""The same model fitted to many outcomes: what a bootstrap, a power analysis or a simulated test repeats.

Only Z'y, X'y and y'y change. Designs whose groupings are all nested are searched for all outcomes at once
(`batch_optimum`), and what that leaves open, like every other design, is fitted by the engine, one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.chart import Roots, lower_root
from mixedcore.engine.criterion import evaluate, roots_of
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.estimate import LONG, Estimate, estimate, null_directions
from mixedcore.engine.optimise import OptSummary
from mixedcore.engine.outcomes import DesignColumns, Outcomes, products_of
from mixedcore.engine.rows import Rows
from mixedcore.engine.scaling import FixedScaling
from mixedcore.errors import MixedCoreError
from mixedcore.inference.batch import NestedDesign, Points
from mixedcore.inference.batch_optimum import has_few_levels, optima, widened
from mixedcore.terms import Floats, Ints
from mixedcore.units import UserUnits

AT_ONCE = 40_000  # levels times replicates in one search: its arrays stay in the processor's cache
LEAST_AT_ONCE, MOST_AT_ONCE = 16, 1000
ONE_BY_ONE, MOST_ONE_BY_ONE = 2000, 25  # the same for fits one at a time: a task takes about a second at most
MOST_NUMBERS = 4_000_000  # rows times replicates held at once


@dataclass(frozen=True, slots=True, eq=False)
class Refits:
    """Estimates from R outcomes, in the user's units; NaN where a fit failed.

    beta (R, p); sigma (R,); psi: per term (R, q, q) over σ²; criterion (R,); converged, singular (R,)
    """

    beta: Floats
    sigma: Floats
    psi: tuple[Floats, ...]
    criterion: Floats
    converged: Mask
    singular: Mask

    @classmethod
    def empty(cls, R: int, p: int, widths: Sequence[int]) -> Refits:
        """Room for R fits."""
        psi = tuple(np.full((R, q, q), np.nan) for q in widths)
        none = np.zeros(R, dtype=bool)
        return cls(np.full((R, p), np.nan), np.full(R, np.nan), psi, np.full(R, np.nan), none, none.copy())

    @classmethod
    def joined(cls, parts: Sequence[Refits]) -> Refits:
        """One after the other."""
        psi = tuple(np.concatenate(own) for own in zip(*(part.psi for part in parts), strict=True))
        rest = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("beta", "sigma", "criterion", "converged", "singular")
        }
        return cls(psi=psi, **rest)

    def shifted(self, beta: Floats) -> Refits:
        """The fits of the outcomes with Xβ added, β (p,)."""
        return replace(self, beta=self.beta + beta)


@dataclass(frozen=True, eq=False)
class Refitter:
    """Fits the model of one result again and again.

    Outcomes Y (n, R) are in the user's units, less the offset, and times the roots of the prior weights.
    """

    user: UserUnits

    @property
    def _estimate(self) -> Estimate:
        return self.user.estimate

    @cached_property
    def columns(self) -> DesignColumns:
        """The engine's columns of the design."""
        return DesignColumns.of(self._estimate.evaluation.cp, self.user.kept_rows, self._estimate.terms)

    @cached_property
    def design(self) -> NestedDesign | None:
        """For many outcomes at once; None where they are fitted one at a time."""
        evaluation = self._estimate.evaluation
        cp, plan = evaluation.cp, evaluation.factor.plan
        if not NestedDesign.fits(cp, plan):
            return None
        return NestedDesign.of(cp, plan, self._estimate.terms, reml=evaluation.reml)

    @property
    def block(self) -> int:
        """Outcomes best fitted together: a matter of the design alone."""
        cp = self._estimate.evaluation.cp
        levels = sum(g.q * g.m for g in cp.groupings)
        if self.design is None:
            return max(1, min(ONE_BY_ONE // levels, MOST_NUMBERS // cp.n, MOST_ONE_BY_ONE))
        return max(1, min(max(LEAST_AT_ONCE, AT_ONCE // levels), MOST_NUMBERS // cp.n, MOST_AT_ONCE))

    def room(self, R: int) -> Refits:
        """Room for R fits of this model."""
        widths = [1 if t.structure == "isotropic" else t.blocks[0].width for t in self._estimate.terms]
        return Refits.empty(R, self._estimate.evaluation.cp.p, widths)

    def fit(self, Y: Floats) -> Refits:
        """Fit every outcome."""
        outcomes, out = self.columns.outcomes(Y), self.room(Y.shape[1])
        left = np.arange(Y.shape[1]) if self.design is None else self._fit_at_once(self.design, outcomes, out)
        for r in left:
            self._fit_one(outcomes, Y, int(r), out)
        return out

    def each(self, Y: Floats) -> Iterator[UserUnits | None]:
        """The fit of every outcome with all that can be asked of one; None where it fails."""
        outcomes, roots, good = self.columns.outcomes(Y), [], np.zeros(Y.shape[1], dtype=bool)
        if self.design is not None:
            best = optima(self.design, outcomes, self._estimate.factors)
            roots, good = list(self.design.roots(best.x)), best.found
        for r in range(Y.shape[1]):
            try:
                user = (
                    self._at(outcomes, Y, r, [T[r] for T in roots]) if good[r] else self.one(outcomes, Y, r)
                )
            except MixedCoreError:
                user = None
            yield user if user is not None and user.estimate.optimum.converged else None

    def _fit_at_once(self, design: NestedDesign, outcomes: Outcomes, out: Refits) -> Ints:
        """Enter what the search for all finds; the numbers of those that it leaves to the engine."""
        best = optima(design, outcomes, self._estimate.factors)
        good, cp, points = best.found, design.cp, best.points
        beta = outcomes.start + outcomes.scale * points.beta
        out.beta[good] = (cp.fixed.A @ beta).T[good]
        out.sigma[good] = (np.sqrt(points.sigma2) * outcomes.scale)[good]
        for own, T, term, scaled in zip(
            out.psi, design.roots(best.x), design.terms, cp.scaled_terms, strict=True
        ):
            A = np.array([[scaled.unit]]) if term.structure == "isotropic" else scaled.A
            own[good] = (A @ T @ np.swapaxes(T, 1, 2) @ A.T)[good]
        out.criterion[good] = self._criterion(design, outcomes, points)[good]
        out.converged[good], out.singular[good] = True, best.singular[good]
        return np.flatnonzero(~good)

    def _criterion(self, design: NestedDesign, outcomes: Outcomes, points: Points) -> Floats:
        cp, df = design.cp, design.cp.n - design.cp.p * design.reml
        rest = df * (1 + np.log(2 * np.pi / df) + 2 * np.log(outcomes.scale)) - cp.log_weights
        return np.asarray(points.value + rest - 2 * cp.fixed.logdet * design.reml)

    def _fit_one(self, outcomes: Outcomes, Y: Floats, r: int, out: Refits) -> None:
        """Fit outcome r by the engine; what cannot be fitted stays missing."""
        user = self._try(outcomes, Y, r)
        if user is None:
            return
        evaluation = user.estimate.evaluation
        out.beta[r], out.sigma[r], out.criterion[r] = user.beta, np.sqrt(user.sigma2), evaluation.value
        for t, psi in enumerate(out.psi):
            psi[r] = user.psi(t)
        out.converged[r], out.singular[r] = True, user.estimate.singular

    def one(self, outcomes: Outcomes, Y: Floats, r: int) -> UserUnits:
        """The fit of outcome r by the engine, from the fitted θ; raises MixedCoreError where there is none.

        Where there may be another optimum (few levels, a singular fit, a long way), from moments too.
        """
        cp, rows = self._data(outcomes, Y, r)
        own, evaluation = self._estimate, self._estimate.evaluation
        fit = partial(estimate, cp, evaluation.factor.plan, own.terms, reml=evaluation.reml, rows=rows)
        found = fit(start=self._start)
        long = len(found.optimum.path) > LONG + cp.k // 2
        if found.singular or long or any(has_few_levels(term) for term in own.terms):
            found = min(found, fit(), key=lambda each: each.evaluation.value)
        return UserUnits(found, rows)

    @cached_property
    def _start(self) -> Floats:
        """The fitted θ (k,), off its boundary."""
        own = self._estimate
        return Roots(own.evaluation.cp, own.terms).theta([_lower(widened(T)) for T in own.factors])

    def _try(self, outcomes: Outcomes, Y: Floats, r: int) -> UserUnits | None:
        """The fit of outcome r by the engine; None where there is none, or no optimum was reached."""
        try:
            user = self.one(outcomes, Y, r)
        except MixedCoreError:
            return None
        return user if user.estimate.optimum.converged else None

    def _at(self, outcomes: Outcomes, Y: Floats, r: int, roots: Sequence[Floats]) -> UserUnits:
        """The fit of outcome r whose optimum is known: Λ = root of each term, in the engine's units."""
        cp, rows = self._data(outcomes, Y, r)
        own, evaluation = self._estimate, self._estimate.evaluation
        factors = [_lower(T) for T in roots]
        theta = Roots(cp, own.terms).theta(factors)
        point = evaluate(cp, evaluation.factor.plan, roots_of(cp, theta), reml=evaluation.reml)
        optimum = OptSummary(theta, point.value, 1, True, "Searched with others.", 0.0, (), np.zeros(0))
        null = tuple(null_directions(T) for T in factors)
        return UserUnits(Estimate(own.terms, point, optimum, tuple(factors), null), rows)

    def _data(self, outcomes: Outcomes, Y: Floats, r: int) -> tuple[CrossProducts, Rows]:
        """Cross-products and rows of outcome r."""
        cp, rows = self._estimate.evaluation.cp, self.user.kept_rows
        y = Y[:, r] if rows.weights is None else Y[:, r] / np.sqrt(rows.weights)
        own = Rows(rows.layout, (*rows.columns[:-1], y), rows.weights)
        return products_of(cp, outcomes, r, outcome_units(cp.fixed, outcomes, r)), own


def _lower(T: Floats) -> Floats:
    """The same covariance by its lower triangular root; a diagonal one stays diagonal."""
    return np.abs(T) if np.array_equal(T, np.diag(np.diag(T))) else lower_root(T)


def outcome_units(fixed: FixedScaling, outcomes: Outcomes, r: int) -> FixedScaling:
    """The fixed part's units with outcome r, given in the user's units and not centred."""
    start = outcomes.start[:, r]
    return replace(
        fixed,
        beta0=fixed.A @ start,
        y_scale=float(outcomes.scale[r]),
        about_mean=False,
        start=start,
    )
