"""Tables of the Estimates page beyond coefficients and variances: F tests, shares of variance, steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pages.ui import terms
from pages.ui.numbers import NONE, number, numbers, p_value, share
from pages.ui.tables import Table


def f_tests(anova: pd.DataFrame) -> Table:
    """One row a term from `result.anova()`; a Wald chi-square where the denominator's df are infinite."""
    chi = bool(len(anova)) and bool(np.isinf(anova["den_df"].astype(float)).any())
    read = terms.readable(anova["term"])
    values = pd.DataFrame({"Term": anova["term"].map(str).map(read), "df": anova["num_df"].astype(float)})
    if chi:
        values["Wald χ²"] = anova["statistic"].astype(float) * anova["num_df"].astype(float)
    else:
        values["Residual df"] = anova["den_df"].astype(float)
        values["F"] = anova["statistic"].astype(float)
    values["p"] = anova["p_value"].astype(float)
    shown = values.copy()
    shown["df"] = [f"{value:.0f}" for value in values["df"]]
    statistic = "Wald χ²" if chi else "F"
    shown[statistic] = numbers(values[statistic], 3)
    if not chi:
        shown["Residual df"] = [number(value, 3) for value in values["Residual df"]]
    shown["p"] = [p_value(value) for value in values["p"]]
    return Table(shown, values, anova, "F tests, one row a term", "f-tests")


def correlations(tidy: pd.DataFrame, level: float = 0.95) -> Table | None:
    """One row a correlation from `result.tidy(effects="random")`, with its interval; None without any."""
    found = tidy[(tidy["scale"] == "correlation") & tidy["estimate"].notna()]
    if found.empty:
        return None
    read = terms.readable([*found["term"], *found["term2"]])
    values = pd.DataFrame(
        {
            "Group": found["group"].map(str),
            "Effects": [
                f"{read[str(one)]} and {read[str(two)]}"
                for one, two in zip(found["term"], found["term2"], strict=True)
            ],
            "Correlation": found["estimate"].astype(float),
            f"Lower {level:.0%}": found["conf_low"].astype(float),
            f"Upper {level:.0%}": found["conf_high"].astype(float),
        }
    ).reset_index(drop=True)
    shown = values.assign(
        **{
            name: [NONE if np.isnan(r) else f"{r:.2f}".replace("-", "−") for r in values[name]]
            for name in values.columns[2:]
        }
    )
    return Table(shown, values, found, "Correlations of the random effects", "correlations")


def icc_by_level(icc: pd.DataFrame) -> Table:
    """Shares of variance by grouping factor, as `result.icc()`."""
    source = {"Share of what predictors leave": "icc", "Share of everything": "icc_unadjusted"}
    values = pd.DataFrame({"Between levels of": icc["group"].map(str)})
    values = values.assign(**{label: icc[name].astype(float) for label, name in source.items()})
    shown = values.assign(**{label: [share(v) for v in values[label]] for label in source})
    return Table(shown, values, icc, "Intraclass correlation by level", "icc")


def variance_steps(steps: pd.DataFrame) -> Table:
    """One row a step from `result.variance_steps()`: the variance left at each level, the share explained."""
    wide = steps.assign(step=_numbered(steps)).pivot(
        index="step", columns="group", values=["variance", "explained"]
    )
    groups = list(dict.fromkeys(steps["group"]))
    names = steps["step"].iloc[:: len(groups)].tolist()
    values = pd.DataFrame({"Step": [terms.readable(names)[name] for name in names]})
    shown = values.copy()
    for group in groups:
        label, left = level_name(group), wide["variance"][group].to_numpy(dtype=float)
        values[label] = left
        shown[label] = numbers(left)
    for group in groups:
        label, explained = f"Explained: {level_name(group)}", wide["explained"][group].to_numpy(dtype=float)
        values[label] = explained
        shown[label] = [signed_share(value) for value in explained]
    return Table(shown, values, steps, "Variance left and explained at each level", "variance-steps")


def _numbered(steps: pd.DataFrame) -> np.ndarray:
    """Number of each row's step: names might repeat."""
    return np.arange(len(steps)) // max(steps["group"].nunique(), 1)


def level_name(group: object) -> str:
    """'Between school', 'Within (residual)'."""
    return "Within (residual)" if group == "Residual" else f"Between {group}"


def signed_share(value: float) -> str:
    """A share that may be negative."""
    if np.isnan(value):
        return NONE
    return share(value) if value >= 0 else f"−{share(-value)}".replace("−< ", "> −")


def with_standardised(table: Table, standardised: pd.Series) -> Table:
    """The coefficient table with a further column."""
    label = "Standardised"
    by_term = standardised.reindex(table.raw["term"]).to_numpy(dtype=float)
    shown = [number(value, 3) for value in by_term]
    return Table(
        table.shown.assign(**{label: shown}),
        table.values.assign(**{label: by_term}),
        table.raw.assign(standardised=by_term),
        table.alt,
        table.name,
    )
