"""What is known of one example data set. No files are read here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import Literal

Role = Literal["outcome", "predictor", "group", "identifier"]
Kind = Literal["number", "label", "ordered"]

_FACTOR = re.compile(r"C\((\w+)\)")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an example.

    role    : 'outcome', 'predictor', 'group' (a grouping factor) or 'identifier' (names rows or people)
    kind    : 'number' (numeric), 'label' (categorical), 'ordered' (ordered categorical)
    unit    : unit of a number ('ms'), or what a label is ('label', 'ordered label')
    meaning : one plain sentence
    levels  : labels in their order, the reference level first; empty for the natural order
    """

    name: str
    role: Role
    kind: Kind
    unit: str
    meaning: str
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """One example data set: its story, its columns and a model that suits it.

    rows        : number of rows
    groups      : column of the top-level groups; '' means one group that holds all rows, as the
                  seed notation needs for crossed factors
    re_formula  : one-sided formula of the group term, or None for no group term
    components  : (name, one-sided formula) of each variance component; `vc_formula` is the same as a dict
    tags        : topics, the level first ('first steps', 'intermediate' or 'advanced')
    truth       : (parameter, value) for simulated data, empty otherwise
    """

    name: str
    title: str
    story: str
    source: str
    licence: str
    rows: int
    columns: tuple[Column, ...]
    formula: str
    groups: str
    re_formula: str | None
    components: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    truth: tuple[tuple[str, float], ...] = ()

    @property
    def outcome(self) -> str:
        """Name of the outcome column."""
        return next(column.name for column in self.columns if column.role == "outcome")

    @property
    def grouping(self) -> tuple[str, ...]:
        """Columns that the random part of the suggested model groups by, the top level first.

        A predictor can be among them: in a split plot, the variety within a block names the plot.
        """
        nested = (_FACTOR.findall(formula) for _, formula in self.components)
        return tuple(dict.fromkeys(filter(None, (self.groups, *chain.from_iterable(nested)))))

    @property
    def vc_formula(self) -> dict[str, str]:
        """The variance components as `mixedlm` takes them; a new dict each time."""
        return dict(self.components)

    @property
    def suggested_model(self) -> str:
        """The suggested model as a call of `mixedlm`, for `data` loaded under that name."""
        arguments = [_quoted(self.formula), "data"]
        arguments.append(f"groups={_quoted(self.groups) if self.groups else 'np.ones(len(data))'}")
        if self.re_formula is not None:
            arguments.append(f"re_formula={_quoted(self.re_formula)}")
        if self.components:
            pairs = (f"{_quoted(name)}: {_quoted(formula)}" for name, formula in self.components)
            arguments.append(f"vc_formula={{{', '.join(pairs)}}}")
        return f"mixedlm({', '.join(arguments)})"


def _quoted(text: str) -> str:
    """Python source of a string, in double quotes where the text itself has none."""
    return repr(text) if '"' in text else f'"{text}"'
