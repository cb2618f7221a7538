"""Plain-language readings of a fit: did it converge, is it singular, what does the ICC say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import pandas as pd

from pages.ui import text
from pages.ui.numbers import share


class Finding(Protocol):
    """What `result.diagnose()` lists."""

    @property
    def severity(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def evidence(self) -> str: ...
    @property
    def meaning(self) -> str: ...
    @property
    def remedy(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """kind : how it is shown; words : one or two sentences of Markdown."""

    kind: Literal["success", "warning", "error"]
    words: str


def verdict(*, converged: bool, singular: bool, findings: Sequence[Finding] = ()) -> Verdict:
    """Whether the numbers below can be read, in one or two sentences."""
    if not converged:
        return Verdict(
            "error",
            "**The fit did not converge.** The search for the best values stopped before it found them, "
            "so the numbers below may be off. See the advice below.",
        )
    if singular:
        return Verdict(
            "warning",
            "**The fit converged, and it is singular:** a variance is estimated as zero, or a correlation as "
            "exactly ±1. The estimates are the best ones for this model; the data show less variation than "
            "the model allows for.",
        )
    serious = sum(finding.severity != "info" for finding in findings)
    if serious:
        things = "one thing" if serious == 1 else f"{serious} things"
        return Verdict("warning", f"**The fit converged.** Look at {things} before you rely on it.")
    return Verdict("success", "**The fit converged** to the best values, with every variance above zero.")


SEVERITY_ICONS = {"info": ":material/info:", "warning": ":material/warning:", "serious": ":material/error:"}


def finding(found: Finding) -> str:
    """One finding as a line of Markdown: what, the evidence, what it means, what to try."""
    icon = SEVERITY_ICONS.get(found.severity, SEVERITY_ICONS["info"])
    parts = [f"{icon} **{text.escape(found.title)}**"]
    parts += [text.escape(part) for part in (found.evidence, found.meaning) if part]
    if found.remedy:
        parts.append(f"*What to try:* {text.escape(found.remedy)}")
    return " ".join(_stopped(part) for part in parts)


def _stopped(sentence: str) -> str:
    """The sentence with a full stop, whether or not it came with one."""
    bare = sentence.rstrip("*")
    return sentence if bare.endswith((".", "?", "!", ":", "…")) else f"{sentence}."


def icc_readings(icc: pd.DataFrame, outcome: object) -> list[str]:
    """What the intraclass correlations say, one sentence a level, in Markdown.

    icc : group, icc, as `result.icc()`
    """
    levels = icc[icc["group"] != "Residual"]
    return [
        _icc_reading(group, float(value), outcome)
        for group, value in zip(levels["group"], levels["icc"], strict=True)
    ]


def _icc_reading(group: object, value: float, outcome: object) -> str:
    name, what = text.escape(text.shorten(group)), text.escape(text.shorten(outcome))
    lies = f"of the variance in {what} that the predictors leave lies between levels of **{name}**."
    if math.isnan(value):
        return f"How much variance lies between levels of **{name}** could not be computed."
    return f"Practically none {lies}" if value < 0.001 else f"**{share(value)}** {lies}"


def notes(items: Iterable[str]) -> str:
    """Sentences on dropped rows, aliased columns and the like as a Markdown list; empty without any."""
    return "\n".join(f"- {text.escape(item)}" for item in items)
