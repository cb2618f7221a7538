"""What must not change a fit: rows, labels, units, coding and container; through the public interface."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mixedcore import MixedLMResults, mixedlm

# Two searches in equivalent units end where the expected fall is below 1e-12, which leaves variances equal to
# about 1e-6; β and the criterion depend on them to second order or not at all.
SAME = 1e-5
SAME_CRITERION = 1e-7

GROUP, CLASS = "school", "room"
CALL: dict[str, Any] = {
    "formula": "y ~ x + kind",
    "groups": GROUP,
    "re_formula": "1 + x",
    "vc_formula": {CLASS: f"0 + C({CLASS})"},
}


@cache
def frame() -> pd.DataFrame:
    """200 rows, 10 schools, 2 to 4 rooms a school whose labels repeat; every term has variance."""
    rng = np.random.default_rng(11)
    n = 200
    g = np.sort(rng.integers(0, 10, n))
    c = (rng.random(n) * (2 + g % 3)).astype(int)
    x = rng.normal(size=n) + 2
    kind = rng.choice(["high", "low", "mid"], n)
    slopes = rng.normal(size=(10, 2)) @ np.array([[1.5, 0.3], [0.0, 0.6]])
    rooms = rng.normal(size=(10, 4)) * 1.2
    y = 5 + 2 * x + (kind == "low") * 0.7 + slopes[g, 0] + slopes[g, 1] * x + rooms[g, c] + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "kind": kind, GROUP: g + 1, CLASS: c + 1})


@cache
def original(reml: bool = True) -> MixedLMResults:
    return mixedlm(data=frame(), **CALL).fit(reml=reml)


def fitted(data: Any, reml: bool = True, **changes: Any) -> MixedLMResults:
    return mixedlm(data=data, **{**CALL, **changes}).fit(reml=reml)


def same_fit(found: MixedLMResults, expected: MixedLMResults) -> None:
    """Equal numbers and the same verdicts, whatever the names."""
    assert found.criterion == pytest.approx(expected.criterion, abs=SAME_CRITERION)
    assert found.params.to_numpy() == pytest.approx(expected.params.to_numpy(), rel=SAME, abs=SAME)
    assert found.bse.to_numpy() == pytest.approx(expected.bse.to_numpy(), rel=10 * SAME)
    assert found.scale == pytest.approx(expected.scale, rel=SAME)
    assert (found.converged, found.singular) == (expected.converged, expected.singular)
    assert [f.kind for f in found.diagnose()] == [f.kind for f in expected.diagnose()]


def sorted_effects(result: MixedLMResults) -> np.ndarray:
    """All conditional modes in an order that no label has a say in."""
    return np.sort(result.tidy("blups")["estimate"].to_numpy())


def test_the_fit_under_test_is_no_degenerate_one() -> None:
    assert original().converged
    assert not original().singular
    assert (original().vcomp > 0.3).all()


@pytest.mark.parametrize("seed", range(4))
def test_row_order(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(200)
    found = fitted(frame().iloc[order])
    same_fit(found, original())
    assert found.fittedvalues.to_numpy() == pytest.approx(original().fittedvalues.to_numpy()[order], rel=SAME)
    assert list(found.fittedvalues.index) == list(order)
    assert list(found.random_effects) == list(original().random_effects)


INDEXES: dict[str, Callable[[], Any]] = {
    "all the same": lambda: [0] * 200,
    "repeated": lambda: np.arange(200) % 7,
    "shuffled": lambda: np.random.default_rng(0).permutation(200),
    "strings": lambda: [f"row {i % 50}" for i in range(200)],
    "dates": lambda: pd.date_range("2024-01-01", periods=200, freq="h"),
    "several levels": lambda: pd.MultiIndex.from_arrays([np.arange(200) % 3, np.arange(200) // 3]),
    "groups": lambda: frame()[GROUP].to_numpy(),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_index(index: Callable[[], Any]) -> None:
    data = frame().set_index(pd.Index(index()))
    found = fitted(data)
    same_fit(found, original())
    for values in (found.resid, found.fittedvalues, found.augment()):
        assert values.index.equals(data.index)
    assert found.resid.to_numpy() == pytest.approx(original().resid.to_numpy(), abs=SAME)


LABELS: dict[str, Callable[[pd.Series], Any]] = {
    "negative integers": lambda g: -g,
    "floats": lambda g: g / 4,
    "strings": lambda g: g.map("school {}".format),
    "categories in another order": lambda g: pd.Categorical(g.astype(str), [*"913", "10", *"245678"]),
    "unused categories": lambda g: pd.Categorical(g, categories=range(40)),
    "nullable integers": lambda g: g.astype("Int64"),
    "dates": lambda g: pd.Timestamp("2020-01-01") + pd.to_timedelta(g, unit="D"),
    "tuples": lambda g: pd.Series([(int(v) % 2, int(v)) for v in g], index=g.index),
    "mixed types": lambda g: pd.Series([int(v) if v % 2 else f"s{v}" for v in g], g.index, object),
    "hostile text": lambda g: g.map("a[b] / `$x$` <script>{}".format),
}  # fmt: skip


@pytest.mark.parametrize("relabel", LABELS.values(), ids=LABELS)
def test_labels_of_groups(relabel: Callable[[pd.Series], Any]) -> None:
    data = frame().assign(**{GROUP: relabel(frame()[GROUP])})
    found = fitted(data)
    same_fit(found, original())
    assert sorted_effects(found) == pytest.approx(sorted_effects(original()), abs=SAME)
    sizes = pd.Series(list(data[GROUP])).value_counts()
    assert set(found.random_effects) == set(sizes.index)
    assert found.model.n_groups == 10


def test_labels_of_nested_units_may_repeat_or_be_unique() -> None:
    unique = frame()[GROUP].astype(str) + "." + frame()[CLASS].astype(str)
    found = fitted(frame().assign(**{CLASS: unique}))
    same_fit(found, original())
    assert sorted_effects(found) == pytest.approx(sorted_effects(original()), abs=SAME)


def test_labels_of_nested_units_may_be_dealt_out_anew_in_each_group() -> None:
    own = {
        g: dict(zip([1, 2, 3, 4], np.random.default_rng(g).permutation(4), strict=True)) for g in range(11)
    }
    relabelled = [own[g][c] for g, c in zip(frame()[GROUP], frame()[CLASS], strict=True)]
    same_fit(fitted(frame().assign(**{CLASS: relabelled})), original())


def numbers(result: MixedLMResults) -> dict[str, np.ndarray]:
    """What a change of units acts on."""
    return {
        "beta": result.fe_params.to_numpy(),
        "se": result.bse_fe.to_numpy(),
        "cov_re": result.cov_re.to_numpy(),
        "vcomp": result.vcomp,
        "bse_re": result.bse_re.to_numpy(),
    }


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("factor", [1e-6, 0.01, 1e6, -1.0])
def test_units_of_the_outcome(factor: float, reml: bool) -> None:
    found, expected = fitted(frame().assign(y=factor * frame()["y"]), reml), original(reml)
    df = 200 - 4 * reml
    assert found.criterion == pytest.approx(
        expected.criterion + 2 * df * np.log(abs(factor)), abs=SAME_CRITERION
    )
    theirs = numbers(expected)
    powers = {"beta": factor, "se": abs(factor), "cov_re": factor**2, "vcomp": factor**2, "bse_re": factor**2}
    for name, values in numbers(found).items():
        assert values / powers[name] == pytest.approx(theirs[name], rel=10 * SAME), name
    assert np.abs(found.tvalues.to_numpy()) == pytest.approx(np.abs(expected.tvalues), rel=10 * SAME)
    assert (found.converged, found.singular) == (True, False)


@pytest.mark.parametrize("shift", [1.0, 1e3, 1e6])
def test_origin_of_the_outcome(shift: float) -> None:
    found = fitted(frame().assign(y=frame()["y"] + shift))
    assert found.criterion == pytest.approx(
        original().criterion, abs=1e-6
    )  # the data lose shift · 1e-16 digits
    expected = original().fe_params + np.array([shift, 0, 0, 0])
    assert found.fe_params.to_numpy() == pytest.approx(expected.to_numpy(), rel=SAME)
    assert found.vcomp == pytest.approx(original().vcomp, rel=10 * SAME)


@pytest.mark.parametrize("factor", [1e-6, 1e6, -3.0])
def test_units_of_a_predictor(factor: float) -> None:
    found, expected = fitted(frame().assign(x=factor * frame()["x"])), original()
    # The REML criterion depends on the units of X through log|X'V⁻¹X|.
    shift = 2 * np.log(abs(factor))
    assert found.criterion == pytest.approx(expected.criterion + shift, abs=SAME_CRITERION)
    assert found.fe_params["x"] * factor == pytest.approx(expected.fe_params["x"], rel=SAME)
    assert found.cov_re.loc["x", "x"] * factor**2 == pytest.approx(expected.cov_re.loc["x", "x"], rel=SAME)
    assert found.cov_re.loc[GROUP, "x"] * factor == pytest.approx(
        expected.cov_re.loc[GROUP, "x"], rel=10 * SAME
    )
    assert found.vcomp == pytest.approx(expected.vcomp, rel=SAME)
    assert found.fittedvalues.to_numpy() == pytest.approx(expected.fittedvalues.to_numpy(), rel=SAME)
    assert (found.converged, found.singular) == (True, False)


@pytest.mark.parametrize("shift", [-2.0, 1e3, 2024.0, 1e6])
def test_origin_of_a_predictor(shift: float) -> None:
    """A full term with intercept and slope can absorb the shift, so a year is as good as years since 2000."""
    found, expected = fitted(frame().assign(x=frame()["x"] + shift)), original()
    assert found.criterion == pytest.approx(expected.criterion, abs=1e-6)
    assert found.fe_params["x"] == pytest.approx(expected.fe_params["x"], rel=SAME)
    assert found.bse_fe["x"] == pytest.approx(expected.bse_fe["x"], rel=SAME)
    assert found.cov_re.loc["x", "x"] == pytest.approx(expected.cov_re.loc["x", "x"], rel=10 * SAME)
    assert found.vcomp == pytest.approx(expected.vcomp, rel=SAME)
    moved = (
        expected.cov_re.to_numpy() @ [1, -shift] @ [1, -shift]
    )  # variance of the intercept at the new zero
    assert found.cov_re.loc[GROUP, GROUP] == pytest.approx(moved, rel=1e-4)
    assert found.resid.to_numpy() == pytest.approx(expected.resid.to_numpy(), abs=1e-4)
    assert (found.converged, found.singular) == (True, False)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_a_singular_fit_is_singular_in_any_units(factor: float) -> None:
    rng = np.random.default_rng(4)
    flat = frame().assign(y=rng.normal(size=200) + 3)
    verdicts = []
    for data in (flat, flat.assign(y=flat["y"] * factor), flat.assign(x=flat["x"] * factor)):
        found = fitted(data, re_formula="1")
        titles = [f.title for f in found.diagnose() if f.kind != "badly_scaled"]  # which is about units
        verdicts.append((found.singular, found.converged, titles))
    assert verdicts[0][0]
    assert verdicts[1] == verdicts[0]
    assert verdicts[2] == verdicts[0]


CODINGS = {
    "other reference": "y ~ x + C(kind, Treatment('mid'))",
    "sums": "y ~ x + C(kind, Sum)",
    "means": "y ~ 0 + x + kind",
    "polynomial": "y ~ x + C(kind, Poly)",
    "centred": "y ~ center(x) + kind",
    "other order": "y ~ kind + x",
}


@pytest.mark.parametrize("formula", CODINGS.values(), ids=CODINGS)
def test_coding_of_the_fixed_effects(formula: str) -> None:
    """Only ML: the REML criterion depends on the coding of X."""
    found, expected = fitted(frame(), reml=False, formula=formula), original(False)
    assert found.criterion == pytest.approx(expected.criterion, abs=SAME_CRITERION)
    assert found.fittedvalues.to_numpy() == pytest.approx(expected.fittedvalues.to_numpy(), rel=SAME)
    assert found.predict().to_numpy() == pytest.approx(expected.predict().to_numpy(), rel=SAME)
    assert found.vcomp == pytest.approx(expected.vcomp, rel=SAME)
    assert found.resid.to_numpy() == pytest.approx(expected.resid.to_numpy(), abs=SAME)


RECODED = [
    "1 + center(x)",
    "1 + I(x - 100)",
    "1 + I(3 - 2 * x)",
    "0 + I(1 + 0 * x) + x",
    "0 + I(1 + x) + I(1 - x)",
]


@pytest.mark.parametrize("re_formula", RECODED)
def test_a_full_random_term_spans_the_same_effects_in_any_basis(re_formula: str) -> None:
    found = fitted(frame(), re_formula=re_formula)
    assert found.criterion == pytest.approx(original().criterion, abs=SAME_CRITERION)
    assert found.resid.to_numpy() == pytest.approx(original().resid.to_numpy(), abs=10 * SAME)
    assert found.vcomp == pytest.approx(original().vcomp, rel=SAME)


def structured(data: pd.DataFrame) -> np.ndarray:
    return np.array(
        list(data.itertuples(index=False)),
        dtype=[("y", float), ("x", float), ("kind", "U4"), (GROUP, int), (CLASS, int)],
    )


CONTAINERS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "dict of arrays": lambda d: {name: d[name].to_numpy() for name in d},
    "dict of lists": lambda d: {name: d[name].tolist() for name in d},
    "record array": lambda d: d.to_records(index=False),
    "structured array": structured,
    "polars": lambda d: pl.DataFrame({name: d[name].to_numpy() for name in d}),
    "nullable columns": lambda d: d.convert_dtypes(),
    "float32 groups": lambda d: d.astype({GROUP: "float32"}),
    "categories": lambda d: d.astype({"kind": "category", GROUP: "category", CLASS: "category"}),
    "more columns": lambda d: d.assign(unused=np.nan, other="text"),
}


@pytest.mark.parametrize("convert", CONTAINERS.values(), ids=CONTAINERS)
def test_container(convert: Callable[[pd.DataFrame], Any]) -> None:
    found = fitted(convert(frame()))
    same_fit(found, original())
    assert list(found.params.index) == list(original().params.index)
    assert list(found.random_effects) == found.model.group_labels
    assert sorted_effects(found) == pytest.approx(sorted_effects(original()), abs=SAME)


def test_the_data_are_not_changed() -> None:
    data, copy = frame().copy(), frame().copy()
    fitted(data)
    pd.testing.assert_frame_equal(data, copy)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_search_starts(seed: int) -> None:
    start = np.abs(np.random.default_rng(seed).normal(size=4)) + 0.05
    start[1] *= 0.1
    same_fit(mixedlm(data=frame(), **CALL).fit(start_params=start), original())


@pytest.mark.parametrize("degree", [2, 4, 8])
def test_powers_and_their_orthogonal_combinations_are_one_model(degree: int) -> None:
    """Random slopes of raw powers, near-collinear, against those of Legendre polynomials of one degree."""
    rng = np.random.default_rng(degree)
    g, x = np.repeat(np.arange(40), 30), np.tile(np.linspace(1, 10, 30), 40)
    y = rng.normal(size=40)[g] + 0.2 * rng.normal(size=40)[g] * (x - 5) + rng.normal(size=1200)
    powers = {f"p{k}": x**k for k in range(1, degree + 1)}
    legendre = {f"l{k}": np.polynomial.Legendre.basis(k)((x - 5.5) / 4.5) for k in range(1, degree + 1)}
    data = pd.DataFrame({"y": y, "x": x, "g": g} | powers | legendre)
    raw, orthogonal = (
        mixedlm("y ~ x", data, groups="g", re_formula=" + ".join(names)).fit() for names in (powers, legendre)
    )
    assert raw.converged
    assert raw.criterion == pytest.approx(orthogonal.criterion, abs=1e-6)
    np.testing.assert_allclose(raw.fe_params, orthogonal.fe_params, rtol=1e-5)


def test_a_predictor_far_from_zero_keeps_its_digits() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"x": rng.integers(-5, 6, 200).astype(float), "g": np.arange(200) % 20})
    data["y"] = data["x"] + rng.normal(size=20)[data["g"]] + rng.normal(size=200)
    near, far = (mixedlm("y ~ x", data.assign(x=data["x"] + by), groups="g").fit() for by in (0, 5e12))
    assert far.fe_params["x"] == pytest.approx(near.fe_params["x"], rel=SAME)
    assert far.criterion == pytest.approx(near.criterion, abs=SAME_CRITERION)
