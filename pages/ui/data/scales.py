"""Answers of the usual scales in their order: agreement, frequency, size, quality, degree. Pure.

Sorted as text, "agree" comes before "disagree" and "always" before "never".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

FEWEST = 3
"""Fewer different answers, such as low and high, need no order."""

# Each scale from the lowest answer to the highest; answers on one place mean the same.
_SCALES: tuple[tuple[str, ...], ...] = (
    (
        "strongly disagree|completely disagree|totally disagree",
        "disagree",
        "somewhat disagree|slightly disagree|rather disagree",
        "neutral|neither agree nor disagree|neither|undecided|neither nor",
        "somewhat agree|slightly agree|rather agree",
        "agree",
        "strongly agree|completely agree|totally agree",
    ),
    (
        "never",
        "almost never|hardly ever|very rarely",
        "rarely|seldom",
        "sometimes|occasionally",
        "often|frequently|usually",
        "very often|almost always",
        "always",
    ),
    ("very low", "low", "medium|moderate|middle|average|intermediate", "high", "very high"),
    ("very small", "small", "medium|middle", "large|big", "very large|very big"),
    ("very poor|very bad", "poor|bad", "fair|average|satisfactory|ok", "good", "very good", "excellent"),
    (
        "very dissatisfied|very unsatisfied",
        "dissatisfied|unsatisfied",
        "neutral|neither satisfied nor dissatisfied|neither",
        "satisfied",
        "very satisfied",
    ),
    (
        "not at all",
        "a little|slightly|a little bit",
        "moderately|somewhat",
        "quite a bit|very|a lot",
        "extremely",
    ),
    ("none", "mild", "moderate", "severe", "very severe"),
    (
        "stimme gar nicht zu|stimme überhaupt nicht zu|trifft gar nicht zu|trifft überhaupt nicht zu",
        "stimme nicht zu|trifft nicht zu",
        "stimme eher nicht zu|trifft eher nicht zu",
        "neutral|teils teils|teils/teils|teils, teils|teils-teils|weder noch",
        "stimme eher zu|trifft eher zu",
        "stimme zu|trifft zu",
        "stimme voll zu|stimme voll und ganz zu|trifft voll zu|trifft voll und ganz zu|trifft genau zu",
    ),
    (
        "nie|niemals",
        "sehr selten|fast nie",
        "selten",
        "manchmal|gelegentlich",
        "oft|häufig",
        "sehr oft|fast immer",
        "immer",
    ),
    ("sehr niedrig", "niedrig|gering", "mittel", "hoch", "sehr hoch"),
)
_RANKS = tuple(
    {answer: rank for rank, answers in enumerate(scale) for answer in answers.split("|")} for scale in _SCALES
)


def in_order(levels: Collection[str]) -> list[str] | None:
    """The answers from the lowest to the highest; None where they are no answers of one usual scale."""
    plain = {level: " ".join(level.casefold().split()) for level in levels}
    for ranks in _RANKS:
        places = [ranks.get(answer) for answer in plain.values()]
        if None not in places and len(set(places)) == len(places):
            return sorted(levels, key=lambda level: ranks[plain[level]])
    return None


def described(levels: Sequence[str]) -> str:
    """'never < rarely < … < always'"""
    shown = list(levels) if len(levels) < 5 else [*levels[:2], "…", levels[-1]]
    return " < ".join(shown)
