"""Tests of Lβ = 0 for rows L (r, p) of contrasts, one by one (t) or together (F), by each kind of df.

    t = l'β / √(l'Cl),        F = (Lβ)'(LCL')⁻¹(Lβ) / rank(L)

C is σ²(X'V⁻¹X)⁻¹, or Kenward and Roger's adjusted covariance. Degrees of freedom: Satterthwaite's (Fai &
Cornelius for F), Kenward and Roger's (with their scaling of F), n − p ('residual'), or infinitely many
('normal': t is then a z, and num_df · F a chi-square).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from mixedcore.errors import ModelError
from mixedcore.inference.information import VarianceInformation
from mixedcore.inference.kenward_roger import KenwardRoger
from mixedcore.inference.satterthwaite import Satterthwaite
from mixedcore.inference.tails import two_sided_t, upper_tail_of_f
from mixedcore.terms import Floats

Ddf = Literal["satterthwaite", "kenward-roger", "residual", "normal"]
RANK = 1e-8  # share of the largest eigenvalue of the correlations of Lβ from which a row counts as another


@dataclass(frozen=True, slots=True, eq=False)
class RowTests:
    """t test of each row: all (r,), in the outcome's units."""

    estimate: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats


@dataclass(frozen=True, slots=True, eq=False)
class JointTest:
    """F test of all rows together.

    num_df : the rank of L; statistic : with Kenward and Roger's λ, which is `scaling` (1 for others)
    """

    num_df: int
    den_df: float
    statistic: float
    scaling: float
    p_value: float


@dataclass(frozen=True, eq=False)
class Hypotheses:
    """Tests of the fixed effects of one fit, counting degrees of freedom in one way."""

    info: VarianceInformation
    ddf: Ddf

    def __post_init__(self) -> None:
        if self.ddf not in get_args(Ddf):
            known = ", ".join(map(repr, get_args(Ddf)))
            raise ModelError(f"ddf={self.ddf!r} is not known; choose one of {known}.")

    @cached_property
    def _kenward_roger(self) -> KenwardRoger:
        return KenwardRoger(self.info)

    @cached_property
    def _satterthwaite(self) -> Satterthwaite:
        return Satterthwaite(self.info)

    @property
    def cov_beta(self) -> Floats:
        """Covariance of β that the tests use, (p, p)."""
        return self._kenward_roger.cov_beta if self.ddf == "kenward-roger" else self.info.user.cov_beta

    def df(self, L: Floats) -> Floats:
        """Degrees of freedom of the t test of each row, (r,)."""
        if self.ddf == "satterthwaite":
            return self._satterthwaite.df(L)
        if self.ddf == "kenward-roger":
            return self._kenward_roger.df(L)
        return np.full(len(L), self._constant_df)

    @property
    def _constant_df(self) -> float:
        cp = self.info.evaluation.cp
        return np.inf if self.ddf == "normal" else float(cp.n - cp.p)

    def each(self, L: Floats, rhs: Floats | float = 0.0) -> RowTests:
        """t test of l'β = rhs for every row l of L (r, p), the columns being those of `fe_params`.

        Without a test (NaN) where l'β was held, and so has no error. Raises ModelError for a row of zeros.
        """
        L = np.atleast_2d(np.asarray(L, dtype=float))
        if len(empty := np.flatnonzero(~L.any(axis=1))):
            raise ModelError(
                f"Contrast {empty[0] + 1} is zero for every fixed effect, so there is nothing to test."
            )
        estimate = L @ self.info.user.beta - rhs
        error = np.sqrt(np.einsum("rp,pq,rq->r", L, self.cov_beta, L))
        df = np.where(error > 0, self.df(L), np.nan)
        statistic = estimate / np.where(error > 0, error, np.nan)
        return RowTests(estimate, error, df, statistic, two_sided_t(statistic, df))

    def together(self, L: Floats, rhs: Floats | float = 0.0) -> JointTest:
        """F test of Lβ = rhs for all rows of L (r, p); rows that others determine do not count.

        Raises ModelError where no row is left.
        """
        L = np.atleast_2d(np.asarray(L, dtype=float))
        estimate = L @ self.info.user.beta - rhs
        rows = _independent(L @ self.info.user.cov_beta @ L.T)
        L, estimate = rows @ L, rows @ estimate
        q = len(L)
        if not q:
            raise ModelError(
                "The hypothesis restricts none of the fixed effects, so there is nothing to test."
            )
        den_df, scaling = self._denominator(L)
        whole = np.linalg.cholesky(L @ self.cov_beta @ L.T)
        F = scaling * float(np.sum(np.linalg.solve(whole, estimate) ** 2)) / q
        return JointTest(q, den_df, F, scaling, upper_tail_of_f(F, q, den_df))

    def _denominator(self, L: Floats) -> tuple[float, float]:
        if self.ddf == "kenward-roger":
            return self._kenward_roger.joint(L)
        if self.ddf == "satterthwaite":
            return self._satterthwaite.joint(L), 1.0
        return self._constant_df, 1.0


def _independent(V: Floats) -> Floats:
    """Combinations (q, r) that make q independent rows of rows with covariance V (r, r); I if all are."""
    moving = np.flatnonzero(np.diag(V) > 0)
    scale = 1 / np.sqrt(np.diag(V)[moving])
    values, vectors = np.linalg.eigh(V[np.ix_(moving, moving)] * scale[:, None] * scale)
    counts = values > RANK * max(values[-1:], default=0.0)
    out = np.zeros((np.count_nonzero(counts), len(V)))
    out[:, moving] = np.eye(moving.size) if counts.all() else vectors[:, counts].T * scale
    return out
