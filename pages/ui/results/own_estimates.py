"""What each group says on its own, beside what the model makes of it: no, partial and complete pooling.

A group's own estimate is least squares on its rows alone, with the model's prior weights. What other
predictors and other groupings add to the outcome is taken away first, as the model estimates it; a model of
one grouping whose slopes are all random has nothing to take away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pages.ui.charts.base import Floats, Ints

if TYPE_CHECKING:
    from mixedcore import MixedLMResults

DETERMINED = 1e-8
"""Smallest over largest eigenvalue of a group's cross-products below which its rows determine no line."""


@dataclass(frozen=True, slots=True, eq=False)
class Pooling:
    """Estimates of the coefficients of m groups in three ways; q coefficients each.

    factor   : the grouping; names : the q coefficients; labels : the m groups
    size     : (m,) rows of each group
    own      : (m, q) the group's rows alone, NaN where they do not determine it (no pooling)
    partial  : (m, q) the model's: average plus predicted effect
    complete : (q,) the average group (complete pooling)
    cov      : (q, q) covariance of the coefficients between groups
    weight   : (m,) reliability of a random intercept alone: the weight of the group's own mean in `partial`
               when sizes alone differ, σ²ᵤ / (σ²ᵤ + σ²/n), n being the sum of prior weights if there are any;
               NaN with slopes
    adjusted : whether anything was taken away from the outcome first
    weighted : whether the model has prior weights
    """

    factor: str
    names: tuple[str, ...]
    labels: tuple[str, ...]
    size: Ints
    own: Floats
    partial: Floats
    complete: Floats
    cov: Floats
    weight: Floats
    adjusted: bool
    weighted: bool


def pooling(result: MixedLMResults, blups: pd.DataFrame, factor: str, term: str) -> Pooling | None:
    """The three estimates for the random term of `factor` that holds the coefficient `term`.

    blups : `result.tidy(effects="blups")`. None where the term's coefficients are not one set a group.
    """
    first = 0
    for random in result.model.design.terms:
        length = sum(sum(label != "" for label in block.labels) for block in random.blocks)
        mine = blups.iloc[first : first + length]
        first += length
        if random.name != factor or term not in set(mine["term"]) or len(random.blocks) != 1:
            continue
        block = random.blocks[0]
        m, q = block.n_levels, block.basis.shape[1]
        if len(mine) != m * q:
            return None
        return _pooled(result, mine, factor, block.codes, np.asarray(block.basis, dtype=float))
    return None


def _pooled(result: MixedLMResults, mine: pd.DataFrame, factor: str, codes: Ints, basis: Floats) -> Pooling:
    q = basis.shape[1]
    m = len(mine) // q
    names = tuple(map(str, mine["term"].iloc[:q]))
    fixed = np.array([float(result.fe_params.get(name, 0.0)) for name in names])
    partial = fixed + mine["estimate"].to_numpy(dtype=float).reshape(m, q)
    outcome = np.asarray(result.resid, dtype=float) + (basis * partial[codes]).sum(axis=1)
    size, weights = np.bincount(codes, minlength=m), result.model.design.weights
    seen = size if weights is None else np.bincount(codes, weights, m)
    cov = _covariance(result, factor, names)
    plain = q == 1 and bool((basis == 1).all())
    return Pooling(
        factor,
        names,
        tuple(map(str, mine["level"].iloc[::q])),
        size,
        least_squares(codes, m, basis, outcome, weights),
        partial,
        fixed,
        cov,
        cov[0, 0] / (cov[0, 0] + result.scale / np.where(size, seen, 1)) if plain else np.full(m, np.nan),
        _adjusted(result, names),
        weights is not None,
    )


def _adjusted(result: MixedLMResults, names: tuple[str, ...]) -> bool:
    """Whether the model has other fixed effects than these, or other random terms."""
    return bool(set(map(str, result.fe_params.index)) - set(names)) or len(result.model.design.terms) > 1


def least_squares(codes: Ints, m: int, basis: Floats, y: Floats, weights: Floats | None = None) -> Floats:
    """Coefficients (m, q) of y on `basis` (n, q) in each of m groups; NaN where rows do not determine them.

    weights : (n,) of the rows' squares; None for equal ones

    Normal equations summed by group, each basis column scaled by its size: no loop over rows or groups.
    """
    q = basis.shape[1]
    centre, scale = _standard(basis)
    z = (basis - centre) / scale
    w = 1.0 if weights is None else weights / weights.mean()
    cross, right = np.empty((m, q, q)), np.empty((m, q))
    for i in range(q):
        right[:, i] = np.bincount(codes, w * z[:, i] * y, m)
        for j in range(i + 1):
            cross[:, i, j] = cross[:, j, i] = np.bincount(codes, w * z[:, i] * z[:, j], m)
    values = np.linalg.eigvalsh(cross)
    known = values[:, 0] > DETERMINED * np.maximum(values[:, -1], np.finfo(float).tiny)
    found = np.full((m, q), np.nan)
    found[known] = np.linalg.solve(cross[known], right[known][:, :, None])[:, :, 0]
    found /= scale
    constant = np.flatnonzero((basis == 1).all(axis=0))
    if len(constant):
        found[:, constant[0]] -= found @ centre
    return found


def _standard(basis: Floats) -> tuple[Floats, Floats]:
    """Centre (with a constant column only, which is left alone) and size of each column."""
    is_constant = (basis == 1).all(axis=0)
    centre = np.where(is_constant, 0.0, basis.mean(axis=0)) if is_constant.any() else np.zeros(basis.shape[1])
    scale = np.sqrt(((basis - centre) ** 2).mean(axis=0))
    return centre, np.where(scale > 0, scale, 1.0)


def _covariance(result: MixedLMResults, factor: str, names: tuple[str, ...]) -> Floats:
    """Covariance of the coefficients between groups, (q, q), from `result.tidy(effects="random")`."""
    tidy = result.tidy(effects="random")
    tidy = tidy[(tidy["group"] == factor) & tidy["scale"].isin(["variance", "covariance"])]
    cov = np.zeros((len(names), len(names)))
    place = {name: i for i, name in enumerate(names)}
    for one, other, value in tidy[["term", "term2", "estimate"]].itertuples(index=False, name=None):
        i = place.get(str(one), 0) if isinstance(one, str) else 0
        j = place.get(str(other), i) if isinstance(other, str) else i
        cov[i, j] = cov[j, i] = float(value)
    return cov
