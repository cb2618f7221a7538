"""Conditional modes (BLUPs) and their covariances: one long table, and statsmodels' mappings by group."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import block_diag
from scipy.sparse import coo_array, hstack

from mixedcore.terms import Block, Ints, RandomTerm
from mixedcore.units import UserUnits


def coefficients(user: UserUnits) -> pd.DataFrame:
    """One row a coefficient: term, block, level, column and group (numbers), label, mode, variance."""
    parts = []
    for t, term in enumerate(user.estimate.terms):
        for b, block in enumerate(term.blocks):
            q, m = block.width, block.n_levels
            modes, cov = user.modes(t, b), user.mode_covariances(t, b)
            parts.append(
                pd.DataFrame(
                    {
                        "term": t,
                        "block": b,
                        "level": np.repeat(np.arange(m), q),
                        "column": np.tile(np.arange(q), m),
                        "group": np.repeat(block.group_of_level, q),
                        "label": np.asarray(block.labels, dtype=object),
                        "mode": modes.T.ravel(),
                        "variance": np.einsum("iim->mi", cov).ravel(),
                    }
                )
            )
    table = pd.concat(parts, ignore_index=True)
    return table[table["label"] != ""]


def modes_by_group(user: UserUnits, labels: Sequence[Hashable]) -> dict[Any, pd.Series]:
    """Group label → its conditional modes, named, in the order of the terms."""
    table = coefficients(user).sort_values("group", kind="stable")
    ends = np.searchsorted(table["group"].to_numpy(), np.arange(1, len(labels)))
    names = np.split(table["label"].to_numpy(), ends)
    modes = np.split(table["mode"].to_numpy(), ends)
    return {g: pd.Series(v, index=pd.Index(n)) for g, v, n in zip(labels, modes, names, strict=True)}


def modes_by_factor(user: UserUnits) -> dict[str, pd.DataFrame]:
    """Grouping factor → conditional modes, one row a level and one column a covariate, as lme4's `ranef`."""
    tables: dict[str, list[pd.DataFrame]] = {}
    for t, term in enumerate(user.estimate.terms):
        own = pd.DataFrame(user.modes(t, 0).T, index=pd.Index(term.levels), columns=list(term.columns))
        tables.setdefault(term.name, []).append(own)
    return {name: pd.concat(parts, axis=1) for name, parts in tables.items()}


def covariances_by_factor(user: UserUnits) -> dict[str, dict[Any, pd.DataFrame]]:
    """Grouping factor → level → conditional covariance of its modes, terms on one factor apart."""
    out: dict[str, dict[Any, pd.DataFrame]] = {}
    for t, term in enumerate(user.estimate.terms):
        names, key = list(term.columns), term.name
        while key in out:
            key += "'"
        stacked = np.moveaxis(user.mode_covariances(t, 0), -1, 0)
        out[key] = {
            level: pd.DataFrame(cov, index=names, columns=names)
            for level, cov in zip(term.levels, stacked, strict=True)
        }
    return out


def covariances_by_group(
    user: UserUnits, labels: Sequence[Hashable], group_codes: Callable[[], Ints]
) -> dict[Any, pd.DataFrame]:
    """Group label → joint conditional covariance of all its coefficients given β and the variances.

    `group_codes()` gives the group of each row, (n,), where it is needed.
    σ² T(I + T'Z'WZT)⁻¹T' for the rows of one group and their prior weights W, Bates et al. (2015), eq. 58.
    """
    terms = user.estimate.terms
    if len(terms) == 1 and len(terms[0].blocks) == 1 and terms[0].role == "group":
        return _single_term(user, terms[0].blocks[0], labels)
    codes = group_codes()
    rows = np.split(
        np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes, minlength=len(labels)))[:-1]
    )
    return {label: _joint(user, terms, own) for label, own in zip(labels, rows, strict=True)}


def _single_term(user: UserUnits, block: Block, labels: Sequence[Hashable]) -> dict[Any, pd.DataFrame]:
    names = list(block.labels[: block.width])
    stacked = np.moveaxis(user.mode_covariances(0, 0), -1, 0)
    return {g: pd.DataFrame(c, index=names, columns=names) for g, c in zip(labels, stacked, strict=True)}


def _joint(user: UserUnits, terms: Sequence[RandomTerm], rows: Ints) -> pd.DataFrame:
    """Joint covariance of the coefficients that the rows of one group use."""
    columns, roots, names = [], [], []
    weights = 1.0 if user.root_weights is None else user.root_weights[rows, None]
    for t, term in enumerate(terms):
        root = user.root(t)
        for block in term.blocks:
            level, code = np.unique(block.codes[rows], return_inverse=True)
            q = block.width
            T = root * np.eye(q) if term.structure == "isotropic" else root
            at = (code * q)[:, None] + np.arange(q)
            values = block.basis[rows] @ T * weights
            shape = (rows.size, level.size * q)
            columns.append(
                coo_array((values.ravel(), (np.repeat(np.arange(rows.size), q), at.ravel())), shape=shape)
            )
            roots.append((T, level.size))
            names += [block.labels[f * q + j] for f in level for j in range(q)]
    Z = hstack(columns).tocsr()
    penalised = np.asarray((Z.T @ Z).todense()) + np.eye(Z.shape[1])
    T = block_diag(*[np.kron(np.eye(levels), T) for T, levels in roots])
    cov = user.sigma2 * T @ np.linalg.solve(penalised, T.T)
    real = np.flatnonzero(np.asarray(names, dtype=object) != "")
    kept = [names[i] for i in real]
    return pd.DataFrame((cov + cov.T)[np.ix_(real, real)] / 2, index=kept, columns=kept)
