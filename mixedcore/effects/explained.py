"""Variance explained at each level: the model's variances beside those of a null model without predictors.

    explained            1 − τ²/τ₀² of a factor, 1 − σ²/σ₀² of the residual: the proportional reduction of
                         each variance, Raudenbush & Bryk (2002), Hierarchical Linear Models, eqs. 4.20, 4.24
    snijders_bosker      reduction of the error of prediction, Snijders & Bosker (1994), Sociol. Methods Res.
                         22(3): of an observation, R₁² = 1 − (σ² + Σ τ²)/(σ₀² + Σ τ₀²), in the residual's
                         row; of the mean of a group, R₂², in the factor's row, its variance being

                             (1/m) Σ_f [ σ²/n_f + Σ_h τ_h² Σ_l (n_fl/n_f)² ],

                         f over the m levels of the factor, l over those of every factor h: with one factor
                         τ² + σ²/n, n the harmonic mean of the sizes.

τ² is the mean over the rows of z'Ψz σ² (see `variance`), so the variance itself for random intercepts. A
reduction may be negative: Snijders & Bosker (1994) say when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mixedcore.design.design import Design
from mixedcore.engine.crossproducts import sum_rows
from mixedcore.engine.elimination import plan
from mixedcore.engine.estimate import estimate
from mixedcore.engine.rows import gather
from mixedcore.errors import ModelError
from mixedcore.terms import Floats, Ints, RandomTerm
from mixedcore.units import UserUnits

RESIDUAL = "Residual"


def intercept_terms(design: Design) -> list[int]:
    """Numbers of the random terms that have intercepts."""
    return [t for t, term in enumerate(design.terms) if _intercepts(term) is not None]


def null_fit(design: Design, *, reml: bool) -> UserUnits:
    """The null model: an intercept, and the random intercepts of the model, slopes left out.

    ModelError where no random term has intercepts.
    """
    return intercepts_fit(design, [], reml=reml)


def intercepts_fit(design: Design, columns: Sequence[int], *, reml: bool) -> UserUnits:
    """The random intercepts of a model with an intercept and some of its columns of X.

    ModelError where no random term has intercepts.
    """
    terms = tuple(own for term in design.terms if (own := _intercepts(term)) is not None)
    if not terms:
        raise ModelError(
            "No random term of the model has intercepts, so there is no null model with the same groups; "
            "give one to compare with: variance_explained(null=result)."
        )
    X = np.column_stack([np.ones(design.n), design.X[:, list(columns)]])
    rows = gather(design.response, X, terms, design.weights)
    cp = sum_rows(rows, terms)
    return UserUnits(estimate(cp, plan(cp), terms, reml=reml, rows=rows), rows)


def _intercepts(term: RandomTerm) -> RandomTerm | None:
    """The random intercepts of a term, or None: of a component, where all its covariates are indicators."""
    if term.role == "component":
        indicators = all(np.isin(block.basis, (0.0, 1.0)).all() for block in term.blocks)
        return term if indicators else None
    if "Intercept" not in term.columns:
        return None
    at, block = term.columns.index("Intercept"), term.blocks[0]
    own = replace(block, basis=block.basis[:, [at]], labels=tuple(block.labels[at :: block.width]))
    return replace(term, structure="full", columns=("Intercept",), blocks=(own,))


def explained(
    null: Mapping[str, float], model: Mapping[str, float], spread: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    """One row a factor, then the residual: `group, null, model, explained, snijders_bosker`.

    null, model : variances by factor, the residual's last; spread : as `mean_variances`, of these factors
    """
    rows = []
    for name in (*spread, RESIDUAL):
        weights = spread.get(name, dict.fromkeys((*spread, RESIDUAL), 1.0))
        of_mean = [sum(w * variances[part] for part, w in weights.items()) for variances in (null, model)]
        rows.append((name, null[name], model[name], _share(null[name], model[name]), _share(*of_mean)))
    return pd.DataFrame(rows, columns=["group", "null", "model", "explained", "snijders_bosker"])


def steps_table(steps: Sequence[tuple[str, Mapping[str, float]]]) -> pd.DataFrame:
    """One row a step and factor: `step, group, variance, explained, added`; the first step is the null model.

    explained : 1 − variance over that of the null model; added : what the step adds to it
    """
    rows, null = [], steps[0][1] if steps else {}
    before = dict.fromkeys(null, 0.0)
    for name, variances in steps:
        for group, variance in variances.items():
            share = _share(null[group], variance)
            rows.append((name, group, variance, share, share - before[group]))
            before[group] = share
    return pd.DataFrame(rows, columns=["step", "group", "variance", "explained", "added"])


def _share(null: float, model: float) -> float:
    """1 − model/null; missing where the null model has no variance, which leaves nothing to explain."""
    return 1 - model / null if null > 0 else np.nan


def mean_variances(factors: Mapping[str, Ints]) -> dict[str, dict[str, float]]:
    """For each factor: how much of each factor's variance, and of σ², the mean of one of its levels has.

    factors : name → level of each row, (n,)
    """
    out = {}
    for name, codes in factors.items():
        n = np.bincount(codes)
        own = {other: _squared_shares(codes, levels, n) for other, levels in factors.items()}
        out[name] = {**own, RESIDUAL: float((1 / n).mean())}
    return out


def _squared_shares(codes: Ints, other: Ints, n: Ints) -> float:
    """Mean over the levels f of Σ_l (n_fl/n_f)²."""
    pairs, counts = np.unique(codes * (int(other.max()) + 1) + other, return_counts=True)
    share = counts / n[pairs // (int(other.max()) + 1)]
    return float((share**2).sum() / n.size)


def by_factor(names: Sequence[str], values: Floats, residual: float) -> dict[str, float]:
    """Variances of the terms added up by factor, then the residual's."""
    found = dict.fromkeys(names, 0.0)
    for name, value in zip(names, values.tolist(), strict=True):
        found[name] += value
    return {**found, RESIDUAL: residual}
