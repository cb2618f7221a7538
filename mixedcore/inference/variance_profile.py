"""Profile log-likelihood of one variance: the best that all other parameters can do while it is held.

    ℓ_p(v) = max ℓ(β, σ², Ψ) subject to σ²Ψ_jj = v

β is profiled out in closed form. The rest is searched in roots of the covariances and log σ², from which
M_jj = √(v/σ²) follows; the gradient is analytic,

    ∂d/∂M = B' 2(S + Q/σ̂² − Q/σ²) B M,    ∂d/∂log σ² = df(1 − σ̂²/σ²) − ½ M_jj ∂d/∂M_jj,

with the engine's root T = BM, S = ∂d/∂Ψ where σ² is at its best σ̂², Q = Σ_f a_f a_f' (see `criterion`).
Bates, Mächler, Bolker & Walker (2015), section 5.1. statsmodels holds the ratio Ψ_jj instead and reports it
times the σ̂² that goes with it, which is no profile of the variance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixedcore.engine.chart import lower_root
from mixedcore.engine.criterion import Evaluation, evaluate
from mixedcore.engine.exact import with_exact_residual
from mixedcore.engine.factor import Root
from mixedcore.engine.rows import Chunked, Rows
from mixedcore.errors import ModelError, NotPositiveDefiniteError
from mixedcore.terms import Floats, RandomTerm
from mixedcore.units import UserUnits, free_entries

GRADIENT = 1e-7  # largest entry of the gradient at the end; the criterion is then good to about its square
FAR = 1e6  # above the criterion at the fit: what a point counts where the model cannot be evaluated


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One term: the engine's root is B M, M (q, q) with the entries `free` searched for."""

    B: Floats
    M: Floats
    free: NDArray[np.bool_]


def profile_variance(user: UserUnits, t: int, j: int, values: Floats) -> Floats:
    """ℓ_p at some values of the variance of covariate j of term t, in the user's units, (r,).

    The restricted log-likelihood where the fit is REML. Starts each search where the one nearer to the
    estimate ended.
    """
    search = _Held.of(user, t, j)
    estimate = user.sigma2 * user.psi(t)[j, j]
    out, outwards = np.empty(values.size), np.argsort(np.abs(values - estimate), kind="stable")
    for below in (True, False):
        start = search.start()
        for r in outwards[(values[outwards] <= estimate) == below]:
            start, criterion = search.minimum(values[r] / user.y_scale**2, start)
            out[r] = -criterion / 2
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """The search with entry `at` of term t's M held at √(v/σ²)."""

    point: Evaluation
    rows: Chunked
    terms: tuple[RandomTerm, ...]
    parts: tuple[_Part, ...]
    t: int
    at: int

    @classmethod
    def of(cls, user: UserUnits, t: int, j: int) -> _Held:
        parts = [_part(user, s) for s in range(len(user.estimate.terms))]
        full = user.estimate.terms[t].structure == "full"
        order = np.r_[j, np.delete(np.arange(len(parts[t].M)), j)] if full else np.arange(len(parts[t].M))
        at = 0 if full else j
        parts[t] = _held_part(user, t, order, at)
        return cls(user.estimate.evaluation, user.rows, user.estimate.terms, tuple(parts), t, at)

    def start(self) -> Floats:
        """The free entries at the fit, and log σ²."""
        return np.append(
            np.concatenate([part.M[part.free] for part in self.parts]), np.log(self.point.sigma2)
        )

    def minimum(self, v: float, start: Floats) -> tuple[Floats, float]:
        """Where the criterion is least with the variance at v, in the engine's units, and how low."""
        from scipy.optimize import minimize  # here, because it loads slowly

        found = minimize(
            self.criterion, start, args=(v,), jac=True, method="BFGS", options={"gtol": GRADIENT}
        )
        return found.x, float(found.fun)

    def criterion(self, x: Floats, v: float) -> tuple[float, Floats]:
        """d and its gradient in the free entries and log σ²."""
        s2 = float(np.exp(np.clip(x[-1], -500, 500)))
        Ms = self.roots(x, np.sqrt(v / s2))
        Ts = [part.B @ M for part, M in zip(self.parts, Ms, strict=True)]
        try:
            here = evaluate(self.point.cp, self.point.factor.plan, self._grouped(Ts), reml=self.point.reml)
        except NotPositiveDefiniteError:
            return self.point.value + FAR, np.zeros_like(x)
        if isinstance(self.rows, Rows):
            here = with_exact_residual(here, self.rows, self.terms)
        share = here.sigma2 / s2
        value = here.value + here.df * (share - 1 - np.log(share))
        slopes = [
            2 * part.B.T @ self._slope(here, s, s2) @ T
            for s, (part, T) in enumerate(zip(self.parts, Ts, strict=True))
        ]
        held = slopes[self.t][self.at, self.at] * Ms[self.t][self.at, self.at]
        entries = [slope[part.free] for part, slope in zip(self.parts, slopes, strict=True)]
        return value, np.append(np.concatenate(entries), here.df * (1 - share) - held / 2)

    def roots(self, x: Floats, held: float) -> list[Floats]:
        """M of every term."""
        out, first = [], 0
        for s, part in enumerate(self.parts):
            M, count = part.M.copy(), int(part.free.sum())
            M[part.free] = x[first : first + count]
            first += count
            if s == self.t:
                M[self.at, self.at] = held
            out.append(M)
        return out

    def _grouped(self, Ts: Sequence[Floats]) -> tuple[Root, ...]:
        """The roots of the terms as those of the engine's groupings."""
        out = []
        for grouping in self.point.cp.groupings:
            T = np.zeros((grouping.q, grouping.q))
            for member in grouping.members:
                own = T[member.columns, member.columns]
                isotropic = self.terms[member.term].structure == "isotropic"
                own += Ts[member.term] * np.eye(len(own)) if isotropic else Ts[member.term]
            out.append(Root.of_factor(T))
        return tuple(out)

    def _slope(self, here: Evaluation, s: int, s2: float) -> Floats:
        """∂d/∂Ψ of term s with σ² held, (q, q); (1, 1) for an isotropic one."""
        found = list(self._member_slopes(here, s, s2))
        if self.terms[s].structure == "isotropic":
            return np.array([[sum(float(np.trace(S)) for S in found)]])
        return found[0]

    def _member_slopes(self, here: Evaluation, s: int, s2: float) -> Iterator[Floats]:
        for g, grouping in enumerate(self.point.cp.groupings):
            for member in grouping.members:
                if member.term == s:
                    own = (member.columns, member.columns)
                    yield here.traces[g][own] - here.quadratic(g)[own] / s2


def _part(user: UserUnits, t: int) -> _Part:
    """A term none of whose entries is held: the engine's own root."""
    T = user.estimate.factors[t]
    full = user.estimate.terms[t].structure == "full"
    return _Part(np.eye(len(T)), T, np.tri(len(T), dtype=bool) if full else np.eye(len(T), dtype=bool))


def _held_part(user: UserUnits, t: int, order: NDArray[np.intp], at: int) -> _Part:
    """The term of the held variance, in the user's units, its covariate first in `order` if `full`."""
    term, scaled = user.estimate.terms[t], user.estimate.evaluation.cp.scaled_terms[t]
    root = user.root(t)
    A = np.array([[scaled.unit]]) if term.structure == "isotropic" else scaled.A
    M = lower_root(root[order]) if term.structure == "full" else root
    free = np.tri(len(M), dtype=bool) if term.structure == "full" else np.eye(len(M), dtype=bool)
    free[at, at] = False
    return _Part(np.linalg.solve(A, np.eye(len(M))[:, order]), M, free)


def profiled_term(
    terms: Sequence[RandomTerm], effects: Sequence[str], which: int | str, vtype: str
) -> tuple[int, int]:
    """Term and covariate of a variance asked for as statsmodels does: 're' a random effect, 'vc' a component.

    effects : names of the group terms' effects, in order; `which` is a position in them, or a name
    """
    role = {"re": "group", "vc": "component"}.get(vtype)
    if role is None:
        raise ModelError(f"vtype={vtype!r} is not known; 're' is a random effect, 'vc' a variance component.")
    places = [
        (t, j)
        for t, term in enumerate(terms)
        if term.role == role
        for j in range(1 if role == "component" else term.blocks[0].width)
    ]
    names = list(effects) if role == "group" else [terms[t].name for t, _ in places]
    if isinstance(which, str) and which in names:
        return places[names.index(which)]
    if isinstance(which, (int, np.integer)) and 0 <= which < len(places):
        return places[int(which)]
    shown = ", ".join(f"{i} ({name!r})" for i, name in enumerate(names)) or "none"
    raise ModelError(f"re_ix={which!r} is none of the variances of kind {vtype!r}; there are: {shown}.")


def profile_grid(
    estimate: float, error: float, low: tuple[int, float | None], high: tuple[int, float | None]
) -> Floats:
    """Variances at which to profile: `low[0]` steps below the estimate, the estimate, `high[0]` steps above.

    low[1], high[1] are the distances reached, two standard errors where None (below, at most to zero).
    """
    reach = 2 * error
    below = min(reach, estimate) if low[1] is None else float(low[1])
    above = reach if high[1] is None else float(high[1])
    if not (0 <= below <= estimate and 0 <= above < np.inf):
        raise ModelError(
            f"dist_low={low[1]} is too large and would result in a negative variance: the estimate is "
            f"{estimate:.6g}. Try a smaller value; distances are positive and finite."
        )
    left = np.linspace(estimate - below, estimate, int(low[0]) + 1)[:-1] if below else np.zeros(0)
    return np.concatenate([left, [estimate], np.linspace(estimate, estimate + above, int(high[0]) + 1)[1:]])


def variance_position(term: RandomTerm, j: int) -> int:
    """Position of the variance of covariate j among the free entries of a term's covariance."""
    rows, cols = free_entries(term)
    return int(np.flatnonzero(rows == cols)[j])
