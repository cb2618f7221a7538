"""The seed interface's parameter vector: names, order, and the way to and from the engine's.

statsmodels packs fixed effects, then the lower triangle of each group term's covariance by rows, then the
variance components, the last two divided by the residual variance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixedcore.terms import Floats, Ints, RandomTerm
from mixedcore.units import free_entries


def effect_names(term: RandomTerm) -> tuple[str, ...]:
    """Names of a group term's coefficients, the intercept's being the grouping factor ('Subject', 'Days').

    With several terms in bars every slope begins with its factor ('Subject: Days'), so that names are unique;
    so does an effect of `re_formula` that is called as a variance component is.
    """
    return tuple(term.blocks[0].labels[: term.blocks[0].width])


def covariance_names(terms: Sequence[RandomTerm]) -> list[str]:
    """Names of all covariance parameters in packed order, unique.

    'Subject Var', 'Subject x Days Cov', 'Days Var' and 'classroom Var', as in statsmodels. With several terms
    in bars each begins with its factor: 'school Var', 'school x age Cov', 'school: age Var', 'teacher Var'.
    """
    out = []
    for term in terms:
        if term.role == "component":
            out.append(f"{term.name} Var")
            continue
        names, (rows, cols) = effect_names(term), free_entries(term)
        bare = [name.removeprefix(f"{term.name}: ") for name in names]
        for e in _by_rows(term):
            r, c = rows[e], cols[e]
            out.append(f"{names[r]} Var" if r == c else f"{names[c]} x {bare[r]} Cov")
    return out


def theta_names(terms: Sequence[RandomTerm]) -> list[str]:
    """Names of Λ's free entries, in the order of θ: 'Subject', 'Subject.Days.Intercept', 'Subject.Days'.

    As lme4 names them, but for the intercept alone, which is called as its factor is.
    """
    out = []
    for term in terms:
        if term.role == "component":
            out.append(term.name)
            continue
        own = [term.name if c == "Intercept" else f"{term.name}.{c}" for c in term.columns]
        rows, cols = free_entries(term)
        out += [own[r] if r == c else f"{own[r]}.{term.columns[c]}" for r, c in zip(rows, cols, strict=True)]
    return out


def parameter_labels(terms: Sequence[RandomTerm], fixed: Sequence[str]) -> list[str]:
    """Names on the scale of SDs and correlations, in the order of `parameter_values`, then the fixed effects.

    'sd Subject Intercept', 'sd Subject Days', 'cor Subject Intercept Days', 'sd classroom', 'sigma', and the
    fixed effects `fixed` as they are: group and term as `tidy(effects="random")` calls them. Unique: a name
    that is taken already gets a prime.
    """
    out: list[str] = []
    for name in [*(own for term in terms for own in _sd_and_cor(term)), "sigma"]:
        while name in out or name in fixed:
            name += "'"
        out.append(name)
    return [*out, *fixed]


def _sd_and_cor(term: RandomTerm) -> list[str]:
    names = [f" {name}" for name in term.columns] if term.role == "group" else [""]
    pairs = [f"cor {term.name}{names[c]}{names[r]}" for r, c in _pairs(term)]
    return [*(f"sd {term.name}{name}" for name in names), *pairs]


def parameter_values(terms: Sequence[RandomTerm], psi: Sequence[Floats], sigma: Floats) -> Floats:
    """SDs and correlations of every term, then the residual SD, (…, k + 1), for any leading axes.

    psi : covariance of each term's coefficients over σ², (…, q, q); (…, 1, 1) for an isotropic one
    sigma : residual SD, (…); the unit of the SDs
    A correlation with an effect of no variance is missing (NaN).
    """
    parts = []
    for term, own in zip(terms, psi, strict=True):
        sd = np.sqrt(np.maximum(np.diagonal(own, axis1=-2, axis2=-1), 0.0))
        parts += [sd[..., j] * sigma for j in range(sd.shape[-1])]
        for r, c in _pairs(term):
            size = sd[..., r] * sd[..., c]
            rho = np.divide(own[..., r, c], size, out=np.full(size.shape, np.nan), where=size > 0)
            parts.append(np.clip(rho, -1.0, 1.0))
    return np.stack([*parts, sigma], axis=-1)


def _pairs(term: RandomTerm) -> list[tuple[int, int]]:
    """Row and column of each correlation of a term, counted as θ is."""
    return [(int(r), int(c)) for r, c in zip(*free_entries(term), strict=True) if r != c]


def _by_rows(term: RandomTerm) -> Ints:
    """Numbers of the free entries, counted by columns, in the order of rows."""
    rows, cols = free_entries(term)
    return np.lexsort((cols, rows))


def packed_order(terms: Sequence[RandomTerm]) -> Ints:
    """Position in the engine's count of each packed covariance parameter, (k,)."""
    parts, first = [], 0
    for term in terms:
        order = _by_rows(term)
        parts.append(first + order)
        first += order.size
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.intp)
