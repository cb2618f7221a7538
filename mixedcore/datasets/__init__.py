"""Example data, each with its story, source, licence, the meaning of its columns and a suggested model.

>>> from mixedcore import datasets
>>> data = datasets.load("sleepstudy")
>>> datasets.describe("sleepstudy").suggested_model
'mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="1 + Days")'
"""

from __future__ import annotations

import pandas as pd

from mixedcore.datasets import catalogue, frames
from mixedcore.datasets.example import Column, Example

__all__ = ["Column", "Example", "describe", "list", "load"]


def load(name: str) -> pd.DataFrame:
    """The data set of that name (upper and lower case alike); a new copy at each call.

    Numbers are numeric, in the units that `describe(name)` gives; labels and identifiers are
    categorical, with the reference level of the source first; ordered factors are ordered.
    Raises DataError, with the nearest name, for a name that is not there.
    """
    return frames.parsed(catalogue.find(name).name).copy()


def describe(name: str) -> Example:
    """Story, source, licence, columns and suggested model of the data set of that name.

    Raises DataError, with the nearest name, for a name that is not there.
    """
    return catalogue.find(name)


def list() -> pd.DataFrame:  # noqa: A001 (the name is the interface: datasets.list())
    """One row a data set, simplest first.

    Columns: name, title, n_rows, story, source, licence, suggested_model (a call of `mixedlm`), tags.
    """
    return pd.DataFrame(
        {
            "name": each.name,
            "title": each.title,
            "n_rows": each.rows,
            "story": each.story,
            "source": each.source,
            "licence": each.licence,
            "suggested_model": each.suggested_model,
            "tags": ", ".join(each.tags),
        }
        for each in catalogue.every()
    )
