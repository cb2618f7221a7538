"""The optima of many replicates of one nested design: searched, zeros confirmed, other optima looked for.

What `estimate` does for one. What a replicate needs beyond that (a residual from the rows, a search that does
not arrive) is left to the engine: such replicates are not `found`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.estimate import (
    CORRELATED,
    FEW_LEVELS,
    FREE_OF_COST,
    GAIN,
    LONG,
    NULL,
    SNAP,
)
from mixedcore.engine.optimise import ROUNDING
from mixedcore.engine.outcomes import Outcomes
from mixedcore.engine.start import LEAST_SD, moment_roots
from mixedcore.inference.batch import NestedDesign, Points
from mixedcore.inference.batch_criterion import evaluate
from mixedcore.inference.batch_search import Found, search
from mixedcore.terms import Floats, Ints, RandomTerm

CANCELLED = 1e-4  # residual variance over the outcome's, below which cross-products have too few digits
DOWNHILL = -1e-4  # derivative in a variance of zero, below which leaving it would gain more than 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Optima:
    """Where R replicates have their optimum: coordinates x (K, R), what is known there.

    found, singular, long (R,): whether there is one, whether it is on the boundary, whether the way was long
    """

    x: Floats
    points: Points
    found: Mask
    singular: Mask
    long: Mask

    def lower(self, which: Ints, other: Optima) -> Optima:
        """These, or for the replicates `which` the others where they are lower, or as low and arrived.

        A search that has not arrived counts too: what is above its end is not the optimum.
        """
        value = self.points.value[which]
        slack = GAIN + ROUNDING * np.abs(value)
        as_low = other.found & ~self.found[which] & (other.points.value < value + slack)
        better = (other.points.value < value - slack) | as_low
        at, own = which[better], np.flatnonzero(better)
        x, found, singular = self.x.copy(), self.found.copy(), self.singular.copy()
        x[:, at], found[at], singular[at] = other.x[:, own], other.found[own], other.singular[own]
        return Optima(x, self.points.replaced(at, other.points.take(own)), found, singular, self.long)


def optima(design: NestedDesign, outcomes: Outcomes, factors: Sequence[Floats]) -> Optima:
    """Optima of every outcome, from moments of each and from elsewhere.

    The criterion may have several optima. Where a covariance has few levels, the Λ of each term of a fit
    (`factors`, in the engine's units) is tried too, and the opposite of the correlations found; for singular
    replicates Λ = I, and strong correlations of either sign; where the way was long, little variance
    anywhere; as in `estimate`.
    """
    best = _settled(design, outcomes, search(design, outcomes, _moments(design, outcomes)))
    few = [has_few_levels(term) for term in design.terms]
    for start, wanted in _elsewhere(list(design.roots(best.x)), [widened(T) for T in factors], few, best):
        which = np.flatnonzero(wanted)
        if which.size:
            own, x = outcomes.take(which), design.coordinates_of([T[which] for T in start])
            best = best.lower(which, _settled(design, own, search(design, own, x)))
    return best


def _moments(design: NestedDesign, outcomes: Outcomes) -> Floats:
    """Coordinates (K, R) of each outcome's covariances by the method of moments."""
    x = np.zeros((design.n_coordinates, outcomes.scale.size))
    for square, T in zip(design.squares, moment_roots(design.cp, outcomes.Zy, outcomes.yy), strict=True):
        x[square.index] = T[:, square.rows, square.cols].T
    return x


def has_few_levels(term: RandomTerm) -> bool:
    """Whether a covariance has so few levels that the criterion may have several optima."""
    q = term.blocks[0].width
    return term.structure == "full" and q > 1 and term.blocks[0].n_levels < FEW_LEVELS * q


def widened(T: Floats) -> Floats:
    """Λ (…, q, q) off its boundary, where derivatives vanish."""
    left, size, right = np.linalg.svd(T)
    return np.asarray((left * np.maximum(size, LEAST_SD)[..., None, :]) @ right)


def _elsewhere(
    own: Sequence[Floats], fitted: Sequence[Floats], few: Sequence[bool], first: Optima
) -> Iterator[tuple[list[Floats], Mask]]:
    """Further starts (R, q, q) of each term, and the replicates (R,) that they are for.

    own : where each replicate ended first; fitted : Λ of each term (q, q) of a fit
    """
    doubtful, every = first.singular | ~first.found, np.ones(first.found.size, dtype=bool)
    identity = [np.broadcast_to(np.eye(T.shape[1]), T.shape) for T in own]
    yield identity, doubtful | first.long
    yield [LEAST_SD * T for T in identity], first.long
    if any(few):
        yield [np.broadcast_to(T, start.shape) for T, start in zip(fitted, identity, strict=True)], every
        yield [_mirrored(T) if f else T for T, f in zip(own, few, strict=True)], every
        for along in CORRELATED:
            yield [_correlated(T, along) if f else T for T, f in zip(own, few, strict=True)], doubtful


def _mirrored(T: Floats) -> Floats:
    """Λ (R, q, q) with opposite correlations of the first coefficient, and some variance everywhere."""
    return widened(np.concatenate([T[:, :1], -T[:, 1:]], axis=1))


def _correlated(T: Floats, along: float) -> Floats:
    """Λ (R, q, q) of effects that all go with the first one, or against it, `along` times as variable."""
    size = np.linalg.norm(T, 2, axis=(1, 2))[:, None] * np.abs(along)
    out = size[..., None] * LEAST_SD * np.eye(T.shape[1])
    out[:, :1, 0], out[:, 1:, 0] = size, np.sign(along) * size
    return np.asarray(out)


def _settled(design: NestedDesign, outcomes: Outcomes, at: Found) -> Optima:
    """Zeros where nearly none is as good, held against the derivative in the variance."""
    x, points = _snapped(design, outcomes, at)
    singular, good = np.zeros(at.found.size, dtype=bool), at.found & (points.sigma2 > CANCELLED)
    for t, T in enumerate(design.roots(x)):
        left, size, _ = np.linalg.svd(T)
        null = size < NULL
        singular |= null.any(axis=1)
        along = np.einsum("rie,rij,rjf->ref", left, design.slope(points, t), left)
        outside = np.where(null[:, :, None] & null[:, None, :], along, 0.0)
        good &= np.linalg.eigvalsh(outside)[:, 0] >= DOWNHILL
    return Optima(x, points, good, singular, at.steps > LONG + design.cp.k // 2)


def _snapped(design: NestedDesign, outcomes: Outcomes, at: Found) -> tuple[Floats, Points]:
    """Near-zero singular values set to zero where the criterion does not mind."""
    parts = [np.linalg.svd(T) for T in design.roots(at.x)]
    which = np.flatnonzero(np.any([(size < SNAP).any(axis=1) for _, size, _ in parts], axis=0))
    if not which.size:
        return at.x, at.points
    roots = [(left * np.where(size < SNAP, 0.0, size)[:, None]) @ right for left, size, right in parts]
    snapped = design.coordinates_of(roots)[:, which]
    tried, value = evaluate(design, snapped, outcomes.take(which)), at.points.value[which]
    kept = tried.value <= value + FREE_OF_COST + 10 * ROUNDING * np.abs(value)
    x = at.x.copy()
    x[:, which[kept]] = snapped[:, kept]
    return x, at.points.replaced(which[kept], tried.take(np.flatnonzero(kept)))
