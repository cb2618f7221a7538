"""The estimates of a model before and after rows were left out, side by side. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pages.ui import terms, text
from pages.ui.numbers import number, numbers
from pages.ui.tables import Table

if TYPE_CHECKING:
    from mixedcore import MixedLMResults

NOTICEABLE = 0.25
"""Standard errors: less than this would hardly change what anyone reads from the table."""


def estimates(before: MixedLMResults, after: MixedLMResults) -> pd.DataFrame:
    """`kind, term, before, after, change, errors`: fixed effects, then SDs and correlations.

    errors : the change over the standard error before; missing for SDs and correlations, and a term that one
             of the fits lacks has no change
    """
    old, new = _all(before), _all(after)
    order = pd.MultiIndex.from_tuples([*old.index, *(key for key in new.index if key not in old.index)])
    old, new = old.reindex(order), new.reindex(order)
    change = new["estimate"] - old["estimate"]
    kinds, names = zip(*order, strict=True)
    return pd.DataFrame(
        {
            "kind": kinds,
            "term": names,
            "before": old["estimate"].to_numpy(),
            "after": new["estimate"].to_numpy(),
            "change": change.to_numpy(),
            "errors": (change / old["std_error"]).to_numpy(),
        }
    )


def _all(result: MixedLMResults) -> pd.DataFrame:
    """(kind, term) → estimate, std_error of one fit."""
    fixed = result.tidy(effects="fixed", ddf="normal")
    random = result.tidy(effects="random")
    random = random[random["scale"].isin(["sd", "correlation"])]
    read = terms.readable(fixed["term"])
    keys = [("fixed", read[str(term)]) for term in fixed["term"]]
    keys += [
        ("random", terms.of_random(*row))
        for row in random[["scale", "group", "term", "term2"]].itertuples(index=False, name=None)
    ]
    found = pd.DataFrame(
        {
            "estimate": [*fixed["estimate"], *random["estimate"]],
            "std_error": [*fixed["std_error"], *[np.nan] * len(random)],
        },
        index=pd.MultiIndex.from_tuples(keys),
    )
    return found[~found.index.duplicated()]


def table(frame: pd.DataFrame) -> Table:
    """`estimates` to read: all rows, rows in use, the change, and that in standard errors."""
    source = {"All rows": "before", "Rows in use": "after", "Change": "change"}
    values = pd.DataFrame({"Estimate of": frame["term"].map(str)})
    values = values.assign(**{label: frame[name].astype(float) for label, name in source.items()})
    values["Change in standard errors"] = frame["errors"].astype(float)
    shown = values.copy()
    for label in ("All rows", "Rows in use", "Change"):
        shown[label] = [number(float(value)) for value in values[label]]
    shown["Change in standard errors"] = [
        "" if np.isnan(value) else cell
        for value, cell in zip(
            values["Change in standard errors"],
            numbers(values["Change in standard errors"], 2),
            strict=True,
        )
    ]
    return Table(shown, values, frame, "Estimates from all rows and without those left out", "rows-left-out")


def said(frame: pd.DataFrame) -> str:
    """In one sentence of Markdown, how much the fixed effects moved."""
    gone = frame[frame["change"].isna() & frame["before"].notna()]
    if len(gone):
        return f"Without these rows {text.listing(gone['term'])} can no longer be estimated."
    moved = frame[frame["errors"].notna()]
    if moved.empty:
        return "The model has no fixed effects to compare."
    most = moved.iloc[int(moved["errors"].abs().to_numpy().argmax())]
    size = float(abs(most["errors"]))
    if size < NOTICEABLE:
        return (
            "The fixed effects hardly change: none moves by more than "
            f"**{number(size, 2)} of its standard error**."
        )
    name = text.escape(text.shorten(most["term"]))
    return f"The fixed effect that moves most is **{name}**, by **{number(size, 2)} standard errors**."
