"""The covariance of estimates in pieces, and tests of hypotheses as they are printed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from mixedcore import MixedLMResults, mixedlm
from mixedcore.errors import ModelError
from mixedcore.results.contrast import ContrastResults
from tests.reference.calls import frame_of


@cache
def cake() -> MixedLMResults:
    data = frame_of("cake").astype({"temperature": float})
    return mixedlm("angle ~ recipe * temperature", data, groups="replicate").fit()


def test_cov_params_of_combinations() -> None:
    result = cake()
    cov = result.cov_params().to_numpy()
    R, other = np.random.default_rng(0).normal(size=(2, 7)), np.eye(7)[:3]
    assert result.cov_params(r_matrix=R) == pytest.approx(R @ cov @ R.T)
    assert result.cov_params(r_matrix=R, other=other) == pytest.approx(R @ cov @ other.T)
    assert result.cov_params(r_matrix=R[0]) == pytest.approx(R[0] @ cov @ R[0])
    assert result.cov_params(r_matrix=np.eye(6)) == pytest.approx(cov[:6, :6])
    assert result.cov_params(column=2) == pytest.approx(cov[2, 2])
    assert result.cov_params(column=[0, 3]) == pytest.approx(cov[np.ix_([0, 3], [0, 3])])
    assert result.cov_params(scale=2.0).to_numpy() == pytest.approx(cov * 2 / result.scale)
    assert result.cov_params(cov_p=np.eye(7)).to_numpy() == pytest.approx(np.eye(7))
    assert result.normalized_cov_params.to_numpy() == pytest.approx(cov / result.scale)
    assert list(result.normalized_cov_params.columns) == list(result.params.index)
    with pytest.raises(ModelError, match="r_matrix has shape"):
        result.cov_params(r_matrix=np.eye(3))
    with pytest.raises(ModelError, match="cov_p"):
        result.cov_params(cov_p=np.eye(3))


def test_the_printed_tables() -> None:
    test = cake().t_test("temperature = 0.1, recipe[T.B] = 0")
    table = test.summary_frame(xname=["slope", "B"])
    assert list(table.columns) == ["coef", "std err", "z", "P>|z|", "Conf. Int. Low", "Conf. Int. Upp."]
    assert list(table.index) == ["slope", "B"]
    text = str(test)
    assert text.splitlines()[0].strip() == "Test for Constraints"
    assert "P>|z|" in text
    assert "Another title" in str(test.summary(title="Another title", xname=["slope", "B"]))
    assert "Test for" not in str(test.summary(title=""))
    assert r"\begin{tabular}{llll}" not in test.summary().as_latex()  # type: ignore[union-attr]
    assert "<caption>Test for Constraints" in test.summary().as_html()  # type: ignore[union-attr]
    assert repr(test).startswith("<class ")
    assert str(cake().f_test("temperature")).startswith("<F test: F=")
    assert str(cake().wald_test("temperature")).startswith("<Wald test (chi2): statistic=")
    assert isinstance(cake().wald_test("temperature"), ContrastResults)


def test_small_numbers_keep_their_digits_in_print() -> None:
    data = frame_of("sleepstudy").assign(y=lambda d: d["Reaction"] * 1e-9)
    result = mixedlm("y ~ Days", data, groups="Subject").fit()
    row = result.t_test("Days = 0").summary().coefficients.iloc[0]  # type: ignore[union-attr]
    assert float(row["coef"]) == pytest.approx(1.0467e-8, rel=1e-3)
