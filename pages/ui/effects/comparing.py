"""Choices that means and slopes share: degrees of freedom, adjustment, and the comparisons themselves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pandas as pd
import streamlit as st

from mixedcore.errors import MixedCoreError
from mixedcore.inference.hypotheses import Ddf
from pages.ui import tables, text
from pages.ui.effects import slope_words, tabled, words
from pages.ui.results.ddf import DDF

ADJUST = {
    "tukey": "Tukey",
    "holm": "Holm",
    "bonferroni": "Bonferroni",
    "sidak": "Šidák",
    "scheffe": "Scheffé",
    "mvt": "Exact (multivariate t)",
    "none": "None",
}
ADJUST_HELP = (
    "With many comparisons some look large by chance; an adjustment holds the risk of any false alarm. "
    "Tukey: all pairs (Tukey 1953, Kramer 1956). Exact: from the correlation of the comparisons; with one "
    "reference it is Dunnett's (Hothorn, Bretz & Westfall 2008). Holm 1979, Bonferroni, Šidák 1967: any set. "
    "Scheffé 1953: also comparisons thought of after seeing the data."
)


def choose_ddf(key: str) -> Ddf:
    """How degrees of freedom are counted."""
    return st.selectbox(
        "Degrees of freedom",
        list(DDF),
        format_func=DDF.__getitem__,
        key=key,
        persist_state="session",
        help="Satterthwaite 1946 suits nearly all fits. Kenward & Roger 1997 is a little safer with few "
        "groups and takes longer; it needs REML.",
    )


def choose_adjustment(key: str, default: str) -> str:
    """How p-values and intervals allow for several comparisons."""
    kinds = [default, *(kind for kind in ADJUST if kind != default)]
    return st.selectbox(
        "Adjustment", kinds, format_func=ADJUST.__getitem__, key=f"{key}_{default}", persist_state="session",
        width=240, help=ADJUST_HELP,
    )  # fmt: skip


def pairs(names: Sequence[str], method: object, reference: int = 0) -> list[str] | None:
    """The names of comparisons of some means, in their order; None where they are no differences of two."""
    if method == "pairwise":
        return [words.difference(one, other) for one, other in combinations(names, 2)]
    if method == "trt.vs.ctrl":
        base = names[reference]
        return [words.difference(name, base) for at, name in enumerate(names) if at != reference]
    return None


def renamed(found: pd.DataFrame, names: list[str] | None) -> pd.DataFrame:
    """Comparisons of one family after the other, each family's by these names."""
    if names is None:
        return found
    return found.assign(contrast=names * (len(found) // max(len(names), 1)))


def show(found: pd.DataFrame, what: str, level: float, key: str, title: str) -> None:
    """The table of comparisons with its sentence."""
    head = what[:1].upper() + what[1:]
    table = tabled.estimates(found, head, level, alt=f"{title} with tests", name=key.replace("_", "-"))
    tables.show(table, key, title)
    st.markdown(text.unbroken(text.escape(slope_words.differences(found, what, level))))


def refused(err: MixedCoreError) -> None:
    """Say what could not be computed."""
    st.error(text.escape(err), icon=":material/error:")
