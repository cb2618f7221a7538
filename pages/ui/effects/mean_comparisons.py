"""Comparisons of marginal means on the Effects page: whether they differ at all, and which from which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

from mixedcore.inference.hypotheses import Ddf
from pages.ui import tables, text
from pages.ui.effects import comparing, mean_words, tabled, words
from pages.ui.effects.setting import Setting, stale_key
from pages.ui.effects.variables import Variable

Method = Literal["pairwise", "trt.vs.ctrl", "poly", "own"]
METHODS: dict[Method, str] = {
    "pairwise": "All pairs",
    "trt.vs.ctrl": "Each with a reference",
    "poly": "Trend over equal steps",
    "own": "My own weights",
}
DEFAULTS: dict[Method, str] = {"pairwise": "tukey", "trt.vs.ctrl": "mvt", "poly": "none", "own": "none"}
WHAT: dict[Method, str] = {
    "pairwise": "difference",
    "trt.vs.ctrl": "difference",
    "poly": "trend",
    "own": "sum",
}
TITLES: dict[Method, str] = {
    "pairwise": "Differences of all pairs",
    "trt.vs.ctrl": "Differences from the reference",
    "poly": "Trend over the levels",
    "own": "Weighted sum of means",
}
MOST_COMPARED = 30
MOST_EXACT = 12
MOST_WEIGHTS = 12
MOST_STEPS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Means of which categories, at each level of which moderators, and how they are made."""

    terms: tuple[Variable, ...]
    within: tuple[Variable, ...]
    ddf: Ddf
    weights: Any

    @property
    def names(self) -> list[str]:
        """Of the categories."""
        return [variable.name for variable in self.terms]

    @property
    def moderators(self) -> list[str]:
        """Names of the variables at whose levels means are taken."""
        return [variable.name for variable in self.within]

    @property
    def at(self) -> dict[str, list[Any]]:
        """Where moderators that are numbers or dates stand."""
        return {v.name: v.chosen() for v in self.within if v.kind != "category"}


def count_of(terms: Sequence[Variable]) -> int:
    """How many combinations the levels of these variables have."""
    count = 1
    for variable in terms:
        count *= len(variable.chosen())
    return count


def compare(known: Setting, asked: Asked, means: pd.DataFrame) -> None:
    """Whether means differ at all; choose comparisons; their table and words."""
    _together(known, asked, means)
    st.header("Comparisons", anchor=False)
    top = st.columns(3, vertical_alignment="bottom")
    with top[0]:
        method: Method = st.selectbox(
            "Compare",
            list(METHODS),
            format_func=METHODS.__getitem__,
            key="effects_means_method",
            persist_state="session",
            help="Pairs: every mean with every other. Trend: whether means rise evenly (linear), bend "
            "(quadratic) and so on, for levels in equal steps. Own weights: any sum of means.",
        )
    with top[1]:
        adjust = comparing.choose_adjustment("effects_means_adjust", DEFAULTS[method])
    why = too_many(count_of(asked.terms), method, adjust, len(asked.terms))
    if why:
        st.info(why)
        return
    cells = _cell_names(means, asked)
    how: Any = _own_weights(known, cells, asked.names) if method == "own" else method
    place = _choose_reference(cells, known, asked.names) if method == "trt.vs.ctrl" else 0
    if how is None:
        return
    reference = means[asked.names[0]].drop_duplicates().iloc[place] if len(asked.names) == 1 else None
    found = known.result.contrasts(
        means, how, adjust=adjust, by=asked.moderators, reference=reference, ddf=asked.ddf, level=known.level
    )
    found = comparing.renamed(found, comparing.pairs(cells, how, place))
    base = known.scale.ratios if known.scale is not None else None
    if base is not None and method in ("pairwise", "trt.vs.ctrl"):
        found = found.assign(ratio=base ** found["estimate"])
    comparing.show(found, WHAT[method], known.level, "effects_contrasts", TITLES[method])
    if "ratio" in found:
        st.markdown(text.escape(mean_words.ratio(found, base, known.level)))


def _together(known: Setting, asked: Asked, means: pd.DataFrame) -> None:
    """One test whether the means are equal; at each level of moderators, their simple effects."""
    count = count_of(asked.terms)
    if count < 2 or (count == 2 and not asked.moderators):  # the one difference says it all
        return
    found = known.result.joint_tests(means, by=asked.moderators, ddf=asked.ddf)
    what = words.listed([text.shorten(name, 30) for name in asked.names])
    if not asked.moderators:
        st.markdown(text.unbroken(text.escape(mean_words.together(found.iloc[0], count))))
        return
    table = tabled.joint(found, asked.moderators, f"Tests whether the means of {what} are equal")
    tables.show(table, "effects_joint", f"Simple effects of {text.escape(what)}")
    st.caption("Each test asks whether all means are equal there; not adjusted for their number.")


def _cell_names(means: pd.DataFrame, asked: Asked) -> list[str]:
    """The combinations of levels that are compared, in the order of their means."""
    cells = means[asked.names].drop_duplicates().itertuples(index=False, name=None)
    return [words.cell(asked.names, cell) for cell in cells]


def too_many(means: int, method: Method, adjust: str, categories: int = 1) -> str:
    """Why so many means cannot be compared in this way; '' when they can."""
    if means < 2:
        return "There is only one mean at each level, so nothing to compare; take means of another category."
    if method == "poly" and (categories > 1 or means > MOST_STEPS):
        return f"A trend is for the levels of one category, at most {MOST_STEPS} of them, in equal steps."
    if method == "own" and means > MOST_WEIGHTS:
        return f"Weights of one's own are for at most {MOST_WEIGHTS} means; here are {means}."
    if method == "pairwise" and adjust == "mvt" and means > MOST_EXACT:
        return f"The exact adjustment takes long for all pairs of {means} means; take Tukey's."
    if method == "pairwise" and means > MOST_COMPARED:
        pairs = means * (means - 1) // 2
        return f"All pairs of {means} means are {pairs:,} comparisons; compare each with a reference instead."
    return ""


def _choose_reference(cells: Sequence[str], known: Setting, names: Sequence[str]) -> int:
    """Which mean the others are compared with; of combinations the first one."""
    if len(names) > 1:
        return 0
    place = st.selectbox(
        "Reference",
        range(len(cells)),
        format_func=cells.__getitem__,
        key=stale_key(known, f"effects_means_reference_{names[0]}"),
    )
    return place or 0


def _own_weights(known: Setting, cells: Sequence[str], own: Sequence[str]) -> dict[str, list[float]] | None:
    """A box of weight for each mean; None while all are zero."""
    weights: list[float] = []
    with st.grid(4, min_column_width=130):
        for place, name in enumerate(cells):
            start = {0: 1.0, 1: -1.0}.get(place, 0.0)
            given = st.number_input(
                text.escape(text.shorten(name, 30)),
                value=start,
                step=0.5,
                key=stale_key(known, f"effects_weight_{'_'.join(own)}_{place}"),
            )
            weights.append(float(given or 0.0))
    st.markdown(text.escape(mean_words.weights(cells, weights)))
    if not any(weights):
        return None
    return {mean_words.label(cells, weights): weights}
