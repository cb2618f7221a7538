"""What each predictor explains at each level, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pages.ui.numbers import share
from pages.ui.results.voice import Voice
from pages.ui.text import enumerated

RESIDUAL = "Residual"
SMALL = 0.005
NEGATIVE = (
    "A negative share is no mistake. A predictor that differs only within groups lowers the variance within "
    "them; less of the differences between group means is then put down to chance, so the variance between "
    "groups rises (Snijders & Bosker 2012, section 7.1). And one that explains nothing can raise a variance "
    "a little, for its coefficient is estimated too."
)
NEGATIVE_WITHIN = (
    "A negative share within groups can come from a predictor that belongs to another level, or from chance."
)
SLOPES = (
    "In the last step slopes may differ between groups: what they take over moves from within groups to "
    "between them."
)


def explained(steps: pd.DataFrame, voice: Voice) -> list[str]:
    """One sentence a predictor, and why a share is negative where one is.

    steps : as `result.variance_steps()`
    """
    said: list[str] = []
    nothing: list[str] = []
    negative: set[bool] = set()
    slopes: list[str] = []
    groups = list(dict.fromkeys(steps["group"]))
    count = len(groups)
    for first in range(count, len(steps), count):
        own = steps.iloc[first : first + count]
        name = str(own["step"].iloc[0])
        if name == "Random slopes" and first + count == len(steps):
            slopes = [SLOPES]
            continue
        added = dict(zip(own["group"], own["added"].astype(float), strict=True))
        negative |= {group == RESIDUAL for group, value in added.items() if value < -SMALL}
        if all(abs(value) < SMALL for value in added.values()):
            nothing.append(voice.name(name))
            continue
        parts = [_part(group, value, voice) for group, value in added.items() if np.isfinite(value)]
        said.append(
            f"{voice.name(name)} explains {enumerated(parts)}."
            if parts
            else f"What {voice.name(name)} explains could not be computed: there was no variance to explain."
        )
    if nothing:
        explain = "explains" if len(nothing) == 1 else "explain"
        said.append(f"{enumerated(nothing)} {explain} practically nothing at any level.")
    why = [NEGATIVE] if False in negative else [NEGATIVE_WITHIN] if True in negative else []
    return [*said, *slopes, *why]


def _part(group: str, added: float, voice: Voice) -> str:
    where = "within groups" if group == RESIDUAL else f"between levels of {voice.name(group)}"
    if abs(added) < SMALL:
        return f"practically nothing of the variance {where}"
    size = share(added) if added > 0 else f"−{share(-added)}"
    return f"{voice.strong(size)} of the variance {where}"
