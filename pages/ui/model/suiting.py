"""Whether a model suits data. Pure."""

from __future__ import annotations

from mixedcore.errors import MixedCoreError
from mixedcore.formula import check_formula
from pages.ui.data.dataset import Dataset
from pages.ui.model import condition
from pages.ui.model.modelcall import ModelCall


def fits(chosen: ModelCall, dataset: Dataset) -> bool:
    """Whether every column that the model names exists in the data."""
    names = [str(name) for name in dataset.frame.columns]
    if any(name and name not in names for name in (chosen.groups, chosen.weights, chosen.offset)):
        return False
    try:
        for _, formula in chosen.parts():
            check_formula(formula, names)
        if chosen.subset:
            condition.check(chosen.subset, names, set(names))
    except MixedCoreError:
        return False
    return True
