"""Models in mathematics: each coefficient at its level, and names from data that cannot leave their place."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui.model.choices import Block, Choices, Component, Effects, as_blocks
from pages.ui.model.equations import Equations, equations
from pages.ui.model.levels import Facts
from pages.ui.model.random_part import merged
from pages.ui.model.shape import Shape

SLEEP = Choices("Reaction", ("Days",), groups="Subject", slopes=("Days",))
SCHOOLS = Choices(
    "math",
    ("year", "ses", "sector"),
    interactions=(("ses", "sector"),),
    groups="school",
    slopes=("ses",),
    components=(Component("child", "factor", "child"),),
)
OF_SCHOOLS = Facts(frozenset({"sector"}), {("school",): {"sector"}, ("school", "child"): {"sector", "ses"}})


def drawn(choices: Choices, facts: Facts | None = None) -> Equations:
    return equations(choices, merged(choices.blocks or as_blocks(choices)[0]), facts or Facts())


def lines(block: str) -> list[str]:
    """The equations of a block without alignment, line breaks and their environment."""
    return [
        line.replace("&", "").replace(r"\quad ", "").removesuffix(r" \\[4pt]").replace(r" \\ ", " ")
        for line in block.split("\n")[1:-1]
    ]


def by_level(choices: Choices, facts: Facts | None = None) -> list[list[str]]:
    return [lines(block) for _, block in drawn(choices, facts).by_level]


def test_two_levels_as_in_raudenbush_and_bryk() -> None:
    first, second = by_level(SLEEP)
    assert first == [
        r"\text{Reaction}_{ij} = \beta_{0j} + \beta_{1j}\,\text{Days}_{ij} + \varepsilon_{ij}",
        r"\varepsilon_{ij} \sim \mathcal{N}(0,\ \sigma^2)",
    ]
    assert second == [
        r"\beta_{0j} = \gamma_{00} + u_{0j}",
        r"\beta_{1j} = \gamma_{10} + u_{1j}",
        r"(u_{0j},\ u_{1j}) \sim \mathcal{N}(\mathbf{0},\ \Psi_{u})",
    ]
    assert lines(drawn(SLEEP).combined)[0] == (
        r"\text{Reaction}_{ij} = \gamma_{00} + \gamma_{10}\,\text{Days}_{ij} + u_{0j} "
        r"+ u_{1j}\,\text{Days}_{ij} + \varepsilon_{ij}"
    )


def test_uncorrelated_slopes_have_a_variance_each() -> None:
    *_, level, slope = by_level(replace(SLEEP, correlated=False))[1]
    assert level == r"u_{0j} \sim \mathcal{N}(0,\ \tau^2_{u0})"
    assert slope == r"u_{1j} \sim \mathcal{N}(0,\ \tau^2_{u1})"


def test_a_predictor_of_groups_explains_level_and_slope_of_groups() -> None:
    choices = replace(SLEEP, fixed=("Days", "old"), interactions=(("Days", "old"),))
    first, second = by_level(choices, Facts(constant={("Subject",): {"old"}}))
    assert "old" not in first[0]
    assert second[:2] == [
        r"\beta_{0j} = \gamma_{00} + \gamma_{01}\,\text{old}_{j} + u_{0j}",
        r"\beta_{1j} = \gamma_{10} + \gamma_{11}\,\text{old}_{j} + u_{1j}",
    ]


def test_a_fixed_effect_is_the_same_in_all_groups() -> None:
    first, second = by_level(replace(SLEEP, slopes=()))
    assert r"\beta_{1}\,\text{Days}_{ij}" in first[0]
    assert second[1] == r"\beta_{1} = \gamma_{10}"


def test_three_levels() -> None:
    first, second, third = by_level(SCHOOLS, OF_SCHOOLS)
    assert first[0] == (r"\text{math}_{ijk} = \pi_{0jk} + \pi_{1}\,\text{year}_{ijk} + \varepsilon_{ijk}")
    assert second == [
        r"\pi_{0jk} = \beta_{00k} + \beta_{01k}\,\text{ses}_{jk} + r_{0jk}",
        r"\pi_{1} = \beta_{10}",
        r"r_{0jk} \sim \mathcal{N}(0,\ \tau^2_{r0})",
    ]
    assert third[:2] == [
        r"\beta_{00k} = \gamma_{000} + \gamma_{001}[\text{sector}_{k}] + u_{00k}",
        r"\beta_{01k} = \gamma_{010} + \gamma_{011}[\text{sector}_{k}] + u_{01k}",
    ]
    shown = drawn(SCHOOLS, OF_SCHOOLS)
    assert [title for title, _ in shown.by_level][1:] == ["Level 2: child in school", "Level 3: school"]
    assert shown.legend == "i: rows · j: child in school · k: school"


def test_crossed_groups_share_a_level() -> None:
    blocks = (Block(("person",), (Effects(True, ("cond",)),)), Block(("item",)))
    choices = Choices("y", ("x", "cond"), blocks=blocks)
    first, second = by_level(choices, Facts(constant={("item",): {"cond"}}))
    assert first[0].startswith(r"\text{y}_{i(jk)} = \beta_{0jk} + \beta_{1}\,\text{x}_{i(jk)}")
    assert second[0] == (
        r"\beta_{0jk} = \gamma_{00} + \gamma_{01}\,\text{cond}_{k} + u_{0j} "
        r"+ u_{\,\text{cond}\,j}\,\text{cond}_{k} + v_{0k}"
    )


def test_factors_nested_in_the_data_are_two_levels() -> None:
    choices = Choices("y", blocks=(Block(("school",)), Block(("class",))))
    nested = Facts(nested=lambda inner, outer: (inner, outer) == (("class",), ("school",)))
    assert [title for title, _ in drawn(choices, nested).by_level][1:] == [
        "Level 2: class",
        "Level 3: school",
    ]


def test_a_slope_without_an_average_effect_varies_around_zero() -> None:
    first, second = by_level(replace(SLEEP, fixed=()))
    assert r"\beta_{1j}\,\text{Days}_{ij}" in first[0]
    assert second[1] == r"\beta_{1j} = u_{1j}"


@pytest.mark.parametrize(
    ("shape", "written"),
    [
        (Shape("log"), r"\log \text{Days}_{ij}"),
        (Shape("centre"), r"(\text{Days}_{ij} - \overline{\text{Days}})"),
        (Shape(degree=2), r"\text{Days}_{ij}^{2}"),
        (Shape("log", 2), r"(\log \text{Days}_{ij})^{2}"),
        (Shape(spline="bs", df=4), r"s(\text{Days}_{ij})"),
    ],
)
def test_shapes_are_drawn(shape: Shape, written: str) -> None:
    choices = replace(SLEEP, slopes=(), shapes=(("Days", shape),), outcome_transform="log")
    first, _ = by_level(choices)
    assert written in first[0]
    assert first[0].startswith(r"\log \text{Reaction}_{ij} =")


def test_many_predictors_end_in_dots() -> None:
    first, _ = by_level(Choices("y", tuple(f"x{i}" for i in range(40)), groups="g"))
    assert r"\cdots" in first[0]
    assert "x30" not in first[0]


@pytest.mark.parametrize("crossing", ["two-way", "all"])
def test_every_term_stands_once_in_the_combined_equation(crossing: str) -> None:
    choices = Choices("y", ("a", "b", "c"), crossing=crossing, groups="g")  # type: ignore[arg-type]
    combined = lines(drawn(choices).combined)[0]
    assert combined.count(r"\gamma") == {"two-way": 7, "all": 8}[crossing]


@settings(deadline=None)
@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_a_name_cannot_leave_its_place(outcome: str, predictor: str) -> None:
    """Braces balance, and nothing ends the formula, comments it out or adds a column to it."""
    plain = drawn(Choices("y", ("x",), groups="g", slopes=("x",)))
    shown = drawn(Choices(outcome, (predictor,), groups="g", slopes=(predictor,)))
    for text, same in zip(
        [shown.combined, *(body for _, body in shown.by_level)],
        [plain.combined, *(body for _, body in plain.by_level)],
        strict=True,
    ):
        bare = text.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
        assert bare.count("{") == bare.count("}")
        assert text.count("\n") == same.count("\n")
        for sign in "$%#":
            assert bare.count(sign) == bare.count("\\" + sign)
