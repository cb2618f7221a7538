"""Which parameter a section holds, and how: SDs, correlations, σ and fixed effects.

Roots T of the covariances (Ψ = TT') are turned, T = QT̃ with Q orthogonal, so that the first row of T̃ is that
of the effect in question: an SD is then σ times the length of that row, and a correlation the cosine of the
angle between two rows. As T̃ may be turned from the right at will, these rows are (u, 0, …) and (w, z, 0, …).
The user's coefficients are rows of A times the engine's, and Q comes from the QR decomposition of those rows.

    parameter     c                held in T̃                                        σ
    SD            the SD           first row (c/(σ·size), 0, …)                      free, log σ is in x
    correlation   its arc cosine   angle of two rows; their lengths v², s² are in x  profiled
    σ             its logarithm    nothing                                           held
    β             β                nothing: β moves into the offset                  profiled
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.engine.chart import lower_root
from mixedcore.engine.criterion import Evaluation
from mixedcore.inference.constrained import Likelihood, given_effect
from mixedcore.inference.sections import Placement, Section
from mixedcore.terms import Floats, Ints

ZERO = 1e-9  # SD over σ, in the engine's units, below which it is zero and its correlations have no value
FAR = 12.0  # in log σ: a residual SD this far below the estimate is zero


@dataclass(frozen=True, eq=False)
class SigmaSection(Section):
    """c = log σ; x are all entries of the roots."""

    @property
    def profiled(self) -> bool:
        return False

    @cached_property
    def optimum(self) -> tuple[Floats, float]:
        return self.origin[:-1], self.log_sigma

    def place(self, x: Floats, c: float) -> Placement:
        every = np.eye(self.origin.size)
        return Placement(np.append(x, c), every[:, :-1], every[:, -1])

    def shown(self, c: float) -> float:
        return float(np.exp(c)) * self.likelihood.user.y_scale if c > self.low else 0.0


@dataclass(frozen=True, eq=False)
class EffectSection(Section):
    """c = the fixed effect number `j`; x are all entries of the roots."""

    j: int = 0

    @cached_property
    def _direction(self) -> Floats:
        """a (p,): the coefficient is β₀ + a'β of the engine's β."""
        return np.asarray(self.likelihood.user.y_scale * self.likelihood.cp.fixed.A[self.j])

    @cached_property
    def optimum(self) -> tuple[Floats, float]:
        return self.origin, float(self._direction @ self.likelihood.user.estimate.evaluation.beta)

    def place(self, x: Floats, c: float) -> Placement:
        return Placement(x, np.eye(x.size), np.zeros(x.size))

    def held(self, point: Evaluation, frame: Floats, c: float) -> tuple[Evaluation, tuple[float, float]]:
        held, slope, bend = given_effect(point, self._direction, c)
        return held, (slope, bend)

    def shown(self, c: float) -> float:
        return float(self.likelihood.cp.fixed.beta0[self.j]) + c


@dataclass(frozen=True, eq=False)
class TermSection(Section):
    """A section of coefficients `rows` of term `t`, which stand first in the frame's T̃."""

    t: int = 0
    rows: tuple[int, ...] = (0,)

    @cached_property
    def first(self) -> int:
        """Place in the frame of the first entry of T̃ (of a diagonal root: of the coefficient's own)."""
        own = 0 if self.likelihood.is_full(self.t) else self.rows[0]
        return self.likelihood.offsets[self.t] + own

    @cached_property
    def _of_rows(self) -> tuple[Floats, Floats]:
        """Q (q, q), and the rows of the user's coefficients in terms of T̃'s, lower triangular."""
        scaled, rows = self.likelihood.cp.scaled_terms[self.t], list(self.rows)
        if not self.likelihood.is_full(self.t):
            return np.eye(1), np.abs(scaled.A[rows][:, rows])
        others = [i for i in range(len(scaled.A)) if i not in rows]
        Q, R = np.linalg.qr(scaled.A[rows + others].T)
        signs = np.where(np.diag(R) < 0, -1.0, 1.0)
        return Q * signs, (R.T * signs)[: len(rows), : len(rows)]

    def turned(self, t: int) -> tuple[Floats, int]:
        if t != self.t:
            return super().turned(t)
        Q = self._of_rows[0] if self.likelihood.is_full(t) else np.eye(self.likelihood.size(t))
        return Q, len(self.rows)

    @property
    def triangle(self) -> Floats:
        """L: rows of the user's coefficients are L times the first rows of T̃."""
        return self._of_rows[1]

    @cached_property
    def turn(self) -> Floats:
        B = super().turn
        if self.likelihood.is_full(self.t):
            Q = self._of_rows[0]
            own = slice(self.first, self.first + Q.size)
            B[own, own] = np.kron(Q, np.eye(len(Q)))
        return B

    @cached_property
    def origin(self) -> Floats:
        frame = super().origin
        if self.likelihood.is_full(self.t):
            Q = self._of_rows[0]
            own = slice(self.first, self.first + Q.size)
            frame[own] = lower_root(Q.T @ frame[own].reshape(Q.shape)).ravel()
        return frame

    @cached_property
    def q(self) -> int:
        """Entries of a row of T̃."""
        return len(self._of_rows[0])

    def free(self, held: int) -> Ints:
        """Places of the frame beside those of the first `held` rows of T̃."""
        own = np.arange(self.first, self.first + held * self.q)
        return np.setdiff1d(np.arange(self.origin.size), own)


@dataclass(frozen=True, eq=False)
class SdSection(TermSection):
    """c = SD over one unit of the engine's outcome.

    x are entries of T̃σ/σ̂, then log σ: what is large beside σ does not change with it.
    """

    @property
    def profiled(self) -> bool:
        return False

    @cached_property
    def _jacobian(self) -> Floats:
        return self.selector(self.free(1))

    @cached_property
    def optimum(self) -> tuple[Floats, float]:
        size = abs(float(self.origin[self.first])) * float(self.triangle[0, 0])
        return self.origin[self.free(1)], size * float(np.exp(self.log_sigma))

    def place(self, x: Floats, c: float) -> Placement:
        shrunk = float(np.exp(self.log_sigma - x[-1]))  # σ̂/σ
        frame, along = shrunk * (self._jacobian @ x), np.zeros(self.origin.size)
        along[self.first] = float(np.exp(-x[-1])) / float(self.triangle[0, 0])
        frame[self.first] = c * along[self.first]
        frame[-1] = 0.0
        jacobian = shrunk * self._jacobian
        jacobian[:, -1] = -frame
        frame[-1], jacobian[-1, -1] = x[-1], 1.0

        def bend(gradient: Floats) -> Floats:
            out = np.zeros((x.size, x.size))
            out[:-1, -1] = out[-1, :-1] = -shrunk * (self._jacobian.T @ gradient)[:-1]
            out[-1, -1] = gradient[:-1] @ frame[:-1]
            return out

        return Placement(frame, jacobian, along, bend)

    def shown(self, c: float) -> float:
        return c * self.likelihood.user.y_scale


@dataclass(frozen=True, eq=False)
class CorrelationSection(TermSection):
    """c = arc cosine of the correlation; roots v and s of the two rows' lengths are the last of x."""

    @cached_property
    def _jacobian(self) -> Floats:
        beside = self.selector(self.free(2))
        return np.hstack([beside, np.zeros((len(beside), 2))])

    @cached_property
    def _rows(self) -> tuple[float, float, float]:
        """Length of the first row, and the second row's two entries, in the units of `triangle`'s pivots."""
        u, (w, z) = self.origin[self.first], self.origin[self.first + self.q : self.first + self.q + 2]
        return float(u), float(w + self.ratio * u), float(z)

    @property
    def ratio(self) -> float:
        """What the first row adds to the second in the user's coefficients, over the second's pivot."""
        return float(self.triangle[1, 0] / self.triangle[1, 1])

    @property
    def defined(self) -> bool:
        """Whether both SDs are positive, so that there is a correlation."""
        u, w, z = self._rows
        return min(u, float(np.hypot(w, z))) > ZERO

    @cached_property
    def optimum(self) -> tuple[Floats, float]:
        u, w, z = self._rows
        lengths = np.sqrt([u, np.hypot(w, z)])
        return np.append(self.origin[self.free(2)], lengths), float(np.arctan2(z, w))

    def place(self, x: Floats, c: float) -> Placement:
        v, s = x[-2:]
        i, j = self.first, self.first + self.q
        frame, jacobian = self._jacobian @ x, self._jacobian.copy()
        frame[i], frame[j], frame[j + 1] = v * v, s * s * np.cos(c) - self.ratio * v * v, s * s * np.sin(c)
        along, of_v, of_s = np.zeros(frame.size), np.zeros(frame.size), np.zeros(frame.size)
        along[j], along[j + 1] = -s * s * np.sin(c), s * s * np.cos(c)
        of_v[i], of_v[j] = 2.0, -2.0 * self.ratio
        of_s[j], of_s[j + 1] = 2 * np.cos(c), 2 * np.sin(c)
        jacobian[:, -2], jacobian[:, -1] = of_v * v, of_s * s

        def bend(gradient: Floats) -> Floats:
            return np.diag(np.append(np.zeros(x.size - 2), [gradient @ of_v, gradient @ of_s]))

        return Placement(frame, jacobian, along, bend)

    def shown(self, c: float) -> float:
        return float(np.cos(c))


def sections(likelihood: Likelihood, labels: Sequence[str]) -> list[Section]:
    """One section a parameter, in the order of `parameters.parameter_labels`."""
    out: list[Section] = []
    names = iter(labels)
    for t, term in enumerate(likelihood.chart.terms):
        every = range(likelihood.size(t))
        out += [SdSection(likelihood, next(names), low=0.0, t=t, rows=(i,)) for i in every]
        if term.structure == "full":
            cols, rows = np.triu_indices(likelihood.size(t), 1)
            for i, j in zip(rows.tolist(), cols.tolist(), strict=True):
                section = CorrelationSection(likelihood, next(names), 0.0, float(np.pi), t=t, rows=(i, j))
                out.append(section)
    sigma = SigmaSection(likelihood, next(names))
    floor = sigma.log_sigma - FAR
    out.append(SigmaSection(likelihood, sigma.name, low=floor))
    out += [EffectSection(likelihood, next(names), j=j) for j in range(likelihood.cp.p)]
    return out
