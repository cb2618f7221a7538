"""The fits of influence.json: leverages, residuals and case deletion by lme4, and ours of the same models."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mixedcore import MixedLMResults, datasets, mixedlm
from tests.reference.fits import coefficient_order

RECORDS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "influence.json").read_text(encoding="utf-8")
)["fits"]


def label(record: dict[str, Any]) -> str:
    weighted = " weighted" if record["weighted"] else ""
    return f"{record['data']}: {record['formula']} {'REML' if record['REML'] else 'ML'}{weighted}"


@cache
def data_of(name: str) -> pd.DataFrame:
    """The example with the weights w of influence.R."""
    data = datasets.load(name)
    return data.assign(w=0.5 + (7 * np.arange(1, len(data) + 1)) % 11 / 4)


@cache
def fitted(name: str, formula: str, reml: bool, weighted: bool) -> MixedLMResults:
    weights = "w" if weighted else None
    return mixedlm(formula, data_of(name), weights=weights).fit(reml=reml)


def ours(record: dict[str, Any]) -> MixedLMResults:
    return fitted(record["data"], record["formula"], record["REML"], record["weighted"])


def order_of(record: dict[str, Any]) -> list[int]:
    """Positions in ours of lme4's fixed effects."""
    return list(coefficient_order(ours(record).fe_params.index, record["beta_names"]))
