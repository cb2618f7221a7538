"""Shares of variance against performance (tests/reference/variance.json), and what is explained by levels."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, mixedlm
from mixedcore.errors import DataError, ModelError
from tests.mixedcore.streams import chunked
from tests.reference.fits import data_of

FOLDER = Path(__file__).parents[1] / "reference"
RECORDS: list[dict[str, Any]] = json.loads((FOLDER / "variance.json").read_text(encoding="utf-8"))

# lmer stops about 1e-6 from the optimum with the script's control, 1e-5 with insight's own null model.
TOL = 1e-5
NULL_TOL = 2e-4


def data(name: str) -> pd.DataFrame:
    table = data_of(name)
    if name == "Oats":
        table = table.assign(plot=table["Block"].astype(str) + " " + table["Variety"].astype(str))
    return table


@cache
def fit(name: str, formula: str) -> MixedLMResults:
    return mixedlm(formula.replace("yield", "Q('yield')"), data(name)).fit()


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['data']}: {r['formula'].replace(' ', '')}")
def test_equals_performance(record: dict[str, Any]) -> None:
    r = fit(record["data"], record["formula"])
    icc, r2 = r.icc(), r.r2()
    assert icc["icc"].sum() == pytest.approx(record["icc"], rel=TOL)
    assert icc["icc_unadjusted"].sum() == pytest.approx(record["icc_unadjusted"], rel=TOL)
    assert r2["r2_marginal"].item() == pytest.approx(record["r2_marginal"], rel=TOL, abs=1e-12)
    assert r2["r2_conditional"].item() == pytest.approx(record["r2_conditional"], rel=TOL)
    glance = r.glance().iloc[0]
    assert glance["r2_marginal"] == r2["r2_marginal"].item()
    assert glance["icc"] == pytest.approx(icc["icc"].sum())


@pytest.mark.parametrize(
    "record", [r for r in RECORDS if "explained" in r], ids=lambda r: f"{r['data']}: {r['formula']}"
)
def test_levels_equal_performance(record: dict[str, Any]) -> None:
    r = fit(record["data"], record["formula"])
    groups = np.atleast_1d(record["groups"])
    shares = r.icc().set_index("group")["icc"]
    np.testing.assert_allclose(shares[list(groups)], np.atleast_1d(record["icc_by_group"]), rtol=TOL)
    table = r.variance_explained().set_index("group")
    levels = ["Residual" if level == "Level 1" else level for level in record["explained_levels"]]
    np.testing.assert_allclose(
        table.loc[levels, "explained"], record["explained"], atol=NULL_TOL, rtol=NULL_TOL
    )
    if "snijders_bosker" in record:
        own = table.loc[["Residual", *groups], "snijders_bosker"]
        np.testing.assert_allclose(own, record["snijders_bosker"], atol=NULL_TOL)


def test_the_null_model_is_an_ordinary_fit() -> None:
    """The same numbers from a null model that the user fits."""
    for name, formula, null in (
        ("Exam", "normexam ~ standLRT + sex + (1 | school)", "normexam ~ 1 + (1 | school)"),
        ("Exam", "normexam ~ standLRT + (standLRT | school)", "normexam ~ 1 + (1 | school)"),
        ("Oats", "yield ~ nitro + (1 | Block) + (1 | plot)", "yield ~ 1 + (1 | Block) + (1 | plot)"),
    ):
        for reml in (True, False):
            model = mixedlm(formula.replace("yield", "Q('yield')"), data(name)).fit(reml=reml)
            other = mixedlm(null.replace("yield", "Q('yield')"), data(name)).fit(reml=reml)
            own, given = model.variance_explained(), model.variance_explained(other)
            pd.testing.assert_frame_equal(own, given, rtol=1e-5, atol=1e-6)
            assert list(own.columns) == ["group", "null", "model", "explained", "snijders_bosker"]
            assert own["null"].iloc[-1] == pytest.approx(other.scale, rel=1e-5)
            assert own["model"].iloc[-1] == model.scale


def test_both_notations_weights_and_offset() -> None:
    table = data("Oats").assign(w=np.linspace(0.5, 2, 72), off=np.sin(np.arange(72)))
    how: dict[str, Any] = {"weights": "w", "offset": "off"}
    bars = mixedlm("Q('yield') ~ nitro + (1 | Block) + (1 | plot)", table, **how).fit()
    components = {"plot": "0 + C(Variety)", "trend": "0 + nitro"}
    seed = mixedlm("Q('yield') ~ nitro", table, "1", components, groups="Block", **how).fit()
    one, two = (r.variance_explained().set_index("group") for r in (bars, seed))
    assert list(one.index) == list(two.index) == ["Block", "plot", "Residual"]
    np.testing.assert_allclose(two["null"], one["null"], rtol=1e-5)


def test_the_variance_of_a_mean_of_a_group() -> None:
    """Snijders and Bosker's R₂² from the covariance matrix of the rows: mean over groups of 1'V_f1/n_f²."""
    table = data("Oats").iloc[:61]
    r = mixedlm("Q('yield') ~ nitro + (1 | Block) + (1 | plot)", table).fit()
    null = mixedlm("Q('yield') ~ 1 + (1 | Block) + (1 | plot)", table).fit()
    shares = {}
    for group in ("Block", "plot"):
        found = []
        for one in (null, r):
            V = one.scale * np.eye(61)
            for t, name in enumerate(["Block", "plot"]):
                same = table[name].to_numpy()[:, None] == table[name].to_numpy()
                V += one.scale * one._user.psi(t)[0, 0] * same
            rows = [np.flatnonzero(table[group] == f) for f in table[group].unique()]
            found.append(np.mean([V[np.ix_(own, own)].mean() for own in rows]))
        shares[group] = 1 - found[1] / found[0]
    own = r.variance_explained().set_index("group")["snijders_bosker"]
    assert own["Block"] == pytest.approx(shares["Block"], abs=1e-5)
    assert own["plot"] == pytest.approx(shares["plot"], abs=1e-5)


def test_a_null_variance_of_zero_leaves_nothing_to_explain() -> None:
    table = data_of("Dyestuff2").assign(x=np.tile(np.arange(5.0), 6))
    found = mixedlm("Yield ~ x + (1 | Batch)", table).fit().variance_explained()
    assert np.isnan(found["explained"].iloc[0])
    assert np.isfinite(found["explained"].iloc[1])
    assert np.isfinite(found["snijders_bosker"]).all()


def test_what_cannot_be_compared() -> None:
    exam = data_of("Exam")
    model = mixedlm("normexam ~ standLRT + (1 | school)", exam).fit()
    with pytest.raises(ModelError, match="sex"):
        model.variance_explained(mixedlm("normexam ~ 1 + (1 | sex)", exam).fit())
    with pytest.raises(ModelError, match="same method"):
        model.variance_explained(mixedlm("normexam ~ 1 + (1 | school)", exam).fit(reml=False))
    with pytest.raises(ModelError, match="same rows"):
        model.variance_explained(mixedlm("normexam ~ 1 + (1 | school)", exam[:2000]).fit())
    with pytest.raises(ModelError, match="intercepts"):
        mixedlm("normexam ~ standLRT + (0 + standLRT | school)", exam).fit().variance_explained()
    with pytest.raises(DataError, match="not kept"):
        mixedlm("normexam ~ standLRT + (1 | school)", chunked(exam, 1500)).fit().variance_explained()
