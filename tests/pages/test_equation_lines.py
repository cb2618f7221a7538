"""Equations on lines that a phone shows: broken where they are full, and never changed by that."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.model.choices import Block, Choices, Effects
from pages.ui.model.equations import equations
from pages.ui.model.levels import Facts
from pages.ui.model.lines import LINE, Equation, aligned, several, width
from pages.ui.model.shape import Shape

LONG = ("a_rather_long_predictor_name", "mathematics_test_score", "socioeconomic_status", "WWWWW")


def drawn_lines(body: str) -> list[str]:
    """The lines as they are seen, without what aligns them."""
    rows = "".join(body.split("\n")[1:-1])
    return [row.replace("&", "") for row in re.split(r" \\\\(?:\[4pt\])?", rows)]


def bodies(choices: Choices, blocks: tuple[Block, ...]) -> list[str]:
    found = equations(choices, blocks, Facts(constant={("school",): {"socioeconomic_status"}}))
    return [found.combined, *(body for _, body in found.by_level)]


@pytest.mark.parametrize("degree", [1, 3])
@pytest.mark.parametrize("transform", ["none", "centre", "log"])
def test_long_names_and_many_effects_stay_within_the_line(degree: int, transform: str) -> None:
    shapes = tuple((name, Shape(transform, degree)) for name in LONG)  # type: ignore[arg-type]
    choices = Choices("standardised_test_score", LONG, crossing="all", shapes=shapes, outcome_transform="log")
    blocks = (Block(("school",), (Effects(True, LONG),)), Block(("school", "class"), (Effects(True, LONG),)))
    for body in bodies(choices, blocks):
        assert max(map(width, drawn_lines(body))) <= LINE


def test_a_short_equation_stays_on_one_line_at_its_relation() -> None:
    found = aligned([Equation(("y",), "=", ("a", "b")), Equation(("e",), r"\sim", ("N",))])
    assert found == "\\begin{aligned}\ny &= a + b \\\\[4pt]\ne &\\sim N\n\\end{aligned}"


def test_a_wide_left_side_begins_at_the_margin() -> None:
    found = aligned([Equation(("y" * 20,), "=", ("a" * 10, "b" * 10)), Equation(("e",), r"\sim", ("N",))])
    assert found.split("\n")[1] == rf"&{'y' * 20} = {'a' * 10} \\ &\quad + {'b' * 10} \\[4pt]"
    assert found.split("\n")[2] == r"&e \sim N"


names = st.text(alphabet="abcxyz", min_size=1, max_size=30)


@given(st.lists(names, min_size=1, max_size=4), st.lists(names, min_size=1, max_size=8))
def test_breaking_changes_nothing_but_the_lines(left: list[str], sums: list[str]) -> None:
    body = aligned([Equation(tuple(left), "=", tuple(sums))]).split("\n")[1]
    plain = " ".join(body.replace("&", "").replace(r"\quad", "").replace(r" \\", "").split())
    assert plain.replace(r",\ ", ",").replace(" ", "") == f"{','.join(left)}={'+'.join(sums)}"


def test_indices_are_narrower_than_what_they_stand_at() -> None:
    assert width("x_{ij}") < width("xij")
    assert width(r"\text{abc}") == width("abc") == 3
    assert width(r"\beta") == 1


def test_many_symbols_have_dots_between_them() -> None:
    assert several("abc", 4) == ("a", "b", "c")
    assert several("abcdefgh", 4) == ("a", "b", r"\ldots", "h")
