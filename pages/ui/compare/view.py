"""The comparison on the page: fits, the same rows for all, tables, picture, bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from mixedcore import compare
from pages.ui import charts, display, fitting, jobs, shell, state, tables, text
from pages.ui.charts.compared import compared_coefficients
from pages.ui.compare import compared, comparing
from pages.ui.compare.comparing import Comparison, Entry, Lrt
from pages.ui.model.kept import Kept
from pages.ui.numbers import p_value

BOOTSTRAP = "compare_bootstrap"
LEVEL = 0.95


def fitted(kept: Sequence[Kept]) -> Comparison:
    """The kept models fitted; one that cannot be is named with the reason, and the others are compared."""
    found = comparing.gathered(kept, fitting.fit)
    for name, reason in found.failed:
        st.error(f"“{text.escape(name)}” cannot be fitted: {text.escape(reason)}", icon=":material/error:")
    return found


def method(entries: Sequence[Entry], ml: bool) -> None:
    """By which likelihood the models are compared, and why."""
    if ml and any(each.call.reml for each in state.kept()):
        st.info(
            "For this comparison all models are fitted by full maximum likelihood (ML): REML likelihoods of "
            "models with different predictors are about different data. The other pages keep your choice.",
            icon=":material/info:",
        )
    elif entries and entries[0].result.reml:
        st.caption("All models have the same predictors, so their REML likelihoods can be compared.")


def rows_or_stop(entries: Sequence[Entry]) -> None:
    """Whether all fits used the same rows; else why not, one click that mends it, and the end of the run."""
    if comparing.same_rows(entries):
        return
    counts = text.listing(f"{entry.name} {len(entry.rows):,}" for entry in entries)
    common = comparing.common_rows(entries)
    st.warning(
        "These models use different rows, so their likelihoods cannot be compared. Rows used: "
        f"{text.escape(counts)}. **{len(common):,} rows** are used by all of them.",
        icon=":material/warning:",
    )
    if len(common):
        st.button(
            "Refit all on common rows",
            key="compare_common",
            type="primary",
            icon=":material/join_inner:",
            on_click=_on_common_rows,
            args=(common,),
        )
    st.stop()


def _on_common_rows(common: Any) -> None:
    kept = state.kept()
    names = [str(name) for each in kept for name in each.data.frame.columns]
    used = [name for each in kept for name in comparing.columns_of(each.call, list(dict.fromkeys(names)))]
    state.set_kept([comparing.on_rows(each, common, list(dict.fromkeys(used))) for each in kept])


def tables_and_words(entries: Sequence[Entry], tested: Sequence[Lrt]) -> None:
    """What the comparison says, the table of models, which they are, and where each p-value is from."""
    said = [text.unbroken(sentence) for sentence in compared.reading(entries, tested)]
    st.markdown("\n".join(f"- {sentence}" for sentence in said))
    tables.show(compared.models(entries, tested), "compare_models", "Models")
    which = [f"**{text.escape(each.name)}**: {text.escape(shell.described(each.call))}" for each in entries]
    st.caption("  \n".join(which))
    notes = [f"{test.name}: {test.note}" for test in tested if test.note]
    if notes:
        with st.expander("Where each p-value comes from, and what could not be tested"):
            st.markdown("\n".join(f"- {text.escape(note)}" for note in notes))


def side_by_side(entries: Sequence[Entry]) -> None:
    """Coefficients of all models as a picture and a table."""
    fixed = {entry.name: entry.result.tidy(effects="fixed", level=LEVEL) for entry in entries}
    if any(len(frame) for frame in fixed.values()):
        chart: charts.Chart = compared_coefficients(fixed, level=LEVEL, ink=display.ink())
        display.chart(chart, "compared_coefficients")
    tables.show(compared.coefficients(entries), "compare_coefficients", "All estimates")


def bootstrap(entries: Sequence[Entry], tested: Sequence[Lrt]) -> None:
    """A test by simulation, for those who do not trust the asymptotic one."""
    pairs = {f"{test.against} → {test.name}": (test.against, test.name) for test in tested if test.against}
    if not pairs:
        return
    by_name = {entry.name: entry for entry in entries}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pair = st.selectbox(
            "Test",
            list(pairs),
            index=len(pairs) - 1,
            format_func=text.one_line,
            key="compare_pair",
            width=360,
            help="The smaller model draws new outcomes; both models are fitted to each (parametric "
            "bootstrap, Davison & Hinkley 1997). Slower than the χ² test, and right in small samples too.",
        )
        n = st.number_input("Simulations", 100, 100_000, 1_000, step=100, key="compare_n", width=150)
        seed = st.number_input("Seed", 0, 2**31 - 1, 1, key="compare_seed", width=120)
        pressed = st.button("Run", key="compare_run", icon=":material/casino:")
    small, large = (by_name[name] for name in pairs[pair or next(iter(pairs))])
    # A test of other models, perhaps of the same names, is not this one.
    key = f"{BOOTSTRAP}_{hash((small.call, small.digest, large.call, large.digest))}"
    if pressed:
        jobs.start(key, _simulated(small, large, int(n), int(seed)))
    found = jobs.show(key)
    if found is not None:
        st.markdown(_said(small, large, found))


@dataclass(frozen=True, slots=True)
class Simulated:
    """A test by simulation; note : what p is taken from."""

    chisq: float
    p_value: float
    note: str


def _simulated(small: Entry, large: Entry, n: int, seed: int) -> jobs.Work:
    """The work of the test; names are not in it, for they may change meanwhile."""

    def work(progress: Any, cancel: Any) -> Simulated:
        frame = compare(
            small.result, large.result, test="bootstrap", n=n, seed=seed, progress=progress, cancel=cancel
        )
        row, note = frame.iloc[-1], frame.attrs["notes"][-1].rpartition(": ")[2].rstrip(".")
        return Simulated(float(row["chisq"]), float(row["p_value"]), f"{note}; seed {seed}")

    return work


def _said(small: Entry, large: Entry, found: Simulated) -> str:
    """The test in a sentence of Markdown."""
    return (
        f"**{text.escape(large.name)}** against **{text.escape(small.name)}** by parametric bootstrap: "
        f"χ² = {found.chisq:.4g}, p = {p_value(found.p_value)} ({text.escape(found.note)})."
    )
