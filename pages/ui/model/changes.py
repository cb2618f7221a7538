"""What a change on the Model page does to the call: the callbacks of its widgets and text fields."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import Any

from pages.ui import fitting, state, text
from pages.ui.model import builder, roles
from pages.ui.model.builder import Part
from pages.ui.model.choices import Choices, Component
from pages.ui.model.modelcall import WHOLE_DATA, ModelCall


def interactions_of(choices: Choices) -> list[Any]:
    """The value of the interactions widget: 'two-way', 'all' or pairs."""
    return list(choices.pairs) if choices.crossing == "none" else [choices.crossing]


def choose(field: str, key: str) -> None:
    """A widget changed: one field of the choices takes its value."""
    _apply(lambda choices: CHANGES.get(field, _plain(field))(choices, state.shown(key)))


def _apply(change: Callable[[Choices], Choices]) -> None:
    """Write the changed choices; what was typed beyond the widgets stays."""
    call, data = state.call(), state.data()
    if call is None or data is None:
        return
    reading = builder.read(call, [str(name) for name in data.frame.columns])
    state.set_remark("")
    state.set_call(builder.write(replace(reading, choices=change(reading.choices)), call))


def _plain(field: str) -> Callable[[Choices, Any], Choices]:
    def put(choices: Choices, value: Any) -> Choices:
        change: dict[str, Any] = {field: tuple(value) if isinstance(value, list) else value}
        return replace(choices, **change)

    return put


def _outcome(choices: Choices, value: str) -> Choices:
    """A new outcome explains nothing: it leaves the predictors and slopes."""
    if value in choices.fixed + choices.slopes:
        state.set_remark(f"{text.escape(value)} is the outcome now, so it no longer is a predictor.")
    return replace(
        choices,
        outcome=value,
        fixed=tuple(name for name in choices.fixed if name != value),
        slopes=tuple(name for name in choices.slopes if name != value),
    )


def _groups(choices: Choices, value: str) -> Choices:
    """All rows together have no level of their own; groups begin with one and explain nothing else."""
    if value == WHOLE_DATA:
        if choices.slopes:
            state.set_remark("Without groups there are no slopes by group; they were taken out.")
        return replace(choices, groups=value, random_intercept=False, slopes=())
    if value in choices.fixed:
        state.set_remark(f"{text.escape(value)} groups the rows now, so it no longer is a predictor.")
    return replace(
        choices,
        groups=value,
        random_intercept=choices.random_intercept or choices.groups == WHOLE_DATA,
        fixed=tuple(name for name in choices.fixed if name != value),
        slopes=tuple(name for name in choices.slopes if name != value),
        components=tuple(row for row in choices.components if value not in (row.column, row.factor)),
    )


def _interactions(choices: Choices, value: list[Any]) -> Choices:
    """'Every pair' and 'every combination' contain any pair; of the two, the last chosen counts."""
    pairs = tuple(item for item in value if not isinstance(item, str))
    whole: list[Any] = [item for item in value if isinstance(item, str)]
    if not whole:
        return replace(choices, pairs=pairs, crossing="none")
    return replace(choices, pairs=(), crossing=whole[-1])


CHANGES: Mapping[str, Callable[[Choices, Any], Choices]] = {
    "outcome": _outcome,
    "groups": _groups,
    "interactions": _interactions,
}


# --- variance components -------------------------------------------------------------------------


def add_component(column: str) -> None:
    """A new variance component, of the levels of `column`."""

    def add(choices: Choices) -> Choices:
        names = {name for name, _ in builder.to_call(choices).vc_formula}
        row = Component(_free_name(column, names), "factor", column)
        return replace(choices, components=(*choices.components, row))

    _apply(add)


def _free_name(wanted: str, names: set[str]) -> str:
    """`wanted`, or with a number when there is one of that name."""
    number = 1
    name = wanted
    while name in names:
        number += 1
        name = f"{wanted} {number}"
    return name


def change_component(position: int, field: str, key: str) -> None:
    """One field of the component at `position` takes the value of its widget."""

    def change(choices: Choices) -> Choices:
        rows = list(choices.components)
        rows[position] = replace(rows[position], **{field: state.shown(key)})
        return replace(choices, components=tuple(rows))

    _apply(change)


def change_kind(position: int, key: str, factor: str, slope: str) -> None:
    """Another kind of component, of the columns `factor` and `slope` to begin with."""

    def change(choices: Choices) -> Choices:
        rows = list(choices.components)
        kind = state.shown(key)
        column = factor if kind == "factor" else slope
        rows[position] = replace(rows[position], kind=kind, column=column, factor=factor)
        return replace(choices, components=tuple(rows))

    _apply(change)


def remove_component(position: int) -> None:
    """Take the component at `position` away."""

    def remove(choices: Choices) -> Choices:
        rows = [row for place, row in enumerate(choices.components) if place != position]
        return replace(choices, components=tuple(rows))

    _apply(remove)


# --- text typed by hand --------------------------------------------------------------------------


def type_formula(key: str) -> None:
    """The formula as typed; kept even when it is wrong."""
    _type(lambda call, typed: replace(call, formula=typed), key)


def type_random(key: str) -> None:
    """The random part as typed; empty is none."""
    _type(lambda call, typed: replace(call, re_formula=typed if typed.strip() else None), key)


def type_component(position: int, key: str) -> None:
    """The formula of one component as typed; emptied, the component goes away."""

    def put(call: ModelCall, typed: str) -> ModelCall:
        rows = list(call.vc_formula)
        rows[position : position + 1] = [(rows[position][0], typed)] if typed.strip() else []
        return replace(call, vc_formula=tuple(rows))

    _type(put, key)


def _type(put: Callable[[ModelCall, str], ModelCall], key: str) -> None:
    call = state.call()
    if call is not None:
        state.set_remark("")
        state.set_call(put(call, state.shown(key)))


def unlock(part: Part) -> None:
    """Put back the text of a part that the widgets last expressed, or their beginning."""
    call, data = state.call(), state.data()
    if call is None or data is None:
        return
    names = [str(name) for name in data.frame.columns]
    beginning = builder.to_call(builder.read(call, names).choices)
    for source in (state.readable_call(), beginning, first_call()):
        tried = replace(call, **{part: getattr(source, part)}) if source else call
        if part not in builder.read(tried, names).unread:
            state.set_remark("")
            state.set_call(tried)
            return


def note_readable(call: ModelCall, unread: Container[str]) -> None:
    """Remember the text of every part that the widgets can express."""
    last = state.readable_call() or call
    parts = [part for part in ("formula", "re_formula", "vc_formula") if part not in unread]
    state.set_readable_call(replace(last, **{part: getattr(call, part) for part in parts}))


# --- the beginning -------------------------------------------------------------------------------


def first_call() -> ModelCall | None:
    """The model that the present data start from; None when no column can be an outcome."""
    data = state.data()
    choices = roles.guess(fitting.profiled(data.digest, data.frame)) if data else None
    return builder.to_call(choices) if choices else None
