"""What deserves a user's attention in a fit: each finding with its evidence, its meaning and a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mixedcore.optimisation import Optimisation, zero_variances
from mixedcore.parameters import effect_names
from mixedcore.terms import Floats, RandomTerm
from mixedcore.units import UserUnits

FEW_LEVELS = 5
MOST_NAMES = 8  # names that one sentence lists
FIXED_HOLD = "Fixed effects and their standard errors hold."
UNEVEN = 0.25  # share of the rows that the weights count for, below which they are called uneven


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing; all texts are plain sentences that may quote names from the data."""

    kind: str
    severity: Literal["info", "warning", "serious"]
    title: str
    evidence: str
    meaning: str
    remedy: str


def findings(user: UserUnits, optimisation: Optimisation, aliased: Sequence[str]) -> list[Finding]:
    """All findings, the most serious first. `aliased` are the columns of X that were left out."""
    found = [
        *_convergence(optimisation),
        *_undetermined(optimisation),
        *_boundary(user),
        *_aliased(aliased),
        *_few_levels(user),
        *_single_rows(user),
        *_saturated(user),
        *_uneven_weights(user),
    ]
    order = {"serious": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def _convergence(optimisation: Optimisation) -> Iterator[Finding]:
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


def _undetermined(optimisation: Optimisation) -> Iterator[Finding]:
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


def _boundary(user: UserUnits) -> Iterator[Finding]:
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


def _aliased(dropped: Sequence[str]) -> Iterator[Finding]:
    if dropped:
        more = len(dropped) - MOST_NAMES
        names = ", ".join(dropped[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
        yield Finding(
            "aliased",
            "warning",
            "Some fixed effects cannot be told apart",
            f"Left out because the other columns determine them exactly: {names}.",
            "Several sets of coefficients fit the data equally well; those that stay carry their effect. "
            "Predictions for combinations that the data do not have depend on this choice.",
            "Take out one of the predictors that duplicate each other.",
        )


def _few_levels(user: UserUnits) -> Iterator[Finding]:
    for term in user.estimate.terms:
        m = max(block.n_levels for block in term.blocks)
        if m < FEW_LEVELS:
            yield Finding(
                "few_levels",
                "warning",
                f"{term.name} has {m} levels",
                f"A variance over {m} levels is estimated from {m} values.",
                "The estimate is very uncertain and intervals that rest on it are too narrow.",
                f"With this few levels {term.name} usually serves better as a fixed effect.",
            )


def _saturated(user: UserUnits) -> Iterator[Finding]:
    """As many effects as rows: lme4 refuses such a term, for the residual can hide in it."""
    n = user.estimate.evaluation.cp.n
    for term in user.estimate.terms:
        effects = sum(1 for block in term.blocks for label in block.labels if label)
        if effects >= n:
            yield Finding(
                "saturated",
                "serious",
                f"{term.name} has as many effects as there are rows",
                f"{effects} random effects of {term.name} for {n} rows.",
                "Its variances and the residual variance can hardly be told apart: other values fit as well.",
                "Leave out a random slope, or use a coarser grouping factor.",
            )


def _uneven_weights(user: UserUnits) -> Iterator[Finding]:
    """Kish (1965), Survey Sampling, section 8.2: rows of unequal weight count as (Σw)²/Σw² equal ones."""
    found = user.estimate.evaluation.cp.units.moments
    count = found.weight**2 / found.square_weights
    if count < UNEVEN * found.n:
        yield Finding(
            "uneven_weights",
            "info",
            "A few rows carry most of the weight",
            f"With these weights {found.n} rows count as {count:.0f} equal ones.",
            "The estimates rest on the heavy rows; the others hardly take part.",
            "Check that the weights are precisions, not variances: a row's residual variance is σ² over its "
            "weight.",
        )


def _single_rows(user: UserUnits) -> Iterator[Finding]:
    for term in user.estimate.terms:
        sizes = term.blocks[0].sizes
        single = int((sizes == 1).sum())
        if single and 2 * single > sizes.size:
            yield Finding(
                "single_rows",
                "info",
                f"Most units of {term.name} have one row",
                f"{single} of {sizes.size} units have a single row.",
                "Such a unit does not show how rows differ within it: its effect and the residual are "
                "hard to tell apart.",
                "Check that the grouping is the intended one.",
            )
