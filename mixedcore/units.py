"""The optimum in the user's units: coefficients, covariances, conditional modes and their variances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mixedcore.engine.basis import Basis
from mixedcore.engine.chart import factor_of, lower_root
from mixedcore.engine.criterion import Evaluation
from mixedcore.engine.estimate import Estimate
from mixedcore.engine.groupings import Grouping, Member
from mixedcore.engine.moments import Moments
from mixedcore.engine.rows import Chunked, Rows
from mixedcore.engine.rowwise import outcome_less_fixed, random_part
from mixedcore.errors import rows_not_kept
from mixedcore.terms import Floats, Ints, RandomTerm

NO_SPREAD = 1e-10  # variance of a combination of columns over their mean squares: rounding leaves less


@dataclass(frozen=True, eq=False)
class UserUnits:
    """An estimate seen in the units of the data; everything here is linear in the engine's numbers."""

    estimate: Estimate
    rows: Chunked  # `Rows` where they are in memory

    @cached_property
    def sigma2(self) -> float:
        """Residual variance σ²."""
        return self.estimate.evaluation.sigma2 * self.y_scale**2

    @cached_property
    def spans_constant(self) -> bool:
        """Whether the columns of X add up to a constant: an intercept, or all levels of a factor.

        They are linearly independent, so a combination of no variance is a constant that is not zero.
        """
        found, numbers = self.plain_moments, self.estimate.evaluation.cp.units.layout.fixed[self.kept]
        size = np.sqrt(found.mean_squares(numbers))
        spread = found.M2[np.ix_(numbers, numbers)] / found.weight / np.outer(size, size)
        return bool(numbers.size and np.linalg.eigvalsh(spread)[0] < NO_SPREAD)

    @property
    def y_scale(self) -> float:
        """One unit of the engine's outcome in the user's."""
        return self.estimate.evaluation.cp.fixed.y_scale

    @property
    def kept(self) -> Ints:
        """Columns of X in the model."""
        return self.estimate.evaluation.cp.fixed.kept

    @cached_property
    def beta(self) -> Floats:
        """Fixed effects (p,)."""
        found = self.estimate.evaluation.cp.fixed.beta_to_user(self.estimate.evaluation.beta)
        restriction = self.estimate.restriction
        return found if restriction is None else restriction.exact_beta(found)

    @cached_property
    def cov_beta_over_sigma2(self) -> Floats:
        """(X'V⁻¹X)⁻¹ with V in units of σ², (p, p); zeros for coefficients that were not estimated."""
        root = self.estimate.evaluation.cp.fixed.A @ self.fixed_root(self.estimate.evaluation)
        return np.asarray(root @ root.T)

    def fixed_root(self, point: Evaluation) -> Floats:
        """Root (p, f) of the covariance of the engine's β over σ² at an evaluation, f of them estimated."""
        restriction = self.estimate.restriction
        if restriction is None or restriction.beta.all():
            return point.R_inverse
        free, A = restriction.beta, point.cp.fixed.A
        R = np.linalg.inv(A @ point.R_inverse)[:, free]  # the free columns of X in the metric of V⁻¹
        out = np.zeros((free.size, int(free.sum())))
        out[free] = np.linalg.inv(np.linalg.qr(R, mode="r"))
        return np.asarray(np.linalg.solve(A, out))

    @cached_property
    def cov_beta(self) -> Floats:
        """σ²(X'V⁻¹X)⁻¹, (p, p)."""
        return self.sigma2 * self.cov_beta_over_sigma2

    @property
    def beta_errors(self) -> Floats:
        """Standard errors of β, (p,); of coefficients not estimated what the fit says of them."""
        errors, restriction = np.sqrt(np.diag(self.cov_beta)), self.estimate.restriction
        return errors if restriction is None else np.where(restriction.beta, errors, restriction.unknown)

    def root(self, t: int) -> Floats:
        """Λ of term t, (q, q) lower triangular; (1, 1) for an isotropic term."""
        return self._user_root(t, self.estimate.factors[t])

    def _user_root(self, t: int, T: Floats) -> Floats:
        """Λ of term t from the engine's."""
        scaled = self.estimate.evaluation.cp.scaled_terms[t]
        if self.estimate.terms[t].structure == "isotropic":
            return np.abs(T) * scaled.unit
        root = scaled.A @ T
        size = np.linalg.norm(root, axis=1, keepdims=True)
        size[size == 0] = 1.0
        # Each row in its own unit: none is rounding beside another.
        return np.asarray(size * lower_root(root / size))

    def psi(self, t: int) -> Floats:
        """Covariance of term t's coefficients over σ², (q, q); (1, 1) for an isotropic term."""
        T = self.root(t)
        restriction = self.estimate.restriction
        return T @ T.T if restriction is None else restriction.exact(t, T @ T.T)

    @cached_property
    def ratios(self) -> Floats:
        """ψ, the free entries of the covariances over σ², term by term, (k,)."""
        parts = [self.psi(t)[free_entries(term)] for t, term in enumerate(self.estimate.terms)]
        return np.concatenate(parts) if parts else np.zeros(0)

    @cached_property
    def theta(self) -> Floats:
        """Λ's free entries, term by term, lower triangles by columns, as lme4 counts them."""
        return self._free(self.estimate.factors)

    def theta_at(self, theta: Floats) -> Floats:
        """θ (k,) as `theta` counts it, for any of the engine's."""
        own = np.split(theta, self.estimate.evaluation.cp.offsets[1:-1])
        return self._free([factor_of(t, part) for t, part in zip(self.estimate.terms, own, strict=True)])

    def _free(self, factors: Sequence[Floats]) -> Floats:
        parts = []
        for t, term in enumerate(self.estimate.terms):
            T = self._user_root(t, factors[t])
            if term.structure == "full":
                cols, rows = np.triu_indices(len(T))
                parts.append(T[rows, cols])
            else:
                parts.append(np.diag(T))
        return np.concatenate(parts) if parts else np.zeros(0)

    def place(self, t: int, b: int) -> tuple[int, Grouping, Member]:
        """The grouping that holds block b of term t, by number and itself, and where."""
        for number, grouping in enumerate(self.estimate.evaluation.cp.groupings):
            for member in grouping.members:
                if (member.term, member.block) == (t, b):
                    return number, grouping, member
        raise AssertionError("every block is a member of a grouping")

    def to_user(self, t: int, width: int) -> Floats:
        """(q, q) map from the engine's coefficients of a level to the user's, the outcome's unit aside."""
        scaled = self.estimate.evaluation.cp.scaled_terms[t]
        return scaled.unit * np.eye(width) if self.estimate.terms[t].structure == "isotropic" else scaled.A

    def modes(self, t: int, b: int) -> Floats:
        """Conditional modes (BLUPs) of block b of term t, (q, m), levels as in the block."""
        number, grouping, member = self.place(t, b)
        own = self.estimate.evaluation.modes[number][member.columns][:, grouping.order]
        return self.y_scale * (self.to_user(t, len(own)) @ own)

    def mode_covariances(self, t: int, b: int) -> Floats:
        """Conditional covariances of the modes given β and the variances, (q, q, m): lme4's condVar."""
        number, grouping, member = self.place(t, b)
        H = self.estimate.evaluation.faces.H[number][member.columns, member.columns][:, :, grouping.order]
        A = self.to_user(t, len(H))
        return np.asarray(self.sigma2 * np.einsum("ij,jkm,lk->ilm", A, H, A))

    def mode_spreads(self, t: int, b: int) -> Floats:
        """Variances of the modes themselves over outcomes of the model, (q, m).

        Var(b̂) = ΨZ'PZΨ = σ²(Ψ − H − B'(X'V⁻¹X)⁻¹B) with B = HZ'X: what is left of Ψ after the conditional
        variance and what estimating β takes; Robinson (1991), Stat. Sci. 6(1), section 4.
        """
        point, (number, grouping, member) = self.estimate.evaluation, self.place(t, b)
        B = point.solution.b[number][:-1, member.columns][:, :, grouping.order]
        A = self.to_user(t, B.shape[1])
        moved = np.einsum("ij,pjm->pim", A, np.tensordot(point.R_inverse.T, B, 1))
        given_beta = self.sigma2 * np.diag(self.psi(t))[:, None] - np.einsum(
            "iim->im", self.mode_covariances(t, b)
        )
        return np.asarray(given_beta - self.sigma2 * (moved**2).sum(axis=0))

    @property
    def kept_rows(self) -> Rows:
        """The rows in memory; DataError where they were read in chunks and not kept."""
        if not isinstance(self.rows, Rows):
            raise rows_not_kept("a residual or fitted value")
        return self.rows

    @cached_property
    def random_part(self) -> Floats:
        """Zb, (n,), from the centred columns: no digits lost to large means."""
        evaluation = self.estimate.evaluation
        return self.y_scale * random_part(self._plain, evaluation.cp, self.estimate.terms, evaluation.modes)

    @cached_property
    def marginal_resid(self) -> Floats:
        """y − offset − Xβ, (n,), from the centred columns: no digits lost to large means."""
        evaluation = self.estimate.evaluation
        return self.y_scale * outcome_less_fixed(self._plain, evaluation.cp, evaluation.beta)

    @property
    def root_weights(self) -> Floats | None:
        """Square roots of the prior weights (n,), or None."""
        weights = self.kept_rows.weights
        return None if weights is None else np.sqrt(weights)

    @property
    def plain_moments(self) -> Moments:
        """Moments of all columns over the rows, without prior weights."""
        found = self.estimate.evaluation.cp.units.moments
        return found.plain or found

    def mean_products(self, basis: Basis) -> Floats:
        """Mean products (q, q) over the rows of columns mixed row by row, without prior weights."""
        found = self.estimate.evaluation.cp.units.moments
        if found.plain is None:
            return basis.gram
        plain = (replace(chunk, weights=None) for chunk in self.rows.chunks())
        values = (basis.values(chunk, found) for chunk in plain)
        return np.asarray(sum(columns @ columns.T for columns in values) / found.n)

    @property
    def _plain(self) -> Rows:
        """The rows without the roots of the weights that multiply them in the engine."""
        return replace(self.kept_rows, weights=None)


def free_entries(term: RandomTerm) -> tuple[Ints, Ints]:
    """Rows and columns of the free entries of Ψ, counted as θ is; one entry for an isotropic term."""
    if term.structure == "full":
        cols, rows = np.triu_indices(term.blocks[0].width)
        return rows.astype(np.intp), cols.astype(np.intp)
    q = term.blocks[0].width if term.structure == "diagonal" else 1
    return np.arange(q, dtype=np.intp), np.arange(q, dtype=np.intp)
