"""The distribution of the outcome that given parameters imply: its mean, its variances, draws from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mixedcore.engine.component_columns import Columns, columns_of
from mixedcore.packed import root_of
from mixedcore.terms import Floats, RandomTerm


@dataclass(frozen=True, eq=False)
class MixedLMDistribution:
    """y ~ N(Xβ + offset, ZΨZ' + scale/w) of a model at given parameters, in the units of the data.

    expected (n,): Xβ + offset; psi: per term the covariance of its coefficients, not divided by `scale`;
    fe_params (k_fe,), cov_re (k_re, k_re), vcomp (k_vc,) and scale: the parameters
    """

    terms: tuple[RandomTerm, ...]
    expected: Floats
    psi: tuple[Floats, ...]
    fe_params: Floats
    cov_re: Floats
    vcomp: Floats
    scale: float
    weights: Floats | None

    def mean(self) -> Floats:
        """Expected outcome Xβ + offset of each row, (n,)."""
        return self.expected.copy()

    def var(self) -> Floats:
        """Variance of each row's outcome over groups and residual, (n,)."""
        out = self._residual_variance.copy()
        for term, psi in zip(self.terms, self.psi, strict=True):
            for block in term.blocks:
                own = psi if term.structure != "isotropic" else psi * np.eye(block.width)
                out += np.einsum("ni,ij,nj->n", block.basis, own, block.basis)
        return out

    def rvs(self, n: int = 1, rng: Any = None, random_state: Any = None) -> Floats:
        """One outcome for each row, (n_rows,).

        n : ignored, as in statsmodels
        rng : a seed, a `numpy.random.Generator` or a `RandomState`; None draws afresh each time
        random_state : its former name

        Effects of the group term are drawn first, group by group, then those of each component, then the
        residuals: with the same generator and parameters the outcome is the one that statsmodels draws.
        """
        generator = _generator(random_state if rng is None else rng)
        y = self.expected.copy()
        for term, root, columns in zip(self.terms, self._roots, self._columns, strict=True):
            y += _effects(term, root, columns, generator)
        return np.asarray(y + np.sqrt(self._residual_variance) * generator.normal(size=y.size))

    @cached_property
    def _roots(self) -> tuple[Floats, ...]:
        return tuple(root_of(psi, term.name) for term, psi in zip(self.terms, self.psi, strict=True))

    @cached_property
    def _columns(self) -> tuple[Columns | None, ...]:
        """Those of the components, in the order of the draws."""
        return tuple(columns_of(term) if term.role == "component" else None for term in self.terms)

    @property
    def _residual_variance(self) -> Floats:
        """(n,)."""
        return self.scale / (np.ones(self.expected.size) if self.weights is None else self.weights)


def _effects(term: RandomTerm, root: Floats, columns: Columns | None, generator: Any) -> Floats:
    """Zb (n,) with b drawn anew."""
    if columns is None:
        block = term.blocks[0]
        u = generator.normal(size=(block.n_levels, block.width)) @ root.T
        return np.asarray(np.einsum("nq,nq->n", block.basis, u[block.codes]))
    return np.asarray(root[0, 0] * (columns.Z @ generator.normal(size=len(columns.labels))))


def _generator(rng: Any) -> Any:
    """A source of normal numbers: any object that draws them itself, or one from a seed."""
    return rng if hasattr(rng, "normal") else np.random.default_rng(rng)


def distribution(
    terms: Sequence[RandomTerm],
    psi: Sequence[Floats],
    scale: float,
    parts: tuple[Floats, Floats, Floats],
    expected: Floats,
    weights: Floats | None,
) -> MixedLMDistribution:
    """From covariances over `scale`, one a term; `parts`: fe_params, and cov_re and vcomp over `scale`."""
    fixed, cov_re, vcomp = parts
    return MixedLMDistribution(
        tuple(terms),
        expected,
        tuple(scale * own for own in psi),
        fixed,
        scale * cov_re,
        scale * vcomp,
        scale,
        weights,
    )
