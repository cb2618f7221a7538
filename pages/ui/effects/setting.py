"""What all sections of the Effects page work with: the fit, its rows, its variables, a chosen group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages.ui import state, text
from pages.ui.effects import predictions, variables, words
from pages.ui.effects.predictions import Scale
from pages.ui.effects.variables import Variable, Way
from pages.ui.results import fitview, picking

if TYPE_CHECKING:
    from mixedcore import MixedLMResults

MOST_LEVELS = 30
"""Categories drawn at once: more cannot be read side by side."""
MEAN_GROUP = "The average group"
MOST_MORE = 5
"""Groups beside the highlighted one: there are no more colours that can be told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """The fit and what is known of it; `scale` says how a transformed outcome goes back to its own units."""

    result: MixedLMResults
    rows: pd.DataFrame
    variables: list[Variable]
    outcome: str
    scale: Scale | None
    level: float

    def named(self, name: str) -> Variable:
        """A variable by its name."""
        return next(variable for variable in self.variables if variable.name == name)

    @property
    def fixed(self) -> list[Variable]:
        """The variables of the fixed part."""
        return [variable for variable in self.variables if variable.fixed]


@dataclass(frozen=True, slots=True, eq=False)
class Whose:
    """For whom a prediction is made: a row that stands for the group, and the random terms known of it.

    colour : place of its colour; 0 the average group's, 1 the highlighted one's on every page
    """

    name: str
    row: pd.DataFrame
    terms: tuple[str, ...] = ()
    mask: pd.Series | None = None
    colour: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """About whom is asked: the average group, the highlighted one if any, and who else could be."""

    everyone: Whose
    group: Whose | None
    way: Way | None = None
    labels: pd.Series | None = None


def setting(result: MixedLMResults, frame: pd.DataFrame, level: float) -> Setting:
    """What the page works with."""
    rows = variables.rows_of(result, frame)
    written = result.model.endog_names
    scale = predictions.scale_of(written)
    outcome = fitview.outcome_name(result)
    return Setting(result, rows, variables.variables(result, rows), outcome, scale, level)


def choose_scale(known: Setting, key: str) -> tuple[Scale | None, str]:
    """Whether to show a transformed outcome in its own units; the scale in use, and the outcome's name."""
    if known.scale is None:
        return None, known.outcome
    own = st.toggle(
        f"In units of {text.escape(text.shorten(known.scale.column))}",
        value=True,
        key=key,
        persist_state="session",
        help="The model is about a transformed outcome. In the outcome's own units a prediction is the "
        "median: half of such observations lie below it. The mean is a little higher.",
    )
    return (known.scale, known.scale.column) if own else (None, known.outcome)


def choose_whose(known: Setting, key: str) -> Asked:
    """The average group, and the highlighted group if there is one."""
    everyone = Whose(MEAN_GROUP, known.rows.iloc[[0]])
    ways = variables.ways(known.result, known.rows)
    if not ways:
        return Asked(everyone, None)
    way = _choose_way(ways, f"{key}_way")
    labels = variables.labels_of(way, known.rows)
    names = variables.in_order(labels)
    chosen = fitview.find_label(picking.choose_group(names, f"{key}_chosen"), names)
    known_here = chosen is not None and chosen in names
    group = _whose(known, way, labels, chosen, 1) if chosen is not None and known_here else None
    return Asked(everyone, group, way, labels)


def _whose(known: Setting, way: Way, labels: pd.Series, label: str, colour: int) -> Whose:
    mask = labels == label
    row = known.rows[mask.to_numpy()].iloc[[0]]
    return Whose(f"{way.grouping.name} {label}", row, way.terms, mask, colour)


def choose_more(known: Setting, asked: Asked, key: str) -> tuple[Whose, ...]:
    """Further groups beside the highlighted one, each in a colour that it keeps."""
    if asked.way is None or asked.labels is None:
        return ()
    way, names = asked.way, variables.in_order(asked.labels)
    own = asked.group.name if asked.group else ""
    others = [name for name in names if f"{way.grouping.name} {name}" != own]
    if not others:
        return ()
    places = picking.choose_several(others, key, way.grouping.name, MOST_MORE)
    return tuple(
        _whose(known, way, asked.labels, label, 2 + place)
        for place, label in enumerate(places)
        if label is not None and label in others
    )


def _choose_way(ways: Sequence[Way], key: str) -> Way:
    """By which columns groups are told apart; hidden when there is no choice."""
    chosen = picking.choose_grouping([way.grouping for way in ways], key)
    return next(way for way in ways if way.grouping == chosen)


def hold(variable: Variable, key: str) -> Any:
    """A box for the value at which a variable is held."""
    name = text.escape(text.shorten(variable.name))
    if variable.kind == "category":
        return choose_category(variable, name, key)
    if variable.kind == "date":
        chosen = st.date_input(name, value=variable.middle, key=key, persist_state="session")
        return pd.Timestamp(chosen) if chosen is not None else variable.middle
    given = st.number_input(
        name,
        value=None,
        placeholder=f"mean: {words.mean(variable)}",
        step=variable.step,
        key=key,
        persist_state="session",
    )
    return variable.mean if given is None else float(given)


def choose_category(variable: Variable, name: str, key: str) -> Any:
    """A box of a variable's categories."""
    chosen = st.selectbox(
        name,
        range(len(variable.levels)),
        format_func=lambda place: words.value(variable.levels[place]),
        key=key,
        persist_state="session",
    )
    return variable.levels[chosen or 0]


def stale_key(known: Setting, key: str) -> str:
    """A widget's key that changes with the data and the model, so that no value of another one stays."""
    data, call = state.data(), state.call()
    return f"{key}_{abs(hash((data.digest if data else '', call, known.outcome))):x}"
