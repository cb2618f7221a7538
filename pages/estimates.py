"""Estimates: can the numbers be trusted, what are they, and how to get them again."""

from __future__ import annotations

import streamlit as st

from pages.ui import charts, display, fitting, shell, state, tables
from pages.ui.numbers import number, share
from pages.ui.results import fitview, picking, words

shell.enter("estimates")
st.title("Estimates")
result = fitting.current_fit_or_stop()
data, call = state.data(), state.call()
outcome = fitview.outcome_name(result)
glance = result.glance()
fit = glance.iloc[0]

findings = result.diagnose()
verdict = words.verdict(converged=result.converged, singular=result.singular, findings=findings)
display.verdict(verdict)
for finding in findings:
    st.markdown(words.finding(finding))
if result.notes:
    st.markdown(words.notes(result.notes))

with st.grid(4, min_column_width=150):
    st.metric("Rows", f"{int(fit['nobs']):,}", border=True)
    st.metric("Groups", f"{int(fit['n_groups']):,}", border=True)
    st.metric("Residual SD (σ)", number(float(fit["sigma"])), border=True)
    st.metric(
        "ICC",
        share(float(fit["icc"])),
        border=True,
        help="Intraclass correlation: of the variance that the predictors leave, the share between groups.",
    )

level = picking.choose_level("estimates_level")
fixed = result.tidy(effects="fixed", level=level)
tables.show(tables.fixed_effects(fixed, level), "fixed_effects", "Fixed effects")
components = tables.variance_components(result.tidy(effects="random", level=level), level)
tables.show(components, "variance_components", "Variance components")

left, right = st.columns(2, gap="large")
with left:
    place = st.container()
    intercept = len(fixed) == 1 or st.toggle(
        "Show the intercept",
        key="estimates_intercept",
        persist_state="session",
        help="The intercept is often far from zero and squeezes the other coefficients together.",
    )
    plot = charts.coefficient_plot(
        fixed, level=level, intercept=intercept, outcome=outcome, ink=display.ink()
    )
    with place:
        display.chart(plot, "coefficient_plot")
    tables.show(tables.fit_statistics(glance), "fit_statistics", "Fit statistics")
with right:
    icc = result.icc()
    shares = charts.variance_shares(icc, float(fit["r2_marginal"]))
    display.chart(charts.variance_bar(shares, ink=display.ink()), "variance_bar")
    for sentence in words.icc_readings(icc, outcome):
        st.markdown(sentence)

st.header("The same in other words", anchor=False)
with st.expander("Classic summary", icon=":material/article:"):
    st.code(result.summary().as_text(), language=None)
if call is not None and data is not None:
    with st.expander("Python script that gives these numbers", icon=":material/code:"):
        st.code(call.script(data), language="python")
        if call.not_in_statsmodels:
            st.caption(f"statsmodels {call.not_in_statsmodels}, so it cannot fit this model.")
        else:
            st.caption("The same model with statsmodels: only the import differs.")
            st.code(call.statsmodels_script(data), language="python")
