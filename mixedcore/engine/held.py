"""A search in which some covariance parameters stay where they are.

In the root T of one term's Ψ, an entry of the user's covariance is (AT)_i·(AT)_j. Holding some of them leaves
a curved surface of roots. A step is taken in its tangent, and the root brought back by the shortest
correction (Gauss-Newton); the derivatives are those of the Lagrangian, with the least-squares multipliers C
in the held entries (Absil, Mahony & Sepulchre 2008, Optimization Algorithms on Matrix Manifolds, ch. 4, 5):

    gradient 2(S − C)T,   Hessian J'·AI·J + 2(S − C) ⊗ I,   both on the tangent.

The optimality of a zero is that of (S − C) too. An effect whose variance is held at zero is taken out of T.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mixedcore.data.columns import Mask
from mixedcore.engine.chart import Roots, lower_root
from mixedcore.engine.criterion import Evaluation
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.errors import ModelError, NotPositiveDefiniteError
from mixedcore.terms import Floats, Ints, RandomTerm

MET = 1e-13  # largest violation of a held value, in units of one standard deviation of an effect
RETURN = 60  # corrections that bring a root back to its held values
RANK = 1e-9  # share of the largest singular value below which constraints depend on each other


@dataclass(frozen=True, slots=True, eq=False)
class Restriction:
    """Which parameters a fit estimated: beta (p,) and psi (k,) booleans, the latter counted as θ is.

    fixed   : (p,) values of the fixed effects that were not estimated, in the user's units
    held    : per term the values (q, q) of its covariance that were held, in the user's units, else NaN
    unknown : what stands for the standard errors of the other fixed effects, 0 where they were held
    gradient_norm : at the end, in the coordinates of the search
    """

    beta: Mask
    psi: Mask
    fixed: Floats
    held: tuple[Floats, ...] = ()
    unknown: float = 0.0
    gradient_norm: float = 0.0

    def exact_beta(self, beta: Floats) -> Floats:
        """The fixed effects (p,), those not estimated without the rounding of the engine's units."""
        return np.where(self.beta, beta, self.fixed)

    def exact(self, t: int, psi: Floats) -> Floats:
        """The covariance of term t, its held values without the rounding of the search."""
        if not self.held:
            return psi
        return np.where(np.isnan(self.held[t]), psi, self.held[t])


@dataclass(frozen=True, slots=True, eq=False)
class HeldTerm:
    """What is held of one term, in rows b_i of the user's coefficients scaled to unit length.

    rows (q, q)   : b; the user's effect i is b_i'(engine's) times a unit
    one, two (c,) : entries (i, j) with b_i'Ψb_j = value (c,)
    gone (z,)     : effects without variance
    """

    rows: Floats
    one: Ints
    two: Ints
    value: Floats
    gone: Ints

    @classmethod
    def of(cls, A: Floats, psi: Floats, free: Floats) -> HeldTerm:
        """From A (q, q), the user's coefficients being A times the engine's, values and mask (q, q)."""
        size = np.linalg.norm(A, axis=1)
        one, two = np.nonzero(np.tril(free == 0))
        gone = one[(one == two) & (psi[one, one] == 0)]
        left = ~(np.isin(one, gone) | np.isin(two, gone))
        if (psi[one[~left], two[~left]] != 0).any():
            raise ModelError("A covariance is held at another value than zero, and a variance of it at zero.")
        one, two = one[left], two[left]
        return cls(A / size[:, None], one, two, psi[one, two] / (size[one] * size[two]), gone)

    @property
    def any(self) -> bool:
        return bool(self.one.size or self.gone.size)

    def missed(self, T: Floats) -> Floats:
        """How far the held values are off at a root, (c,)."""
        B = self.rows @ T
        return np.asarray(np.einsum("ck,ck->c", B[self.one], B[self.two]) - self.value)

    def normals(self, T: Floats) -> Floats:
        """Derivatives of the held values with respect to the entries of T, (c + z·q, q²)."""
        q, B = len(T), self.rows @ T
        out = np.zeros((self.one.size, q, q))
        out += self.rows[self.one][:, :, None] * B[self.two][:, None, :]
        out += self.rows[self.two][:, :, None] * B[self.one][:, None, :]
        zeros = self.rows[self.gone][:, None, :, None] * np.eye(q)[None, :, None, :]
        return np.concatenate([out.reshape(-1, q * q), zeros.reshape(-1, q * q)])

    def without_gone(self, T: Floats) -> Floats:
        """T with nothing in the directions that have no variance."""
        return self.projection @ T

    @property
    def projection(self) -> Floats:
        """Onto what the effects without variance leave, (q, q)."""
        out = np.eye(len(self.rows))
        if self.gone.size:
            Q = np.linalg.qr(self.rows[self.gone].T)[0]
            out -= Q @ Q.T
        return out

    def returned(self, T: Floats) -> Floats:
        """The nearest root at which the held values are met; NotPositiveDefiniteError if none is found."""
        T = self.without_gone(T)
        for _ in range(RETURN):
            missed = self.missed(T)
            if not missed.size or float(np.abs(missed).max()) < MET * (1 + float(np.abs(self.value).max())):
                return T
            own = self.normals(T)[: missed.size]
            step = np.linalg.lstsq(own, -missed, rcond=RANK)[0]
            T = T + self.without_gone(np.asarray(step, dtype=np.float64).reshape(T.shape))
        raise NotPositiveDefiniteError("No covariance with the values held was found near this one.")

    def multipliers(self, S: Floats, T: Floats) -> Floats:
        """S − C, with C the combination of the held entries that leaves the shortest gradient, (q, q)."""
        P = self.projection
        if self.one.size:
            each = self.rows[self.one][:, :, None] * self.rows[self.two][:, None, :]
            each = each + each.swapaxes(1, 2)
            columns = np.array([P @ C @ T for C in each]).reshape(self.one.size, -1)
            found = np.linalg.lstsq(columns.T, (P @ S @ T).ravel(), rcond=RANK)[0]
            S = S - np.tensordot(found, each, 1)
        return np.asarray(P @ S @ P)


@dataclass(frozen=True, slots=True, eq=False)
class HeldRoots(Roots):
    """The roots of the covariances with the held entries; one `HeldTerm` a term."""

    held: tuple[HeldTerm, ...]

    def admissible(self, theta: Floats) -> Floats:
        """θ of the nearest roots that have the held values."""
        out = []
        for term, T, held in zip(self.terms, self.factors(theta), self.held, strict=True):
            if not held.any:
                out.append(T)
            elif _is_full(term, T):
                out.append(lower_root(held.returned(T)))
            else:
                out.append(_with_held_sds(T, held))
        return self.theta(out)

    def correlated(self, t: int) -> bool:
        """Whether a term has covariances that are not held."""
        own = self.held[t]
        left = len(own.rows) - own.gone.size
        held = int((own.one != own.two).sum())
        return Roots.correlated(self, t) and held < left * (left - 1) // 2

    def moved(self, theta: Floats, step: Floats) -> Floats:
        """θ after a step in the tangent."""
        return self.admissible(Roots.moved(self, theta, self._tangent(theta) @ step))

    def derivatives(self, theta: Floats, point: Evaluation) -> tuple[Floats, Floats, Floats]:
        """Gradient, Hessian and Jacobian on the tangent."""
        gradient, hessian, jacobian = Roots.derivatives(self, theta, point)
        N = self._tangent(theta)
        return N.T @ gradient, N.T @ hessian @ N, jacobian @ N

    def slope(self, point: Evaluation, t: int) -> Floats:
        """S − C of one term, where it is held, else S."""
        S, held = Roots.slope(self, point, t), self.held[t]
        if not held.any:
            return S
        T = self._factor(point, t)
        if _is_full(self.terms[t], T):
            return held.multipliers(S, T)
        keep = np.ones(len(T))
        keep[[*held.one, *held.gone]] = 0.0
        return S * np.outer(keep, keep)

    def _factor(self, point: Evaluation, t: int) -> Floats:
        """Λ of one term at a point; (1, 1) if isotropic."""
        for g, root in zip(self.cp.groupings, point.factor.roots, strict=True):
            for member in g.members:
                if member.term == t:
                    T = root.T[member.columns, member.columns]
                    return T[:1, :1] if self.terms[t].structure == "isotropic" else T
        raise AssertionError("every term has a block")

    def _tangent(self, theta: Floats) -> Floats:
        """Orthonormal basis (K, K') of the steps that keep the held values to first order."""
        parts = []
        for term, T, held in zip(self.terms, self.factors(theta), self.held, strict=True):
            if not _is_full(term, T):
                keep = np.ones(len(T), dtype=bool)
                keep[[*held.one, *held.gone]] = False
                parts.append(np.eye(len(T))[:, keep])
                continue
            own = held.normals(T)
            size = np.linalg.norm(own, axis=1, keepdims=True)
            _, values, right = np.linalg.svd(own / np.where(size > 0, size, 1.0))
            rank = int((values > RANK).sum())
            parts.append(right[rank:].T)
        out = np.zeros((sum(len(part) for part in parts), sum(part.shape[1] for part in parts)))
        i = j = 0
        for part in parts:
            out[i : i + len(part), j : j + part.shape[1]] = part
            i, j = i + len(part), j + part.shape[1]
        return out


def held_roots(
    cp: CrossProducts, terms: tuple[RandomTerm, ...], psi: list[Floats], free: list[Floats]
) -> HeldRoots:
    """The chart that holds the entries of the user's Ψ (q, q) where a term's mask is 0, at these values."""
    held = []
    for term, scaled, own, mask in zip(terms, cp.scaled_terms, psi, free, strict=True):
        A = np.array([[scaled.unit]]) if term.structure == "isotropic" else scaled.A
        each = HeldTerm.of(A, own, mask)
        if term.structure != "full":  # its covariances are zero in any case
            diagonal = each.one == each.two
            each = replace(each, one=each.one[diagonal], two=each.two[diagonal], value=each.value[diagonal])
        held.append(each)
    return HeldRoots(cp, terms, tuple(held))


def _is_full(term: RandomTerm, T: Floats) -> bool:
    return term.structure == "full" and len(T) > 1


def _with_held_sds(T: Floats, held: HeldTerm) -> Floats:
    """A diagonal Λ with the held entries; rows b are unit vectors there."""
    out = T.copy()
    out[held.one, held.one] = np.sqrt(held.value)
    out[held.gone, held.gone] = 0.0
    return out
