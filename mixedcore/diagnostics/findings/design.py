"""What the design says of a fit: levels, rows, weights and columns of X, from the cross-products alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mixedcore.diagnostics.findings.finding import Finding, FixedTerm, listed
from mixedcore.terms import Floats
from mixedcore.units import UserUnits

FEW_LEVELS = 5
INFLATED = 10.0  # variance inflation from which it is worth a word; Kutner et al. (2005), section 10.5
ILL_CONDITIONED = 30.0
LEAST = 1e-15  # eigenvalue of a correlation matrix: below is rounding
TAKES_PART = 0.3  # entry of the singular vector of the smallest singular value
DECADES = 3.0
UNEVEN = 0.25  # share of the rows that the weights count for, below which they are called uneven


def aliased(dropped: list[str]) -> Iterator[Finding]:
    """Columns of X that the others determine."""
    if dropped:
        yield Finding(
            "aliased",
            "warning",
            "Some fixed effects cannot be told apart",
            f"Left out because the other columns determine them exactly: {listed(dropped)}.",
            "Several sets of coefficients fit the data equally well; those that stay carry their effect. "
            "Predictions for combinations that the data do not have depend on this choice.",
            "Take out one of the predictors that duplicate each other.",
        )


def few_levels(user: UserUnits) -> Iterator[Finding]:
    """Variances over fewer than `FEW_LEVELS` levels."""
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


def saturated(user: UserUnits) -> Iterator[Finding]:
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


def uneven_weights(user: UserUnits) -> Iterator[Finding]:
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


def single_rows(user: UserUnits) -> Iterator[Finding]:
    """Terms most of whose levels have one row."""
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


def collinear(user: UserUnits, names: list[str], terms: tuple[FixedTerm, ...]) -> Iterator[Finding]:
    """Variance inflation of a term that shares no data with another, else the condition number of X."""
    factors = inflation(user, terms)
    high = {
        term.name: value
        for term, value in zip(terms, factors, strict=True)
        if value > INFLATED and _apart(term, terms)
    }
    if high:
        each = listed([f"{name} {value:.3g}" for name, value in high.items()])
        yield Finding(
            "collinear",
            "warning",
            "Predictors go together so much that their effects are hard to tell apart",
            f"Variance inflation factors above {INFLATED:g}: {each}.",
            "The variance of such a coefficient is that many times what it would be if the predictor went "
            "with no other. The estimates hold together; each alone is uncertain.",
            "Leave one of them out, combine them, or read only what they say together.",
        )
        return
    condition, involved = condition_number(user)
    if condition > ILL_CONDITIONED:
        yield Finding(
            "collinear",
            "info",
            "Columns of the fixed effects nearly determine each other",
            f"The condition number of the centred and scaled columns is {condition:.3g}, above "
            f"{ILL_CONDITIONED:g}, along {listed([names[j] for j in involved])}.",
            "Their coefficients have large standard errors and change much with small changes of the data; "
            "fitted values do not. Powers and products of one predictor often do this.",
            "Centre predictors before their powers and products are formed, or use orthogonal polynomials.",
        )


def inflation(user: UserUnits, terms: tuple[FixedTerm, ...]) -> Floats:
    """Variance inflation of each term's coefficients, the intercept aside, from the covariance of β̂.

    GVIF^(1/d) of Fox & Monette (1992), J. Am. Stat. Assoc. 87(417), d coefficients a term, as car's `vif` of
    a mixed model has it (GVIF^(1/(2d)) squared): the factor by which variances grow.
    """
    columns = [j for term in terms for j in term.columns]
    if len(terms) < 2:
        return np.ones(len(terms))
    cov = user.cov_beta[np.ix_(columns, columns)]
    sd = np.sqrt(np.diag(cov))
    R = cov / np.outer(sd, sd)
    values, vectors = np.linalg.eigh(R)
    inverse, out, first = vectors / np.maximum(values, LEAST) @ vectors.T, [], 0
    for term in terms:
        own = slice(first, first + len(term.columns))
        logdet = np.linalg.slogdet(R[own, own]).logabsdet + np.linalg.slogdet(inverse[own, own]).logabsdet
        out.append(np.exp(logdet / len(term.columns)))
        first = own.stop
    return np.array(out)


def _apart(term: FixedTerm, terms: tuple[FixedTerm, ...]) -> bool:
    return not any(term.variables & other.variables for other in terms if other is not term)


def condition_number(user: UserUnits) -> tuple[float, list[int]]:
    """Largest over smallest singular value of X, columns centred (if it has a constant) and of unit size.

    With the columns that the smallest rests on. Belsley, Kuh & Welsch (1980), Regression Diagnostics, ch. 3,
    who call more than 30 moderate to strong.
    """
    affine = user.estimate.evaluation.cp.fixed.basis.affine
    if not affine.numbers.size:
        return 1.0, []
    values, vectors = np.linalg.eigh(affine.gram)
    smallest = max(float(values[0]), np.finfo(float).tiny)
    involved = np.flatnonzero(np.abs(vectors[:, 0]) > TAKES_PART)
    return float(np.sqrt(values[-1] / smallest)), involved.tolist()


def badly_scaled(user: UserUnits, names: list[str]) -> Iterator[Finding]:
    """Predictors, other than zeros and ones, of an SD beyond 1000 or 1/1000: as lme4's `checkScaleX`."""
    found, cp = user.plain_moments, user.estimate.evaluation.cp
    numbers = cp.units.layout.fixed[user.kept]
    zero_one = (found.low[numbers] >= 0) & (found.high[numbers] == 1)
    zero_one &= np.isclose(found.centre[numbers] * found.n, found.nonzero[numbers])
    sd = np.sqrt(np.maximum(np.diag(found.M2)[numbers], 0.0) / max(found.n - 1, 1))
    far = [j for j, s in enumerate(sd) if s > 0 and not zero_one[j] and abs(np.log10(s)) > DECADES]
    if far:
        yield Finding(
            "badly_scaled",
            "info",
            "A predictor has a very large or very small unit",
            f"Standard deviations: {listed([f'{names[j]} {sd[j]:.3g}' for j in far])}.",
            "The fit does not mind, but coefficients per unit then have many zeros and are hard to read.",
            "Give the predictor in a larger or smaller unit, such as thousands.",
        )
