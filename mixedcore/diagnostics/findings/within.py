"""Slopes within and between the levels of a factor: Mundlak's test, at the variances of the fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mixedcore.diagnostics.findings.finding import Finding, Seen, p_text
from mixedcore.diagnostics.findings.rows import level_means
from mixedcore.diagnostics.leverage import level_columns
from mixedcore.engine.blocks import sum_by
from mixedcore.engine.criterion import Evaluation, dense_rows
from mixedcore.engine.factor import Border, reduce, solve
from mixedcore.engine.groupings import arrange
from mixedcore.engine.rows import Chunk
from mixedcore.inference.tails import two_sided_t
from mixedcore.terms import Floats, Ints

SURE = 0.01  # p-value of a difference, over the number of tests
SHARE = 1e-3  # of a predictor's variance that lies within, and between, levels at least
KNOWN = 1e-6  # share of the means' variance that the fixed effects leave


@dataclass(frozen=True, slots=True, eq=False)
class Contextual:
    """A predictor's level means added to the model: difference between minus within, its t and p-value.

    within: the predictor's slope beside its means; slope and std_error: without them
    """

    name: str
    difference: float
    t: float
    p_value: float
    within: float
    slope: float
    std_error: float


def within_between(seen: Seen) -> Iterator[Finding]:
    """Predictors whose slope between levels is not that within: Mundlak (1978), Econometrica 46(1)."""
    for _, term, codes in seen.factors:
        tests = contextual(seen, codes)
        for test in tests:
            if len(tests) * test.p_value > SURE:
                continue
            shift = abs(test.slope - test.within) / test.std_error
            between = test.within + test.difference
            yield Finding(
                "within_between",
                "warning" if shift > 1 else "info",
                f"{test.name} has one slope within levels of {term.name} and another between them",
                f"Within {test.within:.3g}, between {between:.3g} (the level means added to the model: "
                f"t = {test.t:.3g}, {p_text(test.p_value)}). The model has one slope for both, "
                f"{test.slope:.3g}, {shift:.2g} standard errors from the one within.",
                f"What goes with {test.name} from one level of {term.name} to another is not what goes with "
                "it inside a level; something else may differ between levels.",
                f"Add the mean of {test.name} in each level as a predictor: both slopes are then estimated.",
            )


def contextual(seen: Seen, codes: Ints) -> list[Contextual]:
    """The test for each predictor that has one column, shares no data, and varies within and between levels.

    With c the level means and P the projection of V at the fit's θ: γ̂ = c'Py/c'Pc, of variance σ₁²/c'Pc with
    σ₁² = (r² − (c'Py)²/c'Pc)/(df − 1); t with m − 2 degrees of freedom for m levels, which the means have.
    """
    user, point, names = seen.user, seen.user.estimate.evaluation, []
    m, columns = int(codes.max()) + 1, []
    for term in seen.terms:
        alone = not any(term.variables & other.variables for other in seen.terms if other is not term)
        if len(term.columns) > 1 or not alone or m < 4:
            continue
        x = seen.column(seen.names[term.columns[0]])
        means = level_means(x, codes) - x.mean()
        if SHARE * x.var() < means.var() < (1 - SHARE) * x.var():
            names.append(seen.names[term.columns[0]])
            columns.append(means * seen.root_weights)
    if not names:
        return []
    C, e = np.array(columns), seen.conditional / user.y_scale
    VC = times_inverse(seen, C)
    XVC = seen.leverages().rest @ C.T
    whole = (C * VC).sum(axis=1)
    left = whole - ((point.R_inverse.T @ XVC) ** 2).sum(axis=0)
    moved = user.y_scale * (point.cp.fixed.A @ (point.R_inverse @ (point.R_inverse.T @ XVC)))
    out = []
    for k, name in enumerate(names):
        if left[k] < KNOWN * whole[k]:
            continue  # the model has the means already
        along, j = float(C[k] @ e), seen.names.index(name)
        gamma = along / left[k]
        sigma2 = (point.r2 - along * gamma) / (point.df - 1)
        t = gamma / np.sqrt(sigma2 / left[k])
        p_value = float(two_sided_t(np.asarray(t), np.asarray(m - 2.0)))
        se = float(np.sqrt(user.cov_beta[j, j]))
        within = float(user.beta[j] - moved[j, k] * gamma)
        out.append(Contextual(name, user.y_scale * gamma, float(t), p_value, within, float(user.beta[j]), se))
    return out


def times_inverse(seen: Seen, C: Floats) -> Floats:
    """V⁻¹ times columns C (w, n), rows times the root of their weights: C − ZHZ'C."""
    point = seen.user.estimate.evaluation
    cp, plan, w = point.cp, point.factor.plan, len(C)
    _, codes, _ = arrange(seen.user.estimate.terms)
    ZC = [np.zeros((w, g.q, g.m)) for g in cp.groupings]
    for own, z, level in _rows(seen, point, codes):
        for total, a, f in zip(ZC, z, level, strict=True):
            total += sum_by(C[:, None, own] * a, f, total.shape[2])
    border = Border(tuple(ZC[: cp.nested]), dense_rows(cp, plan, tuple(ZC[cp.nested :]), w), C @ C.T)
    b, out = solve(point.factor, reduce(point.factor, border)).b, C.copy()
    for own, z, level in _rows(seen, point, codes):
        for part, a, f in zip(b, z, level, strict=True):
            out[:, own] -= np.einsum("qr,wqr->wr", a, part[:, :, f])
    return out


def _rows(
    seen: Seen, point: Evaluation, codes: list[Ints]
) -> Iterator[tuple[slice, list[Floats], list[Ints]]]:
    """Chunks of rows, covariates of each grouping (q, r), and their levels."""
    end = 0
    for chunk in seen.rows.chunks(codes):
        own = slice(end, end + len(chunk.columns[-1]))
        yield own, _columns(point, chunk), list(chunk.codes)
        end = own.stop


def _columns(point: Evaluation, chunk: Chunk) -> list[Floats]:
    return [level_columns(g, point.cp, chunk) for g in point.cp.groupings]
