"""Random slopes of powers, and straight ones beside splines: chosen, written, read back, gone in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pages.ui.model.builder import from_call, read, to_call, write
from pages.ui.model.choices import Choices
from pages.ui.model.modelcall import ModelCall
from pages.ui.model.random_part import slope_key, with_lower
from pages.ui.model.shape import Shape
from tests.pages.test_builder import COLUMNS


@pytest.mark.parametrize(
    "call, slopes",
    [
        (ModelCall("y ~ x + I(x**2)", "g", "1 + x + I(x**2)"), ("x", slope_key("x", 2))),
        (ModelCall("y ~ np.log(x) + I(np.log(x)**2)", "g", "1 + I(np.log(x)**2)"), (slope_key("x", 2),)),
        (ModelCall("y ~ bs(x, df=4)", "g", "1 + x"), (slope_key("x", 1),)),
        (ModelCall("y ~ bs(x, df=4)", "g", "1 + bs(x, df=4)"), ("x",)),
        (ModelCall("y ~ bs(np.log(x), df=4)", "g", "0 + np.log(x)"), (slope_key("x", 1),)),
    ],
)
def test_a_slope_of_a_term_of_the_fixed_part_is_read_and_written(
    call: ModelCall, slopes: tuple[str, ...]
) -> None:
    chosen = from_call(call, COLUMNS)
    assert chosen is not None
    assert chosen.slopes == slopes
    assert to_call(chosen) == call


def test_independent_slopes_of_powers_are_components_and_bars() -> None:
    chosen = Choices(
        "y",
        ("x",),
        groups="g",
        shapes=(("x", Shape(degree=2)),),
        slopes=("x", slope_key("x", 2)),
        correlated=False,
    )
    call = to_call(chosen)
    assert call.vc_formula == (("x slope", "0 + x"), ("I(x**2) slope", "0 + I(x**2)"))
    assert from_call(call, COLUMNS) == chosen
    bars = ModelCall("y ~ x + I(x**2) + (1 | g) + (0 + I(x**2) | h)", "", None)
    read_back = from_call(bars, COLUMNS)
    assert read_back is not None
    assert to_call(read_back) == bars


def test_a_slope_goes_with_the_term_it_is_of() -> None:
    chosen = Choices(
        "y", ("x",), groups="g", shapes=(("x", Shape(degree=3)),), slopes=("x", slope_key("x", 3))
    )
    assert replace(chosen, shapes=(("x", Shape(degree=2)),)).slopes == ("x",)
    assert replace(chosen, fixed=()).slopes == ("x",)
    spline = replace(chosen, shapes=(("x", Shape(spline="bs", df=4)),), slopes=(slope_key("x", 1),))
    assert replace(spline, shapes=()).slopes == ("x",)


@pytest.mark.parametrize(
    "call",
    [
        ModelCall("y ~ x + I(x**2)", "g", "1 + I(x**3)"),
        ModelCall("y ~ x", "g", "1", (("I(x**2) slope", "0 + I(x**2)"),)),
        ModelCall("y ~ x + I(x**2)", "g", "1", (("bend", "0 + I(x**2)"),)),
        ModelCall("y ~ np.exp(x)", "g", "1 + I(x**2)"),
    ],
)
def test_a_slope_of_another_power_stays_as_typed(call: ModelCall) -> None:
    reading = read(call, COLUMNS)
    assert reading.unread
    assert write(reading, call) == call


def test_a_new_power_brings_the_lower_ones_and_no_others() -> None:
    cubic, square = slope_key("x", 3), slope_key("x", 2)
    assert with_lower([cubic], ()) == ("x", square, cubic)
    assert with_lower(["z", cubic], (cubic,)) == ("z", cubic)
    assert with_lower([slope_key("x", 1)], ()) == (slope_key("x", 1),)
