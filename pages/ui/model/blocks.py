"""The widgets for several grouping factors: a card each, with what differs between its groups."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui import state, text
from pages.ui.model import block_changes, roles, support
from pages.ui.model.choices import Block, Correlation, as_blocks
from pages.ui.model.form import AS_TYPED, Form, explain_lock, options
from pages.ui.model.random_part import merged, slope_column, unique
from pages.ui.numbers import figures

TOGETHER: dict[Correlation, str] = {"together": "Correlated", "apart": "Independent", "split": "In parts"}
TOGETHER_HELP = (
    "Correlated: for example, groups that start higher rise faster. Independent: no such links, which needs "
    "fewer parameters. In parts: correlated within a part, independent between parts."
)
LEVEL_NAME = "Level (intercept)"


def cards(form: Form) -> None:
    """Every grouping factor with its controls."""
    explain_lock(form, "bars")
    if form.locked("bars"):
        return
    for position, block in enumerate(form.choices.blocks):
        with st.container(border=True, gap="small"):
            _card(form, position, block)


def adder(form: Form) -> None:
    """A button for one more grouping factor."""
    used = {name for block in form.choices.blocks for name in block.factor} | {form.choices.groups}
    used |= {row.factor or row.column for row in form.choices.components}
    able = [name for name in labels(form, []) if name not in used]
    able.sort(key=lambda name: likely(form, name), reverse=True)
    best = next((name for name in able if not _grouped_so(form, name)), "")
    st.button(
        "Add a grouping factor",
        key="model_block_add",
        icon=":material/add:",
        disabled=not best or any(form.locked(part) for part in ("bars", "re_formula", "vc_formula")),
        on_click=block_changes.add_block,
        args=(best,),
        help="Groups that cross the ones above or lie inside them, with a level and slopes of their own: "
        "students and teachers, classes and schools."
        if best
        else "No other column has labels that repeat.",
    )


def opener(form: Form) -> None:
    """A button that gives every grouping of the model a card of its own."""
    found, lost = as_blocks(form.choices, roles.texts(form.columns))
    if lost or len(merged(found)) < 2 or form.locked("re_formula") or form.locked("vc_formula"):
        return
    st.button(
        "Allow slopes in each",
        key="model_block_open",
        icon=":material/call_split:",
        type="tertiary",
        on_click=block_changes.open_blocks,
        help="Makes each grouping a factor of its own, as lme4 writes them: the same model, but each may now "
        "have correlated slopes.",
    )


def _grouped_so(form: Form, name: str) -> bool:
    """Whether a column groups the rows exactly as the model does already."""
    chosen, top = form.choices, [form.choices.groups] if form.choices.groups else []
    paths = [list(block.factor) for block in chosen.blocks] or ([top] if top else [])
    paths += [[*top, row.column] for row in chosen.components if row.kind == "factor"]
    return any(support.same_groups(form.data, path, [name]) for path in paths)


def likely(form: Form, name: str) -> float:
    """How likely the column names groups."""
    column = form.column(name)
    return roles.group_score(column) if column else 0.0


def labels(form: Form, chosen: list[str]) -> list[str]:
    """Columns whose labels can be groups."""
    return options(form, roles.not_group, chosen, {form.choices.outcome})


def _card(form: Form, position: int, block: Block) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            f"Groups {position + 1} (grouping factor)",
            labels(form, list(block.factor)),
            wrap=True,
            help="One column; or several, from the outer groups to the inner ones, when labels repeat: "
            "school and class for classes in schools.",
            **_bound(position, "factor", list(block.factor), block_changes.change_factor),
        )
        st.button(
            "Remove",
            key=f"model_block_{position}_remove",
            icon=":material/delete:",
            type="tertiary",
            on_click=block_changes.remove_block,
            args=(position,),
        )
    _about(form, block)
    st.toggle(
        "Groups differ in their level (random intercept)",
        **_bound(position, "intercept", block.intercept, block_changes.change_intercept),
        disabled=block.intercept and not block.slopes,
    )
    st.multiselect(
        "Effects that differ between groups (random slopes)",
        slope_options(form, block.factor, block.slopes),
        format_func=form.choices.slope_label,
        placeholder=AS_TYPED if form.locked("bars") else "None",
        wrap=True,
        **_bound(position, "slopes", list(block.slopes), block_changes.change_slopes),
    )
    slopes_not_offered(form, block.factor, block.slopes)
    _arrangement(form, position, block)


def _bound(position: int, field: str, value: object, change: Any) -> dict[str, Any]:
    key = state.show(f"model_block_{position}_{field}", value)
    return {"key": key, "on_change": change, "args": (position, key)}


def _about(form: Form, block: Block) -> None:
    """How many groups there are, and what stands against them."""
    count = support.levels(form.data, block.factor)
    reason = support.not_varying_groups(form.data, block.factor)
    if reason:
        name = text.listing([" in ".join(reversed(block.factor))])
        st.warning(f"{name} {reason}. Choose other groups or remove them.", icon=":material/info:")
    else:
        rows = len(form.data.frame) / max(count, 1)
        st.caption(f"{count:,} groups, {figures(rows, 3)} rows each on average.")


def _arrangement(form: Form, position: int, block: Block) -> None:
    """How the effects of a group go together."""
    size = block.intercept + len(block.slopes)
    if size < 2:
        return
    kinds: list[Correlation] = ["together"]
    if not any(form.choices.several_columns(name) for name in block.slopes):
        kinds.append("apart")  # a category beside its groups' level would say the same twice
    if size > 2:
        kinds.append("split")
    st.segmented_control(
        "Level and slopes of a group",
        kinds if block.correlation in kinds else [*kinds, block.correlation],
        format_func=TOGETHER.__getitem__,
        required=True,
        help=TOGETHER_HELP,
        **_bound(position, "correlation", block.correlation, block_changes.change_correlation),
    )
    if block.correlation == "split":
        _parts(form, position, block)


def _parts(form: Form, position: int, block: Block) -> None:
    """Which effects are in which correlated part."""
    every = [*([block_changes.LEVEL] if block.intercept else []), *block.slopes]
    sets = [block_changes.members(each) for each in block.sets]
    for place, own in enumerate([*sets, *([[]] if len(sets) < len(every) else [])]):
        key = state.show(f"model_block_{position}_part_{place}", own)
        st.multiselect(
            f"Part {place + 1}",
            every,
            format_func=lambda name: form.choices.slope_label(name) if name else LEVEL_NAME,
            placeholder="Nothing yet: choose effects to move them here",
            wrap=True,
            key=key,
            on_change=block_changes.change_set,
            args=(position, place, key),
        )


def slope_options(form: Form, path: tuple[str, ...], chosen: tuple[str, ...]) -> list[str]:
    """Columns that vary within the groups, each with its terms among the predictors, and whatever is chosen
    already."""
    used = unique(map(slope_column, chosen))
    able = options(form, roles.not_predictor, used, {form.choices.outcome, *path})
    vary = support.varying(form.data, able, path)
    terms: dict[str, list[str]] = {}
    for term in form.choices.slope_terms():
        terms.setdefault(slope_column(term), []).append(term)
    offered = [term for name in able if name in vary or name in used for term in terms.get(name, [name])]
    return [*offered, *(name for name in chosen if name not in offered)]


def is_category(form: Form, slope: str) -> bool:
    """Whether a slope is of a column that is no number."""
    column = form.column(slope_column(slope))
    return column is not None and column.kind != "number"


def slopes_not_offered(form: Form, path: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    """Say which predictors cannot have a slope, and which of those chosen show nothing."""
    chosen = unique(map(slope_column, chosen))
    chosen_fixed = [name for name in form.choices.fixed if name not in path]
    vary = support.varying(form.data, [*chosen_fixed, *chosen], path)
    still = [name for name in chosen if name not in vary and form.column(name)]
    never = [name for name in chosen_fixed if name not in vary and name not in chosen and form.column(name)]
    if never:
        st.caption(f"Not offered as slopes: {text.listing(never)}, the same in all rows of a group.")
    absent = [name for name in chosen if name not in form.choices.fixed]
    if absent and not form.locked("formula"):
        verb = "is" if len(absent) == 1 else "are"
        st.caption(f"{text.listing(absent)} {verb} not among the predictors, so the slopes vary around zero.")
    if still:
        st.warning(
            f"{text.listing(still)} never varies within a group, so no group shows an effect of its own. "
            "Remove the slope.",
            icon=":material/info:",
        )
