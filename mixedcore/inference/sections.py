"""Sections through the criterion: coordinates in which one parameter is held exactly and the rest is free.

Every section has a scalar c, the parameter on a scale smooth up to its bounds, and free coordinates x.
The kinds of sections are in `section_kinds`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.engine.criterion import Evaluation
from mixedcore.inference.constrained import GivenSigma, Likelihood, given_sigma
from mixedcore.terms import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where x (K,) and c stand in the frame (F,): entries of the turned roots T̃, then log σ if not profiled.

    jacobian (F, K) = ∂frame/∂x;  along (F,) = ∂frame/∂c;  bend: from a gradient g (F,) in the frame, what the
    frame's second derivatives add to the Hessian in x, Σ g ∂²frame/∂x∂x' (K, K)
    """

    frame: Floats
    jacobian: Floats
    along: Floats
    bend: Callable[[Floats], Floats | float] = lambda gradient: 0.0


@dataclass(frozen=True, eq=False)
class Held:
    """The deviance at x and c, and its derivatives there.

    direct : what c adds beside the frame to the first and second derivative of the deviance in c
    """

    section: Section
    x: Floats
    c: float
    place: Placement
    evaluation: Evaluation
    direct: tuple[float, float]

    @property
    def value(self) -> float:
        """The deviance."""
        return self.evaluation.value

    @cached_property
    def factors(self) -> list[Floats]:
        """Root of every term, (q, q) each."""
        return self.section.factors(self.place.frame)

    @cached_property
    def of_frame(self) -> tuple[Floats, Floats]:
        """Gradient (F,) and Hessian (F, F) in the frame."""
        section, point = self.section, self.evaluation
        gradient, hessian, jacobian = section.likelihood.chart.derivatives_at(self.factors, point)
        if isinstance(point, GivenSigma):
            cross = jacobian.T @ point.cross_of_log
            gradient = np.append(gradient, point.slope_of_log)
            hessian = np.block([[hessian, cross[:, None]], [cross[None], point.bend_of_log]])
        return section.turn.T @ gradient, section.turn.T @ hessian @ section.turn

    @cached_property
    def derivatives(self) -> tuple[Floats, Floats]:
        """Gradient (K,) and Hessian (K, K) in x."""
        gradient, hessian = self.of_frame
        jacobian = self.place.jacobian
        return jacobian.T @ gradient, jacobian.T @ hessian @ jacobian + self.place.bend(gradient)

    @property
    def slope(self) -> float:
        """∂d/∂c at constant x; where x is at its best also that of the profile."""
        return float(self.of_frame[0] @ self.place.along) + self.direct[0]

    def foresight(self) -> tuple[float, Floats]:
        """Second derivative of the profile and dx/dc (K,), at the optimum."""
        _, hessian = self.of_frame
        cross = self.place.jacobian.T @ hessian @ self.place.along
        moves = cross
        if cross.size:
            moves = -np.asarray(np.linalg.lstsq(self.derivatives[1], cross, rcond=1e-10)[0])
        return float(self.place.along @ hessian @ self.place.along + cross @ moves) + self.direct[1], moves


@dataclass(frozen=True, eq=False)
class Section:
    """One parameter's section; the kinds below say what is held. It is the search's `Chart` of x (K,).

    low, high : limits of c; profiled: whether σ is
    """

    likelihood: Likelihood
    name: str
    low: float = -np.inf
    high: float = np.inf

    @property
    def profiled(self) -> bool:
        return True

    # -- what the kinds say ----------------------------------------------------------------------------

    @cached_property
    def optimum(self) -> tuple[Floats, float]:
        """x and c of the fit."""
        raise NotImplementedError

    def place(self, x: Floats, c: float) -> Placement:
        """Where x and c stand in the frame."""
        raise NotImplementedError

    def shown(self, c: float) -> float:
        """The parameter in the user's units."""
        return c

    # -- what they share -------------------------------------------------------------------------------

    def at(self, x: Floats, c: float) -> Held:
        """The point at x and c; NotPositiveDefiniteError where the model cannot be evaluated."""
        place = self.place(x, c)
        point, direct = self.held(self.likelihood.at(self.factors(place.frame)), place.frame, c)
        return Held(self, x, c, place, point, direct)

    def held(self, point: Evaluation, frame: Floats, c: float) -> tuple[Evaluation, tuple[float, float]]:
        """The evaluation with what is held beside the roots, and the direct part of derivatives in c."""
        return (point if self.profiled else given_sigma(point, frame[-1])), (0.0, 0.0)

    @property
    def log_sigma(self) -> float:
        """log σ of the fit, in the engine's units."""
        return float(np.log(self.likelihood.user.estimate.evaluation.sigma2)) / 2

    @cached_property
    def turn(self) -> Floats:
        """From the frame to the entries of the roots, and log σ, (F, F)."""
        return np.eye(self.likelihood.offsets[-1] + (not self.profiled))

    @cached_property
    def origin(self) -> Floats:
        """The frame of the fit."""
        entries = self.likelihood.entries(self.likelihood.user.estimate.factors)
        return entries if self.profiled else np.append(entries, self.log_sigma)

    def factors(self, frame: Floats) -> list[Floats]:
        """Root of every term, (q, q) each."""
        return self.likelihood.factors(self.turn @ frame)

    def turned(self, t: int) -> tuple[Floats, int]:
        """Q (q, q) of term t's root, and how many first rows of T̃ are held."""
        return np.eye(self.likelihood.size(t)), 0

    def selector(self, free: Ints) -> Floats:
        """Jacobian of a frame whose places `free` are x, (F, K)."""
        return np.eye(self.origin.size)[:, free]

    # -- the search's chart ----------------------------------------------------------------------------

    def moved(self, theta: Floats, step: Floats) -> Floats:
        """x after a step."""
        return theta + step

    def derivatives(self, theta: Floats, point: Held) -> tuple[Floats, Floats, Floats]:
        """Gradient and Hessian in x, which is also where the search learns of the curvature."""
        return (*point.derivatives, np.eye(theta.size))

    def secant(
        self, thetas: tuple[Floats, Floats], points: tuple[Held, Held]
    ) -> tuple[Floats, Floats, Floats]:
        """Step, change of the gradient, and the Hessian taken for it."""
        (g1, H1), (g2, H2) = (point.derivatives for point in points)
        return thetas[1] - thetas[0], g2 - g1, (H1 + H2) / 2
