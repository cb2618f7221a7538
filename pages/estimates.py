"""Estimates: can the numbers be trusted, what are they, what do they say, and how to get them again."""

from __future__ import annotations

import streamlit as st

from pages.ui import charts, display, fitting, invitation, shell, state, tables
from pages.ui.results import computed, fitview, narrative, picking, result_tables, standardised
from pages.ui.results import estimates_options as options
from pages.ui.results import estimates_view as view

shell.enter("estimates")
st.title("Estimates")
result = fitting.current_fit_or_stop()
data, call = invitation.data_or_stop(), state.call()
outcome = fitview.outcome_name(result)
facts = computed.known_facts(call, data.digest, data.source, result)
glance, icc = result.glance(), result.icc()

view.verdict(result, computed.findings(call, data.digest, result))
view.metrics(glance.iloc[0], narrative.level_counts(result))

with st.container(horizontal=True, vertical_alignment="bottom", key="estimates_options"):
    level = picking.choose_level("estimates_level")
    ddf = options.choose_ddf(call, reml=result.reml)
    method = options.choose_method()
    scaled = st.toggle(
        "Standardised",
        key="estimates_standardised",
        persist_state="session",
        help="Adds effects in standard deviations of the outcome, per standard deviation of a number.",
    )
intervals = options.intervals(result, call, data, method, level)
names = options.interval_names(method, intervals)
fixed = computed.in_fixed(result.tidy(effects="fixed", ddf=ddf, level=level), intervals)
random = computed.in_random(result.tidy(effects="random", level=level), intervals)

if len(fixed):
    coefficients = tables.fixed_effects(fixed, level)
    if scaled:
        coefficients = result_tables.with_standardised(coefficients, standardised.standardised(result, facts))
    view.scrolled(coefficients, "fixed_effects", "Fixed effects", options.fixed_note(ddf, names[0], facts))

view.random_part(random, level, intervals, names[1])

told = narrative.Told(
    fixed,
    random,
    icc,
    glance.iloc[0],
    result.anova(ddf=ddf),
    level,
    ddf,
    options.joined(names),
    len(state.exclusions()),
)
words, pictures = st.columns([3, 2], gap="large")
with words:
    view.reading(result, facts, told)
with pictures:
    if len(fixed):
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
    shares = charts.variance_shares(icc, float(glance["r2_marginal"].iloc[0]))
    display.chart(charts.variance_bar(shares, ink=display.ink()), "variance_bar")

explained, tests, fit, code = st.tabs(view.TABS, key="estimates_tabs", on_change="rerun")
with explained:
    if explained.open:
        view.explained(result, call, data)
with tests:
    if tests.open:
        view.term_tests(result, ddf)
with fit:
    if fit.open:
        view.fit_and_shares(glance, icc)
with code:
    if code.open:
        view.other_words(result, call, data)
