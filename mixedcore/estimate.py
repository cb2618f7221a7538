"""From cross-products to the optimum: start, search, and the boundary handled as the result that it is.

At Λ = 0 the derivative in θ vanishes whatever the data say, so a zero is accepted only when the derivative in
the variance, v'Sv for v in the null space of Λ, is not negative; otherwise the search goes on from there. It
also goes on from a saddle point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mixedcore.criterion import Evaluation, evaluate, roots_of
from mixedcore.crossproducts import CrossProducts
from mixedcore.elimination import Plan
from mixedcore.errors import ModelError, NotPositiveDefiniteError
from mixedcore.optimise import ROUNDING, OptSummary, minimise
from mixedcore.terms import Floats, RandomTerm, Template, entries

NULL = 1e-6  # singular values of Λ below this, in the engine's units, are directions of no variance
SNAP = 3e-3  # singular values below this are set to zero where that costs nothing
FREE_OF_COST = 1e-10  # what a snap to zero may add to the criterion, beside rounding
NO_RESIDUAL = 1e-13  # residual variance over that of the fixed part's residual; rounding hides less
KNOWN = 1e-10  # share of the best known direction from which the data say something of another
SPANNED = 1e-9  # share of a random effect that lies outside the fixed effects
GAIN = 1e-9  # a restart must lower the criterion by more than this
RESTARTS = 20
STEPS_OFF_ZERO = 10.0 ** -np.arange(0.0, 3.5, 0.5)  # standard deviations tried to leave a zero or a saddle
SADDLE = 1e-8  # negative curvature above this share of the largest is no rounding


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The optimum.

    factors : Λ of each term in the engine's units, (q, q) lower triangular, diagonal ≥ 0; (1, 1) if isotropic
    null    : orthonormal directions without variance of each term, (q, r), in the engine's units
    """

    terms: tuple[RandomTerm, ...]
    evaluation: Evaluation
    optimum: OptSummary
    factors: tuple[Floats, ...]
    null: tuple[Floats, ...]

    @property
    def singular(self) -> bool:
        """Whether any direction of any term has no variance."""
        return any(directions.shape[1] for directions in self.null)


def estimate(
    cp: CrossProducts,
    plan: Plan,
    terms: tuple[RandomTerm, ...],
    *,
    reml: bool,
    start: Floats | None = None,
    max_steps: int = 200,
) -> Estimate:
    """Minimise the criterion from `start` (k,), in the engine's units, or from Λ = I."""

    evaluations = 0

    def at(theta: Floats) -> Evaluation:
        nonlocal evaluations
        evaluations += 1
        return evaluate(cp, plan, roots_of(cp, theta), reml=reml)

    search = _Search(cp, terms, at)
    point, optimum = minimise(at, identity(terms) if start is None else start, max_steps=max_steps)
    _check_residual(point)
    for _ in range(RESTARTS):
        better = search.leave_zero(point, optimum.theta)
        if better is None:
            break
        point, optimum = minimise(at, better, max_steps=max_steps)
    theta, point = search.snap(optimum.theta, point)
    _check_identified(cp, terms, point)
    factors = tuple(rectify(T) for T in search.factors(theta))
    theta = np.concatenate([_parameters(t, T) for t, T in zip(terms, factors, strict=True)] or [np.zeros(0)])
    optimum = replace(optimum, theta=theta, objective=point.value, evaluations=evaluations)
    return Estimate(terms, point, optimum, factors, tuple(null_directions(T) for T in factors))


def _check_residual(point: Evaluation) -> None:
    if point.sigma2 < NO_RESIDUAL:
        raise ModelError(
            "Fixed and random effects reproduce the outcome exactly, so no residual variation is left. "
            "Look for an outcome that is constant within groups or computed from the other columns."
        )


def _check_identified(cp: CrossProducts, terms: tuple[RandomTerm, ...], point: Evaluation) -> None:
    """ModelError for a term whose effects the fixed part spans, so that its variance leaves REML unmoved."""
    for g, outside, whole in zip(cp.groupings, point.traces, point.faces.M, strict=True):
        for member in g.members:
            own = (member.columns, member.columns)
            if _smallest_share(outside[own], whole[own]) < SPANNED:
                raise ModelError(
                    f"The fixed effects contain the effects of {terms[member.term].name} already (such "
                    "as the grouping factor itself), so their variance cannot be estimated. "
                    "Take one of the two out."
                )


def _smallest_share(part: Floats, whole: Floats) -> float:
    """Smallest v'(part)v / v'(whole)v over the directions that `whole` knows anything about."""
    values, vectors = np.linalg.eigh(whole)
    known = values > KNOWN * values[-1]
    root = vectors[:, known] / np.sqrt(values[known])
    return float(np.linalg.eigvalsh(root.T @ part @ root)[0])


def identity(terms: tuple[RandomTerm, ...]) -> Floats:
    """θ at Λ = I: every coefficient as variable as the residual, in the engine's units."""
    parts = []
    for term in terms:
        rows, cols, index = entries(term.structure, term.blocks[0].width)
        part = np.zeros(index.max() + 1)
        part[index[rows == cols]] = 1.0
        parts.append(part)
    return np.concatenate(parts) if parts else np.zeros(0)


def factor_of(term: RandomTerm, theta: Floats) -> Floats:
    """Λ of one term from its parameters; (1, 1) for an isotropic one."""
    if term.structure == "isotropic":
        return theta[:1, None]
    q = term.blocks[0].width
    return Template(q, *entries(term.structure, q)).factor(theta)


def _parameters(term: RandomTerm, T: Floats) -> Floats:
    if term.structure == "isotropic":
        return T[0, :1]
    rows, cols, _ = entries(term.structure, len(T))
    return T[rows, cols]


def rectify(T: Floats) -> Floats:
    """The same covariance with a non-negative diagonal; digits of rounding on it become zeros."""
    T = T * np.where(np.diag(T) < 0, -1.0, 1.0)
    T[np.abs(T) < 1e-14 * max(1.0, float(np.abs(T).max()))] = 0.0
    return T


def lower_root(root: Floats) -> Floats:
    """Lower triangular (q, q) factor of root @ root.T for root (q, r), r ≥ q; right when singular too."""
    return rectify(np.ascontiguousarray(np.transpose(np.linalg.qr(root.T, mode="r"))))


def null_directions(T: Floats) -> Floats:
    """Orthonormal directions v with v'Λ = 0, (q, r)."""
    left, size, _ = np.linalg.svd(T)
    return left[:, size < NULL]


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    cp: CrossProducts
    terms: tuple[RandomTerm, ...]
    at: Callable[[Floats], Evaluation]

    def value(self, theta: Floats) -> float:
        """The criterion, infinite where the model cannot be evaluated."""
        try:
            return self.at(theta).value
        except NotPositiveDefiniteError:
            return np.inf

    def factors(self, theta: Floats) -> list[Floats]:
        """Λ of every term."""
        o = self.cp.offsets
        return [factor_of(term, theta[o[t] : o[t + 1]]) for t, term in enumerate(self.terms)]

    def theta(self, factors: list[Floats]) -> Floats:
        return np.concatenate([_parameters(t, T) for t, T in zip(self.terms, factors, strict=True)])

    def leave_zero(self, point: Evaluation, theta: Floats) -> Floats | None:
        """A better θ off the boundary or down from a saddle, or None where there is none."""
        best, lowest = None, point.value - GAIN - ROUNDING * abs(point.value)
        for candidate in self._ways_down(point, theta):
            value = self.value(candidate)
            if value < lowest:
                best, lowest = candidate, value
        return best

    def _ways_down(self, point: Evaluation, theta: Floats) -> Iterator[Floats]:
        """Variance added where there is none and it would help; both ways along negative curvature.

        The latter is what a variance of nearly zero shows: the search stops there when rounding hides the
        little that a step of its own size gains.
        """
        factors = self.factors(theta)
        for t, T in enumerate(factors):
            for v in self._descents(t, T, point):
                for size in STEPS_OFF_ZERO:
                    yield self.theta([*factors[:t], self._widened(t, T, size * v), *factors[t + 1 :]])
        values, vectors = np.linalg.eigh(point.hessian)
        for v in vectors.T[values < -SADDLE * np.abs(values).max(initial=0.0)]:
            for size in STEPS_OFF_ZERO:
                yield from (theta + size * v, theta - size * v)

    def _descents(self, t: int, T: Floats, point: Evaluation) -> list[Floats]:
        """Directions without variance in which variance would lower the criterion."""
        null, S = null_directions(T), term_slope(self.cp, self.terms, point, t)
        if self.terms[t].structure != "full":
            return [v for v in null.T if v @ S @ v < 0]
        values, vectors = np.linalg.eigh(null.T @ S @ null)
        return [null @ w for value, w in zip(values, vectors.T, strict=True) if value < 0]

    def _widened(self, t: int, T: Floats, v: Floats) -> Floats:
        """Λ with the variance vv' added."""
        if self.terms[t].structure == "full":
            return lower_root(np.column_stack([T, v]))
        return np.diag(np.hypot(np.diag(T), v))

    def snap(self, theta: Floats, point: Evaluation) -> tuple[Floats, Evaluation]:
        """Set near-zero singular values to zero, one at a time, where the criterion does not mind."""
        for t in range(len(self.terms)):
            while True:
                factors = self.factors(theta)
                left, size, _ = np.linalg.svd(factors[t])
                small = np.flatnonzero((size > 0) & (size < SNAP))
                if not small.size:
                    break
                size[small[-1]] = 0.0
                root = left * size
                factors[t] = (
                    lower_root(root) if self.terms[t].structure == "full" else np.diag(_row_sizes(root))
                )
                allowed = point.value + FREE_OF_COST + ROUNDING * abs(point.value)
                if self.value(candidate := self.theta(factors)) > allowed:
                    break
                theta, point = candidate, self.at(candidate)
        return theta, point


def _row_sizes(root: Floats) -> Floats:
    """Standard deviations from any root of a diagonal covariance."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", root, root)))


def term_slope(cp: CrossProducts, terms: tuple[RandomTerm, ...], point: Evaluation, t: int) -> Floats:
    """∂d/∂Ψ of one term, (q, q); the sum over its coefficients, (1, 1), for an isotropic one."""
    own = [
        S[member.columns, member.columns]
        for g, S in zip(cp.groupings, point.slopes, strict=True)
        for member in g.members
        if member.term == t
    ]
    if terms[t].structure == "isotropic":
        return np.array([[sum(float(np.trace(S)) for S in own)]])
    return own[0]
