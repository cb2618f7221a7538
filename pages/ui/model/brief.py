"""A fit in brief, for the Model page: verdict, key estimates, and the way to everything else."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

import mixedcore
from mixedcore.diagnostics.findings import Finding
from pages.ui import fitting, tables, terms, text
from pages.ui.data.dataset import Dataset
from pages.ui.model.modelcall import ModelCall
from pages.ui.numbers import decimals, fixed, numbers, share
from pages.ui.text import one_line

MOST_ROWS = 8
MOST_WARNINGS = 3
DIGITS = 3
NUMBERS = ("Estimate", "SE", "95% interval", "Standard deviation")


@dataclass(frozen=True, slots=True, eq=False)
class Brief:
    """What is shown of a fit: all of it computed before any of it is drawn."""

    reml: bool
    glance: pd.Series
    fixed: pd.DataFrame
    random: pd.DataFrame
    notes: tuple[str, ...]
    warnings: tuple[Finding, ...]


def brief(result: mixedcore.MixedLMResults) -> Brief:
    """The key results of a fit. Raises MixedCoreError where the fit has none."""
    return Brief(
        result.reml,
        result.glance().iloc[0],
        result.tidy(effects="fixed"),
        result.tidy(effects="random"),
        tuple(result.notes),
        tuple(finding for finding in result.diagnose() if finding.severity != "info"),
    )


def of(call: ModelCall, data: Dataset) -> Brief:
    """The key results of the fit of `call`, once for the same model and data. Raises MixedCoreError."""
    return _kept(call, data.digest, fitting.fit(call, data, fitting.hold_back))


@st.cache_resource(max_entries=fitting.KEPT_FITS, ttl=fitting.KEPT_FOR, show_spinner="Testing the effects…")
def _kept(call: ModelCall, digest: str, _result: mixedcore.MixedLMResults) -> Brief:
    return brief(_result)


def show(found: Brief) -> None:
    """Verdict, criterion, fixed effects and variances at a glance, remarks, and links onward."""
    _verdict(found)
    _numbers(found)
    if len(found.fixed):
        _effects(found.fixed)
    _variances(found.random)
    for note in found.notes:
        st.caption(f":material/info: {text.escape(note)}")
    _links(found)


def _verdict(found: Brief) -> None:
    """One badge that says whether to trust the numbers, and the reasons why not."""
    if not found.glance["converged"]:
        st.badge("The search did not settle", icon=":material/error:", color="red")
    elif found.glance["singular"]:
        st.badge("Fitted, with a variance at its edge (singular)", icon=":material/warning:", color="orange")
    elif found.warnings:
        st.badge("Fitted; look at this before you rely on it", icon=":material/warning:", color="orange")
    else:
        st.badge("Fitted", icon=":material/check:", color="green")
    for finding in found.warnings[:MOST_WARNINGS]:
        st.caption(f"{text.escape(finding.title)}: {text.escape(finding.meaning)}")


def _numbers(found: Brief) -> None:
    glance = found.glance
    criterion = "REML criterion" if found.reml else "−2 log-likelihood"
    value = glance["reml_criterion"] if found.reml else -2 * glance["log_lik"]
    rows = int(glance["nobs"])
    st.markdown(
        f"{criterion} **{value:,.2f}** · ICC **{share(float(glance['icc']))}** · **{rows:,}** rows",
        help="The criterion is what the search made as small as it can be. The ICC is the share of the "
        "unexplained variance that lies between groups.",
    )


def _effects(frame: pd.DataFrame) -> None:
    shown, read = frame.head(MOST_ROWS), terms.readable(frame["term"])
    places = decimals(shown["estimate"], DIGITS)
    table = {
        "Term": [one_line(read[str(term)]) for term in shown["term"]],
        "Estimate": numbers(shown["estimate"], DIGITS),
        "SE": numbers(shown["std_error"], DIGITS),
        "95% interval": [
            f"{fixed(low, places, DIGITS)} to {fixed(high, places, DIGITS)}"
            for low, high in zip(shown["conf_low"], shown["conf_high"], strict=True)
        ],
    }
    _draw(table, "Fixed effects: estimate, standard error and interval")
    if len(frame) > MOST_ROWS:
        st.caption(f"and {len(frame) - MOST_ROWS:,} more on the Estimates page")


def _variances(frame: pd.DataFrame) -> None:
    """Standard deviations of the random effects and of the residual."""
    shown = frame[frame["scale"] == "sd"].head(MOST_ROWS)
    table = {
        "Group": [one_line(group) for group in shown["group"]],
        "Effect": ["" if pd.isna(term) else one_line(terms.one(term)) for term in shown["term"]],
        "Standard deviation": numbers(shown["estimate"], DIGITS),
    }
    _draw(table, "Standard deviations of the random effects and the residual")


def _draw(table: dict[str, list[str]], name: str) -> None:
    """A small table, its numbers to the right."""
    config = {title: st.column_config.Column(alignment="right") for title in table if title in NUMBERS}
    st.dataframe(pd.DataFrame(table), hide_index=True, column_config=config, alt=name)


def _links(found: Brief) -> None:
    """The pages that show the fit in full, and the tables to take away."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link("pages/estimates.py", label="Estimates", icon=":material/functions:")
        st.page_link("pages/group_effects.py", label="Group effects", icon=":material/stacked_bar_chart:")
        st.page_link("pages/residuals.py", label="Residuals", icon=":material/scatter_plot:")
        tables.export(
            "model_fit", lambda: [tables.fixed_effects(found.fixed), tables.variance_components(found.random)]
        )
