"""Models of every kind, parameters for them, and the dense covariance of the outcome at these."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from mixedcore import MixedLM, MixedLMParams, mixedlm
from mixedcore.engine.component_columns import columns_of
from mixedcore.terms import Floats

RNG = np.random.default_rng(42)
N = 90
DATA = pd.DataFrame({
    "g": np.repeat([f"g{k}" for k in range(9)], 10), "c": np.tile(["a", "b"], 45), "h": RNG.integers(0, 6, N),
    "x": RNG.normal(size=N) * 3 + 7, "z": RNG.normal(size=N), "w": RNG.uniform(0.5, 2, N),
    "o": RNG.normal(size=N),
})  # fmt: skip
DATA["y"] = 3 + 0.2 * DATA["x"] + np.repeat(RNG.normal(size=9), 10) + RNG.normal(size=N)

CASES: dict[str, dict[str, Any]] = {
    "intercepts": {"formula": "y ~ x", "groups": "g"},
    "slopes": {"formula": "y ~ x + z", "groups": "g", "re_formula": "z"},
    "a slope of its own": {"formula": "y ~ x", "groups": "g", "re_formula": "x"},
    "components": {
        "formula": "y ~ x",
        "groups": "g",
        "re_formula": "1",
        "vc_formula": {"c": "0 + C(c)", "two": "0 + z + x"},
    },
    "components alone": {"formula": "y ~ x", "groups": "g", "vc_formula": {"c": "0 + C(c)"}},
    "no fixed effects": {"formula": "y ~ 0", "groups": "g", "re_formula": "z"},
    "no intercept": {"formula": "y ~ 0 + z", "groups": "g"},
    "aliased": {"formula": "y ~ z + I(2 * z) + x", "groups": "g", "re_formula": "z"},
    "uncorrelated bars": {"formula": "y ~ x + (z || g)"},
    "crossed bars": {"formula": "y ~ z + (z | g) + (1 | h) + (1 | g:c)"},
    "weights and offset": {
        "formula": "y ~ x",
        "groups": "g",
        "re_formula": "z",
        "weights": "w",
        "offset": "o",
    },
}


@cache
def model_of(name: str, use_sqrt: bool = True) -> MixedLM:
    return mixedlm(data=DATA, use_sqrt=use_sqrt, **CASES[name])


def point_of(name: str, seed: int = 0) -> MixedLMParams:
    """Parameters at random, the covariances that the model does not have at zero."""
    rng, model = np.random.default_rng(seed), model_of(name)
    blocks, variances = [], []
    for term in model.design.terms:
        q = len(term.columns)
        if term.role == "component":
            variances.append(rng.uniform(0.2, 2))
        else:
            root = np.tril(rng.normal(size=(q, q)))
            psi = root @ root.T
            blocks.append(np.diag(np.diag(psi)) if term.structure == "diagonal" else psi)
    cov = np.zeros((sum(map(len, blocks)),) * 2)
    first = 0
    for psi in blocks:
        cov[first : first + len(psi), first : first + len(psi)] = psi
        first += len(psi)
    return MixedLMParams.from_components(rng.normal(size=model.k_fe), cov, None, variances)


def covariance(model: MixedLM, params: MixedLMParams) -> Floats:
    """V over σ², (n, n)."""
    weights = np.ones(model.nobs) if model.weights is None else model.weights
    V, first, variances = np.diag(1 / weights), 0, iter(params.vcomp)
    for term in model.design.terms:
        if term.role == "component":
            Z = columns_of(term).Z
            V += next(variances) * (Z @ Z.T).toarray()
            continue
        own = slice(first, first + len(term.columns))
        first, block = own.stop, term.blocks[0]
        same = block.codes[:, None] == block.codes
        V += same * (block.basis @ params.cov_re[own, own] @ block.basis.T)
    return V
