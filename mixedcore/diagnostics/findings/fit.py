"""What the search and the boundary say of a fit; nothing here needs the rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mixedcore.diagnostics.findings.finding import FIXED_HOLD, Finding
from mixedcore.optimisation import Optimisation, zero_variances
from mixedcore.parameters import effect_names
from mixedcore.terms import Floats, RandomTerm, entries
from mixedcore.units import UserUnits

NEAR = 0.5  # standard errors of a variance from zero, below which it may as well be zero


def convergence(optimisation: Optimisation) -> Iterator[Finding]:
    """A gradient at the end that promises a further fall of the criterion."""
    if not optimisation.converged:
        yield Finding(
            "not_converged",
            "serious",
            "The search did not reach the optimum",
            f"After {optimisation.evaluations} evaluations the criterion could still fall by about "
            f"{optimisation.decrement:.2g}, and its gradient has the length "
            f"{optimisation.gradient_norm:.2g}. {optimisation.message}",
            "Estimates and standard errors are not those of the best-fitting model.",
            "Simplify the random effects, or look for predictors that nearly determine each other.",
        )


def undetermined(optimisation: Optimisation) -> Iterator[Finding]:
    """What lme4 calls a degenerate Hessian and a nearly unidentifiable model, by the names involved."""
    for direction in optimisation.flat:
        names = ", ".join(direction.names)
        what = f"a combination of {names}" if len(direction.names) > 1 else names
        if direction.falls:
            yield Finding(
                "saddle",
                "serious",
                "The search ended where the criterion is not lowest",
                f"The criterion still falls along {what} (curvature {direction.curvature:.2g}).",
                "The Hessian is not positive definite, so estimates and standard errors are not those of the "
                "best-fitting model.",
                "Fit again from other start values, or simplify the random effects.",
            )
        else:
            yield Finding(
                "undetermined",
                "warning",
                f"The data do not determine {names}",
                f"The criterion hardly changes along {what}: its curvature is "
                f"{direction.curvature:.1g} where they change by their own size.",
                "Other values of these parameters fit as well; only what they have in common is known. "
                f"{FIXED_HOLD}",
                "Take out a random effect that another one contains, or one of a predictor that does not "
                "vary within the groups.",
            )


def boundary(user: UserUnits) -> Iterator[Finding]:
    """Variances of zero, correlations of ±1, and covariances singular in another way."""
    for t, term in enumerate(user.estimate.terms):
        if not user.estimate.null[t].shape[1]:
            continue
        if term.role == "component":
            yield _zero_component(term.name)
        elif zero := zero_variances(user, t):
            for name in zero:
                yield _zero_variance(name, term.name, whole=len(term.columns) == 1)
        else:
            yield _degenerate(user.psi(t), term)


def _zero_component(name: str) -> Finding:
    return Finding(
        "singular",
        "warning",
        f"The variance component {name} is zero",
        f"The best-fitting variance of {name} is 0, the smallest value it can take (a singular fit).",
        f"After the other terms, units of {name} differ no more than the residual alone would make them. The "
        "estimate says that the data show no such variation, not that there is none.",
        f"Leave {name} out, or keep it if the design calls for it. {FIXED_HOLD}",
    )


def _zero_variance(covariate: str, group: str, *, whole: bool) -> Finding:
    what = "intercept" if covariate == "Intercept" else f"slope of {covariate}"
    remedy = (
        "An ordinary regression would give the same fit; keep the term if the design calls for it."
        if whole
        else f"Leave the random {what} out, or keep it if the design calls for it."
    )
    return Finding(
        "singular",
        "warning",
        f"The {what} does not vary over {group}",
        f"The best-fitting variance of the {what} over {group} is 0, its smallest value (a singular fit).",
        f"Groups of {group} differ in this no more than the residual alone would make them.",
        f"{remedy} {FIXED_HOLD}",
    )


def _degenerate(psi: Floats, term: RandomTerm) -> Finding:
    if len(psi) == 2:
        sign = "+1" if psi[1, 0] > 0 else "−1"
        one, two = ("intercept" if c == "Intercept" else f"slope of {c}" for c in term.columns)
        evidence = f"The correlation of the {one} and the {two} over {term.name} is {sign} (a singular fit)."
        title = f"A correlation over {term.name} is {sign}"
    else:
        evidence = (
            f"A combination of the effects {', '.join(effect_names(term))} has no variance (a singular fit)."
        )
        title = f"The covariance matrix of {term.name} is singular"
    return Finding(
        "singular",
        "warning",
        title,
        evidence,
        "The data support fewer random effects than the model has: one is a function of the others.",
        f"Leave out a random slope, or make the effects uncorrelated. {FIXED_HOLD}",
    )


def near_boundary(user: UserUnits, optimisation: Optimisation) -> Iterator[Finding]:
    """The smallest variance of any combination of a term's effects, against its standard error.

    With v the direction of least variance in orthogonal covariates of unit size, so that no unit or origin of
    a covariate matters, v'Ψv and its SE by the delta method from the observed information of Ψ.
    """
    information, offsets = optimisation.information, user.estimate.evaluation.cp.offsets
    for t, (term, T) in enumerate(zip(user.estimate.terms, user.estimate.factors, strict=True)):
        if user.estimate.null[t].shape[1]:
            continue
        left, size, _ = np.linalg.svd(T)
        rows, cols, _ = entries(term.structure if len(T) > 1 else "full", len(T))
        slope = left[rows, -1] * left[cols, -1] * np.where(rows == cols, 1.0, 2.0)
        own = slice(offsets[t], offsets[t + 1])
        error = float(np.sqrt(max(slope @ information.cov_engine[own, own] @ slope, 0.0)))
        if size[-1] ** 2 < NEAR * error:
            yield _near(user, t, float(size[-1]), error)


def _near(user: UserUnits, t: int, sd: float, error: float) -> Finding:
    term = user.estimate.terms[t]
    alone = term.role == "component" or len(term.columns) == 1
    what = f"the effects of {term.name}" if alone else f"some combination of {', '.join(effect_names(term))}"
    return Finding(
        "near_boundary",
        "info",
        f"A variance of {term.name} is close to zero",
        f"The SD of {what} is {sd:.2g} times that of the residual, and its variance is "
        f"{sd**2 / error:.1g} standard errors from zero.",
        "The data hardly tell this fit from a singular one: the variance may as well be zero, and its normal "
        f"interval means little. {FIXED_HOLD}",
        "Take a profile interval for it, or compare with the model without it.",
    )
