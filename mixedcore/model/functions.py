"""The likelihood of a model as a function of its parameters, under statsmodels' names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from mixedcore.distribution import MixedLMDistribution, distribution
from mixedcore.engine.criterion import Evaluation, at_beta
from mixedcore.engine.penalties import inverse
from mixedcore.engine.rows import Rows
from mixedcore.errors import ModelError, NotPositiveDefiniteError, rows_not_kept
from mixedcore.given import Given, read, to_params
from mixedcore.likelihood import Likelihood
from mixedcore.model.described import Described
from mixedcore.packed import MixedLMParams, root_of
from mixedcore.parameters import packed_order
from mixedcore.terms import Floats, Ints, RandomTerm
from mixedcore.units import free_entries

SINGULAR = 1e-10  # share of the largest eigenvalue of a covariance, or a variance over σ², taken for zero


class Functions(Described):
    """Log-likelihood, score, Hessian and distribution at given parameters."""

    use_sqrt: bool
    reml: bool
    fe_pen: Any
    cov_pen: Any

    # -- parameters ------------------------------------------------------------------------------------

    @property
    def _sizes(self) -> tuple[int, int]:
        """Numbers of fixed effects that there may be: all columns of exog, or those in the model."""
        return self.k_fe, self._products[0].p

    def _read(self, params: Any, *, use_sqrt: bool | None = None) -> Given:
        square_roots = self.use_sqrt if use_sqrt is None else use_sqrt
        return read(params, self._design.terms, self._sizes, use_sqrt=square_roots)

    def _kept_beta(self, fixed: Any) -> Floats:
        """Coefficients of the p columns in the model that give the same Xβ as (k_fe,) or (p,) do."""
        beta, cp = np.asarray(fixed, dtype=np.float64).ravel(), self._products[0]
        if beta.size == cp.p:
            return beta
        if beta.size != self.k_fe:
            raise ModelError(f"There are {beta.size} fixed effects and the model has {self.k_fe}.")
        aliased = np.setdiff1d(np.arange(self.k_fe), cp.fixed.kept)
        if not beta[aliased].any():
            return beta[cp.fixed.kept]
        same = np.linalg.lstsq(self.exog[:, cp.fixed.kept], self.exog[:, aliased] @ beta[aliased])[0]
        return np.asarray(beta[cp.fixed.kept] + same)

    def _likelihood(self, reml: bool | None = None) -> Likelihood:
        cp, layout = self._products
        rows = self._rows if isinstance(self._rows, Rows) else None
        return Likelihood(cp, layout, self._design.terms, self.reml if reml is None else reml, rows)

    def _psi(self, cov_re: Any, vcomp: Any) -> tuple[Floats, ...]:
        parts = MixedLMParams.from_components(None, cov_re, None, vcomp)
        return self._read(parts).psi

    # -- likelihood ------------------------------------------------------------------------------------

    def loglike(self, params: Any, profile_fe: bool = True) -> float:
        """Log-likelihood, or the restricted one if `reml`, with the residual variance at its best.

        params : `MixedLMParams`, packed covariance parameters with or without the fixed effects before them
                 (roots if `use_sqrt`), or a Series as `result.params`
        profile_fe : put the best fixed effects in for those of `params`

        `reml` and the penalties are those of the last fit; before it, REML and none. Defined for every
        covariance, singular ones too. Bates et al. (2015), J. Stat. Softw. 67(1), eqs. 34, 42.
        """
        given = self._read(params)
        point, _ = self._located(given, profile_fe)
        return -point.criterion / 2 - self._penalty(point, given)

    def score(self, params: Any, profile_fe: bool = True) -> Floats:
        """Derivatives of `loglike` by the parameters: (k,), or (p + k,) if not `profile_fe`.

        By the entries of roots if `use_sqrt`, those of `params` themselves where it holds roots, so that
        signs are right for negative diagonals too; else by covariances and variances.
        """
        parts = (self.score_sqrt if self.use_sqrt else self.score_full)(params, calc_fe=not profile_fe)
        return np.concatenate(parts[1:] if profile_fe else parts)

    def score_full(self, params: Any, calc_fe: bool = True) -> tuple[Floats, Floats, Floats]:
        """Derivatives by fixed effects (p,), by the group term's covariances (k_re2,), by variances (k_vc,).

        Without `calc_fe` the fixed effects are at their best, and the first are zeros.
        """
        by_fixed, by_psi = self._score(self._read(params), calc_fe)
        return (by_fixed, *self._split(by_psi))

    def score_sqrt(self, params: Any, calc_fe: bool = True) -> tuple[Floats, Floats, Floats]:
        """As `score_full`, by the entries of a triangular root of the covariances, by SDs of components."""
        given = self._read(params)
        by_fixed, by_psi = self._score(given, calc_fe)
        terms, first, out = self._design.terms, 0, []
        for term, root in zip(terms, given.lower_roots(terms), strict=True):
            rows, cols = free_entries(term)
            slope = np.zeros(root.shape)
            own, first = by_psi[first : first + rows.size], first + rows.size
            slope[rows, cols] = own / np.where(rows == cols, 1.0, 2.0)
            slope[cols, rows] = slope[rows, cols]
            out.append((2 * slope @ root)[rows, cols])
        return (by_fixed, *self._split(np.concatenate(out) if out else np.zeros(0)))

    def hessian(self, params: Any) -> tuple[Floats, bool]:
        """Second derivatives of `loglike` by (β, covariances, variances), (p + k, p + k), and if singular.

        At the fixed effects of `params`, or the best ones where it has none; without penalties. The second
        value says whether a covariance is singular, which the first does not mind. Exact away from the
        optimum too, where statsmodels leaves out what vanishes there.
        """
        given, likelihood = self._read(params), self._likelihood()
        beta = None if given.fixed is None else self._kept_beta(given.fixed)
        found = likelihood.hessian(likelihood.at(given.psi), beta)
        p = self._products[0].p
        order = np.append(np.arange(p), p + packed_order(self._design.terms))
        return found[np.ix_(order, order)], any(_is_singular(psi) for psi in given.psi)

    def information(self, params: Any) -> Floats:
        """Observed information: minus the Hessian, (p + k, p + k)."""
        return -self.hessian(params)[0]

    def get_scale(self, fe_params: Any, cov_re: Any, vcomp: Any) -> float:
        """The best residual variance at fixed effects, and covariances over that variance."""
        point = self._likelihood().at(self._psi(cov_re, vcomp), self._kept_beta(fe_params))
        return float(point.sigma2 * point.cp.fixed.y_scale**2)

    def get_fe_params(self, cov_re: Any, vcomp: Any, tol: float = SINGULAR) -> tuple[Floats, bool]:
        """The best fixed effects (p,) at covariances over the residual variance, and if these are singular.

        tol : variances below it count as zero for the second value; the first is right in any case
        """
        psi = self._psi(cov_re, vcomp)
        point = self._likelihood().at(psi)
        return point.cp.fixed.beta_to_user(point.beta), any(_is_singular(each, tol) for each in psi)

    # -- distribution ----------------------------------------------------------------------------------

    def get_distribution(self, params: Any, scale: float, exog: Any = None) -> MixedLMDistribution:
        """The distribution of the outcome: `mean()`, `var()` and `rvs()`, each one number a row.

        params : fixed effects, then covariances over `scale`, as `result.params`; or `MixedLMParams`
        scale  : residual variance, at weight one;  exog : (n, k_fe) in place of the model's, or None
        """
        if not isinstance(self._rows, Rows):
            raise rows_not_kept("a draw")
        given, variance = self._read(params, use_sqrt=False), float(scale)
        if given.fixed is None and self.k_fe:
            raise ModelError("params must hold the fixed effects, and the covariance parameters after them.")
        if not 0 <= variance < np.inf:
            raise ModelError(f"scale is a variance, and cannot be {scale!r}.")
        fixed = self._full_beta(np.zeros(0) if given.fixed is None else given.fixed)
        terms = self._design.terms
        for psi, term in zip(given.psi, terms, strict=True):
            root_of(psi, term.name)  # no draw from what is no covariance
        held = to_params(fixed, given.psi, terms)
        expected = np.asarray(self.predict(fixed, exog), dtype=np.float64)
        if len(expected) != self.nobs:
            raise ModelError(f"exog has {len(expected)} rows and the model has {self.nobs}.")
        parts = (fixed, held.cov_re, held.vcomp)
        return distribution(terms, given.psi, variance, parts, expected, self.weights)

    def predict(self, params: Any, exog: Any = None, *, transform: bool = False) -> pd.Series | Floats:
        """Xβ at fixed effects (p,) for the rows in use or for `exog` (columns of X, or a table).

        params : fixed effects, with covariance parameters after them or without, or `MixedLMParams`

        With the offset for the rows in use, and for a table where the offset is one of its columns.
        """
        beta = self._full_beta(params.fe_params if isinstance(params, MixedLMParams) else params)
        if exog is None:
            return self.exog @ beta if self.offset is None else self.exog @ beta + self.offset
        if not transform or self._design.fixed_info is None:
            matrix = np.asarray(exog, dtype=float)
            if matrix.ndim == 1:
                matrix = matrix[:, None] if self.k_fe == 1 else matrix[None]
            if matrix.shape[1] != self.k_fe:
                raise ModelError(
                    f"exog has {matrix.shape[1]} columns and the model has {self.k_fe} fixed effects."
                )
            return matrix @ beta
        return self._design.fixed_part(exog, beta)

    def _full_beta(self, params: Any) -> Floats:
        """Coefficients of all columns of X, zero for aliased ones, which `params` may hold or leave out."""
        if isinstance(params, pd.Series):
            return np.array([params.get(name, 0.0) for name in self.exog_names])
        values, (cp, _) = np.asarray(params, dtype=float).ravel(), self._products
        if values.size in (self.k_fe, self.k_fe + cp.k):
            return values[: self.k_fe]
        if values.size not in (cp.p, cp.p + cp.k):
            raise ModelError(f"params has {values.size} values and the model has {self.k_fe} fixed effects.")
        beta = np.zeros(self.k_fe)
        beta[cp.fixed.kept] = values[: cp.p]
        return beta

    # -- parts -----------------------------------------------------------------------------------------

    def _located(self, given: Given, profile_fe: bool) -> tuple[Evaluation, Evaluation]:
        """The point that `given` describes, and the one with the best fixed effects for its covariances."""
        likelihood = self._likelihood()
        try:
            best = likelihood.at(given.psi)
        except NotPositiveDefiniteError as err:
            raise ModelError(
                "The likelihood has no value at these parameters: the outcome's covariance is not positive "
                "definite there."
            ) from err
        if profile_fe or given.fixed is None:
            if not profile_fe and self.k_fe:
                raise ModelError("With profile_fe=False params must hold the fixed effects.")
            return best, best
        return at_beta(best, best.cp.fixed.beta_to_engine(self._kept_beta(given.fixed))), best

    def _score(self, given: Given, calc_fe: bool) -> tuple[Floats, Floats]:
        """By fixed effects and by covariances, as the engine counts them; penalties taken off."""
        point, best = self._located(given, not calc_fe)
        by_fixed, by_psi = self._likelihood().score(point, best)
        cp, terms = point.cp, self._design.terms
        if self.fe_pen is not None and calc_fe:
            slope = np.asarray(self.fe_pen.deriv(self._penalised_beta(point)), dtype=float)
            by_fixed = by_fixed - slope[cp.fixed.kept]
        if self.cov_pen is not None and self.k_re:
            whole = self._group_covariance(given)
            lower = np.zeros(whole.shape)
            lower[np.tril_indices(len(whole))] = self.cov_pen.deriv(whole, inverse(whole))
            by_psi = by_psi - _entries_of(lower, terms)
        return by_fixed, by_psi

    def _penalty(self, point: Evaluation, given: Given) -> float:
        total = 0.0
        if self.fe_pen is not None:
            total += float(np.sum(self.fe_pen.func(self._penalised_beta(point))))
        if self.cov_pen is not None and self.k_re:
            whole = self._group_covariance(given)
            total += float(np.sum(self.cov_pen.func(whole, inverse(whole))))
        return total

    def _penalised_beta(self, point: Evaluation) -> Floats:
        """(k_fe,), zero for aliased columns."""
        out = np.zeros(self.k_fe)
        out[point.cp.fixed.kept] = point.cp.fixed.beta_to_user(point.beta)
        return out

    def _group_covariance(self, given: Given) -> Floats:
        group = zip(given.psi, self._design.terms, strict=True)
        return np.asarray(block_diag(*(psi for psi, term in group if term.role == "group")))

    def _split(self, by_psi: Floats) -> tuple[Floats, Floats]:
        """In packed order: those of group terms, and those of components."""
        packed = by_psi[packed_order(self._design.terms)]
        return packed[: packed.size - self.k_vc], packed[packed.size - self.k_vc :]


def _is_singular(psi: Floats, tol: float = SINGULAR) -> bool:
    values = np.linalg.eigvalsh(psi)
    return bool(values.size) and bool(values[0] < tol * max(1.0, float(values[-1])))


def _entries_of(lower: Floats, terms: tuple[RandomTerm, ...]) -> Floats:
    """A lower triangle over all group terms as the engine counts ψ, zero for components, (k,)."""
    out, first = [], 0
    for term in terms:
        rows, cols = free_entries(term)
        if term.role == "component":
            out.append(np.zeros(rows.size))
            continue
        at: Ints = rows + first, cols + first  # type: ignore[assignment]
        out.append(lower[at])
        first += len(term.columns)
    return np.concatenate(out) if out else np.zeros(0)
