"""`MixedLMParams`: packing, unpacking, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixedcore import MixedLMParams
from mixedcore.errors import ModelError


@pytest.mark.parametrize("use_sqrt", [True, False])
@pytest.mark.parametrize("has_fe", [True, False])
@pytest.mark.parametrize("sizes", [(2, 3, 1), (0, 1, 0), (3, 0, 2), (1, 2, 0), (0, 0, 0)])
def test_packing_comes_back(sizes: tuple[int, int, int], has_fe: bool, use_sqrt: bool) -> None:
    p, q, c = sizes
    rng = np.random.default_rng(1)
    root = np.tril(rng.normal(size=(q, q)))
    made = MixedLMParams.from_components(rng.normal(size=p), root @ root.T, None, rng.uniform(1, 2, c))
    packed = made.get_packed(use_sqrt=use_sqrt, has_fe=has_fe)
    assert packed.size == made.k_tot - (0 if has_fe else p)
    back = MixedLMParams.from_packed(packed, p, q, use_sqrt, has_fe)
    assert (back.k_fe, back.k_re, back.k_re2, back.k_vc) == (p, q, q * (q + 1) // 2, c)
    assert back.fe_params == pytest.approx(made.fe_params if has_fe else np.zeros(p))
    assert back.cov_re == pytest.approx(made.cov_re, abs=1e-12)
    assert back.vcomp == pytest.approx(made.vcomp)


def test_a_singular_covariance_has_a_root() -> None:
    """statsmodels packs the roots of its diagonal instead, which is another covariance."""
    v = np.array([2.0, -1.0, 0.0])
    made = MixedLMParams.from_components(cov_re=np.outer(v, v))
    back = MixedLMParams.from_packed(made.get_packed(use_sqrt=True), 0, 3, use_sqrt=True, has_fe=False)
    assert back.cov_re == pytest.approx(np.outer(v, v), abs=1e-12)


def test_entries_of_different_size_keep_their_digits() -> None:
    psi = np.array([[1e12, 1e3], [1e3, 1e-5]])
    packed = MixedLMParams.from_components(cov_re=psi).get_packed(use_sqrt=True)
    back = MixedLMParams.from_packed(packed, 0, 2, use_sqrt=True, has_fe=False).cov_re
    assert back / psi == pytest.approx(np.ones((2, 2)), rel=1e-10)


def test_a_root_may_be_given_and_a_copy_is_apart() -> None:
    made = MixedLMParams.from_components([1.0], cov_re_sqrt=[[2.0, 0.0], [1.0, -3.0]], vcomp=[4.0])
    assert made.cov_re.tolist() == [[4.0, 2.0], [2.0, 10.0]]
    other = made.copy()
    other.cov_re[0, 0] = other.vcomp[0] = other.fe_params[0] = 0.0
    assert made.get_packed(use_sqrt=False, has_fe=True).tolist() == [1, 4, 2, 10, 4]
    assert repr(made) == "MixedLMParams(fe_params=[1.0], cov_re=[[4.0, 2.0], [2.0, 10.0]], vcomp=[4.0])"
    assert repr(MixedLMParams(1, 1, 0)) == "MixedLMParams()"


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: MixedLMParams.from_packed([1.0], 1, 2, False, True), "have 1 values, and 4 are needed"),
        (lambda: MixedLMParams.from_components(cov_re=np.ones((2, 3))), "must be a square matrix"),
        (
            lambda: MixedLMParams.from_components(cov_re=[[1, 2], [2, 1]]).get_packed(True),
            "is not a covariance",
        ),
        (lambda: MixedLMParams.from_components(cov_re=[[np.nan]]).get_packed(True), "not finite"),
        (lambda: MixedLMParams.from_components(vcomp=[-1.0]).get_packed(True), "cannot be negative"),
    ],
)
def test_what_is_none_is_explained(act: Any, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        act()
