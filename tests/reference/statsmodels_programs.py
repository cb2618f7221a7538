"""Regenerates statsmodels_programs.json: what statsmodels says to each program of programs.py.

    python -m tests.reference.statsmodels_programs

Needs statsmodels, which mixedcore does not; stored, so that another version of it changes nothing here.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import statsmodels  # type: ignore[import-untyped]
from statsmodels.formula.api import mixedlm  # type: ignore[import-untyped]
from statsmodels.regression.mixed_linear_model import (  # type: ignore[import-untyped]
    MixedLM,
    MixedLMParams,
    VCSpec,
)

from tests.reference.programs import PROGRAMS

LIB = SimpleNamespace(mixedlm=mixedlm, MixedLM=MixedLM, MixedLMParams=MixedLMParams, VCSpec=VCSpec)


def plain(value: Any) -> Any:
    """Numbers and lists of them; text and truth stay."""
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, list) and any(isinstance(each, (str, bool)) for each in value):
        return value
    return np.asarray(value, dtype=float).tolist()


def main() -> None:
    """Run all and write the file beside this one."""
    found: dict[str, Any] = {"versions": {m.__name__: m.__version__ for m in (statsmodels, np, pd)}}
    for name, program in PROGRAMS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[name] = {key: plain(value) for key, value in program(LIB).items()}
    path = Path(__file__).parent / "statsmodels_programs.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
