"""Tables of marginal means, trends and contrasts of either.

Estimates are Lβ̂ for rows l of L, without an offset; standard errors √(l'Cl) and degrees of freedom as in
tests of the fixed effects (`hypotheses`). Where X is rank-deficient, l must be a combination of its rows, or
l'β is not estimable: Searle (1971), Linear Models, section 5.4. Such rows are empty, and a column `note` says
so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.data.columns import Mask
from mixedcore.effects.adjust import Family, adjusted_p, critical_values, resolved
from mixedcore.effects.contrasts import contrast_set
from mixedcore.effects.reference_grid import Functions
from mixedcore.errors import ModelError
from mixedcore.inference.hypotheses import Hypotheses
from mixedcore.inference.tails import upper_t
from mixedcore.terms import Floats
from mixedcore.units import UserUnits

OUTSIDE = 1e-7  # share of a row's size by which it may miss the rows of X
NOT_ESTIMABLE = "not estimable: the data have no rows for it"
NOT_AT_ALL = "zero whatever the data"
NUMBERS = ["estimate", "std_error", "df", "conf_low", "conf_high"]
JOINT = ["num_df", "den_df", "statistic", "p_value"]
TESTS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]


@dataclass(frozen=True, eq=False)
class Estimator:
    """Estimates linear functions of the fixed effects of one fit."""

    tests: Hypotheses

    @property
    def _user(self) -> UserUnits:
        return self.tests.info.user

    @cached_property
    def _aliases(self) -> tuple[list[int], Floats]:
        """Columns of X left out, and what makes them of those kept, (p, a)."""
        point = self._user.estimate.evaluation
        numbers, kept = point.cp.units.layout.fixed, self._user.kept
        left = [j for j in range(numbers.size) if j not in set(kept.tolist())]
        found, own, other = point.cp.units.moments, numbers[kept], numbers[left]
        out = np.zeros((own.size, len(left)))
        if not left or not own.size:
            return left, out
        at = found.constant(own)
        varying = np.arange(own.size) != at
        G, g = found.M2[np.ix_(own, own)] / found.weight, found.M2[np.ix_(own, other)] / found.weight
        if at is None:
            G, g = (
                G + np.outer(found.centre[own], found.centre[own]),
                g + np.outer(found.centre[own], found.centre[other]),
            )
        size = np.sqrt(np.diag(G)[varying])
        scaled = G[np.ix_(varying, varying)] / np.outer(size, size)
        out[varying] = np.linalg.lstsq(scaled, g[varying] / size[:, None])[0] / size[:, None]
        if at is not None:
            rest = found.centre[other] - found.centre[own][varying] @ out[varying]
            out[at] = rest / found.centre[own][at]
        return left, out

    def estimable(self, L: Floats) -> Mask:
        """Whether each row of L (r, p), aliased columns included, is a combination of the rows of X, (r,)."""
        left, of_kept = self._aliases
        own, aliased = L[:, self._user.kept], L[:, left]
        miss = np.abs(aliased - own @ of_kept)
        size = np.abs(aliased) + np.abs(own) @ np.abs(of_kept)
        return np.asarray(
            (miss <= OUTSIDE * np.maximum(size, np.abs(L).max(axis=1, initial=0)[:, None])).all(axis=1)
        )

    def table(self, L: Floats) -> pd.DataFrame:
        """One row a function: `estimate, std_error, df`, and `note` (empty where there is nothing to note).

        A row that is missing its mean (no cell has rows) counts as not estimable.
        """
        whole = np.flatnonzero(np.isfinite(L).all(axis=1))
        good = np.zeros(len(L), dtype=bool)
        good[whole] = self.estimable(L[whole])
        rows = L[:, self._user.kept]
        moving = good & (np.nan_to_num(rows) != 0).any(axis=1)
        values = np.full((3, len(L)), np.nan)
        values[:2, good] = 0.0
        if moving.any():
            own = rows[moving]
            error = np.sqrt(np.einsum("rp,pq,rq->r", own, self.tests.cov_beta, own))
            values[:, moving] = own @ self._user.beta, error, self.tests.df(own)
        note = np.where(good, np.where(moving, "", NOT_AT_ALL), NOT_ESTIMABLE)
        return pd.DataFrame(dict(zip(NUMBERS[:3], values, strict=True))).assign(note=note)

    def correlations(self, L: Floats) -> Floats:
        """Correlations (r, r) of the estimates of L."""
        V = L @ self.tests.cov_beta @ L.T
        size = np.sqrt(np.diag(V))
        return np.asarray(V / np.outer(size, size))


def mean_table(estimator: Estimator, functions: Functions, level: float) -> pd.DataFrame:
    """Means or trends: the factors, then `estimate, std_error, df, conf_low, conf_high`."""
    found = estimator.table(functions.L)
    half = upper_t((1 - level) / 2, found["df"].to_numpy()) * found["std_error"]
    found = found.assign(conf_low=found["estimate"] - half, conf_high=found["estimate"] + half)
    return _joined(functions.table, found, NUMBERS)


def contrast_table(
    estimator: Estimator, functions: Functions, by: Sequence[str], how: Contrasting, level: float
) -> pd.DataFrame:
    """Contrasts of means or trends within each combination of `by`, each adjusted as a family."""
    parts = []
    for rows in _families(functions.table, by):
        table = functions.table.iloc[rows].reset_index(drop=True)
        names = _names(table.drop(columns=list(by)))
        labels, C = contrast_set(
            how.method, names, _reference(how.reference, table.drop(columns=list(by)), names)
        )
        found = _judged(estimator, C, functions.L[rows], how, level)
        beside = table[list(by)].iloc[np.zeros(len(C), dtype=int)].reset_index(drop=True)
        parts.append(_joined(beside.assign(contrast=labels), found, TESTS))
    out = pd.concat(parts, ignore_index=True)
    return out.fillna({"note": ""}) if "note" in out else out


def joint_table(estimator: Estimator, functions: Functions, by: Sequence[str]) -> pd.DataFrame:
    """F test that all means of a family are equal, one row a combination of `by`.

    Columns: those of `by`, `num_df, den_df, statistic, p_value`. Means that are not estimable do not count;
    missing where fewer than two are left, or where their differences are zero whatever the data.
    """
    parts = []
    for rows in _families(functions.table, by):
        L = functions.L[rows]
        L = L[np.isfinite(L).all(axis=1)]
        L = L[estimator.estimable(L)][:, estimator.tests.info.user.kept]
        differences = L[1:] - L[:1]
        numbers = (0.0, np.nan, np.nan, np.nan)
        if differences.any():
            found = estimator.tests.together(differences[differences.any(axis=1)])
            numbers = (float(found.num_df), found.den_df, found.statistic, found.p_value)
        beside = functions.table.iloc[rows[:1]][list(by)].reset_index(drop=True)
        parts.append(beside.assign(**dict(zip(JOINT, numbers, strict=True))))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, slots=True, eq=False)
class Contrasting:
    """Which contrasts, the reference level of 'trt.vs.ctrl' (None: the first), and how they are adjusted."""

    method: Any
    reference: Any
    adjust: str


def _judged(estimator: Estimator, C: Floats, L: Floats, how: Contrasting, level: float) -> pd.DataFrame:
    """One family: C (r, k) contrasts of k means L (k, p)."""
    rows = _combined(C, L)
    found = estimator.table(rows)
    moving = (found["note"] == "").to_numpy()
    known = np.eye(len(C))
    kept = rows[moving][:, estimator.tests.info.user.kept]
    known[np.ix_(moving, moving)] = estimator.correlations(kept)
    family = Family(C.shape[1], known)
    pairwise = how.method in ("pairwise", "revpairwise") if isinstance(how.method, str) else False
    adjust = resolved(how.adjust, pairwise=pairwise, several=len(C) > 1)
    statistic = np.full(len(C), np.nan)
    statistic[moving] = found["estimate"][moving] / found["std_error"][moving]
    df = found["df"].to_numpy()
    half = critical_values(level, df, adjust, family) * found["std_error"]
    return found.assign(
        statistic=statistic,
        p_value=adjusted_p(statistic, df, adjust, family),
        conf_low=found["estimate"] - half,
        conf_high=found["estimate"] + half,
    )


def _combined(C: Floats, L: Floats) -> Floats:
    """C L, where a mean that is missing matters only to the contrasts that it is in."""
    whole = np.isfinite(L).all(axis=1)
    out = C[:, whole] @ L[whole]
    out[(C[:, ~whole] != 0).any(axis=1)] = np.nan
    return out


def _families(table: pd.DataFrame, by: Sequence[str]) -> Iterator[np.ndarray]:
    """Rows of each combination of the levels of `by`, in the order in which they come."""
    if not by:
        yield np.arange(len(table))
        return
    codes = table.groupby(list(by), sort=False, dropna=False, observed=True).ngroup().to_numpy()
    for number in range(codes.max() + 1):
        yield np.flatnonzero(codes == number)


def _names(table: pd.DataFrame) -> list[str]:
    """'Victory', or 'Victory 0.6' of two factors."""
    if not table.shape[1]:
        return ["overall"] * len(table)
    return [" ".join(map(_text, row)) for row in table.itertuples(index=False, name=None)]


def _text(level: Any) -> str:
    return f"{level:g}" if isinstance(level, (float, np.floating)) else str(level)


def _reference(given: Any, table: pd.DataFrame, names: Sequence[str]) -> int:
    """Which mean is the control."""
    if given is None:
        return 0
    levels = table.iloc[:, 0].tolist() if table.shape[1] == 1 else list(names)
    if given in levels:
        return levels.index(given)
    if given in names:
        return list(names).index(given)
    raise ModelError(f"reference={given!r} is none of the means: {', '.join(names)}.")


def _joined(table: pd.DataFrame, found: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Levels and numbers side by side; `note` last, where there is anything to note."""
    columns = [*columns, *(["note"] if (found["note"] != "").any() else [])]
    return pd.concat([table.reset_index(drop=True), found[columns].reset_index(drop=True)], axis=1)
