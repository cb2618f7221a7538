"""Shares of variance: intraclass correlation and R².

The variance that a term adds to an observation is the mean over the rows of z'Ψz σ² (Johnson 2014, Methods
Ecol. Evol. 5, for random slopes); for a random intercept it is the variance itself. The variance of the fixed
effects is that of Xβ, without an offset. With prior weights these are shares of a row's variance at weight
one, where the residual variance is σ²: so the R package insight has it (Lüdecke, Waggoner & Makowski 2019,
J. Open Source Softw. 4(38)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mixedcore.terms import Floats
from mixedcore.units import UserUnits


@dataclass(frozen=True, slots=True, eq=False)
class VarianceShares:
    """fixed: variance of Xβ over the rows; random: mean variance each term adds, (T,); residual: σ²."""

    fixed: float
    random: Floats
    residual: float
    names: tuple[str, ...]

    @property
    def icc(self) -> float:
        """Share of all random terms in what the fixed effects leave (the adjusted ICC)."""
        return float(self.random.sum() / (self.random.sum() + self.residual))

    @property
    def r2_marginal(self) -> float:
        """Share of the fixed effects. Nakagawa & Schielzeth (2013), Methods Ecol. Evol. 4, eq. 29."""
        return self.fixed / (self.fixed + float(self.random.sum()) + self.residual)

    @property
    def r2_conditional(self) -> float:
        """Share of the fixed effects and all random terms. Nakagawa & Schielzeth (2013), eq. 30."""
        return 1 - self.residual / (self.fixed + float(self.random.sum()) + self.residual)

    def by_group(self) -> pd.DataFrame:
        """One row a grouping factor or component: `group, icc`."""
        table = pd.DataFrame({"group": self.names, "icc": self.random / (self.random.sum() + self.residual)})
        return table.groupby("group", sort=False, as_index=False).sum()


def variance_shares(user: UserUnits, fixed_part: Floats) -> VarianceShares:
    """Shares for a fit whose fixed part Xβ, (n,), is given."""
    terms = user.estimate.terms
    added = np.array(
        [sum(_added(b.basis, _root(user, t, b.width)) for b in term.blocks) for t, term in enumerate(terms)]
    )
    return VarianceShares(
        fixed=float(np.var(fixed_part, ddof=1)),
        random=user.sigma2 * added,
        residual=user.sigma2,
        names=tuple(term.name for term in terms),
    )


def _added(basis: Floats, root: Floats) -> float:
    """Mean of z'Ψz over the rows z of a basis (n, q), Ψ given by its root."""
    half = basis @ root
    return float(np.einsum("ij,ij->", half, half)) / len(basis)


def _root(user: UserUnits, t: int, width: int) -> Floats:
    root = user.root(t)
    return root * np.eye(width) if user.estimate.terms[t].structure == "isotropic" else root
