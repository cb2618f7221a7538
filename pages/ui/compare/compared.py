"""What the comparison says: one table of models, one of coefficients, and sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pages.ui import terms
from pages.ui.compare.comparing import Entry, Lrt
from pages.ui.numbers import NONE, fixed, number, numbers, p_value
from pages.ui.results.voice import MARKDOWN, Voice
from pages.ui.tables import Table
from pages.ui.text import enumerated

CLOSE = 2.0
"""Models whose criterion is this near the lowest have about as much support: Burnham & Anderson (2002)."""
SD, RESIDUAL, CORRELATION = "sd", "residual", "correlation"
KINDS = ("fixed", SD, RESIDUAL, CORRELATION)
"""The order of the rows of estimates."""


def models(entries: Sequence[Entry], tested: Sequence[Lrt]) -> Table:
    """One row a model: size, fit, criteria, R², and its test against the next smaller model inside it."""
    glances = [entry.result.glance().iloc[0] for entry in entries]
    values = pd.DataFrame(
        {
            "Model": [entry.name for entry in entries],
            "Parameters": [entry.parameters for entry in entries],
            "Log-likelihood": [float(glance["log_lik"]) for glance in glances],
            "AIC": [float(glance["aic"]) for glance in glances],
            "BIC": [float(glance["bic"]) for glance in glances],
            "R² marginal": [float(glance["r2_marginal"]) for glance in glances],
            "R² conditional": [float(glance["r2_conditional"]) for glance in glances],
            "Tested against": [test.against or NONE for test in tested],
            "df": [test.df for test in tested],
            "χ²": [test.chisq for test in tested],
            "p": [test.p_value for test in tested],
        }
    )
    shown = values.astype(object)
    for name in ("Log-likelihood", "AIC", "BIC"):
        shown[name] = [f"{value:,.1f}".replace("-", "−") for value in values[name]]
    for name in ("R² marginal", "R² conditional"):
        shown[name] = [NONE if np.isnan(value) else f"{value:.3f}" for value in values[name]]
    shown["df"] = [NONE if np.isnan(value) else f"{value:.0f}" for value in values["df"]]
    shown["χ²"] = [NONE if np.isnan(value) else number(value, 3) for value in values["χ²"]]
    shown["p"] = [p_value(value) for value in values["p"]]
    raw = values.assign(
        formula=[entry.call.formula for entry in entries],
        method=["REML" if entry.result.reml else "ML" for entry in entries],
        note=[test.note for test in tested],
    )
    alt = f"Comparison of {len(entries)} models: criteria, R² and likelihood-ratio tests"
    return Table(shown.astype(str), values, raw, alt, "model-comparison")


def coefficients(entries: Sequence[Entry]) -> Table:
    """Estimates with standard errors side by side: fixed effects, then SDs and correlations."""
    parts = [_estimates(entry) for entry in entries]
    every = pd.concat(parts, ignore_index=True)
    order = every.drop_duplicates(["kind", "term"]).sort_values("kind", key=_place, kind="stable")
    read = terms.readable(order.loc[order["kind"] == "fixed", "term"])
    rows = every.groupby(["kind", "term"], sort=False)
    keys = order[["kind", "term"]].itertuples(index=False, name=None)
    cells = [_cells(kind, rows.get_group((kind, term))) for kind, term in keys]
    shown = pd.DataFrame({"Effect": [read.get(term, term) for term in order["term"]]})
    for entry in entries:
        shown[entry.name] = [row.get(entry.name, NONE) for row in cells]
    raw = every.drop(columns="kind")
    alt = f"Estimates of {len(entries)} models side by side, standard errors in brackets"
    return Table(shown, shown, raw, alt, "coefficients-side-by-side")


def _place(kinds: pd.Series) -> pd.Series:
    return kinds.map(KINDS.index)


def _estimates(entry: Entry) -> pd.DataFrame:
    """`kind, term, estimate, std_error, model` of one model."""
    coefficients_ = entry.result.tidy(effects="fixed").assign(kind="fixed")
    random = entry.result.tidy(effects="random")
    random = random[random["scale"].isin([SD, CORRELATION])]
    rows = random[["scale", "group", "term", "term2"]].itertuples(index=False, name=None)
    random = random.assign(
        kind=random["scale"].mask(random["group"] == "Residual", RESIDUAL),
        term=[terms.of_random(*row) for row in rows],
        std_error=np.nan,
    )
    columns = ["kind", "term", "estimate", "std_error"]
    return pd.concat([coefficients_[columns], random[columns]], ignore_index=True).assign(model=entry.name)


def _cells(kind: str, rows: pd.DataFrame) -> dict[str, str]:
    """Model → its estimate with the standard error, all models of a row with the same decimals."""
    estimates = rows["estimate"].astype(float).tolist()
    shown = [fixed(r, 2, 2) for r in estimates] if kind == CORRELATION else numbers(estimates)
    return {
        name: cell if np.isnan(error) else f"{cell} ({number(float(error), 3)})"
        for name, cell, error in zip(rows["model"], shown, rows["std_error"], strict=True)
    }


def reading(entries: Sequence[Entry], tested: Sequence[Lrt], voice: Voice = MARKDOWN) -> list[str]:
    """Sentences: which model the criteria favour, and what each test says."""
    said = [*_by_criteria(entries, voice)] if len(entries) > 1 else []
    return [*said, *(_by_test(test, voice) for test in tested if test.against)]


def _by_criteria(entries: Sequence[Entry], voice: Voice) -> list[str]:
    """Which model each criterion favours, in one sentence where both favour it alone."""
    found: dict[str, list[str]] = {}
    for name, attribute in (("AIC", "aic"), ("BIC", "bic")):
        values = np.array([float(getattr(entry.result, attribute)) for entry in entries])
        best = int(np.argmin(values))
        near = [
            entry.name for i, entry in enumerate(entries) if i != best and values[i] - values[best] < CLOSE
        ]
        lowest = f"lowest for {voice.name(entries[best].name)}"
        if near:
            come = "comes" if len(near) == 1 else "come"
            others = enumerated([voice.plain(each) for each in near])
            lowest += f", and {others} {come} within {CLOSE:g} of it, which is about as good"
        found.setdefault(lowest, []).append(voice.strong(name))
    return [
        f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} {lowest}."
        for lowest, names in found.items()
    ]


def _by_test(test: Lrt, voice: Voice) -> str:
    one, other = voice.name(test.name), voice.name(test.against)
    shown = p_value(test.p_value)
    p = f"p {shown}" if shown[0] in "<>" else f"p = {shown}"
    numbers_ = f"χ²({test.df:.0f}) = {number(test.chisq, 3)}, {p}"
    if test.p_value < 0.05:
        return f"{one} fits better than {other} by more than chance would ({numbers_})."
    return f"That {one} fits better than {other} may be chance ({numbers_})."
