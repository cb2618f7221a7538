"""What the rows say of a fit: outliers, unequal spread, influence, and slopes that differ between levels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from mixedcore.diagnostics.findings.finding import Finding, Seen, listed, p_text
from mixedcore.diagnostics.influence import of_clusters, separable
from mixedcore.engine.blocks import sum_by
from mixedcore.inference.tails import two_sided_normal
from mixedcore.terms import Floats, Ints

RARE = 0.01  # probability of the farthest of n normal residuals, from which it is called an outlier
MOST_ROWS = 5  # rows that one sentence lists
FEWEST = 5  # rows of a level from which its spread counts
# Correlation of |x| and |y| over that of x and y squared, for small correlations of normal x and y.
ABSOLUTE = (1 / np.pi) / (1 - 2 / np.pi)
UNEQUAL = 1e-3  # p-value of unequal spread
MATTERS = 0.15  # SD of the levels' mean absolute residual over their mean, from which it matters
INFLUENTIAL = 1.0  # Cook's distance of a level; Cook & Weisberg (1982), Residuals and Influence, section 3.5


def outliers(seen: Seen) -> Iterator[Finding]:
    """Rows whose studentised residual is rare among n normal ones: p-value times n below `RARE` (Bonferroni).

    Cook & Weisberg (1982), Residuals and Influence in Regression, section 2.2.2.
    """
    size = np.abs(np.nan_to_num(seen.studentised))
    far = np.flatnonzero(size.size * two_sided_normal(size) < RARE)
    if not far.size or seen.labels is None:
        return
    far = far[np.argsort(-size[far], kind="stable")]
    each = [f"row {seen.labels[i]} ({seen.studentised[i]:.1f})" for i in far[:MOST_ROWS]]
    more = f" and {far.size - MOST_ROWS} more" if far.size > MOST_ROWS else ""
    yield Finding(
        "outliers",
        "info",
        "A row lies far from what the model expects"
        if far.size == 1
        else f"{far.size} rows lie far from what the model expects",
        f"Residuals in units of their standard deviation: {', '.join(each)}{more}. Among {size.size} normal "
        f"residuals one this far happens less than once in {1 / RARE:.0f} data sets.",
        "Such rows inflate the residual variance and can pull estimates; they may be errors of recording, or "
        "the residuals may have heavier tails than a normal distribution.",
        "Look at these rows. Fit without them and see what changes (influence does this for every row).",
    )


def unequal_spread(seen: Seen) -> Iterator[Finding]:
    """Levels whose rows scatter more than those of others: Levene's test on studentised residuals.

    Analysis of variance of |r| over the levels of 5 rows and more; |r| has one expectation under the model,
    and a mean of r near zero by construction, so that r is not centred. Levene (1960), in Contributions to
    Probability and Statistics.
    """
    for t, term, codes in seen.factors:
        found = levene(np.abs(seen.studentised), codes, seen.leverages().total)
        if found is None or found.p_value > UNEQUAL or found.spread < MATTERS:
            continue
        labels = seen.levels(t)
        high, low = int(np.nanargmax(found.means)), int(np.nanargmin(found.means))
        yield Finding(
            "unequal_spread",
            "warning",
            f"The residual spread differs between levels of {term.name}",
            f"Residuals are largest in {labels[high]} ({found.means[high] / found.mean:.2g} times the mean "
            f"size) and smallest in {labels[low]} ({found.means[low] / found.mean:.2g} times). Levene's "
            f"test: {p_text(found.p_value)}.",
            "The model gives all rows the same residual variance. Standard errors are then too small where "
            "the spread is large and too large where it is small.",
            "Look at these levels for outliers; transform the outcome if the spread grows with its size; "
            "give prior weights if the precision is known.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Levene:
    """F and its p-value; means (m,) of |r| by level, NaN for small levels; mean of |r|; spread: the SD of the
    means beyond chance, over the mean.
    """

    F: float
    p_value: float
    means: Floats
    mean: float
    spread: float


def levene(size: Floats, codes: Ints, leverage: Floats) -> Levene | None:
    """One-way analysis of variance of |r| (n,), finite values in levels of `FEWEST` rows or more.

    Residuals of one level are correlated. Their covariance is σ²P with P = I − H ≤ I, so over all other rows
    the squared correlations of a row add up to h/(1 − h) at most, and F is divided by what that adds to it.
    """
    known = np.isfinite(size)
    counts = np.bincount(codes[known])
    known &= (counts >= FEWEST)[np.minimum(codes, counts.size - 1)]
    x, own = size[known], codes[known]
    counts = np.bincount(own, minlength=int(codes.max()) + 1)
    used = counts > 0
    m, n = int(used.sum()), x.size
    if m < 2:
        return None
    means = np.full(counts.size, np.nan)
    means[used] = np.bincount(own, x, counts.size)[used] / counts[used]
    mean = float(x.mean())
    inflated = 1 + ABSOLUTE * float((leverage[known] / (1 - leverage[known])).mean())
    within = float(((x - means[own]) ** 2).sum()) / (n - m)
    between = float(counts[used] @ (means[used] - mean) ** 2) / (m - 1) / inflated
    if within == 0:
        return None
    typical = (n - float(counts @ counts) / n) / (m - 1)
    spread = float(np.sqrt(max(between - within, 0.0) / typical)) / mean
    F = between / within
    return Levene(F, float(special.fdtrc(m - 1, n - m, F)), means, mean, spread)


def influential(seen: Seen) -> Iterator[Finding]:
    """Levels without which β moves by more than Cook's distance 1, at the fit's variances.

    Exact and closed for factors that hold all levels of all random terms; others need one fit a level.
    """
    for t, term, codes in seen.factors:
        user = seen.user
        if not user.beta.size or not separable(user.estimate, codes):
            continue
        resids = seen.conditional, seen.marginal
        found = of_clusters(user, seen.rows, seen.leverages(), resids, codes)
        high = np.flatnonzero(np.nan_to_num(found.cooks_distance) > INFLUENTIAL)
        if not high.size:
            continue
        high, labels = high[np.argsort(-found.cooks_distance[high], kind="stable")], seen.levels(t)
        most = int(np.nanargmax(np.abs(found.dfbetas[high[0]])))
        each = listed([f"{labels[i]} {found.cooks_distance[i]:.2g}" for i in high])
        yield Finding(
            "influential",
            "warning",
            f"The fixed effects rest much on {labels[high[0]]} of {term.name}",
            f"Cook's distances above {INFLUENTIAL:g}: {each}. Without {labels[high[0]]} the coefficient of "
            f"{seen.names[most]} moves by {abs(found.dfbetas[high[0], most]):.2g} standard errors.",
            "Another sample of levels could give other conclusions.",
            f'Fit without it and compare; result.influence("{term.name}") does so for every level.',
        )


def constant_slope(seen: Seen) -> Iterator[Finding]:
    """Covariates of a random term that are the same number throughout each of its levels."""
    for term in seen.user.estimate.terms:
        block = term.blocks[0]
        if block.n_levels == len(block.codes) or len(term.blocks) > 1:
            continue
        columns = term.columns or (term.name,) * block.width
        for name, x in zip(columns, block.basis.T, strict=True):
            if (x == x[0]).all() or not same_within(x, block.codes, block.n_levels):
                continue
            over = term.name if term.columns else "its levels"
            yield Finding(
                "constant_slope",
                "warning",
                f"The random slope of {name} over {over} has nothing to vary along",
                f"{name} does not vary within any level of {over}.",
                "A level shows no slope where the predictor has one value, so that this variance is not one "
                "of slopes: it makes levels differ more where the predictor is larger.",
                f"Leave the random slope of {name} out; its fixed effect can stay.",
            )


def same_within(x: Floats, codes: Ints, m: int) -> bool:
    """Whether x (n,) is one number in every level."""
    first = np.empty(m)
    first[codes[::-1]] = x[::-1]
    return bool((x == first[codes]).all())


def level_means(x: Floats, codes: Ints) -> Floats:
    """The mean of its level for each row, (n,)."""
    counts = np.bincount(codes)
    return np.asarray((sum_by(x[None], codes, counts.size)[0] / np.maximum(counts, 1))[codes])
