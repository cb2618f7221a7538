"""Units that the engine works in, and the way back to the user's.

Columns of X and covariates of random terms are centred where the model has the constant to absorb it,
and scaled to unit root mean square; covariates that share a full covariance are made orthogonal besides; the
outcome is replaced by its scaled least-squares residual. A predictor in millions, a year such as 2024, or the
powers of one variable then cost no digits, and fits are equivariant by construction.

With prior weights w every row is multiplied by √w, which makes its residual variance σ² (Aitken 1935): the
engine sees an ordinary model. The constant that centring needs is then the column √w, and means are weighted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr, solve_triangular

from mixedcore.errors import ModelError
from mixedcore.terms import Floats, Ints, RandomTerm

ALIAS_TOL = 1e-7  # a column whose part outside the earlier ones is this small a share is aliased (R's lm)
GRAM_TOL = 1e-8  # below this squared share the Gram matrix has lost too many digits: decide by QR
ROUNDING = 1e-15  # share of a column's mean that its values cannot be told to vary by
EXACT_FIT_TOL = 1e-12  # residual root mean square over that of y
LARGEST = 1e100  # squares and products of numbers up to here, or down to its inverse, stay finite


@dataclass(frozen=True, slots=True, eq=False)
class FixedScaling:
    """The fixed part in the engine's units: Xs = √w X[:, kept] @ A and ys = √w (y − X[:, kept] β₀) / y_scale.

    kept (p,) columns that are not aliased; A (p, p); beta0 (p,); Xs (n, p); ys (n,)
    """

    kept: Ints
    A: Floats
    beta0: Floats
    y_scale: float
    Xs: Floats
    ys: Floats

    @property
    def logdet(self) -> float:
        """log |det A|."""
        return float(np.linalg.slogdet(self.A).logabsdet) if self.A.size else 0.0

    def beta_to_user(self, beta: Floats) -> Floats:
        """Coefficients of X from those of Xs, (p,)."""
        return self.beta0 + self.y_scale * (self.A @ beta)


def _constant_column(X: Floats) -> int | None:
    """The first column that is one non-zero number throughout."""
    likely = np.flatnonzero((X[0] == X[-1]) & (X[0] == X[len(X) // 2]) & (X[0] != 0))
    return next((int(j) for j in likely if (X[:, j] == X[0, j]).all()), None)


def weighted(columns: Floats, root: Floats | None) -> Floats:
    """Rows of (n,) or (n, q) times the roots of their weights (n,), or as they are."""
    return columns if root is None else (columns.T * root).T


def _affine(X: Floats, root: Floats | None) -> tuple[Floats, Floats]:
    """Centred (if a constant column allows), weighted and scaled X (n, q), with A (q, q): √w X @ A."""
    n, p = X.shape
    A, centre = np.eye(p), np.zeros(p)
    if p == 0:
        return X, A
    Xs = X.copy()
    if (constant := _constant_column(X)) is not None:
        others = np.delete(np.arange(p), constant)
        means = np.zeros(others.size)
        weights = np.full(n, 1 / n) if root is None else root**2 / (root @ root)
        for _ in range(2):  # the second pass takes away what rounding left of the mean
            step = (weights @ Xs)[others]
            Xs[:, others] -= step
            means += step
        A[constant, others] = -means / X[0, constant]
        centre[others] = np.abs(means) if root is None else np.abs(means) * np.sqrt(root @ root / n)
    Xs = weighted(Xs, root)
    size = np.sqrt(np.einsum("ij,ij->j", Xs, Xs) / n)
    Xs[:, size < ROUNDING * centre] = 0.0  # a constant, less a mean that rounding has moved
    size[size < ROUNDING * centre] = 0.0
    size[size == 0] = 1.0
    return np.divide(Xs, size, out=Xs), A / size


def _independent(Xs: Floats, order: Ints) -> tuple[Ints, Floats | None]:
    """Columns to keep, the earlier in `order` of an aliased set; R of Xs[:, kept] = QR where needed."""
    n, p = Xs.shape
    residual = (Xs.T @ Xs / n)[np.ix_(order, order)]
    for j in range(p):  # Cholesky in the given order, to see each column's share outside the earlier ones
        if residual[j, j] < GRAM_TOL:
            break
        residual[j + 1 :, j + 1 :] -= np.outer(residual[j + 1 :, j], residual[j, j + 1 :]) / residual[j, j]
    else:
        return np.arange(p), None
    kept = order
    while True:
        R = qr(Xs[:, kept], mode="r")[0][: kept.size] / np.sqrt(n)
        small = np.flatnonzero(np.abs(np.diag(R)) < ALIAS_TOL)
        if not small.size:
            kept = np.sort(kept)
            return kept, qr(Xs[:, kept], mode="r")[0][: kept.size] / np.sqrt(n)
        kept = np.delete(kept, small[0])


def scale_fixed(y: Floats, X: Floats, root: Floats | None = None) -> FixedScaling:
    """Bring outcome (n,) and fixed design (n, p) into the engine's units; drop aliased columns.

    root : (n,) square roots of prior weights, which multiply the rows

    Raises ModelError when the fixed part reproduces the outcome exactly, so that no variance is left.
    """
    n, y = y.size, weighted(y, root)
    Xs, A = _affine(X, root)
    constant = _constant_column(X) if X.size else None
    kept, R = _independent(Xs, np.argsort(np.arange(X.shape[1]) != constant, kind="stable"))
    Xs, A = Xs[:, kept], A[np.ix_(kept, kept)]
    if R is not None and kept.size:  # nearly collinear: orthogonal columns keep the digits
        inverse = solve_triangular(R, np.eye(kept.size))
        Xs, A = Xs @ inverse, A @ inverse
    beta = np.linalg.solve(Xs.T @ Xs, Xs.T @ y) if kept.size else np.zeros(0)
    residual = y - Xs @ beta
    beta += (step := np.linalg.solve(Xs.T @ Xs, Xs.T @ residual) if kept.size else beta)
    residual = residual - Xs @ step
    size, y_size = np.sqrt(residual @ residual / n), np.sqrt(y @ y / n)
    if size <= EXACT_FIT_TOL * y_size:
        raise ModelError(
            "The fixed effects reproduce the outcome exactly, so there is no variation left to divide into "
            "variance components. Look for an outcome that is constant or computed from a predictor."
        )
    return FixedScaling(kept, A, A @ beta, float(size), np.ascontiguousarray(Xs), residual / size)


@dataclass(frozen=True, slots=True, eq=False)
class ScaledTerm:
    """A random term in the engine's units.

    bases : weighted and scaled covariates of each block, (n, q)
    A     : (q, q), bases[0] = √w basis @ A for 'full' and 'diagonal'
    unit  : bases = √w basis · unit for 'isotropic', whose blocks may differ in width
    """

    bases: tuple[Floats, ...]
    A: Floats
    unit: float


def scale_term(term: RandomTerm, root: Floats | None = None) -> ScaledTerm:
    """Orthogonal covariates for a 'full' term, scaled ones for a 'diagonal' one, one unit for 'isotropic'.

    root : (n,) square roots of prior weights, which multiply the rows
    """
    for block in term.blocks:
        check_magnitude(block.basis, [f"a covariate of {term.name}"] * block.width)
    if not any(block.basis.any() for block in term.blocks):
        raise ModelError(
            f"Every covariate of the random term {term.name} is zero, so it has no effect to estimate."
        )
    if term.structure == "full":
        basis, A = _orthonormal(term.blocks[0].basis, term, root)
        return ScaledTerm((basis,), A, 1.0)
    bases = [weighted(block.basis, root) for block in term.blocks]
    first = bases[0]
    if term.structure == "diagonal":
        size = np.sqrt(np.einsum("ij,ij->j", first, first) / len(first))
        size[size == 0] = 1.0
        return ScaledTerm((first / size,), np.diag(1.0 / size), 1.0)
    unit = 1.0 / np.sqrt(_mean_square(bases))
    return ScaledTerm(tuple(basis * unit for basis in bases), np.eye(first.shape[1]) * unit, float(unit))


def check_magnitude(columns: Floats, names: Sequence[str]) -> None:
    """ModelError for numbers so large or so small that their squares are no numbers any more."""
    table = columns.reshape(len(columns), -1)
    with np.errstate(over="ignore", under="ignore"):
        squares = np.einsum("ij,ij->j", table, table)
    for j in np.flatnonzero((squares > LARGEST**2) | (squares < LARGEST**-2)):
        largest, name = float(np.abs(table[:, j]).max()), names[int(j)]
        if largest:
            raise ModelError(f"The largest value of {name} is {largest:.3g}; choose other units for it.")


def _orthonormal(covariates: Floats, term: RandomTerm, root: Floats | None) -> tuple[Floats, Floats]:
    """Orthogonal covariates of unit size (n, q) and A (q, q) upper triangular, basis = √w covariates @ A.

    A full covariance follows any such change, and the search then sees the same problem whatever the coding.
    ModelError for a covariate that is constant beside the intercept, or that the others determine.
    """
    basis, A = _affine(covariates, root)
    kept, R = _independent(basis, np.arange(basis.shape[1]))
    if kept.size < basis.shape[1]:
        lost = ", ".join(term.columns[j] for j in range(basis.shape[1]) if j not in kept)
        raise ModelError(
            f"The random effect of {lost} over {term.name} cannot be estimated: the term's other covariates "
            f"determine it, or it is constant. Take it out of the random effects."
        )
    triangle = np.linalg.cholesky(basis.T @ basis / len(basis)).T if R is None else R
    inverse = np.asarray(solve_triangular(triangle, np.eye(len(triangle))))
    return basis @ inverse, A @ inverse


def _mean_square(bases: Sequence[Floats]) -> float:
    """Mean squared length of a component's covariate row, over the rows that take part."""
    total = sum(np.einsum("ij,ij->i", basis, basis) for basis in bases)
    taking_part = int(np.count_nonzero(total))
    return float(np.sum(total)) / taking_part if taking_part else 1.0
