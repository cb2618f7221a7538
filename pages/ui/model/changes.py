"""What a change on the Model page does to the call: the callbacks of its widgets and text fields."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from pages.ui import fitting, state, text
from pages.ui.data.dataset import Dataset
from pages.ui.model import builder, roles, spelling
from pages.ui.model.builder import Part, Reading
from pages.ui.model.choices import Choices, Component
from pages.ui.model.lme4 import UntranslatableError, to_mixedlm
from pages.ui.model.modelcall import WHOLE_DATA, ModelCall, has_bars
from pages.ui.model.random_part import slope_column, with_lower
from pages.ui.model.spelling import Spelled

KEPT_BARS = "The random effects were kept: a mixed model needs some. Change them below, or type others."


def interactions_of(choices: Choices) -> list[Any]:
    """The value of the interactions widget: 'two-way', 'all' or single ones."""
    return list(choices.interactions) if choices.crossing == "none" else [choices.crossing]


def choose(field: str, key: str) -> None:
    """A widget changed: one field of the choices takes its value."""
    apply(lambda choices: CHANGES.get(field, _plain(field))(choices, state.shown(key)))


def reading_of(call: ModelCall, data: Dataset) -> Reading:
    """The call as far as the widgets can show it."""
    columns = fitting.profiled(data.digest, data.frame)
    return builder.read(call, [column.name for column in columns], roles.texts(columns))


def apply(change: Callable[[Choices], Choices]) -> None:
    """Write the changed choices; what was typed beyond the widgets stays."""
    call, data = state.call(), state.data()
    if call is None or data is None:
        return
    reading = reading_of(call, data)
    state.set_remark("")
    state.set_call(builder.write(replace(reading, choices=change(reading.choices)), call))


def _plain(field: str) -> Callable[[Choices, Any], Choices]:
    def put(choices: Choices, value: Any) -> Choices:
        change: dict[str, Any] = {field: tuple(value) if isinstance(value, list) else value}
        return replace(choices, **change)

    return put


def _outcome(choices: Choices, value: str) -> Choices:
    """A new outcome explains nothing: it leaves the predictors and slopes."""
    if value in choices.predictors:
        state.set_remark(f"{text.escape(value)} is the outcome now, so it no longer is a predictor.")
    blocks = (
        block.with_effects(block.intercept, (name for name in block.slopes if slope_column(name) != value))
        for block in choices.blocks
    )
    return replace(
        choices,
        outcome=value,
        outcome_transform="none",
        fixed=tuple(name for name in choices.fixed if name != value),
        slopes=tuple(name for name in choices.slopes if slope_column(name) != value),
        blocks=tuple(blocks),
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
        slopes=tuple(name for name in choices.slopes if slope_column(name) != value),
        components=tuple(row for row in choices.components if value not in (row.column, row.factor)),
    )


def _interactions(choices: Choices, value: list[Any]) -> Choices:
    """'Every pair' and 'every combination' contain any other; of the two, the last chosen counts.

    A new interaction of three brings the pairs within it, without which it would mean something else.
    """
    single = [item for item in value if not isinstance(item, str)]
    whole: list[Any] = [item for item in value if isinstance(item, str)]
    if whole:
        return replace(choices, interactions=(), crossing=whole[-1])
    new = [item for item in single if item not in choices.interactions]
    inside = [part for item in new for size in range(2, len(item)) for part in combinations(item, size)]
    missing = [" × ".join(part) for part in dict.fromkeys(inside) if part not in single]
    if missing and choices.crossing == "none":
        state.set_remark(f"{text.listing(missing)} came with it: an interaction of three needs its pairs.")
    return replace(choices, interactions=(*single, *inside), crossing="none")


def _categorical(choices: Choices, value: list[str]) -> Choices:
    """Numbers marked as categories; text with a coding of its own keeps its mark."""
    data = state.data()
    texts = set(roles.texts(fitting.profiled(data.digest, data.frame))) if data else set()
    marked = [name for name in choices.categorical if name in texts]
    return replace(choices, categorical=(*value, *marked))


def _subset(choices: Choices, value: str) -> Choices:
    return replace(choices, subset=value.strip())


CHANGES: Mapping[str, Callable[[Choices, Any], Choices]] = {
    "slopes": lambda choices, value: replace(choices, slopes=with_lower(value, choices.slopes)),
    "outcome": _outcome,
    "categorical": _categorical,
    "subset": _subset,
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

    apply(add)


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
        if position >= len(rows):  # a widget of a component that another change took away
            return choices
        rows[position] = replace(rows[position], **{field: state.shown(key)})
        return replace(choices, components=tuple(rows))

    apply(change)


def change_kind(position: int, key: str, factor: str, slope: str) -> None:
    """Another kind of component, of the columns `factor` and `slope` to begin with."""

    def change(choices: Choices) -> Choices:
        rows = list(choices.components)
        if position >= len(rows):
            return choices
        kind = state.shown(key)
        column = factor if kind == "factor" else slope
        rows[position] = replace(rows[position], kind=kind, column=column, factor=factor)
        return replace(choices, components=tuple(rows))

    apply(change)


def remove_component(position: int) -> None:
    """Take the component at `position` away."""

    def remove(choices: Choices) -> Choices:
        rows = [row for place, row in enumerate(choices.components) if place != position]
        return replace(choices, components=tuple(rows))

    apply(remove)


# --- text typed by hand --------------------------------------------------------------------------


def type_formula(key: str) -> None:
    """The formula as typed; kept even when it is wrong. Random effects in bars replace the other parts."""
    typed = _spelled(key)
    if has_bars(typed.text):
        type_bars(key)
    else:
        _type(lambda call: replace(in_groups(call), formula=typed.text), typed.said)


def type_bars(key: str) -> None:
    """The formula in lme4's notation, as typed; without bars only its fixed part can be meant."""
    typed = _spelled(key)

    def put(call: ModelCall) -> ModelCall:
        if has_bars(typed.text):
            return replace(call, formula=typed.text, groups=WHOLE_DATA, re_formula=None, vc_formula=())
        bars = builder.texts_of(call)[1]
        if bars and typed.text.strip():
            return replace(call, formula=f"{typed.text} + {bars}")
        new, data = replace(call, formula=typed.text), state.data()
        return _without_bars(new, data) if call.in_bars and data else new

    call = state.call()
    kept = (KEPT_BARS,) if call and call.in_bars and not has_bars(typed.text) else ()
    _type(put, (*typed.said, *kept))


def type_random(key: str) -> None:
    """The random part as typed; empty is none."""
    typed = _spelled(key)
    _type(
        lambda call: replace(in_groups(call), re_formula=typed.text if typed.text.strip() else None),
        typed.said,
    )


def type_component(position: int, key: str) -> None:
    """The formula of one component as typed; emptied, the component goes away."""
    typed = _spelled(key)

    def put(call: ModelCall) -> ModelCall:
        call = in_groups(call)
        rows = list(call.vc_formula)
        rows[position : position + 1] = [(rows[position][0], typed.text)] if typed.text.strip() else []
        return replace(call, vc_formula=tuple(rows))

    _type(put, typed.said)


def _spelled(key: str) -> Spelled:
    """What was typed, in the formula language."""
    data = state.data()
    return spelling.spelled(state.shown(key), [str(name) for name in data.frame.columns] if data else [])


def in_groups(call: ModelCall) -> ModelCall:
    """The call in `mixedlm` notation where it has an equal there, else as it is."""
    data = state.data()
    try:
        return to_mixedlm(call, roles.texts(fitting.profiled(data.digest, data.frame))) if data else call
    except UntranslatableError:
        return call


def _type(put: Callable[[ModelCall], ModelCall], said: Sequence[str] = ()) -> None:
    call = state.call()
    if call is not None:
        state.set_remark(text.escape(" ".join(said)))
        state.set_call(put(call))


def unlock(part: Part) -> None:
    """Put back the text of a part that the widgets last expressed, or their beginning."""
    call, data = state.call(), state.data()
    if call is None or data is None:
        return
    if part == "bars":
        call, part = _without_bars(call, data), "re_formula"
    beginning = builder.to_call(reading_of(call, data).choices)
    for source in (state.readable_call(), beginning, first_call()):
        tried = _with_part(call, source, part)
        if part not in reading_of(tried, data).unread:
            state.set_remark("")
            state.set_call(tried)
            return


def _with_part(call: ModelCall, source: ModelCall | None, part: Part) -> ModelCall:
    """The call with this part of another one; of a formula its fixed part, for bars stay."""
    if source is None:
        return call
    if part != "formula":
        return replace(call, **{part: getattr(source, part)})
    fixed, bars = builder.texts_of(source)[0], builder.texts_of(call)[1]
    return replace(call, formula=f"{fixed} + {bars}" if bars else fixed)


def _without_bars(call: ModelCall, data: Dataset) -> ModelCall:
    """The fixed part alone, grouped as the widgets last knew or as the data suggest."""
    names = {str(name) for name in data.frame.columns}
    known = (source for source in (state.readable_call(), first_call()) if source and source.groups in names)
    groups = next((source.groups for source in known), WHOLE_DATA)
    return replace(call, formula=builder.texts_of(call)[0], groups=groups)


def note_readable(call: ModelCall, unread: Container[str]) -> None:
    """Remember the text of every part that the widgets can express."""
    last = state.readable_call() or call
    parts = [part for part in ("formula", "re_formula", "vc_formula") if part not in unread]
    known = replace(last, **{part: getattr(call, part) for part in parts})
    state.set_readable_call(replace(known, groups=call.groups or last.groups))


# --- the beginning -------------------------------------------------------------------------------


def first_call() -> ModelCall | None:
    """The model that the present data start from; None when no column can be an outcome."""
    data = state.data()
    choices = roles.guess(fitting.profiled(data.digest, data.frame)) if data else None
    return builder.to_call(choices) if choices else None
