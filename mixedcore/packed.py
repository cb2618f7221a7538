"""A point in the space of parameters: fixed effects and covariances over the residual variance.

Packed, it is one vector: fixed effects, the lower triangle of the covariance by rows, the variances. With
`use_sqrt` a triangular root L takes the place of the covariance LL', standard deviations that of variances.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mixedcore.engine.chart import lower_root
from mixedcore.errors import ModelError
from mixedcore.terms import Floats

NEGATIVE = 1e-10  # of the largest eigenvalue, below which one is no zero with rounding any more


class MixedLMParams:
    """Parameters of a model with the residual variance profiled out, as statsmodels has them.

    fe_params (k_fe,): fixed effects; cov_re (k_re, k_re): covariance of the group term's effects and vcomp
    (k_vc,): variances of the components, both over the residual variance and in the units of the data.
    The sizes k_fe, k_re, k_re2 = k_re(k_re + 1)/2, k_vc and k_tot, their sum but k_re, are set at once; the
    three arrays are yours to set. `fit(free=...)` takes one whose entries are 1 (estimated) and 0 (held).

    >>> start = MixedLMParams.from_components(fe_params=[1.0], cov_re=[[4.0, 1.0], [1.0, 9.0]])
    >>> start.get_packed(use_sqrt=False, has_fe=True).tolist()
    [1.0, 4.0, 1.0, 9.0]
    """

    fe_params: Floats
    cov_re: Floats
    vcomp: Floats

    def __init__(self, k_fe: int, k_re: int, k_vc: int) -> None:
        self.k_fe, self.k_re, self.k_vc = k_fe, k_re, k_vc
        self.k_re2 = k_re * (k_re + 1) // 2
        self.k_tot = self.k_fe + self.k_re2 + self.k_vc

    @staticmethod
    def from_packed(params: Any, k_fe: int, k_re: int, use_sqrt: bool, has_fe: bool) -> MixedLMParams:
        """From one vector; the components are what is left beside k_fe (if `has_fe`) and the triangle.

        Without `has_fe` the fixed effects are zero. Raises ModelError for a vector that is too short.
        """
        values = np.asarray(params, dtype=np.float64).ravel()
        first, k_re2 = k_fe if has_fe else 0, k_re * (k_re + 1) // 2
        if values.size < first + k_re2:
            raise ModelError(
                f"The packed parameters have {values.size} values, and {first + k_re2} are needed for "
                f"{first} fixed effects and the covariance of {k_re} random effects."
            )
        out = MixedLMParams(k_fe, k_re, values.size - first - k_re2)
        out.fe_params = values[:first].copy() if has_fe else np.zeros(k_fe)
        triangle, variances = values[first : first + k_re2], values[first + k_re2 :]
        out.cov_re = covariance_of(triangle, k_re, use_sqrt=use_sqrt)
        out.vcomp = variances**2 if use_sqrt else variances.copy()
        return out

    @staticmethod
    def from_components(
        fe_params: Any = None, cov_re: Any = None, cov_re_sqrt: Any = None, vcomp: Any = None
    ) -> MixedLMParams:
        """From its parts, none being none of that kind; `cov_re_sqrt` L stands for the covariance LL'."""
        fixed = np.zeros(0) if fe_params is None else np.array(fe_params, dtype=np.float64).ravel()
        variances = np.zeros(0) if vcomp is None else np.array(vcomp, dtype=np.float64).ravel()
        if cov_re_sqrt is not None:
            root = np.array(cov_re_sqrt, dtype=np.float64)
            covariance = root @ root.T
        else:
            covariance = np.zeros((0, 0)) if cov_re is None else np.array(cov_re, dtype=np.float64)
        if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
            raise ModelError(f"cov_re must be a square matrix, and its shape is {covariance.shape}.")
        out = MixedLMParams(fixed.size, len(covariance), variances.size)
        out.fe_params, out.cov_re, out.vcomp = fixed, covariance, variances
        return out

    def copy(self) -> MixedLMParams:
        """The same values in arrays of their own."""
        out = MixedLMParams(self.k_fe, self.k_re, self.k_vc)
        out.fe_params = np.array(self.fe_params, dtype=np.float64)
        out.cov_re = np.array(self.cov_re, dtype=np.float64)
        out.vcomp = np.array(self.vcomp, dtype=np.float64)
        return out

    def get_packed(self, use_sqrt: bool, has_fe: bool = False) -> Floats:
        """One vector, with the fixed effects first if `has_fe`.

        A singular covariance has a root too (statsmodels gives that of its diagonal); ModelError for one that
        has none.
        """
        covariance, variances = np.asarray(self.cov_re, dtype=float), np.asarray(self.vcomp, dtype=float)
        if use_sqrt:
            triangle, variances = root_of(covariance, "cov_re"), roots_of_variances(variances, "vcomp")
        else:
            triangle = covariance
        parts = [triangle[np.tril_indices(self.k_re)], variances]
        return np.concatenate([np.asarray(self.fe_params, dtype=float), *parts] if has_fe else parts)

    def __repr__(self) -> str:
        parts = ((name, getattr(self, name, None)) for name in ("fe_params", "cov_re", "vcomp"))
        inside = ", ".join(
            f"{name}={np.asarray(value).tolist()}" for name, value in parts if value is not None
        )
        return f"MixedLMParams({inside})"


def covariance_of(triangle: Floats, q: int, *, use_sqrt: bool) -> Floats:
    """Ψ (q, q) from its lower triangle by rows, or from that of any triangular root, signs free."""
    lower = lower_triangle(triangle, q)
    return lower @ lower.T if use_sqrt else lower + np.tril(lower, -1).T


def lower_triangle(triangle: Floats, q: int) -> Floats:
    """(q, q) with the triangle, by rows, and zeros above it."""
    lower = np.zeros((q, q))
    lower[np.tril_indices(q)] = triangle
    return lower


def root_of(psi: Floats, name: str) -> Floats:
    """Lower triangular root with diagonal ≥ 0 of a covariance (q, q), singular or not.

    ModelError for a matrix that is no covariance, by the name of its term.
    """
    if not psi.size:
        return psi
    if not np.isfinite(psi).all():
        raise ModelError(f"The covariance of {name} has values that are not finite.")
    size = np.sqrt(np.maximum(np.diag(psi), 0.0))
    unit = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(psi / np.outer(unit, unit))
    if values[0] < -NEGATIVE * max(1.0, float(values[-1])):
        raise ModelError(f"{name} is not a covariance matrix: an eigenvalue is negative.")
    return unit[:, None] * lower_root(vectors * np.sqrt(np.maximum(values, 0.0)))


def roots_of_variances(variances: Floats, name: str) -> Floats:
    """Their square roots; ModelError for one that is negative or not finite."""
    if not np.isfinite(variances).all() or (variances < 0).any():
        raise ModelError(f"{name} holds variances, and they cannot be negative or missing.")
    return np.sqrt(variances)
