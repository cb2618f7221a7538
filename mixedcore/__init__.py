"""Linear mixed-effects models with the interface of statsmodels' MixedLM, and beyond it.

>>> from mixedcore import datasets, mixedlm
>>> model = mixedlm("Reaction ~ Days", datasets.load("sleepstudy"), groups="Subject", re_formula="Days")
>>> print(round(model.fit().scale, 2))
654.94
"""

from __future__ import annotations

from mixedcore import datasets
from mixedcore.comparison import compare
from mixedcore.errors import FormulaError, MixedCoreError
from mixedcore.formula import check_formula
from mixedcore.model import MixedLM, VCSpec, mixedlm
from mixedcore.packed import MixedLMParams
from mixedcore.power import power
from mixedcore.results import MixedLMResults
from mixedcore.simulate import simulate_nested

__all__ = [
    "FormulaError",
    "MixedCoreError",
    "MixedLM",
    "MixedLMParams",
    "MixedLMResults",
    "VCSpec",
    "check_formula",
    "compare",
    "datasets",
    "mixedlm",
    "power",
    "simulate_nested",
]
