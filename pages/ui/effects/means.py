"""The third section of the Effects page: marginal means of categories, and comparisons of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import display, tables, text
from pages.ui.charts import effects_predictions as pictures
from pages.ui.charts.effects_predictions import Curve
from pages.ui.effects import comparing, interacting, mean_comparisons, mean_words, tabled, words
from pages.ui.effects.mean_comparisons import Asked, count_of
from pages.ui.effects.setting import MOST_LEVELS, Setting, stale_key
from pages.ui.effects.variables import Variable

MOST_MEANS = 100
WEIGHTS = {"equal": "Equally", "proportional": "By their rows"}


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
    count = count_of((*asked.terms, *asked.within))
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
            mean_comparisons.compare(known, asked, means)
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
