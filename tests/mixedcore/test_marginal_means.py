"""Marginal means, contrasts and trends: by hand, over notations, and at the edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import FormulaError, MixedLM, MixedLMResults, mixedlm
from mixedcore.errors import DataError, ModelError
from tests.mixedcore.streams import chunked, classes
from tests.reference.fits import data_of

DATA = classes(600)
DATA["off"] = np.sin(np.arange(600))
FORMULA = "y ~ text * x + C(number) + truth + np.log(x + 9) + (1 | school)"
MEANS = ["estimate", "std_error", "df", "conf_low", "conf_high"]
TESTS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]


@pytest.fixture(scope="module")
def result() -> MixedLMResults:
    return mixedlm(FORMULA, DATA).fit()


def grid(**at: Any) -> pd.DataFrame:
    """Every combination of the factors, x at its mean."""
    levels = {
        "number": [1, 2, 3, 4],
        "truth": [False, True],
        "text": ["early", "late", "never"],
        "x": [DATA["x"].mean()],
    }
    cells = pd.MultiIndex.from_product([at.get(k, v) for k, v in levels.items()], names=list(levels))
    return cells.to_frame(index=False)


def test_a_mean_is_the_average_of_predictions(result: MixedLMResults) -> None:
    cells = grid()
    expected = result.predict(cells).groupby(cells["text"]).mean()
    found = result.marginal_means("text")
    assert list(found.columns) == ["text", *MEANS]
    np.testing.assert_allclose(found.set_index("text")["estimate"], expected, rtol=1e-10)
    both = result.marginal_means(["truth", "text"])
    assert both["truth"].tolist() == [False, True] * 3
    expected = result.predict(cells).groupby([cells["text"], cells["truth"]]).mean()
    np.testing.assert_allclose(both["estimate"], expected, rtol=1e-10)
    pd.testing.assert_frame_equal(result.marginal_means("truth:text"), both)
    pd.testing.assert_frame_equal(result.marginal_means("truth * text"), both)
    overall = result.marginal_means([])
    assert list(overall.columns) == MEANS
    assert overall["estimate"].item() == pytest.approx(result.predict(cells).mean())


def test_standard_errors_are_those_of_the_fixed_effects(result: MixedLMResults) -> None:
    X = result.model.design.fixed_matrix(grid())[0].reshape(4, 2, 3, -1).mean(axis=(0, 1))
    V = result.cov_params().iloc[: X.shape[1], : X.shape[1]].to_numpy()
    found = result.marginal_means("text")
    np.testing.assert_allclose(found["std_error"], np.sqrt(np.diag(X @ V @ X.T)), rtol=1e-9)
    pairs = result.contrasts("text", adjust="none")
    C = np.array([[1, -1, 0], [1, 0, -1], [0, 1, -1]]) @ X
    assert list(pairs.columns) == ["contrast", *TESTS]
    assert pairs["contrast"].tolist() == ["early - late", "early - never", "late - never"]
    np.testing.assert_allclose(pairs["std_error"], np.sqrt(np.diag(C @ V @ C.T)), rtol=1e-9)
    np.testing.assert_allclose(pairs["statistic"], pairs["estimate"] / pairs["std_error"])


def test_weights_count_rows(result: MixedLMResults) -> None:
    cells = grid()
    mean = result.predict(cells)
    share = DATA.groupby(["number", "truth"]).size() / 600
    of_cell = share.reindex(pd.MultiIndex.from_frame(cells[["number", "truth"]])).to_numpy()
    found = result.marginal_means("text", weights="proportional").set_index("text")["estimate"]
    np.testing.assert_allclose(found, (mean * of_cell).groupby(cells["text"]).sum(), rtol=1e-10)
    outer = (DATA["number"].value_counts() / 600).reindex(cells["number"]).to_numpy()
    outer = outer * (DATA["truth"].value_counts() / 600).reindex(cells["truth"]).to_numpy()
    found = result.marginal_means("text", weights="outer").set_index("text")["estimate"]
    np.testing.assert_allclose(found, (mean * outer).groupby(cells["text"]).sum(), rtol=1e-10)
    rows = DATA.groupby(["number", "truth", "text"]).size()
    rows = rows.reindex(pd.MultiIndex.from_frame(cells[["number", "truth", "text"]]), fill_value=0).to_numpy()
    found = result.marginal_means("text", weights="cells").set_index("text")["estimate"]
    expected = (mean * rows).groupby(cells["text"]).sum() / pd.Series(rows).groupby(cells["text"]).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_an_offset_is_no_part_of_a_mean() -> None:
    r = mixedlm("y ~ text + truth + (1 | school)", DATA, offset="off").fit()
    cells = grid(number=[1])
    expected = r.predict(cells.assign(off=0.0)).groupby(cells["text"]).mean()
    np.testing.assert_allclose(r.marginal_means("text")["estimate"], expected, rtol=1e-10)


def test_trends_are_derivatives(result: MixedLMResults) -> None:
    b = result.fe_params
    at = 1.5
    found = result.trends("x", "text", at={"x": at}).set_index("text")["estimate"]
    common = b["x"] + b["np.log(x + 9)"] / (at + 9)
    expected = [common, common + b["text[T.late]:x"], common + b["text[T.never]:x"]]
    np.testing.assert_allclose(found[["early", "late", "never"]], expected, rtol=1e-7)
    table = result.trends("x", "text")
    differences = result.contrasts(table, adjust="none")
    np.testing.assert_allclose(
        differences["estimate"][:2], [-b["text[T.late]:x"], -b["text[T.never]:x"]], rtol=1e-7
    )
    alone = result.trends("x")
    assert list(alone.columns) == MEANS
    assert alone["estimate"].item() == pytest.approx(table["estimate"].mean())


def test_simple_slopes() -> None:
    data = data_of("Hsb82")
    r = mixedlm("mAch ~ cses * meanses + (1 | school)", data).fit()
    values = [-0.4, 0.0, 0.4]
    found = r.trends("cses", "meanses", at={"meanses": values})
    b = r.fe_params
    np.testing.assert_allclose(found["estimate"], b["cses"] + b["cses:meanses"] * np.array(values), rtol=1e-9)
    np.testing.assert_allclose(found["meanses"], values)
    steps = r.contrasts(found, "revpairwise")
    np.testing.assert_allclose(steps["estimate"], b["cses:meanses"] * np.array([0.4, 0.8, 0.4]), rtol=1e-7)
    assert steps["contrast"].tolist() == ["0 - -0.4", "0.4 - -0.4", "0.4 - 0"]


def test_contrasts_of_ones_own(result: MixedLMResults) -> None:
    means = result.marginal_means("text")
    own = {"early against the rest": [1, -0.5, -0.5], "late - never": [0, 1, -1]}
    found = result.contrasts(means, own)
    C = np.array(list(own.values()))
    np.testing.assert_allclose(found["estimate"], C @ means["estimate"], rtol=1e-10)
    assert found["contrast"].tolist() == list(own)
    for same in (C, C.tolist(), pd.DataFrame(own).T):
        np.testing.assert_allclose(result.contrasts("text", same)[TESTS], found[TESTS])
    pairs = result.contrasts("text", adjust="none").iloc[2]
    assert found["p_value"][1] == pytest.approx(pairs["p_value"], rel=1e-9)
    control = result.contrasts("text", "trt.vs.ctrl", reference="late", adjust="none")
    assert control["contrast"].tolist() == ["early - late", "never - late"]
    twice = result.contrasts(["text", "truth"], "trt.vs.ctrl", reference="late True", adjust="none")
    assert twice["contrast"].tolist()[0] == "early False - late True"


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "normal"])
def test_both_notations(ddf: Any) -> None:
    bars = mixedlm("Q('yield') ~ C(nitro) * Variety + (1 | Block/Variety)", data_of("Oats")).fit()
    seed = mixedlm(
        "Q('yield') ~ C(nitro) * Variety", data_of("Oats"), "1", {"v": "0 + C(Variety)"}, groups="Block"
    ).fit()
    for r in (bars, seed):
        means = r.marginal_means(["nitro", "Variety"], ddf=ddf)
        assert means["nitro"].tolist()[:4] == [0.0, 0.2, 0.4, 0.6]
    for one, two in (
        (bars.marginal_means("nitro", ddf=ddf), seed.marginal_means("nitro", ddf=ddf)),
        (bars.contrasts("nitro", "poly", ddf=ddf), seed.contrasts("nitro", "poly", ddf=ddf)),
    ):
        pd.testing.assert_frame_equal(one, two, rtol=1e-5, atol=1e-8)


def test_rows_that_were_not_kept() -> None:
    for formula in ("y ~ text * x + C(number) + truth + (1 | school)", "y ~ text + x + twice + (1 | school)"):
        data = DATA.assign(twice=2 * DATA["x"])
        whole, streamed = mixedlm(formula, data).fit(), mixedlm(formula, chunked(data, 150)).fit()
        for ask in (
            lambda r: r.marginal_means("text"),
            lambda r: r.contrasts("text"),
            lambda r: r.trends("x", "text"),
        ):
            pd.testing.assert_frame_equal(ask(streamed), ask(whole), rtol=1e-6, atol=1e-9)
    with pytest.raises(DataError, match="not kept"):
        streamed.marginal_means("text", weights="cells")
    r = mixedlm("y ~ text + np.log(x + 9) + (1 | school)", chunked(DATA, 150)).fit()
    with pytest.raises(ModelError, match="at="):
        r.marginal_means("text")
    expected = mixedlm("y ~ text + np.log(x + 9) + (1 | school)", DATA).fit().marginal_means("text", {"x": 0})
    pd.testing.assert_frame_equal(r.marginal_means("text", {"x": 0}), expected, rtol=1e-6)


def test_a_number_of_two_values_has_both_and_is_counted() -> None:
    data = DATA.assign(boy=DATA["truth"].astype(int))
    number, truth = (mixedlm(f"y ~ text + {name} + (1 | school)", data).fit() for name in ("boy", "truth"))
    for weights in ("equal", "proportional"):
        one, two = (r.marginal_means("text", weights=weights) for r in (number, truth))  # type: ignore[arg-type]
        np.testing.assert_allclose(one[MEANS], two[MEANS], rtol=1e-8)
    streamed = mixedlm("y ~ text + boy + (1 | school)", chunked(data, 150)).fit()
    np.testing.assert_allclose(
        streamed.marginal_means("text")[MEANS], number.marginal_means("text")[MEANS], rtol=1e-6
    )
    assert number.marginal_means("boy")["boy"].tolist() == [0, 1]


def test_empty_cells_are_said_to_be_unknown() -> None:
    data = DATA[(DATA["text"] != "never") | ~DATA["truth"]]
    r = mixedlm("y ~ text * truth + (1 | school)", data).fit()
    assert r.aliased
    cells = r.marginal_means(["text", "truth"])
    unknown = (cells["text"] == "never") & cells["truth"]
    assert cells.loc[unknown, MEANS].isna().all(axis=None)
    assert "not estimable" in cells.loc[unknown, "note"].item()
    assert cells.loc[~unknown, MEANS].notna().all(axis=None)
    assert (cells.loc[~unknown, "note"] == "").all()
    main = r.marginal_means("text")
    assert main["estimate"].isna().tolist() == [False, False, True]
    pairs = r.contrasts(["text", "truth"], adjust="holm")
    assert pairs["p_value"].isna().sum() == pairs["contrast"].str.contains("never True").sum() == 5
    within = r.contrasts("text", by="truth")
    assert within["note"].ne("").sum() == 2
    assert within["p_value"].notna().sum() == 4
    same = mixedlm("y ~ text + truth + (1 | school)", data).fit()
    assert "note" not in same.marginal_means(["text", "truth"])  # without the interaction it is known
    weighted = r.marginal_means("text", weights="cells")
    assert weighted["estimate"].notna().all()  # the empty cell counts for nothing


def test_aliased_columns_are_no_obstacle_to_what_is_known() -> None:
    data = DATA.assign(twice=2 * DATA["x"] + 1, year=DATA["x"] + 2024)
    plain = mixedlm("y ~ text + x + (1 | school)", data).fit()
    both = mixedlm("y ~ text + x + twice + (1 | school)", data).fit()
    pd.testing.assert_frame_equal(both.marginal_means("text"), plain.marginal_means("text"), rtol=1e-7)
    assert np.isnan(both.marginal_means("text", {"x": 1.0})["estimate"]).all()  # twice stays where it was
    at = {"x": 1.0, "twice": 3.0}
    np.testing.assert_allclose(
        both.marginal_means("text", at)[MEANS], plain.marginal_means("text", at={"x": 1.0})[MEANS], rtol=1e-7
    )
    assert np.isnan(both.trends("x")["estimate"]).all()
    year = mixedlm("y ~ text + year + x + (1 | school)", data).fit()
    pd.testing.assert_frame_equal(year.marginal_means("text"), plain.marginal_means("text"), rtol=1e-6)
    without = mixedlm("y ~ 0 + text + x + twice + (1 | school)", data.assign(twice=2 * data["x"])).fit()
    pd.testing.assert_frame_equal(without.marginal_means("text"), plain.marginal_means("text"), rtol=1e-6)


def test_tables_can_be_put_together_and_names_may_hold_colons() -> None:
    data = DATA.rename(columns={"truth": "a:b"})
    r = mixedlm("y ~ Q('a:b') * text + (1 | school)", data).fit()
    found = r.marginal_means(["a:b", "text"])
    assert list(found.columns) == ["a:b", "text", *MEANS]
    at = {"x": np.array([0.0, 1.0])}
    r = mixedlm("y ~ text + x + (1 | school)", DATA).fit()
    one, two = r.marginal_means("text", at), r.marginal_means("text", at, ddf="normal")
    assert len(pd.concat([one, two])) == 6


def test_transforms_keep_what_they_learned_of_the_fit() -> None:
    r = mixedlm("y ~ bs(x, 4) + center(x):text + text + day + (1 | school)", DATA).fit()
    cells = pd.DataFrame(
        {"text": ["early", "late", "never"], "x": DATA["x"].mean(), "day": DATA["day"].mean()}
    )
    np.testing.assert_allclose(r.marginal_means("text")["estimate"], r.predict(cells), rtol=1e-9)
    when = pd.Timestamp("2024-04-01")
    np.testing.assert_allclose(
        r.marginal_means("text", {"day": when})["estimate"], r.predict(cells.assign(day=when)), rtol=1e-9
    )
    up, down = (r.predict(cells.assign(x=cells["x"] + h)) for h in (1e-4, -1e-4))
    np.testing.assert_allclose(r.trends("x", "text")["estimate"], (up - down) / 2e-4, rtol=1e-5)


def test_a_comparison_makes_no_factor_of_a_number() -> None:
    r = mixedlm("y ~ (x > 0) + C(number > 2) + C(number, Sum) + x + (1 | school)", DATA).fit()
    found = r.marginal_means("number")
    cells = pd.DataFrame({"x": DATA["x"].mean(), "number": [1, 2, 3, 4]})
    np.testing.assert_allclose(found["estimate"], r.predict(cells), rtol=1e-9)
    streamed = mixedlm("y ~ (x > 0) + C(number) + x + (1 | school)", chunked(DATA, 150)).fit()
    whole = mixedlm("y ~ (x > 0) + C(number) + x + (1 | school)", DATA).fit()
    expected = whole.marginal_means("number")
    pd.testing.assert_frame_equal(streamed.marginal_means("number"), expected, rtol=1e-6)


def test_columns_of_several_numbers_are_at_their_means() -> None:
    table: dict[str, Any] = {name: DATA[name].to_numpy() for name in ("y", "x", "school", "text")}
    table["M"] = np.column_stack([DATA["x"] ** 2, np.cos(DATA["x"])])
    found = mixedlm("y ~ M + text + (1 | school)", table).fit().marginal_means("text")
    data = DATA.assign(one=table["M"][:, 0], two=table["M"][:, 1])
    expected = mixedlm("y ~ one + two + text + (1 | school)", data).fit().marginal_means("text")
    np.testing.assert_allclose(found[MEANS], expected[MEANS], rtol=1e-6)


def test_small_models() -> None:
    mean = mixedlm("y ~ 1 + (1 | school)", DATA).fit()
    found = mean.marginal_means([])
    assert found["estimate"].item() == mean.fe_params.item()
    assert found["df"].item() == pytest.approx(mean.tidy()["df"].item())
    singular = mixedlm("y ~ text + (x | number)", DATA).fit()
    assert np.isfinite(singular.contrasts("text")[TESTS]).all(axis=None)
    line = mixedlm("y ~ 0 + x + (1 | school)", DATA).fit()
    at_zero = line.marginal_means("x", {"x": [0.0, 1.0]})
    assert at_zero["estimate"].tolist() == [0.0, line.fe_params.item()]
    assert at_zero["note"].tolist() == ["zero whatever the data", ""]
    assert line.contrasts("x", at={"x": [0.0, 1.0]})["estimate"].item() == -line.fe_params.item()
    with pytest.raises(ModelError, match="no fixed effects"):
        mixedlm("y ~ 0 + (1 | school)", DATA).fit().marginal_means([])


@pytest.mark.parametrize(
    "ask, error, message",
    [
        (lambda r: r.marginal_means("texts"), ModelError, "'text'"),
        (lambda r: r.marginal_means("text", {"z": 1}), ModelError, "no variable"),
        (lambda r: r.marginal_means("text", {"text": "soon"}), DataError, "soon"),
        (lambda r: r.marginal_means("number", {"number": [1, 9]}), FormulaError, "9"),
        (lambda r: r.marginal_means("text", {"x": -20.0}), DataError, "finite"),
        (lambda r: r.marginal_means("text", {"x": []}), ModelError, "no value"),
        (lambda r: r.marginal_means("text", weights="flat"), ModelError, "'cells'"),
        (lambda r: r.marginal_means("text", ddf="exact"), ModelError, "kenward"),
        (lambda r: r.marginal_means("text", level=2), ModelError, "level"),
        (lambda r: r.marginal_means("x", {"x": np.arange(10.0**7)}), ModelError, "cells"),
        (lambda r: r.contrasts("x"), ModelError, "only one mean"),
        (lambda r: r.contrasts("text", "helmert"), ModelError, "'poly'"),
        (lambda r: r.contrasts("text", [[1, -1]]), ModelError, "3 coefficients"),
        (lambda r: r.contrasts("text", {"a": ["x", "y", "z"]}), ModelError, "3 coefficients"),
        (lambda r: r.contrasts("text", adjust="fdr"), ModelError, "'scheffe'"),
        (lambda r: r.contrasts("text", "trt.vs.ctrl", reference="soon"), ModelError, "soon"),
        (lambda r: r.contrasts(DATA), ModelError, "marginal_means"),
        (lambda r: r.trends("text"), ModelError, "no number"),
        (lambda r: r.trends("x", "x"), ModelError, "both"),
        (lambda r: r.trends("x", at={"x": [1, 2]}), ModelError, "one value"),
    ],
)
def test_what_cannot_be_asked(result: MixedLMResults, ask: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ask(result)


def test_arrays_have_no_variables() -> None:
    X = np.column_stack([np.ones(600), DATA["x"]])
    with pytest.raises(ModelError, match="formula"):
        MixedLM(DATA["y"], X, DATA["school"]).fit().marginal_means("x1")


def test_the_smallest_of_tukeys_p_values_is_uniform_where_nothing_differs() -> None:
    """100 data sets with four equal treatments in 12 blocks: Bonferroni's would have a mean of 0.68, t tests'
    one of 0.2."""
    rng = np.random.default_rng(11)
    block, treatment = np.repeat(np.arange(12), 8), np.tile(["a", "b", "c", "d"], 24)
    smallest = []
    for _ in range(100):
        y = rng.normal(size=12)[block] + rng.normal(size=96)
        r = mixedlm("y ~ t + (1 | g)", pd.DataFrame({"y": y, "t": treatment, "g": block})).fit()
        smallest.append(r.contrasts("t")["p_value"].min())
    assert abs(np.mean(smallest) - 0.5) < 3.5 / np.sqrt(12 * 100)
