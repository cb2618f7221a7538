"""Models in mathematics: the right symbols, and names from data that cannot leave their place."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui.model.choices import Choices, Component
from pages.ui.model.equations import equations

SLEEP = Choices("Reaction", ("Days",), groups="Subject", slopes=("Days",))


def lines(choices: Choices, categories: tuple[str, ...] = ()) -> list[str]:
    """The equations without alignment, line breaks and their environment."""
    body = equations(choices, categories).split("\n")[1:-1]
    return [
        line.replace("&", "").replace(r"\quad ", "").removesuffix(r" \\[4pt]").replace(r" \\ ", " ")
        for line in body
    ]


def test_a_correlated_slope() -> None:
    first, joint, error = lines(SLEEP)
    terms = [r"\beta_0", r"\beta_{1}\,DAYS", "u_{0j}", r"u_{1j}\,DAYS", r"\varepsilon_{ij}"]
    right = " + ".join(terms).replace("DAYS", r"\text{Days}_{ij}")
    assert first == rf"\text{{Reaction}}_{{ij}} = {right}"
    assert joint == r"(u_{0j},\ u_{1j}) \sim \mathcal{N}(\mathbf{0},\ \Psi)"
    assert error == r"\varepsilon_{ij} \sim \mathcal{N}(0,\ \sigma^2)"


def test_uncorrelated_slopes_have_a_variance_each() -> None:
    _, level, slope, _ = lines(replace(SLEEP, correlated=False))
    assert level == r"u_{0j} \sim \mathcal{N}(0,\ \tau^2_{0})"
    assert slope == r"u_{1j} \sim \mathcal{N}(0,\ \tau^2_{1})"


def test_components_carry_their_factor_and_their_name() -> None:
    rows = (Component("class", "factor", "room"), Component("p", "slope_in_factor", "pre", "room"))
    first, _, one, two, _ = lines(Choices("y", groups="school", components=rows))
    assert r"v_{1,j,\text{room}_{ij}}" in first
    assert r"v_{2,j,\text{room}_{ij}}\,\text{pre}_{ij}" in first
    assert one == r"v_{1} \sim \mathcal{N}(0,\ \tau^2_{\text{class}})"
    assert two == r"v_{2} \sim \mathcal{N}(0,\ \tau^2_{\text{p}})"


def test_crossed_groups_have_one_index() -> None:
    rows = (Component("plate", "factor", "plate"),)
    first, *_ = lines(Choices("d", random_intercept=False, components=rows))
    assert first == r"\text{d}_{i} = \beta_0 + v_{1,\text{plate}_{i}} + \varepsilon_{i}"


def test_a_category_has_a_coefficient_for_each_level() -> None:
    first, *_ = lines(Choices("y", ("sex", "age"), pairs=(("sex", "age"),), groups="g"), ("sex",))
    assert r"\beta_{1}[\text{sex}_{ij}] " in first
    assert r"\beta_{3}[\text{sex}_{ij}]\,\text{age}_{ij}" in first


@pytest.mark.parametrize(("crossing", "last"), [("two-way", 6), ("all", 7)])
def test_crossings_are_spelled_out(crossing: str, last: int) -> None:
    first, *_ = lines(Choices("y", ("a", "b", "c"), crossing=crossing, groups="g"))  # type: ignore[arg-type]
    assert rf"\beta_{{{last}}}" in first
    assert rf"\beta_{{{last + 1}}}" not in first


def test_many_predictors_end_in_dots() -> None:
    first, *_ = lines(Choices("y", tuple(f"x{i}" for i in range(40)), groups="g"))
    assert r"\cdots" in first
    assert "x30" not in first


@settings(deadline=None)
@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_a_name_cannot_leave_its_place(outcome: str, predictor: str) -> None:
    """Braces balance, and nothing ends the formula, comments it out or adds a column to it."""
    rows = (Component(predictor, "factor", outcome),)
    plain = equations(
        Choices("y", ("x",), groups="g", slopes=("x",), components=(Component("v", "factor", "x"),)), ()
    )
    text = equations(Choices(outcome, (predictor,), groups="g", slopes=(predictor,), components=rows), ())
    bare = text.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
    assert bare.count("{") == bare.count("}")
    assert text.count("\n") == plain.count("\n")
    for sign in "$%#":
        assert bare.count(sign) == bare.count("\\" + sign)
