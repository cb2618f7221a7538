"""Penalties on fixed effects and on the group term's covariance, taken from the log-likelihood.

As in statsmodels, a penalty is any object with `func` and `deriv`: of the fixed effects (k_fe,), or of the
covariance over σ² and its inverse, `deriv` then being the derivatives by its lower triangle. A fit maximises

    ℓ(β, ψ) − fe_pen(β) − cov_pen(Ψ, Ψ⁻¹)

over both. (statsmodels puts the unpenalised β̂(ψ) in for β, so that no penalty ever shrinks it.) For each ψ
the best β is found by Newton steps on r²(β), which costs no factorisation; the derivatives in ψ are then
those at that β (envelope theorem), so the search is the same as without penalties.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.criterion import Evaluation, at_beta
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.optimise import minimise
from mixedcore.errors import ModelError, NotPositiveDefiniteError
from mixedcore.terms import Floats, RandomTerm

DIFFERENCE = 1e-5  # step of differences of `deriv`, in standard errors of β or in sizes of Ψ


def check_penalty(penalty: Any, name: str) -> None:
    """ModelError for an object without `func` and `deriv`."""
    if penalty is not None and not all(callable(getattr(penalty, each, None)) for each in ("func", "deriv")):
        raise ModelError(
            f"{name} must be a penalty with the methods func and deriv; {type(penalty).__name__} is none."
        )


def inverse(psi: Floats) -> Floats:
    """Ψ⁻¹, or the pseudo-inverse of a singular Ψ, as statsmodels hands it to a penalty."""
    try:
        return np.asarray(np.linalg.inv(psi), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(psi), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Penalised(Evaluation):
    """An evaluation at penalised fixed effects; `value` adds twice the penalties to the criterion.

    penalty : both penalties' value
    by_psi  : per grouping, what ∂d/∂Ψ gains by the penalty, (q, q)
    bend    : (k, k), what the Hessian in ψ gains by it
    """

    penalty: float
    by_psi: tuple[Floats, ...]
    bend: Floats

    @property
    def value(self) -> float:
        return self.criterion + 2 * self.penalty

    @cached_property
    def slopes(self) -> tuple[Floats, ...]:
        return tuple(own + more for own, more in zip(super().slopes, self.by_psi, strict=True))

    @cached_property
    def average_information(self) -> Floats:
        return np.asarray(super().average_information + self.bend)

    @property
    def refined(self) -> bool:
        """Never: where fixed effects are held, P is not what the exact Hessian takes it for."""
        return False


def penalised(point: Evaluation, penalty: float, by_psi: Sequence[Floats], bend: Floats) -> Penalised:
    """The evaluation with what a penalty adds to it."""
    given = {f.name: getattr(point, f.name) for f in fields(Evaluation)}
    return Penalised(**given, penalty=penalty, by_psi=tuple(by_psi), bend=bend)


@dataclass(frozen=True, slots=True, eq=False)
class Adjustment:
    """What is done to every evaluation of a fit with held or penalised parameters."""

    fixed: FixedPart | None
    covariance: CovariancePenalty | None

    def of(self, point: Evaluation) -> Evaluation:
        """The evaluation at the fixed effects that the fit allows, penalties added."""
        penalty, by_psi = 0.0, [np.zeros((g.q, g.q)) for g in point.cp.groupings]
        bend = np.zeros((point.cp.k, point.cp.k))
        if self.fixed is not None:
            point, penalty = self.fixed.best(point)
        if self.covariance is not None:
            more, by_psi, bend = self.covariance.at(point)
            penalty += more
        return penalised(point, penalty, by_psi, bend)


@dataclass(frozen=True, slots=True, eq=False)
class FixedPart:
    """The fixed effects of a fit: some held, some or all penalised.

    free  : (p,) booleans; held : (p,) values of those that are not free, in the user's units
    k_fe  : columns of exog; penalty: on all of them, aliased ones being zero; or None
    """

    cp: CrossProducts
    free: Mask
    held: Floats
    k_fe: int
    penalty: Any = None

    def best(self, point: Evaluation) -> tuple[Evaluation, float]:
        """The evaluation at the best fixed effects of this kind, and their penalty."""
        fixed = self.cp.fixed
        root = point.R_X @ np.linalg.inv(fixed.A) / fixed.y_scale  # r² = r̂² + |root (β − β̂)|²
        best = fixed.beta_to_user(point.beta)
        start = np.where(self.free, best, self.held)
        away = root @ (start - best)
        Q, R = np.linalg.qr(root[:, self.free])
        start[self.free] -= np.linalg.solve(R, Q.T @ away)
        if self.penalty is not None and self.free.any():
            start = self._shrunk(point, root, best, start, R)
        return at_beta(point, fixed.beta_to_engine(start)), self.value(start)

    def value(self, beta: Floats) -> float:
        """The penalty of β (p,), 0 without one."""
        return 0.0 if self.penalty is None else _number(self.penalty.func(self._all(beta)))

    def _all(self, beta: Floats) -> Floats:
        out = np.zeros(self.k_fe)
        out[self.cp.fixed.kept] = beta
        return out

    def _shrunk(self, point: Evaluation, root: Floats, best: Floats, start: Floats, R: Floats) -> Floats:
        """β that minimises df log r²(β) + 2 pen(β), from the unpenalised one; R (f, f) of the free columns.

        In units ζ of standard errors, in which r² = r₀² (1 + |ζ|²/df).
        """
        away = root @ (start - best)
        r2 = point.r2 + float(away @ away)
        to_beta = np.linalg.inv(R) * np.sqrt(r2 / point.df)
        kept = self.cp.fixed.kept[self.free]

        def beta(zeta: Floats) -> Floats:
            out = start.copy()
            out[self.free] += to_beta @ zeta
            return out

        def slope(zeta: Floats) -> Floats:
            return np.asarray(to_beta.T @ np.asarray(self.penalty.deriv(self._all(beta(zeta))))[kept])

        def at(zeta: Floats) -> _Shrunk:
            size = 1 + float(zeta @ zeta) / point.df
            value = point.df * float(np.log(size)) + 2 * self.value(beta(zeta))
            return _Shrunk(value, zeta, size, point.df, slope)

        found = minimise(at, np.zeros(len(R)), _Straight())[1]
        return beta(found.theta)


@dataclass(frozen=True, eq=False)
class _Shrunk:
    """df log(1 + |ζ|²/df) + 2 pen at one ζ (f,)."""

    value: float
    zeta: Floats
    size: float
    df: int
    slope: Callable[[Floats], Floats]

    @cached_property
    def gradient(self) -> Floats:
        return np.asarray(2 * self.zeta / self.size + 2 * self.slope(self.zeta))

    @cached_property
    def hessian(self) -> Floats:
        f = self.zeta.size
        plain = 2 * np.eye(f) / self.size - 4 * np.outer(self.zeta, self.zeta) / (self.df * self.size**2)
        steps = DIFFERENCE * np.eye(f)
        bend = [(self.slope(self.zeta + h) - self.slope(self.zeta - h)) / (2 * DIFFERENCE) for h in steps]
        return plain + np.array(bend) + np.array(bend).T


@dataclass(frozen=True, slots=True)
class _Straight:
    """The search's chart for parameters that are their own coordinates."""

    def moved(self, theta: Floats, step: Floats) -> Floats:
        return np.asarray(theta + step)

    def derivatives(self, theta: Floats, point: _Shrunk) -> tuple[Floats, Floats, Floats]:
        return point.gradient, point.hessian, np.eye(theta.size)

    def secant(
        self, thetas: tuple[Floats, Floats], points: tuple[_Shrunk, _Shrunk]
    ) -> tuple[Floats, Floats, Floats]:
        change = points[1].gradient - points[0].gradient
        return thetas[1] - thetas[0], change, (points[0].hessian + points[1].hessian) / 2


@dataclass(frozen=True, slots=True, eq=False)
class CovariancePenalty:
    """A penalty on the group terms' covariance over σ², in the user's units, (q, q) all together."""

    cp: CrossProducts
    terms: tuple[RandomTerm, ...]
    penalty: Any

    def at(self, point: Evaluation) -> tuple[float, list[Floats], Floats]:
        """Value, its part of ∂d/∂Ψ of every grouping, and of the Hessian in ψ, in the engine's units.

        NotPositiveDefiniteError where the penalty is not finite.
        """
        A, psi = self._engine_psi(point)
        whole = A @ psi @ A.T
        value = _number(self.penalty.func(whole, inverse(whole)))
        slope = self._slope(whole)
        if not (np.isfinite(value) and np.isfinite(slope).all()):
            raise NotPositiveDefiniteError(
                "The penalty on the covariance is not finite here; start from a positive definite one."
            )
        by_psi = 2 * A.T @ slope @ A
        out = [np.zeros((g.q, g.q)) for g in self.cp.groupings]
        for _, number, member, own in self._places():
            out[number][member, member] = by_psi[own, own]
        return value, out, self._bend(A, whole)

    def _slope(self, whole: Floats) -> Floats:
        """∂pen/∂Ψ as a symmetric matrix: what `deriv` has for a covariance goes to its two entries."""
        lower = np.zeros_like(whole)
        lower[np.tril_indices(len(whole))] = np.asarray(
            self.penalty.deriv(whole, inverse(whole)), dtype=float
        )
        return (lower + lower.T) / 2

    def _bend(self, A: Floats, whole: Floats) -> Floats:
        """2 ∂²pen/∂ψ∂ψ' by differences of `deriv`, (k, k); zero where it has no value beside Ψ."""
        out = np.zeros((self.cp.k, self.cp.k))
        size = DIFFERENCE * np.linalg.eigvalsh(whole)[0]
        directions = self._directions(A)
        for p, direction in directions.items() if size > 0 else ():
            step = size * direction / float(np.linalg.norm(direction))
            change = (self._slope(whole + step) - self._slope(whole - step)) * float(
                np.linalg.norm(direction) / (2 * size)
            )
            for r, other in directions.items():
                out[p, r] = 2 * float((change * other).sum())
        out = (out + out.T) / 2
        return out if np.isfinite(out).all() else np.zeros_like(out)

    def _directions(self, A: Floats) -> dict[int, Floats]:
        """∂Ψ/∂ψ_p in the user's units for every ψ_p of a group term."""
        out = {}
        for _, number, member, own in self._places():
            t = self.cp.groupings[number].template
            inside = (t.rows >= member.start) & (t.rows < member.stop)
            for r, c, p in zip(t.rows[inside], t.cols[inside], t.index[inside], strict=True):
                unit = np.zeros(A.shape)
                i, j = own.start + r - member.start, own.start + c - member.start
                unit[i, j] = unit[j, i] = 1.0
                out[int(p)] = A @ unit @ A.T
        return out

    def _places(self) -> list[tuple[int, int, slice, slice]]:
        """Each group term, its grouping, its columns there, and its place in the whole covariance."""
        first, own = 0, {}
        for t, term in enumerate(self.terms):
            if term.role == "group":
                own[t] = slice(first, first + len(term.columns))
                first += len(term.columns)
        return [
            (member.term, number, member.columns, own[member.term])
            for number, g in enumerate(self.cp.groupings)
            for member in g.members
            if member.term in own
        ]

    def _engine_psi(self, point: Evaluation) -> tuple[Floats, Floats]:
        """A (q, q) with Ψ = A Ψ_engine A', and Ψ_engine, over all group terms."""
        places = self._places()
        q = sum(own.stop - own.start for *_, own in places)
        A, psi = np.zeros((q, q)), np.zeros((q, q))
        for t, number, member, own in places:
            A[own, own] = self.cp.scaled_terms[t].A
            psi[own, own] = point.factor.roots[number].psi[member, member]
        return A, psi


def _number(value: Any) -> float:
    return float(np.sum(np.asarray(value, dtype=float)))
