"""The coordinates in which the search for covariances moves.

A step changes the root T of each Ψ = TT' in all its q² entries and the result is made triangular again. The
q(q − 1)/2 redundant directions leave Ψ as it is, so a step of least length has no part in them; and unlike
with the entries of a triangular root, nothing is special about a small variance of the first coefficient,
near which a triangular root turns with every change of the others (Journée, Bach, Absil & Sepulchre 2010,
SIAM J. Optim. 20, on positive semidefinite matrices of low rank).

What is learned of the curvature is learned in Ψ, where the redundancy does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixedcore.engine.criterion import Evaluation
from mixedcore.engine.crossproducts import CrossProducts
from mixedcore.terms import Floats, RandomTerm, Template, entries


def factor_of(term: RandomTerm, theta: Floats) -> Floats:
    """Λ of one term from its parameters; (1, 1) for an isotropic one."""
    if term.structure == "isotropic":
        return theta[:1, None]
    q = term.blocks[0].width
    return Template(q, *entries(term.structure, q)).factor(theta)


def parameters_of(term: RandomTerm, T: Floats) -> Floats:
    """The parameters of one term from its Λ."""
    if term.structure == "isotropic":
        return T[0, :1]
    rows, cols, _ = entries(term.structure, len(T))
    return T[rows, cols]


def rectify(T: Floats) -> Floats:
    """The same covariance with a non-negative diagonal; digits of rounding on it become zeros."""
    T = T * np.where(np.diag(T) < 0, -1.0, 1.0)
    T[np.abs(T) < 1e-14 * max(1.0, float(np.abs(T).max()))] = 0.0
    return T


def lower_root(root: Floats) -> Floats:
    """Lower triangular (q, q) factor of root @ root.T for root (q, r), r ≥ q; right when singular too."""
    return rectify(np.ascontiguousarray(np.transpose(np.linalg.qr(root.T, mode="r"))))


@dataclass(frozen=True, slots=True, eq=False)
class Roots:
    """Roots of the covariances of several terms; the search's `Chart` of θ (k,)."""

    cp: CrossProducts
    terms: tuple[RandomTerm, ...]

    def factors(self, theta: Floats) -> list[Floats]:
        """Λ of every term."""
        o = self.cp.offsets
        return [factor_of(term, theta[o[t] : o[t + 1]]) for t, term in enumerate(self.terms)]

    def theta(self, factors: list[Floats]) -> Floats:
        """θ of every term's Λ."""
        parts = [parameters_of(term, T) for term, T in zip(self.terms, factors, strict=True)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def identity(self) -> Floats:
        """θ at Λ = I: every coefficient as variable as the residual, in the engine's units."""
        return self.theta([np.eye(term.blocks[0].width) for term in self.terms])

    def admissible(self, theta: Floats) -> Floats:
        """The θ nearest to this one that the search may be at; NotPositiveDefiniteError if none is near."""
        return theta

    def correlated(self, t: int) -> bool:
        """Whether a term has covariances to be found."""
        return self.terms[t].structure == "full" and self.terms[t].blocks[0].width > 1

    def slope(self, point: Evaluation, t: int) -> Floats:
        """∂d/∂Ψ of one term, (q, q); the sum over its coefficients, (1, 1), for an isotropic one."""
        own = [
            S[member.columns, member.columns]
            for g, S in zip(self.cp.groupings, point.slopes, strict=True)
            for member in g.members
            if member.term == t
        ]
        if self.terms[t].structure == "isotropic":
            return np.array([[sum(float(np.trace(S)) for S in own)]])
        return own[0]

    def moved(self, theta: Floats, step: Floats) -> Floats:
        """θ after a step in all entries of the roots."""
        out, at = [], 0
        for term, T in zip(self.terms, self.factors(theta), strict=True):
            size = T.size if term.structure == "full" else len(T)
            own, at = step[at : at + size], at + size
            full = term.structure == "full" and size > 1
            out.append(lower_root(T + own.reshape(T.shape)) if full else T + np.diag(own))
        return self.theta(out)

    def derivatives(self, theta: Floats, point: Evaluation) -> tuple[Floats, Floats, Floats]:
        """Gradient and Hessian in the entries of the roots, and the Jacobian of Ψ's with respect to them."""
        return self.derivatives_at(self.factors(theta), point)

    def derivatives_at(self, factors: Sequence[Floats], point: Evaluation) -> tuple[Floats, Floats, Floats]:
        """The same for any roots of the covariances, (q, q) each, triangular or not."""
        gradient: list[Floats] = []
        J: list[Floats] = []
        curvature: list[Floats] = []
        for t, (term, T) in enumerate(zip(self.terms, factors, strict=True)):
            S = self.slope(point, t)
            if term.structure == "full":
                gradient.append(2 * (S @ T).ravel())
                J.append(_jacobian(T))
                curvature.append(_by_column(2 * S))
            else:
                gradient.append(2 * np.diag(S) * np.diag(T))
                J.append(np.diag(2 * np.diag(T)))
                curvature.append(np.diag(2 * np.diag(S)))
        if not gradient:
            return np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0))
        jacobian = _block_diagonal(J)
        hessian = jacobian.T @ point.information @ jacobian + _block_diagonal(curvature)
        return np.concatenate(gradient), np.asarray(hessian), jacobian

    def psi(self, theta: Floats) -> Floats:
        """The free entries of every Ψ."""
        return self.theta([T @ T.T for T in self.factors(theta)])

    def secant(
        self, thetas: tuple[Floats, Floats], points: tuple[Evaluation, Evaluation]
    ) -> tuple[Floats, Floats, Floats] | None:
        """Between two points: step in ψ, change of the gradient in ψ, and what Hessian is taken for it."""
        if points[1].refined:
            return None
        step = self.psi(thetas[1]) - self.psi(thetas[0])
        change = points[1].gradient_psi - points[0].gradient_psi
        return step, change, (points[0].average_information + points[1].average_information) / 2


def _jacobian(T: Floats) -> Floats:
    """∂ψ/∂T of a full Ψ = TT', (q(q + 1)/2, q²)."""
    q = len(T)
    rows, cols, _ = entries("full", q)
    out = np.zeros((rows.size, q, q))
    every = np.arange(rows.size)
    out[every, rows] = T[cols]
    out[every, cols] += T[rows]
    return out.reshape(rows.size, q * q)


def _by_column(S: Floats) -> Floats:
    """S ⊗ I, (q², q²): the same matrix for each column of T."""
    q = len(S)
    out = np.zeros((q, q, q, q))
    out[:, np.arange(q), :, np.arange(q)] = S
    return out.reshape(q * q, q * q)


def _block_diagonal(blocks: list[Floats]) -> Floats:
    if len(blocks) == 1:
        return blocks[0]
    out = np.zeros((sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)))
    i = j = 0
    for b in blocks:
        out[i : i + b.shape[0], j : j + b.shape[1]] = b
        i, j = i + b.shape[0], j + b.shape[1]
    return out
