"""Regenerates statsmodels_results.json: what statsmodels tells in each of `result_programs`.

    python -m tests.reference.statsmodels_results

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
from statsmodels.regression.mixed_linear_model import MixedLM  # type: ignore[import-untyped]

from tests.reference.result_containers import PROGRAMS
from tests.reference.result_programs import cake, numbers

HYPOTHESES = (
    "recipe[T.B] = recipe[T.C] = 0",
    "recipe[T.B] - 2 * temperature = 3",
    "temperature = 0.1, recipe[T.B]:temperature = recipe[T.C]:temperature",
    "(recipe[T.B] + 200 * recipe[T.B]:temperature) / 3 = 1, Intercept = 20, replicate Var = 2",
)


def exact_tests() -> dict[str, Any]:
    """Tests of one fit beside its estimates and their covariance, from which they can be computed anew."""
    res = mixedlm("angle ~ recipe * temperature", cake(), groups="replicate").fit()
    joint = []
    for text in HYPOTHESES:
        wald, f = res.wald_test(text), res.f_test(text)
        joint.append([text, float(wald.statistic), int(wald.df_denom), float(wald.pvalue)])
        joint[-1] += [float(f.fvalue), float(f.pvalue)]
    R = np.random.default_rng(8).normal(size=(5, res.k_fe)).round(2)
    z, t = res.t_test(R), res.t_test(R, use_t=True)
    single = [z.effect, z.sd, z.statistic, z.pvalue, t.pvalue, z.conf_int()[:, 0], t.conf_int(0.1)[:, 1]]
    return {
        "names": list(res.params.index),
        "params": numbers(res.params),
        "cov": np.asarray(res.cov_params()).tolist(),
        "df_resid": int(res.df_resid),
        "joint": joint,
        "R": R.tolist(),
        "single": [numbers(part) for part in single],
    }


def main() -> None:
    """Run all and write the file beside this one."""
    lib = SimpleNamespace(mixedlm=mixedlm, MixedLM=MixedLM)
    told: dict[str, Any] = {}
    for name, run in PROGRAMS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told[name] = run(lib)
    found: dict[str, Any] = {
        "versions": {m.__name__: m.__version__ for m in (statsmodels, np, pd)},
        "programs": told,
    }
    found["tests"] = exact_tests()
    path = Path(__file__).parent / "statsmodels_results.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
