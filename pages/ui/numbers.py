"""Numbers as text: significant digits, so that a small outcome never reads as 0.000."""

from __future__ import annotations

import math
from collections.abc import Iterable

NONE = "–"
"""Stands where there is no number."""
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 4) -> str:
    """`value` with `digits` significant digits: 251.4, 0.0004321, 12,346, 1.235 × 10⁻⁷."""
    if math.isnan(value):
        return NONE
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    exponent = _exponent(value, digits)
    if -5 <= exponent <= 8:
        return _signed(f"{value:,.{max(digits - 1 - exponent, 0)}f}")
    mantissa = f"{value:.{digits - 1}e}".partition("e")[0]
    return f"{_signed(mantissa)} × 10{str(exponent).translate(_SUPERSCRIPT)}"


def counted(number: int, what: str) -> str:
    """'1 row', '2 rows'."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def figures(value: float, digits: int = 4) -> str:
    """A number with `digits` significant digits, for hover texts and descriptions: 0.25, 12,346, 1.2e-07."""
    whole = 10**digits - 0.5 <= abs(value) < 1e9
    return f"{value:,.0f}" if whole else f"{value:,.{digits}g}"


def decimals(values: Iterable[float], digits: int = 4) -> int | None:
    """Decimals with which the smallest of `values` has `digits` significant digits.

    None when their sizes differ so much that the largest would show more than six.
    """
    sizes = [_exponent(value, digits) for value in values if math.isfinite(value) and value != 0]
    if not sizes:
        return None
    found = max(digits - 1 - min(sizes), 0)
    return None if max(sizes) + found > 5 or min(sizes) < -5 or max(sizes) > 8 else found


def fixed(value: float, places: int | None, digits: int = 4) -> str:
    """`value` with that many decimals; with `digits` significant digits if None or if it would read 0."""
    if places is None or not math.isfinite(value) or (value != 0 and abs(value) < 10.0**-places):
        return number(value, digits)
    return _signed(f"{value:,.{places}f}")


def numbers(values: Iterable[float], digits: int = 4) -> list[str]:
    """A column of numbers with the same number of decimals, unless their sizes differ too much for that."""
    column = [float(value) for value in values]
    places = decimals(column, digits)
    return [fixed(value, places, digits) for value in column]


def _exponent(value: float, digits: int) -> int:
    """Power of ten of the first digit after rounding: 9.9999 with four digits is 10.00."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])


def _signed(shown: str) -> str:
    """A typographic minus, and none before a zero."""
    if shown.startswith("-"):
        return shown[1:] if not shown.strip("-0.,") else f"−{shown[1:]}"
    return shown


def p_value(p: float) -> str:
    """A p-value with three decimals; '< 0.001' and '> 0.999' at the ends."""
    if math.isnan(p):
        return NONE
    if p < 0.001:
        return "< 0.001"
    return "> 0.999" if p > 0.999 else f"{p:.3f}"


def share(value: float) -> str:
    """A proportion as a percentage: 39%, 0.4%, < 0.1%, 99.7%; 100% is all of it."""
    if math.isnan(value):
        return NONE
    percent = 100 * value
    if 0 < percent < 0.1:
        return "< 0.1%"
    if 99.5 <= percent < 100:
        return "> 99.9%" if percent >= 99.95 else f"{percent:.1f}%"
    return f"{percent:.0f}%" if percent >= 9.95 or percent == 0 else f"{percent:.1f}%"
