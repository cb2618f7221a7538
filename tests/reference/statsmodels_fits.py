"""Regenerates statsmodels.json: what statsmodels' MixedLM calls things, and what it estimates.

    python -m tests.reference.statsmodels_fits

Needs statsmodels, which mixedcore does not; stored, so that another version of it changes nothing here.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import statsmodels  # type: ignore[import-untyped]
from statsmodels.formula.api import mixedlm  # type: ignore[import-untyped]
from statsmodels.regression.mixed_linear_model import MixedLM  # type: ignore[import-untyped]

from tests.reference.calls import CALLS, arrays_of, frame_of


def describe(result: Any) -> dict[str, Any]:
    """Names, order, types and numbers of one fit."""
    params, effects = result.params, result.random_effects
    first = next(iter(effects))
    return {
        "converged": bool(result.converged),
        "llf": float(result.llf),
        "scale": float(result.scale),
        "params": {
            "type": type(params).__name__,
            "names": list(params.index) if isinstance(params, pd.Series) else None,
        },
        "fe_params": {
            "type": type(result.fe_params).__name__,
            "values": np.asarray(result.fe_params).tolist(),
        },
        "bse_fe": np.asarray(result.bse_fe).tolist(),
        "cov_re": {
            "type": type(result.cov_re).__name__,
            "names": list(result.cov_re.index) if isinstance(result.cov_re, pd.DataFrame) else None,
            "values": np.asarray(result.cov_re).tolist(),
        },
        "vcomp": {"type": type(result.vcomp).__name__, "values": np.asarray(result.vcomp).tolist()},
        "random_effects": {
            "labels": [str(label) for label in effects][:4],
            "type": type(effects[first]).__name__,
            "names": list(effects[first].index),
            "values": effects[first].tolist(),
        },
        "random_effects_cov": {
            "type": type(result.random_effects_cov[first]).__name__,
            "names": list(result.random_effects_cov[first].index),
            "values": np.asarray(result.random_effects_cov[first]).tolist(),
        },
        "types": {
            name: type(getattr(result, name)).__name__
            for name in ("bse", "tvalues", "pvalues", "fittedvalues", "resid", "bse_fe")
        },
        "cov_params": type(result.cov_params()).__name__,
        "conf_int": type(result.conf_int()).__name__,
        "summary": list(result.summary().tables[1].index),
        "facts": result.summary().tables[0].to_numpy().tolist(),
        "columns": list(result.summary().tables[1].columns),
        "exog_names": result.model.exog_names,
        "endog_names": result.model.endog_names,
        "group_labels": [str(label) for label in result.model.group_labels][:4],
        "sizes": {
            k: int(getattr(result.model, k)) for k in ("n_groups", "k_fe", "k_re", "k_re2", "k_vc", "nobs")
        },
    }


def main() -> None:
    """Fit all and write the file beside this one."""
    found: dict[str, Any] = {"versions": {m.__name__: m.__version__ for m in (statsmodels, np, pd)}}
    for name, (data, arguments) in CALLS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[name] = describe(mixedlm(data=frame_of(data), **arguments).fit())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found["arrays"] = describe(MixedLM(*arrays_of()).fit())
    path = Path(__file__).parent / "statsmodels.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
