"""Numbers as text keep their significant digits at every size."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.numbers import fixed, number, numbers, p_value, share


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (251.4051, "251.4"),
        (0.00043214, "0.0004321"),
        (12345.6, "12,346"),
        (9.99996, "10.00"),
        (-1.5, "−1.500"),
        (1.2346e-7, "1.235 × 10⁻⁷"),
        (5e-324, "4.941 × 10⁻³²⁴"),
        (-6.022e23, "−6.022 × 10²³"),
        (0.0, "0"),
        (-0.0, "0"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_four_significant_digits(value: float, shown: str) -> None:
    assert number(value) == shown


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: value != 0))
def test_no_number_but_zero_reads_as_zero(value: float) -> None:
    assert any(sign in "123456789" for sign in number(value).split(" × ")[0])


@given(st.floats(1e-5, 1e8), st.integers(2, 6))
def test_the_text_is_the_number_to_its_digits(value: float, digits: int) -> None:
    assert float(number(value, digits).replace(",", "")) == pytest.approx(
        value, rel=0.51 * 10 ** (1 - digits)
    )


def test_a_column_has_common_decimals() -> None:
    assert numbers([251.405, 10.4673]) == ["251.41", "10.47"]


def test_a_column_of_very_different_sizes_does_not() -> None:
    assert numbers([61234.6, 0.00123456]) == ["61,235", "0.001235"]


def test_a_small_outcome_keeps_its_digits() -> None:
    assert numbers([0.00012, 0.00034]) == ["0.0001200", "0.0003400"]


def test_fixed_decimals_never_hide_a_value() -> None:
    assert fixed(0.0004, 2) == "0.0004000"
    assert fixed(0.0, 2) == "0.00"


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.00099, "< 0.001"),
        (0.001, "0.001"),
        (0.0432, "0.043"),
        (0.999, "0.999"),
        (0.9996, "> 0.999"),
        (math.nan, "–"),
        (0, "< 0.001"),
    ],
)
def test_p_values(p: float, shown: str) -> None:
    assert p_value(p) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.394, "39%"),
        (0.0042, "0.4%"),
        (0.0004, "< 0.1%"),
        (0, "0%"),
        (0.9949, "99%"),
        (0.9968, "99.7%"),
        (0.99999, "> 99.9%"),
        (1, "100%"),
        (math.nan, "–"),
    ],
)
def test_shares(value: float, shown: str) -> None:
    assert share(value) == shown
