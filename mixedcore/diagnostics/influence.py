"""How much a fit rests on one row or one group: what changes when it is left out.

    Cook's distance   (β − β₍ᵢ₎)'V̂⁻¹(β − β₍ᵢ₎)/p        Cook (1977), Technometrics 19(1)
    MDFFITS           (β − β₍ᵢ₎)'V̂₍ᵢ₎⁻¹(β − β₍ᵢ₎)/p     Belsley, Kuh & Welsch (1980), Regression Diagnostics
    DFBETAS           (β − β₍ᵢ₎)ⱼ / SE₍ᵢ₎ⱼ               the same, ch. 2
    COVRATIO          det V̂₍ᵢ₎ / det V̂                   the same

with V̂ the covariance of β̂ from all rows and V̂₍ᵢ₎ that without case i; for mixed models as Christensen,
Pearson & Johnson (1992), Technometrics 34(1), and Loy & Hofmann (2014), J. Stat. Softw. 56(5), have them.
DFBETAS are those of influence.ME too (Nieuwenhuis, te Grotenhuis & Pelzer 2012, R Journal 4(2)).

Without refits the variance ratios θ stay those of the fit and all of it is closed: by row from residual and
leverage; by a factor that holds all levels of all random terms, from each level's part of X'V⁻¹[X y].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mixedcore.diagnostics.deletion import Deletion
from mixedcore.diagnostics.leverage import Leverage
from mixedcore.diagnostics.residuals import ALONE, left_over
from mixedcore.engine.blocks import sum_by
from mixedcore.engine.criterion import Evaluation
from mixedcore.engine.estimate import Estimate
from mixedcore.engine.rows import Rows
from mixedcore.errors import MixedCoreError
from mixedcore.inference.jobs import Cancel, Progress, in_turn
from mixedcore.terms import Floats, Ints
from mixedcore.units import UserUnits

MOST_REFITS = 1000  # cases that are refitted unless asked otherwise
NOT_ESTIMABLE = "A fixed effect cannot be estimated from the other rows."


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """What leaving out each of m cases does.

    cooks_distance, mdffits, covratio (m,); dfbetas (m, p); change (m, s): each SD without the case less that
    with it, those of `sd_names` after refits, σ alone otherwise; problem: why a case has no numbers, or ''
    """

    cooks_distance: Floats
    mdffits: Floats
    covratio: Floats
    dfbetas: Floats
    change: Floats
    problem: list[str]


def influence(
    user: UserUnits,
    rows: Rows,
    code: Ints,
    parts: Callable[[], Leverage],
    *,
    refit: bool,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Influence:
    """What leaving out each case does; code (n,) is the case of each row, parts() the rows' leverages.

    As `MixedLMResults.influence` has it; without refits in closed form wherever there is one.
    """
    each_row = np.array_equal(code, np.arange(rows.n))
    if refit or not (each_row or separable(user.estimate, code)):
        return by_deletion(Deletion.of(user, rows, code), refit=refit, progress=progress, cancel=cancel)
    root = 1.0 if user.root_weights is None else user.root_weights
    marginal = root * user.marginal_resid
    conditional = marginal - root * user.random_part
    if each_row:
        return of_rows(user, parts(), conditional)
    return of_clusters(user, rows, parts(), (conditional, marginal), code)


def sd_names(found: Estimate) -> list[str]:
    """'sd Subject Intercept', 'sd Subject Days', 'sd classroom', …, and 'sigma' last."""
    names = []
    for term in found.terms:
        own = [f" {column}" for column in term.columns] if term.role == "group" else [""]
        names += [f"sd {term.name}{column}" for column in own]
    return [*names, "sigma"]


def sds(user: UserUnits) -> Floats:
    """Standard deviations of all random effects and σ, in the order of `sd_names`."""
    parts = [np.sqrt(np.diag(user.psi(t))) for t in range(len(user.estimate.terms))]
    return np.asarray(np.sqrt(user.sigma2) * np.concatenate([*parts, np.ones(1)]))


def by_deletion(
    deletion: Deletion, *, refit: bool, progress: Progress | None = None, cancel: Cancel | None = None
) -> Influence:
    """Each case left out in turn: O(levels) a case and evaluation, whatever the number of rows.

    progress is called with (cases done, cases) after each; cancel is asked before each, and where it says
    so the cases done by then are all there are.
    """
    user, cases = deletion.user, deletion.sizes.size
    p, whole, problem = user.beta.size, sds(user), list[str]()
    change, cov = np.full((cases, p), np.nan), np.full((cases, p, p), np.nan)
    moved = np.full((cases, whole.size), np.nan)
    for case in in_turn(range(cases), progress, cancel):
        try:
            found = deletion.fit(case, refit=refit)
            change[case], cov[case] = _against(user, found)
            moved[case] = sds(found) - whole
            problem.append("")
        except MixedCoreError as err:
            problem.append(deletion.reason(case, err))
    done = slice(len(problem))
    moved = moved[done] if refit else moved[done, -1:]
    return _measured(user, change[done], cov[done], moved, problem)


def _against(user: UserUnits, found: UserUnits) -> tuple[Floats, Floats]:
    """β − β₍ᵢ₎ (p,) and V̂₍ᵢ₎ (p, p) in coordinates in which V̂ = I, whatever the units of either fit."""
    own, other = user.estimate.evaluation, found.estimate.evaluation
    fixed, theirs = own.cp.fixed, other.cp.fixed
    B: Floats = np.eye(own.cp.p)
    change = own.beta - other.beta
    if theirs is not fixed and own.cp.p:
        B = np.asarray(np.linalg.solve(fixed.A, theirs.A) * (theirs.y_scale / fixed.y_scale))
        start = np.linalg.solve(fixed.A, fixed.beta0 - theirs.beta0) / fixed.y_scale
        change = own.beta + start - B @ other.beta
    root = own.R_X @ B @ other.R_inverse * np.sqrt(other.sigma2 / own.sigma2)
    return own.R_X @ change / np.sqrt(own.sigma2), root @ root.T


def _measured(user: UserUnits, change: Floats, cov: Floats, moved: Floats, problem: list[str]) -> Influence:
    """The measures from β − β₍ᵢ₎ (m, p) and V̂₍ᵢ₎ (m, p, p) in coordinates in which V̂ = I.

    No unit and no origin of a predictor costs digits there, while V̂ itself may be singular but for rounding.
    """
    p, known = change.shape[1], np.array([not text for text in problem], dtype=bool)
    cooks, mdffits, covratio = np.full((3, len(change)), np.nan)
    if p and known.any():
        d, own = change[known], cov[known]
        cooks[known] = (d**2).sum(axis=1) / p
        mdffits[known] = (d * np.linalg.solve(own, d[:, :, None])[:, :, 0]).sum(axis=1) / p
        covratio[known] = np.exp(np.linalg.slogdet(own).logabsdet)
    root = user.estimate.evaluation.cp.fixed.A @ user.estimate.evaluation.R_inverse
    errors = np.sqrt(np.einsum("ij,mjk,ik->mi", root, cov, root, optimize=True))
    return Influence(cooks, mdffits, covratio, change @ root.T / errors, moved, problem)


def of_rows(user: UserUnits, parts: Leverage, resid: Floats) -> Influence:
    """Each row left out at the fit's variance ratios; resid (n,) conditional, times the root of the weights.

    With M = (X'V⁻¹X)⁻¹, u = Mv for the row v of V⁻¹X, and leverage h; Haslett & Dillane (2004), J. R. Stat.
    Soc. B 66(1), for a known V:

        β − β₍ᵢ₎ = u e/(1 − h),   r²₍ᵢ₎ = r² − e²/(1 − h),   V̂₍ᵢ₎ = σ²₍ᵢ₎ (M + uu'/(1 − h)).
    """
    point, cp = user.estimate.evaluation, user.estimate.evaluation.cp
    p, rest, e = cp.p, left_over(parts.total), resid / user.y_scale
    problem = ["" if own > ALONE else NOT_ESTIMABLE for own in 1 - parts.total]
    sigma2 = (point.r2 - e**2 / rest) / (point.df - 1)
    ratio, pull = sigma2 / point.sigma2, (e / rest) ** 2 / sigma2
    to_user = cp.fixed.A @ point.R_inverse
    u = to_user @ (point.R_inverse.T @ parts.rest)
    variances = sigma2 * ((to_user**2).sum(axis=1)[:, None] + u**2 / rest)
    given = 1 - parts.given_fixed
    none = np.full(e.size, np.nan)
    return Influence(
        cooks_distance=parts.added * pull * ratio / p if p else none,
        mdffits=parts.added * (1 - parts.added / given) * pull / p if p else none,
        covratio=ratio**p * given / rest if p else none,
        dfbetas=(u * (e / rest) / np.sqrt(variances)).T,
        change=(np.sqrt(user.sigma2) * (np.sqrt(ratio) - 1))[:, None],
        problem=problem,
    )


def separable(found: Estimate, code: Ints) -> bool:
    """Whether rows of different cases (n,) share no level of any random term, so that V is block diagonal."""
    for term in found.terms:
        for block in term.blocks:
            case = np.zeros(block.n_levels, dtype=np.intp)
            case[block.codes] = code
            if not np.array_equal(case[block.codes], code):
                return False
    return True


def of_clusters(
    user: UserUnits, rows: Rows, parts: Leverage, resids: tuple[Floats, Floats], code: Ints
) -> Influence:
    """Each case left out at the fit's variance ratios, for cases that `separable` allows.

    resids: conditional and marginal (n,), times the root of the weights. With S, s and c the case's parts of
    X'V⁻¹X, X'V⁻¹(y − Xβ) and (y − Xβ)'V⁻¹(y − Xβ),

        β − β₍ᵢ₎ = (X'V⁻¹X − S)⁻¹s,   r²₍ᵢ₎ = r² − c − s'(β − β₍ᵢ₎),   V̂₍ᵢ₎ = σ²₍ᵢ₎ (X'V⁻¹X − S)⁻¹.
    """
    point, cp = user.estimate.evaluation, user.estimate.evaluation.cp
    sizes = np.bincount(code)
    S, s, c = _cluster_parts(point, rows, parts.rest, tuple(r / user.y_scale for r in resids), code)
    values, vectors = np.linalg.eigh(np.eye(cp.p) - S)  # relative to R_X'R_X, so 1 where nothing is lost
    known = (values > ALONE).all(axis=1) & (sizes < point.df)
    values = np.where(known[:, None], values, np.nan)
    along = np.einsum("mij,mi->mj", vectors, s) / values
    r2 = point.r2 - c - (np.einsum("mij,mi->mj", vectors, s) * along).sum(axis=1)
    sigma2 = r2 / (point.df - sizes)
    change = np.einsum("mij,mj->mi", vectors, along) / np.sqrt(point.sigma2)
    half = vectors / np.sqrt(values)[:, None, :]
    cov = (sigma2 / point.sigma2)[:, None, None] * (half @ half.swapaxes(1, 2))
    moved = user.y_scale * (np.sqrt(sigma2) - np.sqrt(point.sigma2))
    problem = ["" if each else NOT_ESTIMABLE for each in known]
    return _measured(user, change, cov, moved[:, None], problem)


def _cluster_parts(
    point: Evaluation, rows: Rows, rest: Floats, resids: tuple[Floats, ...], code: Ints
) -> tuple[Floats, Floats, Floats]:
    """Each case's part of R_X⁻ᵀX'V⁻¹XR_X⁻¹ (m, p, p), of R_X⁻ᵀX'V⁻¹(y − Xβ) (m, p) and of r² (m,)."""
    cp, cases = point.cp, int(code.max()) + 1
    columns = [cp.fixed.basis.values(chunk, cp.units.moments) for chunk in rows.chunks()]
    X, e = point.R_inverse.T @ np.concatenate(columns, axis=1), resids[0]
    VX = point.R_inverse.T @ rest
    S = np.empty((cases, cp.p, cp.p))
    for i, x in enumerate(X):
        S[:, i] = sum_by(x * VX, code, cases).T
    s, r2 = sum_by(X * e, code, cases).T, sum_by((resids[1] * e)[None], code, cases)[0]
    return (S + S.swapaxes(1, 2)) / 2, s, r2
