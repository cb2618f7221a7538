"""The grouping structure in plain words, with the labels of the data themselves. Pure; Markdown comes out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pages.ui.data.nesting import Factor, Pair, Recurrence, Structure
from pages.ui.data.nesting_model import SAME, Answers, Plan
from pages.ui.numbers import share
from pages.ui.text import escape, listing, shorten


def bold(name: object) -> str:
    """A column's name, inert and strong."""
    return f"**{escape(shorten(name))}**"


def median(counts: np.ndarray) -> str:
    """The middle of some counts: whole, or with a half."""
    return f"{float(np.median(counts)):,.1f}".removesuffix(".0")


def sizes(factor: Factor) -> str:
    """How many groups a column makes and how large they are."""
    rows, levels = factor.sizes, factor.levels
    if factor.names_rows:
        return f"{bold(factor.name)} is different in each of {levels:,} rows: it names rows, not groups."
    low, high = int(rows.min()), int(rows.max())
    said = f"{bold(factor.name)}: {levels:,} groups"
    each, spread = f" of {low:,} rows each", f" of {low:,} to {high:,} rows (median {median(rows)})"
    said += each if low == high else spread
    single = int((rows == 1).sum())
    if single:
        said += f"; {single:,} with a single row" if single > 1 else "; one with a single row"
    if factor.missing:
        said += f"; {factor.missing:,} rows have no label"
    return said + "."


def relations(structure: Structure, answers: Answers) -> Iterator[str]:
    """One sentence for each column and what it lies in or crosses."""
    for place, name in enumerate(structure.names):
        if structure.factor(name).names_rows:
            continue
        parent = structure.parent(name)
        if parent is not None:
            yield _inside(structure.pairs[name, parent], name, parent)
        for other in structure.names[:place]:
            if structure.factor(other).names_rows:
                continue
            relation = structure.relation(name, other)
            if relation == "same":
                yield f"{bold(name)} and {bold(other)} make the same groups under two names."
            elif relation in ("crossed", "partly") and answers.get(name, SAME) == SAME:
                yield _crossed(structure.pairs[name, other], name, other)
            elif answers.get(name) == other:
                yield _own(structure.pairs[name, other], name, other)


def _inside(pair: Pair, inner: str, outer: str) -> str:
    return (
        f"{bold(inner)} is nested in {bold(outer)}: each label lies in one group only, "
        f"{_range(pair.ones_of_other)} in each {escape(shorten(outer))}."
    )


def _own(pair: Pair, inner: str, outer: str) -> str:
    return (
        f"{bold(inner)} is nested in {bold(outer)}, its labels coming again: "
        f"{len(pair.count):,} different ones in all, {_range(pair.ones_of_other)} in each "
        f"{escape(shorten(outer))}."
    )


def _crossed(pair: Pair, one: str, other: str) -> str:
    if pair.relation == "crossed":
        how = "all" if pair.filled == 1 else share(pair.filled)
        return (
            f"{bold(one)} and {bold(other)} are crossed: {how} of the {pair.possible:,} combinations occur, "
            f"{_range(pair.count, 'row', 'rows')} each."
        )
    said = (
        f"{bold(one)} and {bold(other)} are partly crossed: {len(pair.count):,} of {pair.possible:,} "
        f"combinations occur ({share(pair.filled)})."
    )
    for names, spread in (((one, other), pair.others_of_one), ((other, one), pair.ones_of_other)):
        several = int((spread > 1).sum())
        if 0 < several <= 0.2 * len(spread):
            return said + (
                f" {len(spread) - several:,} of {len(spread):,} {escape(shorten(names[0]))} lie in one "
                f"{escape(shorten(names[1]))} only and {several:,} in several, as when some move."
            )
    return said


def _range(counts: np.ndarray, one: str = "", many: str = "") -> str:
    low, high = int(counts.min()), int(counts.max())
    unit = f" {one if high == 1 else many}" if many else ""
    if low == high:
        return f"{low:,}{unit}"
    return f"{low:,} to {high:,}{unit} (median {median(counts)})"


def question(found: Recurrence) -> str:
    """The label trap with the data's own labels."""
    name, group = escape(shorten(found.name)), escape(shorten(found.group))
    label = escape(shorten(found.label))
    return (
        f"“{label}” occurs in {found.groups:,} of {found.all_groups:,} groups of {bold(found.group)}. "
        f"Is it one {name} that they share, or another {name} in each {group}?"
    )


def evidence(found: Recurrence) -> str:
    """What speaks for either answer; labels alone never decide it."""
    name, group = escape(shorten(found.name)), escape(shorten(found.group))
    if found.identified_by:
        return (
            f"{bold(found.identified_by)} has a label of its own for each combination of the two, which "
            f"speaks for another {name} in each {group}."
        )
    if found.begins_again:
        return (
            f"A {group} has {found.fewest:,} to {found.most:,} of them, and they begin again with the first "
            f"label each time, which speaks for another {name} in each {group}."
        )
    if found.filled == 1:
        return (
            f"Every {group} has the same {found.levels:,} labels. So it is with treatments, items or years, "
            "which are the same everywhere, and with numbers that start again in each group."
        )
    return "The labels alone do not tell."


def answer(name: str, choice: str) -> str:
    """An answer as a button says it; for a widget's label."""
    if choice == SAME:
        return "The same everywhere"
    return f"Another in each {escape(shorten(choice, 24))}"


def consequence(plan: Plan) -> str:
    """What the model would be, in words."""
    names = [unit.name for unit in plan.units if unit.name != plan.groups]
    if not plan.units:
        return "None of these columns groups the rows."
    if plan.groups:
        components = "a variance component" if len(names) == 1 else "variance components"
        within = f", and within them {listing(names)} as {components}" if names else ""
        return f"In a model: groups by {bold(plan.groups)}{within}."
    return (
        f"In a model: {listing(names)} side by side, each with a variance of its own, for none of them holds "
        "the others."
    )


def left_out(plan: Plan) -> Iterator[str]:
    """Columns that are no level, and why."""
    for name, why in plan.left.items():
        yield f"{bold(name)} {escape(why)}: not a level of the model."
