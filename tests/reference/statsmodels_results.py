"""Regenerates statsmodels_results.json: what statsmodels tells in each of `result_programs`.

    python -m tests.reference.statsmodels_results

Needs statsmodels, which neither the project nor its tests do; hence the stored numbers.
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
from statsmodels.regression.mixed_linear_model import MixedLM  # type: ignore[import-untyped]

from tests.reference.result_containers import PROGRAMS


def main() -> None:
    """Run all and write the file beside this one."""
    lib = SimpleNamespace(mixedlm=mixedlm, MixedLM=MixedLM)
    told: dict[str, Any] = {}
    for name, run in PROGRAMS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told[name] = run(lib)
    found = {"versions": {m.__name__: m.__version__ for m in (statsmodels, np, pd)}, "programs": told}
    path = Path(__file__).parent / "statsmodels_results.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
