"""A fit in brief, for the Model page: verdict, key estimates, and the way to everything else."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

import mixedcore
from pages.ui import text

MOST_ROWS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Brief:
    """What is shown of a fit: all of it computed before any of it is drawn."""

    reml: bool
    glance: pd.Series
    fixed: pd.DataFrame
    random: pd.DataFrame
    notes: tuple[str, ...]


def brief(result: mixedcore.MixedLMResults) -> Brief:
    """The key results of a fit. Raises MixedCoreError where the fit has none."""
    return Brief(
        result.reml,
        result.glance().iloc[0],
        result.tidy(effects="fixed"),
        result.tidy(effects="random"),
        tuple(result.notes),
    )


def show(found: Brief) -> None:
    """Verdict, criterion, fixed effects and variances at a glance, remarks, and links onward."""
    _verdict(found.glance)
    _numbers(found)
    if len(found.fixed):
        _effects(found.fixed)
    _variances(found.random)
    for note in found.notes:
        st.caption(f":material/info: {text.escape(note)}")
    _links()


def _verdict(glance: pd.Series) -> None:
    """One badge that says whether to trust the numbers."""
    if not glance["converged"]:
        st.badge("The search did not settle", icon=":material/error:", color="red")
    elif glance["singular"]:
        st.badge("Fitted, with a variance at its edge (singular)", icon=":material/warning:", color="orange")
    else:
        st.badge("Fitted", icon=":material/check:", color="green")


def _numbers(found: Brief) -> None:
    glance = found.glance
    criterion = "REML criterion" if found.reml else "−2 log-likelihood"
    value = glance["reml_criterion"] if found.reml else -2 * glance["log_lik"]
    groups = int(glance["n_groups"])
    st.markdown(
        f"{criterion} **{value:,.2f}** · ICC **{_number(glance['icc'])}** · **{int(glance['nobs']):,}** rows"
        + (f" in **{groups:,}** groups" if groups > 1 else ""),
        help="The criterion is what the search made as small as it can be. The ICC is the share of the "
        "unexplained variance that lies between groups.",
    )


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3g}"


def _effects(frame: pd.DataFrame) -> None:
    shown = frame.head(MOST_ROWS)
    st.dataframe(
        pd.DataFrame(
            {
                "Effect": shown["term"].astype(str),
                "Estimate": shown["estimate"].map(_number),
                "Std. error": shown["std_error"].map(_number),
                "95% interval": [
                    f"{_number(low)} to {_number(high)}"
                    for low, high in zip(shown["conf_low"], shown["conf_high"], strict=True)
                ],
            }
        ),
        hide_index=True,
        alt="Fixed effects: estimate, standard error and interval",
    )
    if len(frame) > MOST_ROWS:
        st.caption(f"and {len(frame) - MOST_ROWS:,} more on the Estimates page")


def _variances(frame: pd.DataFrame) -> None:
    """Standard deviations of the random effects and of the residual."""
    shown = frame[frame["scale"] == "sd"].head(MOST_ROWS)
    st.dataframe(
        pd.DataFrame(
            {
                "Varies between": shown["group"].astype(str),
                "What": shown["term"].astype(object).where(shown["term"].notna(), "").astype(str),
                "Standard deviation": shown["estimate"].map(_number),
            }
        ),
        hide_index=True,
        alt="Standard deviations of the random effects and the residual",
    )


def _links() -> None:
    """The pages that show the fit in full."""
    with st.container(horizontal=True):
        st.page_link("pages/estimates.py", label="Estimates", icon=":material/functions:")
        st.page_link("pages/group_effects.py", label="Group effects", icon=":material/stacked_bar_chart:")
        st.page_link("pages/residuals.py", label="Residuals", icon=":material/scatter_plot:")
