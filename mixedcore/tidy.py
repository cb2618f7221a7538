"""Tables of a fit, one row a term, lower-case snake_case columns."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from mixedcore.group_effects import coefficients
from mixedcore.inference.hypotheses import Ddf, Hypotheses
from mixedcore.inference.information import VarianceInformation
from mixedcore.inference.tails import check_level, upper_normal, upper_t
from mixedcore.terms import Floats, Ints, RandomTerm
from mixedcore.units import UserUnits, free_entries

RESIDUAL = "Residual"
NEARLY_ONE = 1e-6  # 1 − ρ² below which the variance of ρ, of order (1 − ρ²)², is a difference without digits
_LEVEL_IN_COLUMN = re.compile(r"[^\[]*\[(?P<level>.*)\](?::(?P<slope>[^\]]*))?", re.DOTALL)


def fixed_table(info: VarianceInformation, names: Sequence[str], *, ddf: Ddf, level: float) -> pd.DataFrame:
    """Fixed effects with t (or z) tests and Wald intervals; p from survival functions."""
    tests = Hypotheses(info, ddf).each(np.eye(info.evaluation.cp.p))
    half = upper_t((1 - check_level(level)) / 2, tests.df) * tests.std_error
    return pd.DataFrame(
        {
            "term": list(names),
            "estimate": tests.estimate,
            "std_error": tests.std_error,
            "statistic": tests.statistic,
            "df": tests.df,
            "p_value": tests.p_value,
            "conf_low": tests.estimate - half,
            "conf_high": tests.estimate + half,
        }
    )


def random_table(info: VarianceInformation, *, level: float) -> pd.DataFrame:
    """Variances, SDs, covariances and correlations of every term, and of the residual.

    Intervals are Wald intervals on the log scale for variances and SDs, and on Fisher's z scale for
    correlations (Pinheiro & Bates 2000, section 2.4.3); covariances on their own scale. They are missing
    where an estimate is on its boundary, where no such approximation holds, or a correlation so near ±1,
    as that of intercept and slope far from a predictor's zero, that rounding has taken its standard error.
    """
    user = info.user
    z = upper_normal((1 - check_level(level)) / 2)
    values = np.append(user.ratios * user.sigma2, user.sigma2)
    errors = np.sqrt(np.maximum(np.diag(info.cov_variances), 0.0))
    rows: list[dict[str, object]] = []
    for t, term in enumerate(user.estimate.terms):
        first = info.evaluation.cp.offsets[t]
        r, c = free_entries(term)
        own = slice(first, first + r.size)
        rows += _term_rows(
            term, r, c, values[own], info.cov_variances[own, own], z, user.estimate.null[t].size > 0
        )
    rows += _variance_rows(RESIDUAL, None, values[-1], errors[-1], z, boundary=False)
    table = pd.DataFrame(
        rows, columns=["group", "term", "term2", "estimate", "scale", "conf_low", "conf_high"], dtype=object
    )
    numbers = ["estimate", "conf_low", "conf_high"]
    return table.astype(dict.fromkeys(numbers, float))


def _term_rows(
    term: RandomTerm, r: Ints, c: Ints, values: Floats, cov: Floats, z: float, boundary: bool
) -> list[dict[str, object]]:
    names = term.columns if term.role == "group" else (None,)
    errors = np.sqrt(np.diag(cov))
    at = {(int(i), int(j)): e for e, (i, j) in enumerate(zip(r, c, strict=True))}
    rows: list[dict[str, object]] = []
    for i, name in enumerate(names):
        e = at[i, i]
        rows += _variance_rows(term.name, name, values[e], errors[e], z, boundary=boundary)
    for (i, j), e in at.items():
        if i != j:
            own = [e, at[i, i], at[j, j]]
            rows += _pair_rows(term.name, names[j], names[i], values[own], cov[np.ix_(own, own)], z, boundary)
    return rows


def _row(
    group: str, term: str | None, term2: str | None, estimate: float, scale: str, low: float, high: float
) -> dict[str, object]:
    return {
        "group": group, "term": term, "term2": term2, "estimate": estimate, "scale": scale,
        "conf_low": low, "conf_high": high,
    }  # fmt: skip


def _variance_rows(
    group: str, term: str | None, value: float, error: float, z: float, *, boundary: bool
) -> list[dict[str, object]]:
    with np.errstate(over="ignore"):  # what the data do not determine lies anywhere from zero to infinity
        spread = np.nan if boundary or value <= 0 else np.exp(z * error / value)
    sd = np.sqrt(value)
    return [
        _row(group, term, None, value, "variance", value / spread, value * spread),
        _row(group, term, None, sd, "sd", sd / np.sqrt(spread), sd * np.sqrt(spread)),
    ]


def _pair_rows(
    group: str, one: str | None, two: str | None, values: Floats, cov: Floats, z: float, boundary: bool
) -> list[dict[str, object]]:
    """Covariance and correlation of two coefficients; `values` (cov, var, var) with covariance `cov`."""
    covariance, v1, v2 = values
    half = np.nan if boundary else z * np.sqrt(cov[0, 0])
    rows = [_row(group, one, two, covariance, "covariance", covariance - half, covariance + half)]
    if v1 <= 0 or v2 <= 0:
        return [*rows, _row(group, one, two, np.nan, "correlation", np.nan, np.nan)]
    rho = float(np.clip(covariance / np.sqrt(v1 * v2), -1.0, 1.0))
    low = high = np.nan
    if not boundary and 1 - rho**2 > NEARLY_ONE:
        slope = np.array([1 / np.sqrt(v1 * v2), -rho / (2 * v1), -rho / (2 * v2)])
        reach = z * float(np.sqrt(max(slope @ cov @ slope, 0.0))) / (1 - rho**2)
        low, high = np.tanh(np.arctanh(rho) - reach), np.tanh(np.arctanh(rho) + reach)
    return [*rows, _row(group, one, two, rho, "correlation", low, high)]


def blups_table(user: UserUnits, group_labels: Sequence[Hashable], *, level: float) -> pd.DataFrame:
    """Conditional modes with their standard deviations given β and the variances, and normal intervals."""
    table = coefficients(user)
    z = upper_normal((1 - check_level(level)) / 2)
    terms = user.estimate.terms
    labels = np.asarray([str(label) for label in group_labels], dtype=object)
    parts = []
    for t, own in table.groupby("term", sort=False):
        levels, covariates = level_names(terms[int(str(t))], own, labels)
        parts.append(pd.DataFrame({"group": terms[int(str(t))].name, "level": levels, "term": covariates}))
    error = np.sqrt(np.maximum(table["variance"].to_numpy(), 0.0))
    mode = table["mode"].to_numpy()
    out = pd.concat(parts, ignore_index=True)
    return out.assign(estimate=mode, std_error=error, conf_low=mode - z * error, conf_high=mode + z * error)


def level_labels(term: RandomTerm, group_labels: Sequence[Hashable]) -> list[str]:
    """The levels of a term's first block, called as `blups_table` calls them."""
    block, labels = term.blocks[0], np.asarray([str(label) for label in group_labels], dtype=object)
    first = pd.DataFrame({"level": np.arange(block.n_levels), "column": 0, "group": block.group_of_level})
    return level_names(term, first.assign(label=list(block.labels[:: block.width])), labels)[0]


def level_names(term: RandomTerm, own: pd.DataFrame, labels: Floats) -> tuple[list[str], list[str]]:
    """Level and covariate of each coefficient: 's1' and 'Days', 's1 / a' and 'Intercept'."""
    if term.role == "group":
        names = [str(level) for level in term.levels]
        return [names[i] for i in own["level"]], [term.columns[j] for j in own["column"]]
    groups = labels[own["group"].to_numpy()]
    levels, covariates = [], []
    for group, label in zip(groups, own["label"], strict=True):
        column = label[len(term.name) + 1 : -1]
        found = _LEVEL_IN_COLUMN.fullmatch(column)
        if found is None:
            levels.append(group)
            covariates.append(column)
        else:
            levels.append(found["level"] if len(labels) == 1 else f"{group} / {found['level']}")
            covariates.append(found["slope"] or "Intercept")
    return levels, covariates
