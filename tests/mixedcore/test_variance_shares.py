"""Shares of variance follow from moments; here each is taken over the rows, as it is defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, mixedlm
from tests.mixedcore.streams import classes

DATA = classes()
DATA["near"] = DATA["x"] + 1e-5 * np.cos(np.arange(len(DATA)))
DATA["year"] = DATA["x"] + 2024

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "intercept": ("y ~ x + text + (1 | school)", {}),
    "slope far from zero": ("y ~ year + (year | school)", {}),
    "uncorrelated": ("y ~ x + (x || school) + (1 | teacher)", {}),
    "no constant": ("y ~ 0 + x + I(x ** 2) + (0 + x | school)", {}),
    "constant alone": ("y ~ 1 + (1 | school)", {}),
    "nearly collinear": ("y ~ x + near + (1 | school)", {}),
    "nearly collinear without a constant": ("y ~ 0 + x + near + (1 | school)", {}),
    "components": ("y ~ x", {"groups": "school", "vc_formula": {"room": "0 + C(room)", "x": "1 + x"}}),
}
# Slopes on years: Ψ is known to 9 digits or so, and z'Ψz is what is left of terms 1e6 times its size.
ROUNDING = 1e-7


def added(result: MixedLMResults, t: int) -> float:
    """Mean of z'Ψz σ² over the rows."""
    term, psi = result.model.design.terms[t], result._user.psi(t)
    total = 0.0
    for block in term.blocks:
        Psi = psi * np.eye(block.width) if len(psi) == 1 else psi
        total += float(np.einsum("ij,jk,ik->i", block.basis, Psi, block.basis).mean())
    return result.scale * total


@pytest.mark.parametrize("name", MODELS)
def test_shares_are_means_over_the_rows(name: str) -> None:
    formula, how = MODELS[name]
    result = mixedlm(formula, DATA, **how).fit()
    random = np.array([added(result, t) for t in range(len(result.model.design.terms))])
    fixed = np.var(result.predict(), ddof=1)
    total = fixed + random.sum() + result.scale
    glance = result.glance().iloc[0]
    assert glance["r2_marginal"] == pytest.approx(fixed / total, rel=ROUNDING, abs=1e-14)
    assert glance["r2_conditional"] == pytest.approx(1 - result.scale / total, rel=ROUNDING)
    assert glance["icc"] == pytest.approx(random.sum() / (random.sum() + result.scale), rel=ROUNDING)
    names = [term.name for term in result.model.design.terms]
    by_group = pd.Series(random / (random.sum() + result.scale)).groupby(names, sort=False).sum()
    np.testing.assert_allclose(result.icc()["icc"], by_group, rtol=ROUNDING)
