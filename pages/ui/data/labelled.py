"""Columns whose codes have labels, and columns that are categories already. Pure.

The levels keep the order of their codes. A column of which only some values have labels, such as a scale
from 1 = never to 7 = always, stays a number unless a category is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from pages.ui.data.readers.base import Code, Labels, code_text


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A labelled column.

    guessed : what it is unless set by hand; None leaves that to its codes
    values  : its levels by name, codes that stand for missing left out
    by_code : how often each text that stands for a missing value occurred
    note    : why it is not taken by its labels, '' when it is
    """

    guessed: Literal["category", "ordered"] | None
    values: pd.Series
    by_code: dict[str, int]
    note: str = ""


def labelled(codes: pd.Series, labels: Labels, missing: Sequence[str], *, by_codes: bool) -> Labelled:
    """A column by its labels; codes without one by themselves. `by_codes`: codes were asked for."""
    names: dict[Code, str] = dict(labels.pairs)
    present = sorted(codes.dropna().unique().tolist())
    level = {code: names.get(code, code_text(code)) for code in present}
    counts = codes.value_counts()
    by_code = {
        text: int(counts[code])
        for code, label in level.items()
        for text in [next((t for t in (code_text(code), label) if t in missing), None)]
        if text is not None
    }
    kept = [code for code in present if not {code_text(code), level[code]} & set(missing)]
    bare = [code for code in kept if code not in names]
    values = pd.Series(
        pd.Categorical(codes.where(codes.isin(kept)), categories=kept), index=codes.index, name=codes.name
    )
    values = values.cat.rename_categories({code: level[code] for code in kept})
    if bare or not kept:
        return Labelled(None, values, by_code, _partly(labels) if kept and not by_codes else "")
    guessed: Literal["category", "ordered"] = "ordered" if labels.ordered else "category"
    return Labelled(None if by_codes else guessed, values, by_code)


def _partly(labels: Labels) -> str:
    shown = ", ".join(f"{code_text(code)} = {label[:40]}" for code, label in labels.pairs[:5])
    more = ", …" if len(labels.pairs) > 5 else ""
    return f"Only some of its values have labels ({shown}{more}), so it was taken as it is."


def as_kind(values: pd.Series, kind: Literal["category", "ordered"]) -> pd.Series:
    """A categorical column with its levels in order or not."""
    return values.cat.as_ordered() if kind == "ordered" else values.cat.as_unordered()


def without_levels(values: pd.Series, missing: Sequence[str]) -> tuple[pd.Series, dict[str, int]]:
    """A categorical column without the levels that stand for a missing value, and how often each did."""
    gone = [level for level in values.cat.categories if str(level) in missing]
    counts = values.value_counts()
    by_code = {str(level): int(counts[level]) for level in gone if counts[level]}
    return (values.cat.remove_categories(gone) if gone else values), by_code
