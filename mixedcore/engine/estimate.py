"""From cross-products to the optimum: start, search, and the boundary handled as the result that it is.

At Λ = 0 the derivative in θ vanishes whatever the data say, so a zero is accepted only when the derivative in
the variance, v'Sv for v in the null space of Λ, is not negative; otherwise the search goes on from there. It
also goes on from a saddle point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mixedcore.engine.chart import Roots, lower_root, rectify
from mixedcore.engine.criterion import Evaluation, evaluate, roots_of
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.elimination import Plan
from mixedcore.engine.exact import with_exact_residual
from mixedcore.engine.held import Restriction
from mixedcore.engine.optimise import ACCEPTED_DECREMENT, ROUNDING, OptSummary, minimise, negative
from mixedcore.engine.penalties import Adjustment
from mixedcore.engine.rows import Chunked, Rows
from mixedcore.engine.start import LEAST_SD, moments_start
from mixedcore.errors import ModelError, NotPositiveDefiniteError
from mixedcore.terms import Floats, RandomTerm

NULL = 1e-6  # singular values of Λ below this, in the engine's units, are directions of no variance
SNAP = 3e-3  # singular values below this are set to zero where that costs nothing
FREE_OF_COST = 1e-10  # what a snap to zero may add to the criterion, beside rounding
NO_RESIDUAL = 1e-13  # residual variance over that of the fixed part's residual; rounding hides less
KNOWN = 1e-10  # share of the best known direction from which the data say something of another
SPANNED = 1e-9  # share of a random effect that lies outside the fixed effects
GAIN = 1e-9  # a restart must lower the criterion by more than this
RESTARTS = 20
CORRELATED = (-1.0, 1.0, -10.0, 10.0)
"""How a singular covariance of few levels is tried: sign of its correlations, times its size."""
LONG = 8  # steps, and one for every two parameters, beyond which the criterion is not taken for simple
FEW_LEVELS = 5  # levels a coefficient of a full covariance below which it may have several optima
Progress = Callable[[int, float], object]
STEPS_OFF_ZERO = 10.0 ** -np.arange(0.0, 3.5, 0.5)  # standard deviations tried to leave a zero or a saddle


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The optimum.

    factors : Λ of each term in the engine's units, (q, q) lower triangular, diagonal ≥ 0; (1, 1) if isotropic
    null    : orthonormal directions without variance of each term, (q, r), in the engine's units
    restriction : which parameters were estimated, or None for all
    """

    terms: tuple[RandomTerm, ...]
    evaluation: Evaluation
    optimum: OptSummary
    factors: tuple[Floats, ...]
    null: tuple[Floats, ...]
    restriction: Restriction | None = None

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
    rows: Chunked | None = None,
    chart: Roots | None = None,
    adjustment: Adjustment | None = None,
    restriction: Restriction | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Minimise the criterion from `start` (k,), in the engine's units, or from moments of the outcome.

    Where the criterion may have several optima (few levels, a variance of zero, a search that took long),
    searches from elsewhere are held against the first.

    rows : the data, for outcomes that the effects explain so well that cross-products lose the residual's
           digits: asked at every evaluation where they are in memory, else once, at the optimum
    chart, adjustment, restriction : of a fit with parameters held or penalised
    max_steps : 0 evaluates the start and looks no further
    progress : hears of each evaluation and of the criterion there; an error that it raises ends the search

    Raises NotPositiveDefiniteError where the start cannot be evaluated, or has no covariance near it that the
    chart admits.
    """
    evaluations = 0

    def at(theta: Floats) -> Evaluation:
        nonlocal evaluations
        evaluations += 1
        point = evaluate(cp, plan, roots_of(cp, theta), reml=reml)
        point = with_exact_residual(point, rows, terms) if isinstance(rows, Rows) else point
        point = point if adjustment is None else adjustment.of(point)
        if evaluations == 1:  # the design alone decides, and the search asks for these derivatives anyway
            _check_identified(cp, terms, point)
        if progress is not None:
            progress(evaluations, point.value)
        return point

    chart = Roots(cp, terms) if chart is None else chart
    search = _Search(chart, at, max_steps)
    point, optimum = search.descend(chart.admissible(moments_start(cp) if start is None else start))
    for other in search.other_starts(optimum) if start is None else ():
        if (reached := search.admitted(other)) is not None:
            point, optimum = _better((point, optimum), search.descend(reached))
    if rows is not None and not isinstance(rows, Rows):
        if adjustment is not None:
            point = evaluate(cp, plan, roots_of(cp, optimum.theta), reml=reml)
        point = with_exact_residual(point, rows, terms)
        point = point if adjustment is None else adjustment.of(point)
    return _found(chart, point, replace(optimum, evaluations=evaluations), restriction)


def _found(chart: Roots, point: Evaluation, optimum: OptSummary, restriction: Restriction | None) -> Estimate:
    """The estimate at the point where the search ended."""
    factors = tuple(rectify(T) for T in chart.factors(optimum.theta))
    optimum = replace(optimum, theta=chart.theta(list(factors)), objective=point.value)
    if restriction is not None:
        gradient, *_ = chart.derivatives(optimum.theta, point)
        restriction = replace(restriction, gradient_norm=float(np.linalg.norm(gradient)))
    null = tuple(null_directions(T) for T in factors)
    return Estimate(chart.terms, point, optimum, factors, null, restriction)


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


def _better(
    one: tuple[Evaluation, OptSummary], other: tuple[Evaluation, OptSummary]
) -> tuple[Evaluation, OptSummary]:
    """The lower of two ends; where only rounding tells them apart, one that is known to be an optimum."""
    lower, higher = sorted((one, other), key=lambda found: found[1].objective)
    same = higher[1].objective - lower[1].objective < ACCEPTED_DECREMENT
    return higher if same and higher[1].converged and not lower[1].converged else lower


def _smallest_share(part: Floats, whole: Floats) -> float:
    """Smallest v'(part)v / v'(whole)v over the directions that `whole` knows anything about."""
    values, vectors = np.linalg.eigh(whole)
    known = values > KNOWN * values[-1]
    root = vectors[:, known] / np.sqrt(values[known])
    return float(np.linalg.eigvalsh(root.T @ part @ root)[0])


def null_directions(T: Floats) -> Floats:
    """Orthonormal directions v with v'Λ = 0, (q, r)."""
    left, size, _ = np.linalg.svd(T)
    return left[:, size < NULL]


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    chart: Roots
    at: Callable[[Floats], Evaluation]
    max_steps: int

    def descend(self, start: Floats) -> tuple[Evaluation, OptSummary]:
        """The optimum below `start`, its zeros left or confirmed."""
        point, optimum = minimise(self.at, start, self.chart, max_steps=self.max_steps)
        _check_residual(point)
        if not self.max_steps:
            return point, optimum
        for _ in range(RESTARTS):
            better = self.leave_zero(point, optimum)
            if better is None:
                break
            point, optimum = minimise(self.at, better, self.chart, max_steps=self.max_steps)
        theta, point = self.snap(optimum.theta, point)
        return point, replace(optimum, theta=theta, objective=point.value)

    def other_starts(self, optimum: OptSummary) -> Iterator[Floats]:
        """Where another optimum may be reached from, given one.

        If a full covariance has few levels, the opposite correlations with its first coefficient; where it
        is singular, Λ = I too, and strong correlations of either sign at its size and beyond. If a term has
        no variance beside one that has, the two in each other's place: what groups differ in may be explained
        by either. And where the way was long, Λ = I and little variance anywhere.
        """
        factors, identity = self.chart.factors(optimum.theta), self.chart.identity()
        few = [
            self.chart.correlated(t) and self.chart.terms[t].blocks[0].n_levels < FEW_LEVELS * len(T)
            for t, T in enumerate(factors)
        ]
        if any(few):
            yield self.chart.theta([_mirrored(T) if f else T for T, f in zip(factors, few, strict=True)])
        singular = [f and null_directions(T).size > 0 for T, f in zip(factors, few, strict=True)]
        long = len(optimum.path) > LONG + self.chart.cp.k // 2
        if any(singular) or long:
            yield identity
        if long:
            yield LEAST_SD * identity
        if any(singular):
            for along in CORRELATED:
                starts = [_correlated(T, along) if s else T for T, s in zip(factors, singular, strict=True)]
                yield self.chart.theta(starts)
        sizes = [float(np.abs(T).max()) for T in factors]
        largest = int(np.argmax(sizes))
        for t, (T, size) in enumerate(zip(factors, sizes, strict=True)):
            if size < NULL < sizes[largest]:
                exchanged = list(factors)
                exchanged[t] = sizes[largest] * np.eye(len(T))
                exchanged[largest] = LEAST_SD * np.eye(len(factors[largest]))
                yield self.chart.theta(exchanged)

    def admitted(self, theta: Floats) -> Floats | None:
        """The admissible θ near this one, or None."""
        try:
            return self.chart.admissible(theta)
        except NotPositiveDefiniteError:
            return None

    def try_at(self, theta: Floats) -> Evaluation | None:
        """None where the model cannot be evaluated."""
        try:
            return self.at(theta)
        except NotPositiveDefiniteError:
            return None

    def leave_zero(self, point: Evaluation, optimum: OptSummary) -> Floats | None:
        """A better θ off the boundary or down from a saddle, or None where there is none."""
        best, lowest = None, point.value - GAIN - ROUNDING * abs(point.value)
        for way in self._ways_down(point, optimum):
            candidate = self.admitted(way)
            found = None if candidate is None else self.try_at(candidate)
            if found is not None and found.value < lowest:
                best, lowest = candidate, found.value
        return best

    def _ways_down(self, point: Evaluation, optimum: OptSummary) -> Iterator[Floats]:
        """Variance added where there is none and it would help; both ways along negative curvature.

        The latter is what a variance of nearly zero shows: the search stops there when rounding hides the
        little that a step of its own size gains.
        """
        chart, theta = self.chart, optimum.theta
        factors = chart.factors(theta)
        for t, T in enumerate(factors):
            for v in self._descents(t, T, point):
                for size in STEPS_OFF_ZERO:
                    yield chart.theta([*factors[:t], self._widened(t, T, size * v), *factors[t + 1 :]])
        if not negative(optimum.eigenvalues).any():
            return
        values, vectors = np.linalg.eigh(point.hessian)
        for v in vectors.T[negative(values)]:
            for size in STEPS_OFF_ZERO:
                yield from (theta + size * v, theta - size * v)

    def _descents(self, t: int, T: Floats, point: Evaluation) -> list[Floats]:
        """Directions without variance in which variance would lower the criterion."""
        null = null_directions(T)
        if not null.size:
            return []
        S = self.chart.slope(point, t)
        if self.chart.terms[t].structure != "full":
            return [v for v in null.T if v @ S @ v < 0]
        values, vectors = np.linalg.eigh(null.T @ S @ null)
        return [null @ w for value, w in zip(values, vectors.T, strict=True) if value < 0]

    def _widened(self, t: int, T: Floats, v: Floats) -> Floats:
        """Λ with the variance vv' added."""
        if self.chart.terms[t].structure == "full":
            return lower_root(np.column_stack([T, v]))
        return np.diag(np.hypot(np.diag(T), v))

    def snap(self, theta: Floats, point: Evaluation) -> tuple[Floats, Evaluation]:
        """Set near-zero singular values to zero, one at a time, where the criterion does not mind."""
        for t in range(len(self.chart.terms)):
            for _ in self.chart.factors(theta)[t]:
                factors = self.chart.factors(theta)
                left, size, _ = np.linalg.svd(factors[t])
                small = np.flatnonzero((size > 0) & (size < SNAP))
                if not small.size:
                    break
                size[small[-1]] = 0.0
                root = left * size
                factors[t] = (
                    lower_root(root) if self.chart.terms[t].structure == "full" else np.diag(_row_sizes(root))
                )
                allowed = point.value + FREE_OF_COST + ROUNDING * abs(point.value)
                candidate = self.admitted(self.chart.theta(factors))
                found = None if candidate is None else self.try_at(candidate)
                if candidate is None or found is None or found.value > allowed:
                    break
                theta, point = candidate, found
        return theta, point


def _mirrored(T: Floats) -> Floats:
    """Λ with opposite correlations of the first coefficient, and some variance in every direction."""
    out = np.concatenate([T[:1], -T[1:]])
    left, size, right = np.linalg.svd(out)
    return lower_root((left * np.maximum(size, LEAST_SD)) @ right)


def _correlated(T: Floats, along: float) -> Floats:
    """Λ of effects that all go with the first one, or against it, `along` times as variable as Λ is."""
    size = float(np.linalg.norm(T, 2)) * np.abs(along)
    out = size * LEAST_SD * np.eye(len(T))
    out[0, 0], out[1:, 0] = size, np.sign(along) * size
    return np.asarray(out)


def _row_sizes(root: Floats) -> Floats:
    """Standard deviations from any root of a diagonal covariance."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", root, root)))
