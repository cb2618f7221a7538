"""From a model and what is asked of a fit to the estimate: start values, held and penalised parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.chart import Roots
from mixedcore.engine.estimate import Progress, estimate
from mixedcore.engine.held import Restriction, held_roots
from mixedcore.engine.lasso import held_scale, lasso
from mixedcore.engine.penalties import Adjustment, CovariancePenalty, FixedPart
from mixedcore.engine.start import moments_start
from mixedcore.errors import ModelError, NotPositiveDefiniteError
from mixedcore.given import Given, engine_theta, read_mask
from mixedcore.model.functions import Functions
from mixedcore.packed import MixedLMParams
from mixedcore.results import MixedLMResults
from mixedcore.terms import Floats
from mixedcore.units import UserUnits, free_entries


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What is asked of a fit; see `MixedLM.fit`."""

    start: Any = None
    free: MixedLMParams | None = None
    fe_pen: Any = None
    cov_pen: Any = None
    search: bool = True
    progress: Progress | None = None


def fit_model(model: Functions, wanted: Wanted) -> UserUnits:
    """The estimate in the user's units."""
    start = None if wanted.start is None else model._read(wanted.start)
    if wanted.free is None and wanted.fe_pen is None and wanted.cov_pen is None:
        theta = None if start is None and wanted.search else _theta(model, start or _default(model))
        return _estimated(model, wanted, theta)
    return _restricted(model, wanted, start)


def _estimated(model: Functions, wanted: Wanted, theta: Floats | None, **more: Any) -> UserUnits:
    (cp, layout), terms, rows = model._products, model._design.terms, model._rows
    if not wanted.search:
        more["max_steps"] = 0
    more["progress"] = wanted.progress
    found = estimate(cp, layout, terms, reml=model.reml, start=theta, rows=rows, **more)
    return UserUnits(found, rows)


def _default(model: Functions) -> Given:
    """statsmodels' start: variances as large as the residual's, no covariances."""
    sizes = [len(term.columns) if term.role == "group" else 1 for term in model._design.terms]
    return Given(None, tuple(np.eye(q) for q in sizes))


def _theta(model: Functions, start: Given) -> Floats:
    """θ (k,) in the engine's units."""
    return engine_theta(start, model._design.terms, model._products[0].scaled_terms)


def _restricted(model: Functions, wanted: Wanted, start: Given | None) -> UserUnits:
    """A fit with parameters held, or penalised, or both."""
    cp, terms = model._products[0], model._design.terms
    given = _default(model) if start is None else start
    beta_free, psi_free = _masks(model, wanted.free)
    beta = np.zeros(cp.p) if given.fixed is None else model._kept_beta(given.fixed)
    chart = held_roots(cp, terms, list(given.psi), psi_free)
    fixed = FixedPart(cp, beta_free, beta, model.k_fe, wanted.fe_pen)
    covariance = None
    if wanted.cov_pen is not None and model.k_re:
        covariance = CovariancePenalty(cp, terms, wanted.cov_pen)
    own_start = start is None and wanted.search and _can_start(chart, moments_start(cp))
    theta = None if own_start else _theta(model, given)
    entries = [mask[free_entries(term)] != 0 for mask, term in zip(psi_free, terms, strict=True)]
    psi = np.concatenate(entries) if entries else np.zeros(0, dtype=bool)
    held = [np.where(mask == 0, own, np.nan) for mask, own in zip(psi_free, given.psi, strict=True)]
    return _estimated(
        model,
        wanted,
        theta,
        chart=chart,
        adjustment=Adjustment(fixed, covariance),
        restriction=Restriction(beta_free, psi, beta, tuple(held)),
    )


def _can_start(chart: Roots, theta: Floats) -> bool:
    try:
        chart.admissible(theta)
    except NotPositiveDefiniteError:
        return False
    return True


def _masks(model: Functions, free: MixedLMParams | None) -> tuple[Mask, list[Floats]]:
    """Which fixed effects (p,) and, per term, which entries of its covariance (q, q) are estimated."""
    cp, terms = model._products[0], model._design.terms
    if free is None:
        sizes = [len(term.columns) if term.role == "group" else 1 for term in terms]
        return np.ones(cp.p, dtype=bool), [np.ones((q, q)) for q in sizes]
    if not isinstance(free, MixedLMParams):
        raise ModelError(f"free must be a MixedLMParams of ones and zeros, not {type(free).__name__}.")
    mask = np.asarray(getattr(free, "fe_params", np.zeros(0)), dtype=float).ravel()
    if mask.size not in (0, cp.p, model.k_fe):
        raise ModelError(f"free.fe_params has {mask.size} values and the model has {model.k_fe}.")
    if not mask.size:
        mask = np.ones(cp.p)
    return (mask if mask.size == cp.p else mask[cp.fixed.kept]) != 0, read_mask(free, terms)


def fit_lasso(
    model: Functions, plain: MixedLMResults, alpha: Any, ceps: float, search: tuple[float, int]
) -> UserUnits:
    """The plain fit with its fixed effects replaced by penalised ones; `search`: tolerance, most passes."""
    user = plain._user
    found, point = user.estimate, user.estimate.evaluation
    fixed = point.cp.fixed
    weights = _weights(alpha, model.k_fe)[fixed.kept]
    root = point.R_X @ np.linalg.inv(fixed.A) / fixed.y_scale
    solved = lasso(root.T @ root / point.sigma2, user.beta, weights, tol=search[0], max_passes=search[1])
    beta = np.where((weights > 0) & (np.abs(solved.beta) < ceps), 0.0, solved.beta)
    moved = held_scale(point, fixed.beta_to_engine(beta))
    optimum = found.optimum
    if not solved.converged:
        message = f"Coefficients still changed after {solved.passes} passes over them."
        optimum = replace(optimum, converged=False, message=message)
    estimated = (beta != 0) | (weights == 0)
    kept = Restriction(
        estimated,
        np.ones(point.cp.k, dtype=bool),
        np.zeros(point.cp.p),
        unknown=np.nan,
        gradient_norm=plain.optimisation.gradient_norm,
    )
    return replace(user, estimate=replace(found, evaluation=moved, optimum=optimum, restriction=kept))


def _weights(alpha: Any, k_fe: int) -> Floats:
    """One weight ≥ 0 a column of exog."""
    weights = np.asarray(alpha, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(k_fe, float(weights))
    if weights.shape != (k_fe,) or not (weights >= 0).all():
        raise ModelError(f"alpha must be one number ≥ 0, or one for each of the {k_fe} columns of exog.")
    return weights
