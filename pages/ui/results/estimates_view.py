"""The parts of the Estimates page: verdict, tables, the reading, and the sections below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from mixedcore import MixedLMResults
from mixedcore.diagnostics.findings import Finding
from mixedcore.errors import MixedCoreError
from mixedcore.inference.hypotheses import Ddf
from mixedcore.inference.term_hypotheses import AnovaType
from pages.ui import display, drawn, jobs, tables, terms, text
from pages.ui.charts.explained import explained_bars
from pages.ui.data.dataset import Dataset
from pages.ui.model import scripts
from pages.ui.model.modelcall import ModelCall
from pages.ui.numbers import share
from pages.ui.results import computed, explained_words, narrative, result_tables, words
from pages.ui.results.facts import Facts
from pages.ui.results.narrative import Part, Told
from pages.ui.results.voice import MARKDOWN, PLAIN, f_apa, t_apa
from pages.ui.text import enumerated

TYPES: dict[AnovaType, str] = {
    3: "Type III: each term on means with equal weights for every combination of levels. Does not depend on "
    "the order of terms or on how levels are coded; the test of a predictor in an interaction with a number "
    "is at zero of that number.",
    2: "Type II: each term beyond all others that do not contain it. Main effects are tested as if "
    "there were no interaction, with more power when there is none.",
    1: "Type I: each term beyond those before it in the formula. The order matters.",
}
TABS = (
    ":material/stacked_bar_chart: What predictors explain",
    ":material/science: Tests of terms",
    ":material/percent: Fit and shares",
    ":material/code: The same in other words",
)
LONG_TABLE = 14
TABLE_HEIGHT = 460
SHORT = 20
"""Characters that fit below a number on a phone."""


# --- verdict -----------------------------------------------------------------------------------------------


def verdict(result: MixedLMResults, found: Sequence[Finding]) -> None:
    """Whether to trust the numbers, why not, and quietly what else is worth knowing."""
    display.verdict(words.verdict(converged=result.converged, singular=result.singular, findings=found))
    for finding in found:
        if finding.severity != "info":
            st.markdown(words.finding(finding))
    if result.notes:
        st.markdown(words.notes(result.notes))
    quiet = [finding for finding in found if finding.severity == "info"]
    if quiet:
        title = "One remark on these data" if len(quiet) == 1 else f"{len(quiet)} remarks on these data"
        with st.expander(title, icon=":material/info:", key="estimates_remarks"):
            for finding in quiet:
                st.markdown(words.finding(finding))


def metrics(fit: pd.Series, counts: Mapping[str, int]) -> None:
    """The size of the data and where the variance lies, each with a word below it.

    counts : levels of each grouping factor
    """
    each = "; ".join(f"{text.escape(text.shorten(name))} {count:,}" for name, count in counts.items())
    shown = {
        "Rows": (
            f"{int(fit['nobs']):,}",
            _in_groups(list(counts.values())),
            f"Rows of the data that the model uses. Levels of the grouping factors: {each}.",
        ),
        "ICC": (
            share(float(fit["icc"])),
            "between groups",
            "Intraclass correlation: of the variance that the predictors leave, the share between groups.",
        ),
        "R² marginal": (
            share(_positive(fit["r2_marginal"])),
            "by predictors",
            "Share of the variance that the predictors account for (Nakagawa & Schielzeth 2013).",
        ),
        "R² conditional": (
            share(_positive(fit["r2_conditional"])),
            "with groups",
            "Share of the variance that predictors and groups account for together.",
        ),
    }
    with st.grid(len(shown), min_column_width=130):
        for label, (value, about, meaning) in shown.items():
            st.metric(label, value, about, delta_color="off", delta_arrow="off", border=True, help=meaning)


def _in_groups(counts: Sequence[int]) -> str:
    """'in 160 groups', 'in 24 and 6 groups' of two factors, or only how many factors there are."""
    said = f"in {enumerated([f'{count:,}' for count in counts])} groups"
    return said if len(said) <= SHORT else f"grouped in {len(counts)} ways"


def _positive(value: object) -> float:
    """A share of which rounding alone left something is none."""
    found = float(value)  # type: ignore[arg-type]
    return 0.0 if abs(found) < tables.ROUNDING else found


# --- tables and words --------------------------------------------------------------------------------------


def scrolled(table: tables.Table, key: str, title: str, note: str = "") -> None:
    """A table under its heading; a long one scrolls in its own frame."""
    if len(table.values) > LONG_TABLE:
        with st.container(height=TABLE_HEIGHT, border=False, key=f"{key}_frame"):
            tables.show(table, key, title)
    else:
        tables.show(table, key, title)
    if note:
        st.caption(note)


def random_part(random: pd.DataFrame, level: float, found: computed.Intervals, name: str) -> None:
    """Variances and standard deviations, correlations, and what their intervals are.

    name : of the method of the intervals
    """
    scrolled(tables.variance_components(random, level), "variance_components", "Variance components")
    correlations = result_tables.correlations(random, level)
    if correlations is not None:
        scrolled(correlations, "correlations", "Correlations")
    what = "standard deviations and correlations" if correlations is not None else "standard deviations"
    st.caption(f"Intervals of {what}: {name}.")
    notes = computed.readable_notes(random, found)
    if notes:
        st.caption("  \n".join(text.escape(note) for note in notes))


def reading(result: MixedLMResults, facts: Facts, told: Told) -> None:
    """The results in words, with a copy as plain text and the tests as journals set them."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header("In words", anchor=False)
        with st.popover("Copy", icon=":material/content_copy:", type="tertiary", key="reading_copy"):
            st.caption("The same as plain text")
            plain = narrative.as_text(narrative.tell(result, facts, told, PLAIN))
            st.code(plain, language=None, wrap_lines=True, height=260)
            lines = test_lines(told)
            if lines:
                st.caption("The tests alone")
                st.code("\n".join(lines), language=None, height=140)
    for part in narrative.tell(result, facts, told, MARKDOWN):
        _part(part)


def _part(part: Part) -> None:
    """A list where sentences stand for themselves, a paragraph where they are one thought."""
    said = [text.unbroken(sentence) for sentence in part.sentences]
    if len(said) > 1 and part.title != "Method":
        st.markdown("\n".join(f"- {sentence}" for sentence in said))
    else:
        st.markdown(" ".join(said))


def test_lines(told: Told) -> list[str]:
    """'Days: t(17) = 6.77, p < .001', one a coefficient, then the F test of each term of several."""
    columns = ["term", "statistic", "df", "p_value"]
    lines = [
        f"{text.one_line(terms.one(name))}: {t_apa(float(t), float(df), float(p))}"
        for name, t, df, p in told.fixed[columns].itertuples(index=False)
    ]
    if told.tests is not None:
        columns = ["term", "statistic", "num_df", "den_df", "p_value"]
        lines += [
            f"{text.one_line(terms.one(name))}: {f_apa(float(f), float(num), float(den), float(p))}"
            for name, f, num, den, p in told.tests[columns].itertuples(index=False)
            if num > 1
        ]
    return lines


# --- the sections below ------------------------------------------------------------------------------------


def explained(result: MixedLMResults, call: ModelCall | None, data: Dataset) -> None:
    """What each predictor explains at each level: bars, sentences, table."""
    steps = computed.variance_steps(call, data.digest, result)
    if steps is None:
        st.caption("The model is fitted again for each predictor, which takes a while with these data.")
        work = computed.stepping(result, call, data.digest)
        jobs.offer(f"estimates_steps_{data.digest[:12]}_{hash(call)}", "Fit it step by step", work)
        return
    if isinstance(steps, str):
        st.info(text.escape(steps), icon=":material/info:")
        return
    read = steps.assign(step=steps["step"].map(terms.readable(steps["step"].unique())))
    left, right = st.columns([3, 2], gap="large")
    with left:
        ink = display.ink()
        bars = drawn.once(lambda: explained_bars(read, ink=ink), "explained", call, data.digest, ink)
        display.chart(bars, "explained_bars")
    with right:
        st.markdown("\n".join(f"- {said}" for said in explained_words.explained(read, MARKDOWN)))
        st.caption(
            "Proportional reduction of each variance since the null model (Raudenbush & Bryk 2002), with the "
            "same rows, random intercepts and method in every step."
        )
    scrolled(result_tables.variance_steps(steps), "variance_steps", "Variance left at each step")


def term_tests(result: MixedLMResults, ddf: Ddf) -> None:
    """F tests of whole terms, of a chosen type."""
    type_ = st.segmented_control(
        "Type of test",
        list(TYPES),
        default=3,
        required=True,
        format_func=lambda value: "I" * int(value),
        key="estimates_type",
        persist_state="session",
        help="Types differ only where predictors interact or the data are unbalanced.",
    )
    try:
        anova = result.anova(type_, ddf=ddf)
    except MixedCoreError as err:
        st.info(text.escape(err), icon=":material/info:")
        return
    if not len(anova):
        st.caption("There are no predictors to test: the fixed part is the intercept alone.")
        return
    scrolled(result_tables.f_tests(anova), "f_tests", "F tests of terms", TYPES[type_])


def fit_and_shares(glance: pd.DataFrame, icc: pd.DataFrame) -> None:
    """Likelihood, information criteria, R², and shares by level."""
    left, right = st.columns(2, gap="large")
    with left:
        tables.show(tables.fit_statistics(glance), "fit_statistics", "Fit statistics")
    with right:
        tables.show(result_tables.icc_by_level(icc), "icc", "Intraclass correlation by level")
        st.caption(
            "Share of each level in the variance that the predictors leave (adjusted), and in all of it. "
            "With random slopes, the mean over the rows (Johnson 2014, Methods Ecol. Evol. 5)."
        )


def other_words(result: MixedLMResults, call: ModelCall | None, data: Dataset) -> None:
    """The classic summary, and the scripts that give these numbers again."""
    with st.expander("Classic summary", icon=":material/article:"):
        st.code(result.summary().as_text(), language=None)
    if call is not None:
        with st.expander("Programs that give these numbers", icon=":material/code:"):
            st.caption("mixedcore")
            st.code(scripts.mixedcore(call, data), language="python")
            st.caption(scripts.about_statsmodels(call, data))
            if not scripts.not_in_statsmodels(call):
                st.code(scripts.statsmodels(call, data), language="python")
            st.caption("lme4, in R; it reads the prepared data, which the Report page offers")
            st.code(scripts.lme4(call, data.frame), language="r")
