"""Profile-likelihood intervals: where the least ML deviance over all else has risen by a quantile of χ²₁.

For a parameter held at c, D(c) is the least deviance over everything else, and the signed root

    ζ(c) = ± √(D(c) − D(ĉ)),    ζ' = D'/2ζ,    D' = ∂d/∂c at the least (the others do not count there),

is nearly linear in c (Bates & Watts 1988, ch. 6; Pinheiro & Bates 2000, section 2.4.1; Bates et al. 2015,
section 5.1). So each bound is found by Newton's method on ζ = ±√χ²₁, kept inside a bracket; every D is a
constrained fit that starts from those before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mixedcore.engine.optimise import ROUNDING, minimise
from mixedcore.errors import NotPositiveDefiniteError
from mixedcore.inference.constrained import Likelihood
from mixedcore.inference.jobs import Cancel, Progress, in_turn
from mixedcore.inference.section_kinds import CorrelationSection, SdSection, sections
from mixedcore.inference.sections import Held, Section
from mixedcore.inference.tails import check_level, upper_normal
from mixedcore.terms import Floats
from mixedcore.units import UserUnits

CLOSE = 1e-4  # of the way from the estimate: a Newton step this short, squared, is below any digit shown
TRIALS = 60
NARROW = 1e-9  # of the way from the estimate: a bracket that ends the search
NEWTON = 30  # trials that may be Newton's; bisection after them
FURTHEST = 3.0  # times the way so far that a step may lead to
GAIN = 1e-6  # a deviance lower than the fit's by this shows that the fit was not the optimum
SIMPLE = (
    3  # covariance parameters up to which a deviance, no correlation held, is thought to have one optimum
)
ASIDE = 0.1  # of σ: how far from the fit another start is
NEAR = 0.9  # of ζ at a bound, from where other optima would matter
NULL = 1e-6  # singular values of a root below this are directions of no variance
WIDER = tuple(10.0 ** -np.arange(0.5, 3.0, 0.5))  # SDs over σ with which a direction of no variance is tried
ANY = "an SD may be zero, so that the correlation may be anything from −1 to 1."


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of one parameter in the user's units; a remark where one is the edge of what is possible."""

    name: str
    low: float
    high: float
    note: str | None = None


class LowerFoundError(Exception):
    """A constrained fit beat the fit that is profiled; holds its roots."""

    def __init__(self, factors: list[Floats]) -> None:
        self.factors = factors


def profile_intervals(
    user: UserUnits,
    labels: Sequence[str],
    wanted: Sequence[str],
    level: float,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> list[Interval]:
    """Intervals of the parameters `wanted`, named by `labels` as `parameter_labels` has them, of an ML fit.

    Where it is cancelled, those found by then.

    Raises LowerFoundError if the fit turns out not to be the optimum.
    """
    profile = _Profile(Likelihood(user), labels, upper_normal((1 - check_level(level)) / 2))
    return [profile.interval(name) for name in in_turn(wanted, progress, cancel)]


class _Profile:
    """The intervals found so far; root: ζ at the bounds."""

    def __init__(self, likelihood: Likelihood, labels: Sequence[str], root: float) -> None:
        self.root = root
        self.least = likelihood.at(likelihood.user.estimate.factors).value
        self.sections = {section.name: section for section in sections(likelihood, labels)}
        self.found: dict[str, Interval] = {}

    def interval(self, name: str) -> Interval:
        """The interval of one parameter, found when first asked for."""
        if name not in self.found:
            section = self.sections[name]
            undetermined = isinstance(section, CorrelationSection) and self._may_vanish(section)
            self.found[name] = Interval(name, -1.0, 1.0, ANY) if undetermined else self._search(section)
        return self.found[name]

    def _may_vanish(self, section: CorrelationSection) -> bool:
        """Whether one of the two SDs may be zero: any correlation is then as likely as that zero."""
        sds = [
            other.name
            for other in self.sections.values()
            if isinstance(other, SdSection) and other.t == section.t and other.rows[0] in section.rows
        ]
        return not section.defined or any(self.interval(sd).low == 0 for sd in sds)

    def _search(self, section: Section) -> Interval:
        start = section.at(*section.optimum)
        ends = [_Side(section, start, side, self.root, self.least).bound() for side in (-1.0, 1.0)]
        low, high = sorted(section.shown(end) for end in ends)
        return Interval(section.name, low, high, _note(section, ends))


def _note(section: Section, ends: Sequence[float]) -> str | None:
    low, high = ends[0] == section.low, ends[1] == section.high
    if isinstance(section, CorrelationSection):
        edges = {(True, False): "the upper bound is 1", (False, True): "the lower bound is -1"}
        edge = edges.get((low, high), "the bounds are -1 and 1" if low else None)
    else:
        edge = "the lower bound is 0" if low else None
    return edge and f"{edge}, which the data do not exclude."


@dataclass(slots=True, eq=False)
class _Side:
    """The search for one bound. side: −1 below the estimate, 1 above; root: ζ at the bound."""

    section: Section
    start: Held
    side: float
    root: float
    least: float

    @property
    def limit(self) -> float:
        return self.section.high if self.side > 0 else self.section.low

    def bound(self) -> float:
        """c where ζ reaches `root`, or the limit if it does not."""
        first = self.start.c
        inside, outside = (first, 0.0, self.start.x), (self.side * np.inf, np.inf)
        c, x = self._first_guess()
        for trial in range(TRIALS):
            c = self.side * min(self.side * c, self.side * self.limit)
            point = self._least_at(x, c, inside[2])
            zeta = self._zeta(point)
            if c == self.limit and zeta <= self.root:
                return c
            nearer = self._newton(c, zeta, point) if trial < NEWTON else np.nan
            if abs(nearer - c) < CLOSE * abs(c - first):
                return nearer
            base = inside
            if point is None or zeta > self.root:
                outside = (c, zeta)
            else:
                inside = (c, zeta, point.x)
            if abs(outside[0] - inside[0]) < NARROW * abs(c - first):
                break
            nearer = self._bracketed(nearer, inside[:2], outside)
            x = base[2] if point is None else base[2] + (point.x - base[2]) * _share(base[0], c, nearer)
            c = nearer
        return c

    def _zeta(self, point: Held | None) -> float:
        return np.inf if point is None else float(np.sqrt(max(point.value - self.least, 0.0)))

    def _first_guess(self) -> tuple[float, Floats]:
        """Where ζ would reach `root` if the deviance were a parabola, and x there."""
        bend, moves = self.start.foresight()
        way = self.root / np.sqrt(bend / 2) if bend > 0 else 1.0
        c = self.start.c + self.side * way
        c = self.side * min(self.side * c, self.side * self.limit)
        return c, self.start.x + moves * (c - self.start.c)

    def _newton(self, c: float, zeta: float, point: Held | None) -> float:
        rate = np.nan if point is None or zeta == 0 else self.side * point.slope / (2 * zeta)
        return float(c + self.side * (self.root - zeta) / rate) if rate > 0 else np.nan

    def _bracketed(self, c: float, inside: tuple[float, float], outside: tuple[float, float]) -> float:
        """c if it lies between the ends of the bracket, and not too far out; else a point that does."""
        (near, low), (far, high) = inside, outside
        if not np.isfinite(far):
            most = near + self.side * FURTHEST * abs(near - self.start.c)
            return c if self.side * near < self.side * c < self.side * most else most
        if self.side * near < self.side * c < self.side * far:
            return c
        share = (self.root - low) / (high - low) if np.isfinite(high) else 0.5
        return near + min(max(share, 0.1), 0.9) * (far - near)

    def _least_at(self, x: Floats, c: float, fallback: Floats) -> Held | None:
        """The constrained fit at c, from x or else from where another ended; None where there is none.

        Where the deviance may have several optima, one that ends high is held against one from the fit.
        """
        point = self._end(x, c) or self._end(fallback, c)
        if self._zeta(point) > NEAR * self.root:
            ends = (point, *(self._end(start, c) for start in self._other_starts()))
            found = [end for end in ends if end is not None]
            point = min(found, key=lambda end: end.value, default=None)
        if point is not None and point.value < self.least - GAIN - 10 * ROUNDING * abs(self.least):
            raise LowerFoundError(point.factors)
        return point

    def _other_starts(self) -> Iterator[Floats]:
        """The fit's x where there may be several optima, and x off its symmetries if there are many θ."""
        many, x = self.section.likelihood.cp.k > SIMPLE, self.start.x
        if many or isinstance(self.section, CorrelationSection):
            yield x
        if many:
            yield x + ASIDE * (-1.0) ** np.arange(x.size)

    def _end(self, x: Floats, c: float) -> Held | None:
        try:
            return descend(self.section, x, c)
        except NotPositiveDefiniteError:
            return None


def _share(start: float, end: float, at: float) -> float:
    """How far `at` is on the way from start to end."""
    return (at - start) / (end - start)


def descend(section: Section, x: Floats, c: float) -> Held:
    """The least deviance at c; zeros left where variance would help."""
    while True:
        point, _ = minimise(lambda free: section.at(free, c), x, section)
        better = _off_zero(section, point)
        if better is None:
            return point
        x = better


def _off_zero(section: Section, point: Held) -> Floats | None:
    """x of a lower deviance with variance in a direction that has none, or None where there is none."""
    for candidate in _widened(section, point):
        try:
            found = section.at(candidate, point.c)
        except NotPositiveDefiniteError:
            continue
        if found.value < point.value - GAIN:
            return candidate
    return None


def _widened(section: Section, point: Held) -> Iterator[Floats]:
    """x with variance added where a root is singular and the deviance falls with variance.

    With T̃w = 0, adding vw' to T̃ adds vv' to its covariance; v has no part in the rows that are held.
    """
    likelihood = section.likelihood
    for t, term in enumerate(likelihood.chart.terms):
        own = slice(likelihood.offsets[t], likelihood.offsets[t + 1])
        Q, held = section.turned(t)
        S = Q.T @ likelihood.chart.slope(point.evaluation, t) @ Q
        block = point.place.frame[own]
        if term.structure == "full":
            root = block.reshape(len(Q), -1)
            _, sizes, right = np.linalg.svd(root)
            values, vectors = np.linalg.eigh(S[held:, held:])
            if sizes[-1] > NULL or not values.size or values[0] >= 0:
                continue
            ways = [np.outer(np.append(np.zeros(held), vectors[:, 0]), right[-1]).ravel()]
        else:
            none = (np.abs(block) < NULL) & (np.diag(S) < 0)
            ways = list(np.eye(block.size)[none])  # one that is held moves no x
        for way in ways:
            change = np.zeros_like(point.place.frame)
            change[own] = way
            for size in WIDER:
                yield point.x + size * (point.place.jacobian.T @ change)
