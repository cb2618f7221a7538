"""Units that the engine works in, and the way back to the user's.

Columns of X and covariates of random terms are centred where the model has the constant to absorb it,
and scaled to unit root mean square; covariates that share a full covariance are made orthogonal besides; the
outcome is replaced by its scaled least-squares residual. A predictor in millions, a year such as 2024, or the
powers of one variable then cost no digits, and fits are equivariant by construction. All of it follows from
the moments of the columns; only columns that nearly determine each other are looked at row by row once more.

With prior weights w every row is multiplied by √w, which makes its residual variance σ² (Aitken 1935): the
engine sees an ordinary model. The constant that centring needs is then the column √w, and means are weighted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixedcore.engine.basis import Affine, Basis, Chunks, engine_columns, independent, inverse_of, triangle_of
from mixedcore.engine.moments import Moments
from mixedcore.engine.rows import Chunk, Layout
from mixedcore.errors import ModelError
from mixedcore.terms import Floats, Ints, RandomTerm

EXACT_FIT_TOL = 1e-12  # residual root mean square over that of y
CANCELLED = 1e-6  # below this share of y's sum of squares the residual's is summed row by row
# Numbers from 1/LARGEST to LARGEST: the variance of a slope's variance goes with (y/x)⁴, at most 1e296.
LARGEST = 1e37


@dataclass(frozen=True, eq=False)
class FixedScaling:
    """The fixed part in the engine's units: Xs = √w X[:, kept] @ A and ys = √w (y − X[:, kept] β₀) / y_scale.

    kept (p,) columns that are not aliased; A (p, p); beta0 (p,); basis: how Xs is made; about_mean: y less
    its mean, if X has a constant, is `start` (p,) on Xs and y_scale · ys
    """

    kept: Ints
    A: Floats
    beta0: Floats
    y_scale: float
    basis: Basis
    about_mean: bool
    start: Floats

    @cached_property
    def logdet(self) -> float:
        """log |det A|."""
        return float(np.linalg.slogdet(self.A).logabsdet) if self.A.size else 0.0

    def beta_to_engine(self, beta: Floats) -> Floats:
        """Coefficients of Xs from those of X, (p,)."""
        return np.asarray(np.linalg.solve(self.A, beta - self.beta0) / self.y_scale, dtype=np.float64)

    def beta_to_user(self, beta: Floats) -> Floats:
        """Coefficients of X from those of Xs, (p,)."""
        return np.asarray(self.beta0 + self.y_scale * (self.A @ beta))


def scale_fixed(layout: Layout, moments: Moments, chunks: Chunks) -> FixedScaling:
    """Bring outcome and fixed design into the engine's units; drop aliased columns.

    Raises ModelError when the fixed part reproduces the outcome exactly, so that no variance is left.
    """
    affine, constant = Affine.of(moments, layout.fixed, centre=True), moments.constant(layout.fixed)
    order = np.argsort(np.arange(layout.fixed.size) != constant, kind="stable")
    kept, R = independent(affine.gram, order, lambda: triangle_of(affine, moments, chunks))
    mix = None if R is None or not kept.size else inverse_of(R)
    basis = Basis(affine.take(kept), mix, by_row=mix is not None)
    start, size = _least_squares(basis, layout.outcome, constant is not None, moments, chunks)
    beta0 = basis.A @ start
    if constant is not None:
        beta0[kept == constant] += moments.centre[layout.outcome] / moments.centre[layout.fixed[constant]]
    return FixedScaling(kept, basis.A, beta0, size, basis, constant is not None, start)


def _least_squares(
    basis: Basis, outcome: int, about_mean: bool, moments: Moments, chunks: Chunks
) -> tuple[Floats, float]:
    """Coefficients of y on the columns (p,), and the root mean square of what is left."""
    y, about, raw = np.array([outcome]), np.array([about_mean]), np.array([False])
    gram, affine = basis.gram, basis.affine
    cross = affine.scale * moments.products(affine.numbers, y, (affine.centred, about))[:, 0]
    cross = cross if basis.mix is None else basis.mix.T @ cross
    start = _solved(gram, cross)
    square, size_of_y = (float(moments.products(y, y, (c, c))[0, 0]) for c in (about, raw))
    left = square - float(start @ cross)
    if basis.by_row or left < CANCELLED * square:
        for _ in range(2):
            along, left = _residual_sums(basis, start, outcome, about_mean, moments, chunks)
            start = start + _solved(gram, along)
    if np.sqrt(left) <= EXACT_FIT_TOL * np.sqrt(size_of_y):
        raise ModelError(
            "The fixed effects reproduce the outcome exactly, so there is no variation left to divide into "
            "variance components. Look for an outcome that is constant or computed from a predictor."
        )
    return start, float(np.sqrt(left))


def _solved(gram: Floats, right: Floats) -> Floats:
    return np.asarray(np.linalg.solve(gram, right), dtype=np.float64) if right.size else right


def _residual_sums(
    basis: Basis, start: Floats, outcome: int, about_mean: bool, moments: Moments, chunks: Chunks
) -> tuple[Floats, float]:
    """Mean products (p,) of the columns with the residual at coefficients `start`, and its mean square."""
    along, square = np.zeros(start.size), 0.0
    for chunk in chunks():
        Xs = basis.values(chunk, moments)
        rest = outcome_column(chunk, moments, outcome, about_mean) - start @ Xs
        along += Xs @ rest
        square += float(rest @ rest)
    return along / moments.n, square / moments.n


def outcome_column(chunk: Chunk, moments: Moments, outcome: int, about_mean: bool) -> Floats:
    """y on some rows, less its mean where asked, times the root of the rows' weights, (r,)."""
    one = np.array([outcome]), np.array([about_mean]), np.ones(1)
    return np.asarray(engine_columns(chunk, moments, *one)[0])


@dataclass(frozen=True, slots=True, eq=False)
class ScaledTerm:
    """A random term in the engine's units.

    bases : how the covariates of each block are made
    A     : (q, q), bases[0] = basis @ A for 'full' and 'diagonal'
    unit  : bases = basis · unit for 'isotropic', whose blocks may differ in width
    """

    bases: tuple[Basis, ...]
    A: Floats
    unit: float


def scale_term(term: RandomTerm, bases: tuple[Ints, ...], moments: Moments, chunks: Chunks) -> ScaledTerm:
    """Orthogonal covariates for a 'full' term, scaled ones for a 'diagonal' one, one unit for 'isotropic'.

    bases : numbers of each block's columns
    """
    every = np.concatenate(bases)
    if not moments.nonzero[every].any():
        raise ModelError(
            f"Every covariate of the random term {term.name} is zero, so it has no effect to estimate."
        )
    if term.structure == "full":
        basis = _orthonormal(bases[0], term, moments, chunks)
        return ScaledTerm((basis,), basis.A, 1.0)
    affine = tuple(Affine.of(moments, numbers, centre=False) for numbers in bases)
    if term.structure == "diagonal":
        return ScaledTerm((Basis(affine[0]),), affine[0].A, 1.0)
    raw = np.zeros(every.size, dtype=bool)
    squares = moments.n * moments.products(every, every, (raw, raw)).diagonal().sum()
    unit = float(np.sqrt(moments.nonzero[every].max() / squares))
    mixes = [
        None if np.allclose(a.scale, unit, rtol=1e-14, atol=0) else np.diag(unit / a.scale) for a in affine
    ]
    blocks = tuple(Basis(a, mix) for a, mix in zip(affine, mixes, strict=True))
    return ScaledTerm(blocks, np.eye(bases[0].size) * unit, unit)


@dataclass(frozen=True, slots=True, eq=False)
class EngineUnits:
    """How the engine's columns are made of the given ones."""

    layout: Layout
    moments: Moments
    fixed: FixedScaling
    terms: tuple[ScaledTerm, ...]


def engine_units(layout: Layout, terms: Sequence[RandomTerm], found: Moments, chunks: Chunks) -> EngineUnits:
    """Units from the moments of all columns; `chunks()` reads the rows again where digits would be lost."""
    check_magnitude(layout, found)
    fixed = scale_fixed(layout, found, chunks)
    scaled = tuple(
        scale_term(term, bases, found, chunks) for term, bases in zip(terms, layout.bases, strict=True)
    )
    return EngineUnits(layout, found, fixed, scaled)


def check_magnitude(layout: Layout, moments: Moments) -> None:
    """ModelError for numbers so large or so small that powers of them are no numbers any more."""
    for name, low, high in zip(layout.names, moments.low, moments.high, strict=True):
        check_size(max(abs(float(low)), abs(float(high))), name)


def check_size(largest: float, name: str) -> None:
    """ModelError where the largest value of a column is beyond `LARGEST`."""
    if largest and not 1 / LARGEST < largest < LARGEST:
        raise ModelError(f"The largest value of {name} is {largest:.3g}; choose other units for it.")


def _orthonormal(numbers: Ints, term: RandomTerm, moments: Moments, chunks: Chunks) -> Basis:
    """Orthogonal covariates of unit size: affine ones times an upper triangular matrix.

    A full covariance follows any such change, and the search then sees the same problem whatever the coding.
    ModelError for a covariate that is constant beside the intercept, or that the others determine.
    """
    affine = Affine.of(moments, numbers, centre=True)
    q = numbers.size
    kept, R = independent(affine.gram, np.arange(q), lambda: triangle_of(affine, moments, chunks))
    if kept.size < q:
        lost = ", ".join(term.columns[j] for j in range(q) if j not in kept)
        raise ModelError(
            f"The random effect of {lost} over {term.name} cannot be estimated: the term's other covariates "
            f"determine it, or it is constant. Take it out of the random effects."
        )
    if q == 1:
        return Basis(affine)
    root = np.asarray(np.linalg.cholesky(affine.gram).T, dtype=np.float64) if R is None else R
    return Basis(affine, inverse_of(root), by_row=R is not None)
