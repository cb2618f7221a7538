"""The optimum in the user's units: coefficients, covariances, conditional modes and their variances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular

from mixedcore.errors import rows_not_kept
from mixedcore.estimate import Estimate, lower_root
from mixedcore.groupings import Grouping, Member
from mixedcore.rows import Rows
from mixedcore.scaling import outcome_column
from mixedcore.terms import Floats, Ints, RandomTerm


@dataclass(frozen=True, eq=False)
class UserUnits:
    """An estimate seen in the units of the data; everything here is linear in the engine's numbers."""

    estimate: Estimate
    rows: Rows | None  # None where they were read in chunks and not kept

    @cached_property
    def sigma2(self) -> float:
        """Residual variance σ²."""
        return self.estimate.evaluation.sigma2 * self.y_scale**2

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
        return self.estimate.evaluation.cp.fixed.beta_to_user(self.estimate.evaluation.beta)

    @cached_property
    def cov_beta_over_sigma2(self) -> Floats:
        """(X'V⁻¹X)⁻¹ with V in units of σ², (p, p)."""
        R = self.estimate.evaluation.R_X
        half = solve_triangular(R, np.eye(len(R))) if len(R) else R
        root = self.estimate.evaluation.cp.fixed.A @ half
        return root @ root.T

    @cached_property
    def cov_beta(self) -> Floats:
        """σ²(X'V⁻¹X)⁻¹, (p, p)."""
        return self.sigma2 * self.cov_beta_over_sigma2

    def root(self, t: int) -> Floats:
        """Λ of term t, (q, q) lower triangular; (1, 1) for an isotropic term."""
        scaled, T = self.estimate.evaluation.cp.scaled_terms[t], self.estimate.factors[t]
        if self.estimate.terms[t].structure == "isotropic":
            return T * scaled.unit
        return lower_root(scaled.A @ T)

    def psi(self, t: int) -> Floats:
        """Covariance of term t's coefficients over σ², (q, q); (1, 1) for an isotropic term."""
        T = self.root(t)
        return T @ T.T

    @cached_property
    def theta(self) -> Floats:
        """Λ's free entries, term by term, lower triangles by columns, as lme4 counts them."""
        parts = []
        for t, term in enumerate(self.estimate.terms):
            T = self.root(t)
            if term.structure == "full":
                cols, rows = np.triu_indices(len(T))
                parts.append(T[rows, cols])
            else:
                parts.append(np.diag(T))
        return np.concatenate(parts) if parts else np.zeros(0)

    def _place(self, t: int, b: int) -> tuple[int, Grouping, Member]:
        """Grouping that holds block b of term t, and where."""
        for number, grouping in enumerate(self.estimate.evaluation.cp.groupings):
            for member in grouping.members:
                if (member.term, member.block) == (t, b):
                    return number, grouping, member
        raise AssertionError("every block is a member of a grouping")

    def _to_user(self, t: int, width: int) -> Floats:
        """(q, q) map from the engine's coefficients of a level to the user's, the outcome's unit aside."""
        scaled = self.estimate.evaluation.cp.scaled_terms[t]
        return scaled.unit * np.eye(width) if self.estimate.terms[t].structure == "isotropic" else scaled.A

    def _engine_modes(self, t: int, b: int) -> Floats:
        number, grouping, member = self._place(t, b)
        return self.estimate.evaluation.modes[number][member.columns][:, grouping.order]

    def modes(self, t: int, b: int) -> Floats:
        """Conditional modes (BLUPs) of block b of term t, (q, m), levels as in the block."""
        own = self._engine_modes(t, b)
        return self.y_scale * (self._to_user(t, len(own)) @ own)

    def mode_covariances(self, t: int, b: int) -> Floats:
        """Conditional covariances of the modes given β and the variances, (q, q, m): lme4's condVar."""
        number, grouping, member = self._place(t, b)
        H = self.estimate.evaluation.faces.H[number][member.columns, member.columns][:, :, grouping.order]
        A = self._to_user(t, len(H))
        return np.asarray(self.sigma2 * np.einsum("ij,jkm,lk->ilm", A, H, A))

    @property
    def _kept_rows(self) -> Rows:
        if self.rows is None:
            raise rows_not_kept("a residual or fitted value")
        return self.rows

    @cached_property
    def random_part(self) -> Floats:
        """Zb, (n,), from the centred columns: no digits lost to large means."""
        rows = self._kept_rows
        cp, total = self.estimate.evaluation.cp, np.zeros(rows.n)
        blocks = [(t, b) for t, term in enumerate(self.estimate.terms) for b in range(len(term.blocks))]
        for t, b in blocks:
            basis, modes = cp.scaled_terms[t].bases[b], self._engine_modes(t, b)
            coefficients = self.y_scale * (modes if basis.mix is None else basis.mix @ modes)
            first = 0
            for chunk in rows.chunks([self.estimate.terms[t].blocks[b].codes]):
                columns, codes = basis.affine.values(chunk, cp.units.moments), chunk.codes[0]
                total[first : first + codes.size] += np.einsum("qr,qr->r", columns, coefficients[:, codes])
                first += codes.size
        return total

    @cached_property
    def marginal_resid(self) -> Floats:
        """y − Xβ, (n,), from the centred columns: no digits lost to large means."""
        cp = self.estimate.evaluation.cp
        fixed, moments = cp.fixed, cp.units.moments
        beta = fixed.start + self.y_scale * self.estimate.evaluation.beta
        parts = [
            outcome_column(chunk, moments, cp.units.layout.outcome, fixed.about_mean)
            - beta @ fixed.basis.values(chunk, moments)
            for chunk in self._kept_rows.chunks()
        ]
        return np.concatenate(parts)


def free_entries(term: RandomTerm) -> tuple[Ints, Ints]:
    """Rows and columns of the free entries of Ψ, counted as θ is; one entry for an isotropic term."""
    if term.structure == "full":
        cols, rows = np.triu_indices(term.blocks[0].width)
        return rows.astype(np.intp), cols.astype(np.intp)
    q = term.blocks[0].width if term.structure == "diagonal" else 1
    return np.arange(q, dtype=np.intp), np.arange(q, dtype=np.intp)
