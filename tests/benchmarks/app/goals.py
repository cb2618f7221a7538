"""What is measured, what is aimed at, and whether a list of times reaches it. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

LATE = 2.0
"""The 95th percentile may take this many times the goal."""
GROWTH = 1.05
"""Memory after fifty changes over that after ten: what an allocator keeps for itself is no growth."""


@dataclass(frozen=True)
class Waits:
    """One line of the table.

    goal    : seconds that the median may take; None for a line that only explains another
    seconds : from the input event until the answer is painted, one a repetition
    served  : of these, until the server had sent everything
    """

    what: str
    goal: float | None
    seconds: tuple[float, ...]
    served: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def late(self) -> float:
        """The 95th percentile."""
        return percentile(self.seconds, 0.95)

    @property
    def met(self) -> bool | None:
        """Whether the median is within the goal and the 95th percentile within twice the goal."""
        if self.goal is None:
            return None
        return self.median <= self.goal and self.late <= LATE * self.goal


@dataclass(frozen=True)
class Held:
    """Bytes that the server holds after so many changes of a model."""

    what: str
    changes: tuple[int, ...]
    resident: tuple[int, ...]

    @property
    def met(self) -> bool | None:
        """Whether it stopped growing after the first count; None where memory cannot be read."""
        if not self.resident:
            return None
        return self.resident[-1] <= GROWTH * self.resident[0]


@dataclass(frozen=True)
class Results:
    """Everything that a run measured."""

    date: str
    machine: dict[str, str]
    waits: list[Waits]
    held: list[Held] = field(default_factory=list)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def gray(bits: int) -> list[int]:
    """Which switch to turn next so that every setting of `bits` switches comes once: 0, 1, 0, 2, 0, 1, 0 …"""
    return [(step & -step).bit_length() - 1 for step in range(1, 2**bits)]
