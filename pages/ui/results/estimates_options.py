"""How the numbers on the Estimates page are computed: degrees of freedom and intervals, as chosen."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mixedcore import MixedLMResults
from mixedcore.inference.hypotheses import Ddf
from pages.ui import jobs, state, text
from pages.ui.data.dataset import Dataset
from pages.ui.model.modelcall import ModelCall
from pages.ui.results import computed
from pages.ui.results.computed import Method
from pages.ui.results.ddf import DDF
from pages.ui.results.facts import Facts
from pages.ui.results.meaning import Against
from pages.ui.results.voice import MARKDOWN, Voice
from pages.ui.text import enumerated

METHODS: dict[Method, str] = {
    "auto": "Automatic",
    "wald": "Wald",
    "profile": "Profile likelihood",
    "bootstrap": "Bootstrap",
}

SLOW: dict[Method, str] = {
    "profile": "The profile fits the model many times for each parameter, which takes long with these data.",
    "bootstrap": f"The bootstrap draws {computed.REPLICATES:,} data sets from the model and fits each.",
}


def choose_ddf(call: ModelCall | None, *, reml: bool) -> Ddf:
    """How degrees of freedom are counted; Kenward and Roger's need REML, which is offered."""
    chosen: Ddf = st.selectbox(
        "Degrees of freedom",
        list(DDF),
        format_func=DDF.__getitem__,
        key="estimates_ddf",
        persist_state="session",
        width=210,
        help="Satterthwaite suits nearly always. Kenward–Roger also corrects standard errors, for few groups "
        "(Kenward & Roger 1997, Biometrics 53). Residual and normal are too optimistic with few groups.",
    )
    if chosen == "kenward-roger" and not reml:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Kenward–Roger needs a REML fit; until then Satterthwaite is used.")
            if call is not None:
                st.button(
                    "Refit by REML",
                    key="estimates_reml",
                    type="tertiary",
                    icon=":material/refresh:",
                    on_click=state.set_call,
                    args=(replace(call, reml=True),),
                )
        return "satterthwaite"
    return chosen


def choose_method() -> Method:
    """How intervals are computed."""
    chosen: Method = st.selectbox(
        "Method of intervals",
        list(METHODS),
        format_func=METHODS.__getitem__,
        key="estimates_intervals",
        persist_state="session",
        width=210,
        help="Automatic: Wald for fixed effects; profile likelihood for standard deviations where that is "
        "quick. "
        "Wald: estimate and standard error, quick. Profile: follows the likelihood, better for variances. "
        "Bootstrap: from data drawn from the model, slow (Bates et al. 2015, J. Stat. Softw. 67(1)).",
    )
    return chosen


def chosen_ddf(*, reml: bool) -> Ddf:
    """What was chosen on the Estimates page, for other pages."""
    chosen: Ddf = state.shown("estimates_ddf") or "satterthwaite"
    return "satterthwaite" if chosen == "kenward-roger" and not reml else chosen


def chosen_method(result: MixedLMResults, call: ModelCall | None, digest: str, level: float) -> Method:
    """The same of the intervals; Wald's while those of a slow method are not there at this level."""
    chosen: Method = state.shown("estimates_intervals") or "auto"
    waits = computed.slow(result, chosen) and not computed.there(call, digest, chosen, level)
    return "wald" if waits else chosen


def said(*, reml: bool) -> str:
    """Both choices in a sentence."""
    method: Method = state.shown("estimates_intervals") or "auto"
    return (
        f"Degrees of freedom ({DDF[chosen_ddf(reml=reml)]}) and intervals ({METHODS[method].lower()}) as on "
        "the Estimates page."
    )


def intervals(
    result: MixedLMResults, call: ModelCall | None, data: Dataset, method: Method, level: float
) -> computed.Intervals:
    """The chosen intervals; those that take long wait for a button. What was refused is said."""
    if computed.slow(result, method) and not computed.there(call, data.digest, method, level):
        st.caption(f"{SLOW[method]} Until it has run, Wald intervals are shown.")
        work = computed.working(result, call, data.digest, method, level)
        key = f"estimates_{method}_{level}_{data.digest[:12]}_{hash(call)}"
        jobs.offer(key, f"Run the {METHODS[method].lower()}", work)
        return computed.WALD
    found = computed.intervals(result, call, data.digest, method, level)
    if found.refusal:
        st.warning(text.escape(found.refusal), icon=":material/warning:")
    return found


def interval_names(method: Method, found: computed.Intervals) -> tuple[str, str]:
    """What the intervals of fixed effects and of the random part are called, such as ('Wald', 'profile')."""
    if found.bounds is None:
        return "Wald", "Wald"
    name = "bootstrap" if method == "bootstrap" else "profile-likelihood"
    return ("Wald" if method == "auto" else name), name


def joined(names: tuple[str, str]) -> str:
    """Both names in one phrase."""
    fixed, random = names
    return fixed if fixed == random else f"{fixed} (fixed effects) and {random} (random effects)"


def references(facts: Facts, voice: Voice = MARKDOWN) -> str:
    """What the levels of each category are compared with, where it is the same level for all of them."""
    against: dict[str, set[tuple[str, ...]]] = {}
    for coefficient in facts.coefficients.values():
        for part in coefficient.parts:
            if isinstance(part, Against) and not part.boolean and part.multiplier == 1:
                against.setdefault(part.variable, set()).add(part.others)
    said = [
        f"{voice.plain(level)} ({voice.plain(variable)})"
        for variable, found in against.items()
        if len(found) == 1
        for (level, *more) in found
        if not more
    ]
    return f"Categories are compared with {enumerated(said)}." if said else ""


def fixed_note(ddf: Ddf, intervals: str, facts: Facts) -> str:
    """How the table of fixed effects was computed, and what its categories are compared with."""
    counted = {
        "satterthwaite": "Degrees of freedom by Satterthwaite's method",
        "kenward-roger": "Standard errors and degrees of freedom by Kenward and Roger",
        "residual": "Residual degrees of freedom, rows less coefficients",
        "normal": "Tests from the normal distribution",
    }
    return f"{counted[ddf]}; {intervals} intervals. {references(facts)}".rstrip()
