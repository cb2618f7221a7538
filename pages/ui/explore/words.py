"""What Explore shows, in sentences. Pure; Markdown comes out."""

from __future__ import annotations

import math

from pages.ui.explore.groups import Lines
from pages.ui.numbers import number, share
from pages.ui.text import escape, shorten


def icc(value: float, outcome: str, group: str, rows: int, groups: int) -> str:
    """What the intraclass correlation says, and what it means for the number of rows."""
    what, by = escape(shorten(outcome)), escape(shorten(group))
    if math.isnan(value):
        return "How much of the variance lies between groups could not be computed."
    said = (
        f"**{share(value)}** of the variance of {what} lies between the groups of {by}, the rest within them "
        "(intraclass correlation): so alike are two rows of one group."
    )
    effect = 1 + (rows / groups - 1) * value
    if value < 0.001:
        return said + " The groups hardly matter for the level of the outcome."
    return said + (
        f" For the mean of all, {rows:,} rows in {groups:,} groups count about as much as "
        f"{rows / effect:,.0f} independent ones (design effect {number(effect, 3)}; Kish 1965)."
    )


def slopes(lines: Lines, outcome: str, predictor: str, group: str) -> str:
    """The slope within groups against that between them; a reversal is said to be one."""
    y, x, by = (escape(shorten(name)) for name in (outcome, predictor, group))
    if math.isnan(lines.within):
        return f"{x} never varies within a group of {by}: all that can be seen is between the groups."
    within = f"**Within** a group of {by}, {y} {_moves(lines.within)} for one more {x}."
    if math.isnan(lines.between):
        return f"{within} The groups have the same mean of {x}, so there is no slope between them."
    between = f"**Between** the groups, their mean {_moves(lines.between)} for one more in the mean of {x}."
    return f"{within} {between} {_verdict(lines, x)}"


def _moves(slope: float) -> str:
    if slope == 0:
        return "stays the same"
    return f"{'rises' if slope > 0 else 'falls'} by {number(abs(slope), 3)}"


def _verdict(lines: Lines, x: str) -> str:
    within, between = lines.within, lines.between
    if within * between < 0:
        return (
            "The two run in opposite directions (Simpson's reversal): what holds between groups is false "
            "within them."
        )
    if abs(within - between) <= 0.1 * max(abs(within), abs(between)):
        return "The two are nearly the same."
    return (
        f"The two differ: one slope for {x} would mix them. The group mean of {x} as a predictor of its own "
        "keeps them apart."
    )
