"""The seed interface's parameter vector: names, order, and the way to and from the engine's.

statsmodels packs fixed effects, then the lower triangle of each group term's covariance by rows, then the
variance components, the last two divided by the residual variance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixedcore.terms import Ints, RandomTerm
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
