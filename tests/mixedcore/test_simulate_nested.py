"""Simulated data: the design asked for, the truth that the attributes tell, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import mixedlm, simulate_nested
from mixedcore.errors import DataError
from mixedcore.simulate import make_truth

SCHOOLS: dict[str, Any] = {
    "groups": {"school": 12, "classroom": (2, 4)},
    "size": (3, 6),
    "fixed": {"Intercept": 60, "x": 2, "treated": 3, "x:treated": 1},
    "sd": {"school": {"Intercept": 3, "x": 1}, "classroom": 2},
    "correlation": {"school": 0.4},
    "residual_sd": 4,
    "predictors": {"treated": ("binary", "school"), "day": "index", "z": ("normal", "classroom")},
}


def test_the_design_is_the_one_asked_for() -> None:
    data = simulate_nested(**SCHOOLS, seed=1)
    assert list(data) == ["school", "classroom", "treated", "day", "z", "x", "y"]
    assert data["school"].nunique() == 12
    classes = data.groupby("school")["classroom"].nunique()
    assert classes.between(2, 4).all()
    assert classes.nunique() > 1
    sizes = data.groupby("classroom").size()
    assert set(sizes) == {3, 4, 5, 6}
    assert (data.groupby("classroom")["school"].nunique() == 1).all()  # labels are unique over all schools
    assert (data["classroom"].str.split(".").str[0] == data["school"]).all()
    by_school = data.groupby("school", sort=False)["treated"].agg(["min", "max"])
    assert (by_school["min"] == by_school["max"]).all()
    assert by_school["min"].tolist() == [0.0, 1.0] * 6
    assert (data.groupby("classroom")["z"].nunique() == 1).all()
    assert data["z"].nunique() == data["classroom"].nunique()
    for _, own in data.groupby("classroom"):
        assert own["day"].tolist() == list(range(len(own)))


def test_the_truth_goes_by_the_names_of_results() -> None:
    data = simulate_nested(**SCHOOLS, seed=1)
    result = mixedlm(data.attrs["formula"], data, eval_env=-1).fit()
    labels = result.bootstrap(2, seed=1).replicates.columns
    assert list(data.attrs["truth"]) == list(labels)
    assert data.attrs["truth"]["cor school Intercept x"] == 0.4
    assert data.attrs["truth"]["sigma"] == 4
    assert data.attrs["formula"] == ("y ~ 1 + x + treated + x:treated + (1 + x | school) + (1 | classroom)")


def test_one_seed_gives_one_data_set() -> None:
    one, two = (simulate_nested(**SCHOOLS, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    other = simulate_nested(**SCHOOLS, seed=6)
    assert len(other) != len(one) or not np.allclose(other["y"], one["y"])
    free = simulate_nested({"g": 3})
    again = simulate_nested({"g": 3}, seed=free.attrs["seed"])
    pd.testing.assert_frame_equal(free, again)


def test_outcomes_have_the_mean_and_covariance_of_the_truth() -> None:
    """By dense algebra from the frame alone; 20,000 draws, five Monte Carlo standard errors."""
    rng = np.random.default_rng(2)
    own = {**SCHOOLS, "groups": {"school": 2, "classroom": 2}, "size": 3}
    truth = make_truth(rng=rng, **own)
    Y = np.stack([truth.outcome(rng) for _ in range(20_000)], axis=1)
    f = truth.frame
    mean = 60 + 2 * f["x"] + 3 * f["treated"] + f["x"] * f["treated"]
    same = (f["school"].to_numpy()[:, None] == f["school"].to_numpy()).astype(float)
    room = (f["classroom"].to_numpy()[:, None] == f["classroom"].to_numpy()).astype(float)
    B = np.column_stack([np.ones(len(f)), f["x"]])
    V = same * (B @ np.array([[9, 1.2], [1.2, 1]]) @ B.T) + 4 * room + 16 * np.eye(len(f))
    sd = np.sqrt(np.diag(V))
    assert (np.abs(Y.mean(axis=1) - mean) < 5 * sd / np.sqrt(20_000)).all()
    assert (np.abs(np.cov(Y) - V) < 5 * np.sqrt((V**2 + np.outer(sd, sd) ** 2) / 20_000)).all()


def test_a_fit_finds_the_truth() -> None:
    """Each estimate within four standard errors of a bootstrap, at a size where intervals are narrow."""
    data = simulate_nested(**{**SCHOOLS, "groups": {"school": 150, "classroom": (2, 4)}}, seed=3)
    found = mixedlm(data.attrs["formula"], data, eval_env=-1).fit().bootstrap(100, seed=1)
    truth = pd.Series(data.attrs["truth"])
    assert ((found.estimates - truth).abs() < 4 * found.std_error).all()


def test_slopes_alone_matrices_and_levels_without_effects() -> None:
    rho = [[1, 0.2, 0.1], [0.2, 1, -0.3], [0.1, -0.3, 1]]
    data = simulate_nested(
        {"a": 4, "b": 3, "c": 2},
        2,
        fixed={"x": 1},
        sd={"a": {"x": 1}, "c": {"Intercept": 1, "x": 0.5, "z": 0.0}},
        correlation={"c": rho},
        seed=1,
        outcome="score",
    )
    assert data.attrs["formula"] == "score ~ 0 + x + (0 + x | a) + (1 + x + z | c)"
    truth = data.attrs["truth"]
    assert truth["cor c x z"] == -0.3
    assert "sd b Intercept" not in truth
    assert len(data) == 4 * 3 * 2 * 2
    assert data["b"].nunique() == 12
    assert sorted(data["c"].unique())[:2] == ["1.1.1", "1.1.2"]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"groups": {}}, "groups is empty"),
        ({"groups": {"school": 0}}, "the number of school is 0"),
        ({"groups": {"school": (5, 2)}}, r"the number of school is \(5, 2\)"),
        ({"groups": {"school": 2.5}}, "the number of school is 2.5"),
        ({"groups": {"row": 5}}, "'row' cannot name a level"),
        ({"groups": {"my school": 5}}, "'my school' cannot name a level"),
        ({"size": 0}, "size is 0"),
        ({"size": 10**9}, "more than 50,000,000 rows"),
        ({"sd": {"school": -1}}, "the SD of Intercept over school is -1"),
        ({"sd": {"village": 1}}, "sd names the level 'village'"),
        ({"correlation": {"village": 1}}, "correlation names the level 'village'"),
        ({"sd": {"school": {"Intercept": 1, "x": 1}}, "correlation": {"school": 1.5}}, "no variables can"),
        ({"correlation": {"school": [[1, 2], [3, 1]]}}, "symmetric matrix"),
        ({"residual_sd": float("nan")}, "residual_sd is nan"),
        ({"fixed": {"x": "big"}}, "the coefficient of x is 'big'"),
        ({"predictors": {"x": ("binary", "village")}}, "by 'village'"),
        ({"predictors": {"x": "poisson"}}, "'poisson'"),
        ({"predictors": {"school": "normal"}}, "'school' cannot name a predictor"),
        ({"fixed": {"x + 1": 2}}, "cannot name a predictor"),
        ({"fixed": {"y": 2}}, "'y' cannot name a predictor"),
        ({"seed": "one"}, "seed='one'"),
    ],
)
def test_what_is_no_design_is_refused(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"groups": {"school": 5}, **change}
    with pytest.raises(ValueError, match=message) as found:
        simulate_nested(**arguments)
    assert isinstance(found.value, DataError) or "seed" in message
