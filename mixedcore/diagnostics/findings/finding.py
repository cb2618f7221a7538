"""One finding, and the fit as the rules that find it see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from mixedcore.design.factors import factor_names
from mixedcore.diagnostics.leverage import Leverage
from mixedcore.diagnostics.residuals import left_over
from mixedcore.engine.rows import Rows
from mixedcore.optimisation import Optimisation
from mixedcore.terms import Floats, Ints, RandomTerm
from mixedcore.units import UserUnits

MOST_NAMES = 8  # names that one sentence lists
FIXED_HOLD = "Fixed effects and their standard errors hold."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing; all texts are plain sentences that may quote names from the data."""

    kind: str
    severity: Literal["info", "warning", "serious"]
    title: str
    evidence: str
    meaning: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FixedTerm:
    """A term of the fixed part: its columns by position among those in the model, and the data it uses."""

    name: str
    columns: tuple[int, ...]
    variables: frozenset[str]


@dataclass(frozen=True, eq=False)
class Seen:
    """A fit as the rules see it.

    names (p,) of the fixed effects; terms of the fixed part, without the intercept; labels of the rows, None
    where they were not kept; levels(t): labels of random term t; leverages(): those of the rows
    """

    user: UserUnits
    optimisation: Optimisation
    names: list[str]
    terms: tuple[FixedTerm, ...]
    labels: pd.Index | None
    levels: Callable[[int], list[str]]
    leverages: Callable[[], Leverage]

    @property
    def rows(self) -> Rows:
        """The rows in memory."""
        assert isinstance(self.user.rows, Rows)
        return self.user.rows

    @cached_property
    def root_weights(self) -> Floats:
        """Square roots of the prior weights, (n,)."""
        found = self.user.root_weights
        return np.ones(self.rows.n) if found is None else found

    @cached_property
    def marginal(self) -> Floats:
        """y − offset − Xβ times the root of the weights, (n,)."""
        return np.asarray(self.root_weights * self.user.marginal_resid)

    @cached_property
    def conditional(self) -> Floats:
        """Marginal residuals less the random part, (n,)."""
        return np.asarray(self.marginal - self.root_weights * self.user.random_part)

    @cached_property
    def studentised(self) -> Floats:
        """Conditional residuals over their SD under the model, (n,); NaN for rows of leverage 1."""
        spread = np.sqrt(self.user.sigma2 * left_over(self.leverages().total))
        return np.asarray(self.conditional / spread)

    @cached_property
    def factors(self) -> list[tuple[int, RandomTerm, Ints]]:
        """Number of a term, the term, and the level of each row, (n,): once for terms on the same levels."""
        terms = self.user.estimate.terms
        members = [g.members[0] for g in self.user.estimate.evaluation.cp.groupings]
        places = sorted({member.term: member.block for member in reversed(members)}.items())
        return [(t, terms[t], terms[t].blocks[b].codes) for t, b in places]

    def column(self, name: str) -> Floats:
        """A column of X, (n,), without weights."""
        j = self.user.kept[self.names.index(name)]
        return np.asarray(self.rows.columns[self.rows.layout.fixed[j]])


def fixed_terms(info: Any, names: list[str], kept: Ints) -> tuple[FixedTerm, ...]:
    """The fixed terms whose columns are in the model, the intercept left out.

    info : patsy's coding of X, or None for a model from arrays, whose columns `names` are terms by themselves
    """
    position = {int(j): i for i, j in enumerate(kept)}
    if info is None:
        every = [(name, [j], frozenset({name})) for j, name in enumerate(names)]
    else:
        every = [
            (term.name(), list(range(*own.indices(len(names)))), frozenset(_variables(term)))
            for term, own in info.term_slices.items()
        ]
    found = ((name, tuple(position[j] for j in own if j in position), used) for name, own, used in every)
    return tuple(FixedTerm(*each) for each in found if each[1] and each[2])


def _variables(term: Any) -> Iterator[str]:
    for factor in term.factors:
        yield from factor_names(factor)


def p_text(p: float) -> str:
    """'p = 0.012', 'p < 0.001': a p-value of 2e-68 says no more than that it is small."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def listed(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
