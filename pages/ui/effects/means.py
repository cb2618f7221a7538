"""The third section of the Effects page: marginal means of categories, and comparisons of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd
import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import display, tables, text
from pages.ui.charts import effects_predictions as pictures
from pages.ui.charts.effects_predictions import Curve
from pages.ui.effects import comparing, interacting, mean_words, tabled, words
from pages.ui.effects.comparing import Ddf
from pages.ui.effects.setting import MOST_LEVELS, Setting, stale_key
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
MOST_MEANS = 100
MOST_COMPARED = 30
MOST_EXACT = 12
MOST_WEIGHTS = 12
MOST_STEPS = 8
WEIGHTS = {"equal": "Equally", "proportional": "By their rows"}


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


def section(known: Setting) -> None:
    """Choose categories; their means as plot and table, and comparisons."""
    categories = [variable for variable in known.fixed if variable.kind == "category"]
    if not categories:
        st.info(
            "The model has no category among its predictors, so there are no group means to compare. Numbers "
            "have slopes; to take a number as categories, choose so on the Model page.",
            icon=":material/info:",
        )
        return
    asked = _choose(categories, known)
    count = _cells((*asked.terms, *asked.within))
    if count > MOST_MEANS:
        st.warning(f"That makes {count:,} means; at most {MOST_MEANS} can be read. Choose fewer categories.")
        return
    try:
        means = known.result.marginal_means(
            [*asked.names, *asked.moderators],
            asked.at,
            ddf=asked.ddf,
            level=known.level,
            weights=asked.weights,
        )
        _warn(known, asked)
        _show_means(known, asked, means)
        if count > 1:
            _compare(known, asked, means)
    except MixedCoreError as err:
        comparing.refused(err)


def _warn(known: Setting, asked: Asked) -> None:
    """Say where means average over something that changes what they compare."""
    seen = [*asked.names, *asked.moderators]
    others = [
        name
        for name in interacting.partners(known.result.model.design.fixed_terms, asked.names)
        if name not in seen
    ]
    said = interacting.warning(asked.names, others)
    if said:
        st.info(text.escape(said), icon=":material/info:")


def _cells(terms: Sequence[Variable]) -> int:
    count = 1
    for variable in terms:
        count *= len(variable.chosen())
    return count


def _choose(categories: Sequence[Variable], known: Setting) -> Asked:
    """The section's controls."""
    names = [variable.name for variable in categories]
    with st.grid(4, min_column_width=180):
        chosen = st.multiselect(
            "Means of",
            names,
            default=names[:1],
            max_selections=3,
            wrap=True,
            format_func=text.one_line,
            key=stale_key(known, "effects_means_of"),
            persist_state="session",
            help="One category, or the combinations of two or three.",
        )
        terms = tuple(known.named(name) for name in chosen or names[:1])
        within = _choose_within(terms, known)
        weights = st.selectbox(
            "Average other categories",
            list(WEIGHTS),
            format_func=WEIGHTS.__getitem__,
            key="effects_means_weights",
            persist_state="session",
            help="Equally: every combination of the other categories counts the same, as if the design were "
            "balanced (Searle, Speed & Milliken 1980). By their rows: as often as the data have them.",
        )
        ddf = comparing.choose_ddf("effects_means_ddf")
    return Asked(terms, within, ddf, weights)


def _choose_within(terms: Sequence[Variable], known: Setting) -> tuple[Variable, ...]:
    """Moderators, at each of whose levels the means are taken and compared."""
    taken = [variable.name for variable in terms]
    others = [variable.name for variable in known.fixed if variable.name not in taken]
    if not others:
        return ()
    changing = interacting.partners(known.result.model.design.fixed_terms, taken)
    others.sort(key=lambda name: name not in changing)
    chosen = st.multiselect(
        "At each level of",
        others,
        max_selections=3,
        placeholder="None",
        wrap=True,
        format_func=text.one_line,
        key=stale_key(known, f"effects_means_at_{taken}"),
        persist_state="session",
        help="Simple effects: means, and comparisons of them, at each level of one or more others. A number "
        "is taken at its mean, and one standard deviation below and above (Aiken & West 1991).",
    )
    return tuple(known.named(name) for name in chosen)


def _show_means(known: Setting, asked: Asked, means: pd.DataFrame) -> None:
    """Plot, table and words."""
    said = mean_words.means(means, [*asked.names, *asked.moderators], known.outcome, known.level)
    # The table of several variables needs the whole width.
    wide = len(asked.terms) + len(asked.within) > 1
    left, right = (st.container(), st.container()) if wide else st.columns(2, gap="large")
    with left:
        chart = replace(_picture(known, asked, means, said), message=said)
        display.chart(chart, "effects_means_chart")
    with right:
        table = tabled.estimates(means, "Mean", known.level, alt="Marginal means", name="marginal-means")
        tables.show(table, "effects_means", "Marginal means")
        st.caption(text.escape(how_made(known, asked)))


def how_made(known: Setting, asked: Asked) -> str:
    """What is averaged over, and where numbers stand."""
    others = [v for v in known.fixed if v.name not in (*asked.names, *asked.moderators)]
    factors = [text.shorten(v.name, 30) for v in others if v.kind == "category"]
    numbers = [f"{text.shorten(v.name, 30)} at {words.mean(v)}" for v in others if v.kind == "number"]
    how = "each combination counting the same" if asked.weights == "equal" else "as often as they occur"
    parts = [f"Averaged over {words.listed(factors)}, {how}." if factors else ""]
    parts += [f"Numbers at their mean: {words.listed(numbers)}." if numbers else ""]
    if known.scale is not None and known.scale.log is not None:
        parts.append("On the scale of the logarithm; a difference is the logarithm of a ratio.")
    elif known.scale is not None:
        parts.append("On the scale of the root.")
    parts.append(words.of_tests(asked.ddf))
    return " ".join(filter(None, parts)) or "For the average group."


def _picture(known: Setting, asked: Asked, means: pd.DataFrame, said: str) -> Any:
    """Points with intervals: the first category along, the others as colours."""
    first, rest = asked.names[0], [*asked.names[1:], *asked.moderators]
    levels = list(asked.terms[0].levels)[:MOST_LEVELS]
    numbers = means.rename(columns={"estimate": "fit"})
    parts = numbers.groupby(rest, sort=False, observed=True) if rest else [((), numbers)]
    curves = []
    for key, own in parts:
        name = _line_name(rest, key) or known.outcome
        placed = own.set_index(own[first].astype(str)).reindex([str(level) for level in levels])
        curves.append(Curve(name, levels, placed.reset_index(drop=True)))
    colours = f" Colours: {words.listed([text.shorten(name, 20) for name in rest])}." if rest else ""
    few = f" The first {MOST_LEVELS} levels are drawn." if len(asked.terms[0].levels) > MOST_LEVELS else ""
    chart = pictures.predictions(
        curves,
        None,
        names=(first, known.outcome),
        category=True,
        words=said,
        caption=f"Points are means, bars their {known.level:.0%} intervals.{colours}{few}",
        ink=display.ink(),
    )
    return pictures.titled(chart, "Means with intervals")


def _line_name(names: Sequence[str], levels: Sequence[Any]) -> str:
    """'Victory' of one category; of several, or of a number, with what they are: 'minority No, ses −0.41'."""
    if len(names) == 1:
        return words.label(names[0], levels[0])
    return ", ".join(f"{text.shorten(n, 20)} {words.value(v)}" for n, v in zip(names, levels, strict=True))


def _compare(known: Setting, asked: Asked, means: pd.DataFrame) -> None:
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
    why = too_many(_cells(asked.terms), method, adjust, len(asked.terms))
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
    comparing.show(found, WHAT[method], known.level, "effects_contrasts", TITLES[method])


def _together(known: Setting, asked: Asked, means: pd.DataFrame) -> None:
    """One test whether the means are equal; at each level of moderators, their simple effects."""
    if _cells(asked.terms) < 2:
        return
    found = known.result.joint_tests(means, by=asked.moderators, ddf=asked.ddf)
    what = words.listed([text.shorten(name, 30) for name in asked.names])
    if not asked.moderators:
        st.markdown(text.unbroken(text.escape(mean_words.together(found.iloc[0], _cells(asked.terms)))))
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
