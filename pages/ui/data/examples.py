"""The built-in examples as the app takes them: a dataset and its suggested model."""

from __future__ import annotations

from mixedcore import datasets
from mixedcore.errors import DataError
from pages.ui.data.dataset import Dataset
from pages.ui.model.modelcall import ModelCall

FIRST = "sleepstudy"
"""The example offered where someone has no data yet."""


def names() -> tuple[str, ...]:
    """Every example, simplest first."""
    return tuple(datasets.list()["name"])


def known(name: str) -> bool:
    """Whether an example of this name exists."""
    try:
        datasets.describe(name)
    except DataError:
        return False
    return True


def dataset(name: str) -> Dataset:
    """The example's data, ready for a model."""
    example = datasets.describe(name)
    return Dataset.of(example.title, datasets.load(name), f"example:{example.name}")


def suggested(name: str) -> ModelCall:
    """The model that the example suggests, on all its rows."""
    example = datasets.describe(name)
    return ModelCall(
        formula=example.formula,
        groups=example.groups,
        re_formula=example.re_formula,
        vc_formula=example.components,
    )
