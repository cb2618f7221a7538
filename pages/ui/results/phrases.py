"""The phrases of a reading: what is compared, where it holds, and how large it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pages.ui.results.facts import Facts, Outcome
from pages.ui.results.meaning import Against, Slope, Within, Zero
from pages.ui.results.steps import Step
from pages.ui.results.voice import Voice, rounded, value
from pages.ui.text import enumerated

MOST_ZEROS = 4


VAGUE = 1e3
"""Upper over lower end from which an interval leaves a standard deviation undetermined."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its interval; NaN where there is none."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """The same in other units; the ends change places when the sign does."""
        ends = sorted((self.low * factor, self.high * factor))
        return Estimate(self.value * factor, ends[0], ends[1])

    @property
    def bounded(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def vague(self) -> bool:
        """Whether the ends are so far apart that the data say nothing of the size of a positive number."""
        return self.bounded and 0 < VAGUE * self.low < self.high

    @property
    def open(self) -> bool:
        """Whether the interval leaves the sign open."""
        return self.bounded and self.low <= 0 <= self.high


# --- what is compared --------------------------------------------------------------------------------------


def lead(part: Slope | Against, facts: Facts, voice: Voice) -> str:
    """'Per additional unit of Days (days)', 'For B compared with A (group)'."""
    return _step(part.step, facts, voice) if isinstance(part, Slope) else _against(part, voice)


def _step(step: Step, facts: Facts, voice: Voice) -> str:
    name, unit = voice.name(step.name), facts.units.get(step.name, "")
    in_unit = f" ({voice.plain(unit)})" if unit else ""
    if step.kind == "pair":
        high, low = value(step.low + step.size), value(step.low)
        return f"Where {name} is {high} rather than {low}"
    if step.kind == "log":
        what = name if step.shift == 0 else f"({name} {_signed(step.shift)})"
        return f"With every doubling of {what}" if step.size == 2 else f"With 10% more {what}"
    if step.kind == "deviation":
        return f"Per additional standard deviation of {name}"
    if step.size == 1:
        return f"Per additional unit of {name}{in_unit}"
    return f"Per additional {value(step.size)} of {name}{in_unit}"


def _signed(shift: float) -> str:
    return f"{'+' if shift > 0 else '−'} {value(abs(shift))}"


def _against(part: Against, voice: Voice) -> str:
    name = voice.name(part.variable)
    if part.boolean and len(part.others) == 1:
        return f"Where {name} is {part.level.lower()} rather than {part.others[0].lower()}"
    level = voice.name(part.level)
    if part.everything:
        return f"For {level} compared with the mean of all levels of {name}"
    if len(part.others) == 1:
        return f"For {level} compared with {voice.name(part.others[0])} ({voice.plain(part.variable)})"
    others = enumerated([voice.name(other) for other in part.others])
    return f"For {level} compared with the mean of {others} ({voice.plain(part.variable)})"


def noun(part: Slope | Against, voice: Voice) -> str:
    """'the slope of Days', 'the difference between B and A'."""
    if isinstance(part, Against):
        level = voice.name(part.level)
        if part.boolean and len(part.others) == 1:
            return f"the difference that {voice.name(part.variable)} makes"
        if part.everything:
            return f"the difference between {level} and the mean of all levels of {voice.name(part.variable)}"
        others = enumerated([voice.name(other) for other in part.others])
        mean = "" if len(part.others) == 1 else "the mean of "
        return f"the difference between {level} and {mean}{others}"
    step, name = part.step, voice.name(part.step.name)
    if step.kind == "pair":
        return f"the difference that {name} makes"
    per = {"log": "per doubling" if step.size == 2 else "per 10% more", "deviation": "per standard deviation"}
    size = "per unit" if step.size == 1 else f"per {value(step.size)}"
    return f"the slope of {name} ({per.get(step.kind, size)})"


def inside(parts: Sequence[Within], voice: Voice) -> str:
    """'within A of group and D of kind'."""
    said = [f"{voice.name(part.level)} ({voice.plain(part.variable)})" for part in parts]
    return f"within {enumerated(said)}"


# --- where it holds ----------------------------------------------------------------------------------------


def at(zeros: Sequence[Zero], voice: Voice) -> str:
    """'at Days = 0 and group = A, averaged over kind'; empty when it holds everywhere."""
    first: dict[str, Zero] = {}
    for zero in zeros:
        first.setdefault(zero.name, zero)
    places = [_zero(zero, voice) for zero in first.values() if not zero.average]
    averaged = [voice.name(zero.name) for zero in first.values() if zero.average]
    said = [f"at {enumerated(places, MOST_ZEROS)}"] if places else []
    said += [f"averaged over {enumerated(averaged, MOST_ZEROS)}"] if averaged else []
    return ", ".join(said)


def _zero(zero: Zero, voice: Voice) -> str:
    name = voice.name(zero.name)
    if zero.numeric:
        if zero.value is None:
            return f"the columns of {name} at zero"
        return f"{name} = {value(zero.value)}{' (its mean)' if zero.mean else ''}"
    if zero.level is not None:
        return f"{name} = {zero.level.lower() if zero.boolean else voice.plain(zero.level)}"
    return f"the columns of {name} at zero"


# --- how large it is ---------------------------------------------------------------------------------------


def difference(found: Estimate, outcome: Outcome, voice: Voice, *, strong: bool = True) -> str:
    """'10.5 ms higher', '4.2% lower', 'the same'."""
    shown, unit, sign = _in_units(found, outcome)
    if sign == 0:
        return "the same"
    words = f"{shown[0]}{unit} {'higher' if sign > 0 else 'lower'}"
    return voice.strong(words) if strong else words


def ends(found: Estimate, outcome: Outcome) -> str:
    """'7.5 to 13.5', '−5.1% to 9.3%': signed, as the difference itself."""
    if outcome.base is None:
        return " to ".join(rounded(found.value, found.low, found.high)[1:])
    percents = [percent(each, outcome.base) for each in (found.value, found.low, found.high)]
    return " to ".join(f"{each}%" for each in rounded(*percents)[1:])


def compatible(found: Estimate, outcome: Outcome) -> str:
    """'anything from 2.1 lower to 4.4 higher', for an interval that includes zero."""
    words = []
    for end in (found.low, found.high):
        size = _sizes(found, outcome)[1 if end == found.low else 2].lstrip("−")
        unit = "%" if outcome.base is not None else ""
        words.append("no difference" if end == 0 else f"{size}{unit} {'lower' if end < 0 else 'higher'}")
    return f"anything from {words[0]} to {words[1]}"


def expected(found: Estimate, outcome: Outcome, voice: Voice) -> tuple[str, str]:
    """An expected value and its interval: '251 ms', '238 to 265'; on the outcome's own scale after a log."""
    values = [found.value, found.low, found.high]
    if outcome.base is not None:
        values = [power(outcome.base, each) - outcome.shift for each in values]
    shown = rounded(*values)
    return voice.strong(f"{shown[0]}{_unit(outcome)}"), f"{shown[1]} to {shown[2]}"


def percent(effect: float, base: float) -> float:
    """A difference of logarithms as a change in percent."""
    return 100 * (power(base, effect) - 1)


def power(base: float, exponent: float) -> float:
    """base ** exponent, infinite where that is too large to write."""
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


def _in_units(found: Estimate, outcome: Outcome) -> tuple[list[str], str, int]:
    sign = (found.value > 0) - (found.value < 0)
    shown = [each.lstrip("−") for each in _sizes(found, outcome)]
    return shown, "%" if outcome.base is not None else _unit(outcome), sign


def _sizes(found: Estimate, outcome: Outcome) -> list[str]:
    values = [found.value, found.low, found.high]
    return rounded(*(values if outcome.base is None else [percent(each, outcome.base) for each in values]))


def _unit(outcome: Outcome) -> str:
    return f" {outcome.unit}" if outcome.unit else ""
