"""A fit in brief, for the Model page: verdict, key estimates, and the way to everything else."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import mixedcore
from pages.ui import text

MOST_ROWS = 8


def brief(result: mixedcore.MixedLMResults) -> None:
    """Verdict, criterion, fixed effects and variances at a glance, remarks, and links onward."""
    glance = result.glance().iloc[0]
    _verdict(glance)
    _numbers(result, glance)
    _effects(result.tidy(effects="fixed"))
    _variances(result.tidy(effects="random"))
    for note in result.notes:
        st.caption(f":material/info: {text.escape(note)}")
    links()


def _verdict(glance: pd.Series) -> None:
    """One badge that says whether to trust the numbers."""
    if not glance["converged"]:
        st.badge("The search did not settle", icon=":material/error:", color="red")
    elif glance["singular"]:
        st.badge("Fitted, with a variance at its edge (singular)", icon=":material/warning:", color="orange")
    else:
        st.badge("Fitted", icon=":material/check:", color="green")


def _numbers(result: mixedcore.MixedLMResults, glance: pd.Series) -> None:
    criterion = "REML criterion" if result.reml else "−2 log-likelihood"
    value = glance["reml_criterion"] if result.reml else -2 * glance["log_lik"]
    with st.grid("auto", min_column_width=120, gap="small"):
        st.metric(criterion, f"{value:,.2f}")
        st.metric("Rows", f"{glance['nobs']:,.0f}")
        st.metric("Groups", f"{glance['n_groups']:,.0f}")
        st.metric(
            "ICC", _number(glance["icc"]), help="Share of the unexplained variance that lies between groups."
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


def links() -> None:
    """The pages that show the fit in full."""
    with st.container(horizontal=True):
        st.page_link("pages/estimates.py", label="Estimates", icon=":material/functions:")
        st.page_link("pages/group_effects.py", label="Group effects", icon=":material/stacked_bar_chart:")
        st.page_link("pages/residuals.py", label="Residuals", icon=":material/scatter_plot:")
