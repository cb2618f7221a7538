"""Deviance and REML criterion with β and σ profiled out, their gradient, and the average information.

    −2ℓ_ML   = log|Ω| + n (1 + log 2πr²/n)
    −2ℓ_REML = log|Ω| + log|R_X|² + (n − p)(1 + log 2πr²/(n − p))          Bates et al. (2015), eqs. 34, 42

Prior weights w multiply the rows by √w, whose Jacobian takes Σ log w from either.

With Ψ_t the covariance of a grouping's coefficients over σ², P the projection matrix of V/σ², a = Z'Py:

    S_t = ∂d/∂Ψ_t = Σ_f [Z'PZ]_ff − Σ_f a_f a_f'/σ²   (ML: V⁻¹ for P in the first sum),   ∂d/∂T_t = 2 S_t T_t.

The Hessian is approximated in Ψ by the average information (Gilmour, Thompson & Cullis 1995, Biometrics 51),
with working vectors Z Ψ̇ a, and carried to θ exactly, curvature term 2 S included: it stays right at Ψ = 0.
Near the optimum the part of it that a dense remainder knows exactly takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypedDict

import numpy as np
from scipy.linalg.lapack import dtrtri

from mixedcore.engine.blocks import apply
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.engine.elimination import Plan
from mixedcore.engine.expected import expected_information, known
from mixedcore.engine.factor import Border, Factor, Root, Solution, cross_gram, factorise, reduce, solve
from mixedcore.engine.groupings import Grouping
from mixedcore.engine.selected import Faces
from mixedcore.errors import NotPositiveDefiniteError
from mixedcore.terms import Floats, Ints

NEAR = 0.5  # expected fall of the criterion below which the exact Hessian beats the average information


class LeastSquares(TypedDict):
    """What the last rows of the factor give: see `Evaluation`."""

    R_X: Floats
    R_inverse: Floats
    beta: Floats
    r2: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything about one θ, in the engine's units; derived from the factor when first asked for.

    value : the criterion;  sigma2 : profiled σ²;  beta (p,);  R_X (p, p) upper, R_X'R_X = X'V⁻¹X;
    R_inverse (p, p)
    """

    cp: CrossProducts
    reml: bool
    factor: Factor
    border: Border
    R_X: Floats
    R_inverse: Floats
    beta: Floats
    r2: float

    @property
    def df(self) -> int:
        """n for ML, n − p for REML."""
        return self.cp.n - self.cp.p * self.reml

    @property
    def sigma2(self) -> float:
        return self.r2 / self.df

    @property
    def value(self) -> float:
        """What the search minimises: the criterion."""
        return self.criterion

    @cached_property
    def criterion(self) -> float:
        """−2 log-likelihood, or the REML criterion, in the user's units."""
        df = self.df
        return self.determinants + df * (1 + float(np.log(2 * np.pi * self.r2 / df)))

    @property
    def determinants(self) -> float:
        """log|Ω| (+ log|R_X|²), with what the units of outcome and fixed effects and the weights add."""
        fixed = self.cp.fixed
        logdet = self.factor.logdet - self.cp.log_weights + 2 * self.df * float(np.log(fixed.y_scale))
        if self.reml:
            logdet += 2 * float(np.log(np.diag(self.R_X)).sum()) - 2 * fixed.logdet
        return logdet

    @cached_property
    def solution(self) -> Solution:
        """b and a for the columns [X y]."""
        return solve(self.factor, self.border)

    @cached_property
    def faces(self) -> Faces:
        return Faces(self.factor)

    @cached_property
    def modes(self) -> tuple[Floats, ...]:
        """Conditional modes of b at β, per grouping (q, m)."""
        return tuple(b[-1] - np.tensordot(self.beta, b[:-1], 1) for b in self.solution.b)

    @cached_property
    def scores(self) -> tuple[Floats, ...]:
        """a = Z'Py, per grouping (q, m)."""
        return tuple(a[-1] - np.tensordot(self.beta, a[:-1], 1) for a in self.solution.a)

    def quadratic(self, t: int) -> Floats:
        """Σ_f a_f a_f' of a grouping, (q, q)."""
        return np.asarray(self.scores[t] @ self.scores[t].T)

    @cached_property
    def traces(self) -> tuple[Floats, ...]:
        """Σ_f [Z'PZ]_ff (REML) or Σ_f [Z'V⁻¹Z]_ff (ML), per grouping (q, q)."""
        if not (self.reml and self.cp.p):
            return self.faces.M
        by_coefficient = [U.swapaxes(0, 1).reshape(U.shape[1], -1) for U in self.fixed_share]
        return tuple(M - u @ u.T for M, u in zip(self.faces.M, by_coefficient, strict=True))

    @cached_property
    def fixed_share(self) -> tuple[Floats, ...]:
        """U = R_X⁻ᵀ X'V⁻¹Z, per grouping (p, q, m): Z'PZ is Z'V⁻¹Z − U'U."""
        return tuple(np.tensordot(self.R_inverse.T, a[:-1], 1) for a in self.solution.a)

    @cached_property
    def slopes(self) -> tuple[Floats, ...]:
        """S_t = ∂d/∂Ψ_t, per grouping (q, q)."""
        return tuple(M - self.quadratic(t) / self.sigma2 for t, M in enumerate(self.traces))

    @cached_property
    def gradient(self) -> Floats:
        """∂d/∂θ, (k,)."""
        out = np.zeros(self.cp.k)
        for g, S, root in zip(self.cp.groupings, self.slopes, self.factor.roots, strict=True):
            own = 2 * (S @ root.T)[g.template.rows, g.template.cols]
            out += np.bincount(g.template.index, own, minlength=self.cp.k)
        return out

    @cached_property
    def gradient_psi(self) -> Floats:
        """∂d/∂ψ for the free entries of Ψ, (k,)."""
        out = np.zeros(self.cp.k)
        for g, S in zip(self.cp.groupings, self.slopes, strict=True):
            rows, cols = g.template.rows, g.template.cols
            twice = np.where(rows == cols, 1.0, 2.0) * S[rows, cols]
            out += np.bincount(g.template.index, twice, minlength=self.cp.k)
        return out

    @cached_property
    def working(self) -> tuple[Floats, Floats]:
        """w'Pw (k, k) and w'Py (k,) of the working vectors w = Z Ψ̇ a, unprofiled in σ."""
        return self._products(
            [_Working.of(g, a) for g, a in zip(self.cp.groupings, self.scores, strict=True)]
        )

    def working_along(self, T: Sequence[Floats]) -> tuple[Floats, Floats]:
        """The same for the entries of Ψ̃ where Ψ = TΨ̃T' for each grouping, T (q, q) diagonal between terms."""
        own = zip(self.cp.groupings, self.scores, T, strict=True)
        return self._products([_Working.of(g, T.T @ a).mixed(T) for g, a, T in own])

    def _products(self, parts: Sequence[_Working]) -> tuple[Floats, Floats]:
        cp = self.cp
        border, to_W = _border_of(cp, self.factor.plan, parts)
        reduced = reduce(self.factor, border)
        cross = cross_gram(self.factor, self.border, reduced, to_W)  # [X y]'V⁻¹w
        X_part = self.R_inverse.T @ cross[:-1]
        Py = cross[-1] - self.beta @ cross[:-1]
        return reduced.gram - X_part.T @ X_part, Py

    @cached_property
    def average_information(self) -> Floats:
        """Average information for ψ with σ² profiled out, as a Hessian of −2ℓ, (k, k), semidefinite."""
        wPw, wPy = self.working
        return np.asarray(wPw / self.sigma2 - np.outer(wPy, wPy) / (self.sigma2 * self.r2))

    @cached_property
    def refined(self) -> bool:
        """Whether the optimum is so near that the exact Hessian is the better guide, and it is at hand."""
        if not known(self.factor).any():
            return False
        gradient, average = self.gradient_psi, self.average_information
        return 0.5 * float(gradient @ np.linalg.lstsq(average, gradient)[0]) < NEAR

    @cached_property
    def information(self) -> Floats:
        """∂²d/∂ψ∂ψ' with σ² profiled out, (k, k): near the optimum exact for what is `known`."""
        if not self.refined:
            return self.average_information
        here = known(self.factor)
        exact = self.working[0] / self.sigma2 - self.expected_information
        return np.asarray(self.average_information + np.where(np.outer(here, here), exact, 0.0))

    @cached_property
    def expected_information(self) -> Floats:
        """tr(PZΨ̇_iZ'PZΨ̇_jZ') (ML: V⁻¹ for P), (k, k), whole for the parameters that are `known`."""
        U = [u[: len(u) * self.reml, 0] for u in self.fixed_share[self.cp.nested :]]
        return expected_information(self.factor, U)

    @cached_property
    def jacobian(self) -> Floats:
        """∂ψ/∂θ, (k, k)."""
        J = np.zeros((self.cp.k, self.cp.k))
        for g, root in zip(self.cp.groupings, self.factor.roots, strict=True):
            rows, cols, index = g.template.rows, g.template.cols, g.template.index
            for p in np.unique(index):
                half = np.zeros_like(root.T)
                half[rows[index == p], cols[index == p]] = 1.0
                half = half @ root.T.T
                J[index, p] = (half + half.T)[rows, cols]
        return J

    @cached_property
    def curvature(self) -> Floats:
        """Σ_ψ ∂d/∂ψ ∂²ψ/∂θ∂θ', what the Hessian in θ has beyond the one in ψ, (k, k)."""
        out = np.zeros((self.cp.k, self.cp.k))
        for g, S in zip(self.cp.groupings, self.slopes, strict=True):
            rows, cols, index = g.template.rows, g.template.cols, g.template.index
            same_column = np.where(cols[:, None] == cols, 2 * S[np.ix_(rows, rows)], 0.0)
            np.add.at(out, (index[:, None], index), same_column)
        return out

    @cached_property
    def hessian(self) -> Floats:
        """Approximate ∂²d/∂θ∂θ', (k, k)."""
        return np.asarray(self.jacobian.T @ self.information @ self.jacobian + self.curvature)


def evaluate(cp: CrossProducts, plan: Plan, roots: tuple[Root, ...], *, reml: bool) -> Evaluation:
    """The criterion at Ψ given by its roots, one a grouping.

    Raises NotPositiveDefiniteError when X'V⁻¹X or the residual sum of squares is not positive.
    """
    factor = factorise(cp, plan, roots)
    border = reduce(factor, _data_border(cp, plan))
    try:
        found = least_squares(border.gram)
    except np.linalg.LinAlgError as err:
        raise NotPositiveDefiniteError(
            "Here the fixed effects cannot be told apart, or the random effects leave no residual; "
            "look for collinear predictors, and for an outcome that its groups determine."
        ) from err
    return Evaluation(cp, reml, factor, border, **found)


def least_squares(gram: Floats) -> LeastSquares:
    """R_X, its inverse, β and r² from [X y]'V⁻¹[X y], (p + 1, p + 1).

    LinAlgError where it is not positive definite.
    """
    L = np.linalg.cholesky(gram)
    R_X = np.ascontiguousarray(L[:-1, :-1].T)
    R_inverse = dtrtri(R_X)[0] if len(R_X) else R_X
    return {"R_X": R_X, "R_inverse": R_inverse, "beta": R_inverse @ L[-1, :-1], "r2": float(L[-1, -1] ** 2)}


def at_beta(point: Evaluation, beta: Floats) -> Evaluation:
    """The same θ at other fixed effects (p,) than the best: r² = r̂² + |R_X(β − β̂)|²."""
    away = point.R_X @ (beta - point.beta)
    return replace(point, beta=beta, r2=point.r2 + float(away @ away))


def roots_of(cp: CrossProducts, theta: Floats) -> tuple[Root, ...]:
    """Root of each grouping at θ."""
    return tuple(Root.of_factor(g.template.factor(theta)) for g in cp.groupings)


def _data_border(cp: CrossProducts, plan: Plan) -> Border:
    """[X y] as a border."""
    return Border(cp.ZW[: cp.nested], dense_rows(cp, plan, cp.ZW[cp.nested :], cp.p + 1), cp.WW)


def dense_rows(cp: CrossProducts, plan: Plan, parts: tuple[Floats, ...], w: int) -> Floats:
    """Columns (w, q, m) of the remainder's groupings laid out as dense rows (w, size)."""
    out = np.zeros((w, plan.remainder.size if plan.remainder else 0))
    if plan.remainder is not None:
        for part, at in zip(parts, plan.remainder.position, strict=True):
            out[:, at + np.arange(part.shape[1])[:, None]] = part
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Working:
    """Ψ̇_p a for the parameters p of one grouping: coefficients (k_t, q, m), and p (k_t,)."""

    numbers: Ints
    coefficients: Floats

    def mixed(self, T: Floats) -> _Working:
        """T (q, q) times each."""
        return replace(self, coefficients=np.matmul(T, self.coefficients))

    @classmethod
    def of(cls, g: Grouping, a: Floats) -> _Working:
        """From the scores a (q, m)."""
        numbers, place = g.template.parameters
        c = np.zeros((numbers.size, *a.shape))
        for r, s, p in zip(g.template.rows, g.template.cols, place, strict=True):
            c[p, r] += a[s]
            if r != s:
                c[p, s] += a[r]
        return cls(numbers, c)


def _border_of(cp: CrossProducts, plan: Plan, parts: Sequence[_Working]) -> tuple[Border, Floats]:
    """The border of the columns w = Z c, and W'w (p + 1, k)."""
    Zw = [np.zeros((cp.k, g.q, g.m)) for g in cp.groupings]
    to_W = np.zeros((cp.p + 1, cp.k))
    for z, ZZ, ZW, own in zip(Zw, cp.ZZ, cp.ZW, parts, strict=True):
        z[own.numbers] += apply(ZZ, own.coefficients)
        flat = own.coefficients.reshape(own.numbers.size, -1)
        to_W[:, own.numbers] += ZW.reshape(cp.p + 1, -1) @ flat.T
    for (s, t), pairs in cp.pairs.items():
        down, up = parts[s], parts[t]
        Zw[s][up.numbers] += pairs.times(up.coefficients)
        Zw[t][down.numbers] += pairs.transposed_times(down.coefficients)
    gram = np.zeros((cp.k, cp.k))
    for own, z in zip(parts, Zw, strict=True):
        gram[own.numbers] += own.coefficients.reshape(own.numbers.size, -1) @ z.reshape(cp.k, -1).T
    dense = dense_rows(cp, plan, tuple(Zw[cp.nested :]), cp.k)
    return Border(tuple(Zw[: cp.nested]), dense, gram), to_W
