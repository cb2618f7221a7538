"""The built-in examples as the app takes them: a dataset and its suggested model."""

from __future__ import annotations

from mixedcore import datasets
from pages.ui.dataset import Dataset
from pages.ui.modelcall import ModelCall

FIRST = "sleepstudy"
"""The example offered where someone has no data yet."""


def known(name: str) -> bool:
    """Whether an example of this name exists."""
    return any(example.name == name for example in datasets.list())


def dataset(name: str) -> Dataset:
    """The example's data, ready for a model."""
    return Dataset.of(datasets.describe(name).title, datasets.load(name), f"example:{name}")


def suggested(name: str) -> ModelCall:
    """The model that the example suggests, on all its rows."""
    example = datasets.describe(name)
    return ModelCall(
        formula=example.formula,
        groups=example.groups,
        re_formula=example.re_formula,
        vc_formula=tuple(dict(example.vc_formula or {}).items()),
    )
