"""How a reading is set: as Markdown on the page, or as plain text to copy. Names from data pass here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pages.ui import text
from pages.ui.numbers import fixed, number

DIGITS = 3


@dataclass(frozen=True, slots=True)
class Voice:
    """How words are set.

    name   : a column or level, set apart; plain : other short text from data; line : a whole sentence that
             may quote data
    strong : the number that matters
    """

    name: Callable[[object], str]
    plain: Callable[[object], str]
    line: Callable[[object], str]
    strong: Callable[[str], str]


def _short(value: object) -> str:
    return text.shorten(value, 60)


MARKDOWN = Voice(
    lambda value: f"**{text.escape(_short(value))}**",
    lambda value: text.escape(_short(value)),
    text.escape,
    lambda words: f"**{words}**",
)
PLAIN = Voice(_short, _short, text.one_line, lambda words: words)


def rounded(*values: float) -> list[str]:
    """Numbers that belong together, with as many decimals as the largest needs for three digits."""
    sizes = [abs(value) for value in values if math.isfinite(value) and value != 0]
    if not sizes:
        return [number(value, DIGITS) for value in values]
    largest = int(f"{max(sizes):.{DIGITS - 1}e}".partition("e")[2])
    places = DIGITS - 1 - largest if -4 <= largest <= 8 else None
    return [fixed(value, None if places is None else max(places, 0), 2) for value in values]


def value(number_: float) -> str:
    """A value of a predictor as people write it: 5, 0.25, 1,000,000."""
    exact = abs(number_) < 1e9 and abs(number_ - round(number_, 3)) <= 1e-9 * max(abs(number_), 1)
    return (
        number(number_, DIGITS) if not exact else f"{number_:,.3f}".rstrip("0").rstrip(".").replace("-", "−")
    )


def p_apa(p: float) -> str:
    """'p < .001', 'p = .034', as journals of psychology set it."""
    if math.isnan(p):
        return "no p-value"
    if p < 0.001:
        return "p < .001"
    return "p > .999" if p > 0.999 else f"p = {p:.3f}".replace("0.", ".").replace("p = 1.000", "p > .999")


def df_text(df: float) -> str:
    """Degrees of freedom, whole where they are."""
    return f"{df:,.0f}" if abs(df - round(df)) < 0.05 or df >= 1000 else f"{df:,.1f}"


def t_apa(statistic: float, df: float, p: float) -> str:
    """'t(17) = 6.77, p < .001', or with z where the degrees of freedom are infinite."""
    if math.isnan(statistic):
        return "no test"
    value = f"{statistic:.2f}".replace("-", "−")
    letter = "z" if math.isinf(df) else f"t({df_text(df)})"
    return f"{letter} = {value}, {p_apa(p)}"


def f_apa(statistic: float, num_df: float, den_df: float, p: float) -> str:
    """'F(2, 34.1) = 5.20, p = .011', or the Wald chi-square where the denominator's df are infinite."""
    if math.isnan(statistic) or num_df == 0:
        return "no test"
    if math.isinf(den_df):
        return f"χ²({num_df:.0f}) = {statistic * num_df:.2f}, {p_apa(p)}"
    return f"F({num_df:.0f}, {df_text(den_df)}) = {statistic:.2f}, {p_apa(p)}"
