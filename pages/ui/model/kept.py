"""A model that a person keeps to compare it with others. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pages.ui.data.dataset import Dataset
from pages.ui.data.making import Made
from pages.ui.model.modelcall import ModelCall


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A call with the very data that it was fitted to, under a name of its own.

    made : how the data were made of their source, as far as that is known
    """

    name: str
    call: ModelCall
    data: Dataset
    made: Made | None = None

    def same_fit(self, call: ModelCall, data: Dataset) -> bool:
        """Whether this is the fit of `call` to `data`."""
        return self.call == call and self.data.digest == data.digest


def free_name(kept: Sequence[Kept]) -> str:
    """'Model 1', 'Model 2', …: the first that nobody has."""
    taken = {each.name for each in kept}
    return next(name for place in range(1, len(kept) + 2) if (name := f"Model {place}") not in taken)
