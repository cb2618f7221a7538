"""Which predictors change the effect of others, read from the terms of the fixed part. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mixedcore.formula import formula_columns
from pages.ui import text
from pages.ui.effects import words


def partners(terms: Sequence[str], names: Sequence[str]) -> list[str]:
    """The columns that stand in a product with one of `names`, in the order of the formula.

    terms : names of the fixed part's terms, such as 'Time:Diet'
    """
    own, found = set(names), dict[str, None]()
    for term in terms:
        columns = set(formula_columns(term))
        if columns & own:
            found.update(dict.fromkeys(sorted(columns - own)))
    return list(found)


def warning(names: Sequence[str], others: Sequence[str]) -> str:
    """What means that are averaged over such others leave out; '' where there are none."""
    if not others:
        return ""
    what, by = (words.listed([text.shorten(name, 30) for name in each]) for each in (names, others))
    changes = "changes" if len(others) == 1 else "change"
    return (
        f"{by} {changes} the effect of {what} (interaction), so these averages may hold nowhere in "
        f"particular. Take {by} under “At each level of”."
    )
