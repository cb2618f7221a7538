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

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import qr
from scipy.linalg.lapack import dtrtri

from mixedcore.errors import ModelError
from mixedcore.moments import Moments
from mixedcore.rows import Chunk, Layout
from mixedcore.terms import Floats, Ints, RandomTerm

ALIAS_TOL = 1e-7  # a column whose part outside the earlier ones is this small a share is aliased (R's lm)
GRAM_TOL = 1e-8  # below this squared share the Gram matrix has lost too many digits: decide by QR
CONSTANT = 1e-14  # root mean square about the mean over that of the column, from which it varies
EXACT_FIT_TOL = 1e-12  # residual root mean square over that of y
CANCELLED = 1e-6  # below this share of y's sum of squares the residual's is summed row by row
# Numbers from 1/LARGEST to LARGEST: the variance of a slope's variance goes with (y/x)⁴, at most 1e296.
LARGEST = 1e37

Chunks = Callable[[], Iterable[Chunk]]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """Some columns, centred where a constant among them allows and scaled to unit root mean square.

    numbers (q,) of the columns; centred (q,) booleans; scale (q,); A (q, q) such that they equal columns @ A;
    gram (q, q) their mean products over the rows
    """

    numbers: Ints
    centred: Floats
    scale: Floats
    A: Floats
    gram: Floats

    @classmethod
    def of(cls, moments: Moments, numbers: Ints, *, centre: bool) -> Affine:
        """Columns `numbers`, centred if `centre` and one of them is constant.

        What is left by centring of a column that is constant but for rounding stays as small as it is.
        """
        q, constant = numbers.size, moments.constant(numbers) if centre else None
        centred = np.zeros(q, dtype=bool) if constant is None else np.arange(q) != constant
        products = moments.products(numbers, numbers, (centred, centred))
        as_given = np.sqrt(moments.mean_squares(numbers) * (moments.weight / moments.n))
        size = np.sqrt(products.diagonal())
        size = np.where(size > CONSTANT * as_given, size, as_given)
        scale = 1.0 / np.where(size == 0, 1.0, size)
        A = np.eye(q)
        if constant is not None:
            A[constant, centred] = -moments.centre[numbers][centred] / moments.centre[numbers][constant]
        return cls(numbers, centred, scale, A * scale, products * np.outer(scale, scale))

    def columns(self) -> Iterator[tuple[int, bool, float]]:
        """Number, whether it is centred, and scale of each column."""
        yield from zip(self.numbers.tolist(), self.centred.tolist(), self.scale.tolist(), strict=True)

    def take(self, kept: Ints) -> Affine:
        """Some of the columns, the constant among them if there is one."""
        own = np.ix_(kept, kept)
        return Affine(self.numbers[kept], self.centred[kept], self.scale[kept], self.A[own], self.gram[own])

    def values(self, chunk: Chunk, moments: Moments) -> Floats:
        """The columns on some rows, times the root of the rows' weights, (q, r)."""
        return engine_columns(chunk, moments, self.numbers, self.centred, self.scale)


def engine_columns(chunk: Chunk, moments: Moments, numbers: Ints, centred: Floats, scale: Floats) -> Floats:
    """Columns of a chunk, centred or not and scaled, times the root of the rows' weights, (q, r)."""
    out = np.empty((numbers.size, len(chunk.columns[-1])))
    for row, j, about_mean, factor in zip(out, numbers, centred, scale, strict=True):
        if about_mean:
            np.subtract(chunk.columns[j], moments.origin[j], out=row)
            row -= moments.mean[j]
            row *= factor
        else:
            np.multiply(chunk.columns[j], factor, out=row)
    if chunk.weights is not None:
        out *= np.sqrt(chunk.weights)
    return out


def _independent(gram: Floats, order: Ints, triangle: Callable[[], Floats]) -> tuple[Ints, Floats | None]:
    """Columns to keep, the earlier in `order` of an aliased set; R of the kept ones' QR where it is needed.

    gram (q, q) mean products of the columns; triangle() gives R of all columns in order, over √n.
    """
    q = len(order)
    try:  # pivots of Cholesky's factor are each column's share outside the earlier ones
        pivots = np.diag(np.linalg.cholesky(gram[np.ix_(order, order)])) ** 2
    except np.linalg.LinAlgError:
        pivots = np.zeros(1)
    if not (pivots < GRAM_TOL).any():
        return np.arange(q), None
    whole = triangle()
    kept = np.sort(_not_aliased(whole, order))
    return kept, _upper(whole[:, kept])


def _not_aliased(columns: Floats, order: Ints) -> Ints:
    """Columns with a part outside the earlier ones in `order` that stay, by Gram-Schmidt done twice."""
    Q = np.zeros((len(columns), order.size))
    kept: list[int] = []
    for j in order:
        own, rest = Q[:, : len(kept)], columns[:, j]
        for _ in range(2):  # twice is enough: Giraud, Langou & Rozloznik (2005), Numer. Math. 101
            rest = rest - own @ (own.T @ rest)
        size = float(np.linalg.norm(rest))
        if size >= ALIAS_TOL:
            Q[:, len(kept)] = rest / size
            kept.append(j)
    return np.array(kept, dtype=np.intp)


def _triangle(affine: Affine, moments: Moments, chunks: Chunks) -> Floats:
    """R (q, q) of the QR decomposition of the columns over √n, chunk by chunk."""
    R = np.zeros((0, affine.numbers.size))
    for chunk in chunks():
        R = _upper(np.vstack([R, affine.values(chunk, moments).T]))
    return np.asarray(R / np.sqrt(moments.n))


def _upper(matrix: Floats) -> Floats:
    """R of the QR decomposition of a matrix (r, q), at most (q, q)."""
    return np.asarray(qr(matrix, mode="r")[0][: matrix.shape[1]], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """The engine's columns: affine ones, times `mix` (q, q) where that is not None.

    by_row : mix each row, for columns so nearly collinear that mixing their sums would lose digits
    """

    affine: Affine
    mix: Floats | None = None
    by_row: bool = False

    @property
    def A(self) -> Floats:
        """(q, q) such that these columns equal the given ones @ A."""
        return self.affine.A if self.mix is None else self.affine.A @ self.mix

    @property
    def gram(self) -> Floats:
        """Mean products over the rows, (q, q); columns mixed row by row are orthogonal but for rounding."""
        if self.by_row:
            return np.eye(self.affine.numbers.size)
        return self.affine.gram if self.mix is None else self.mix.T @ self.affine.gram @ self.mix

    def values(self, chunk: Chunk, moments: Moments) -> Floats:
        """The columns on some rows, times the root of the rows' weights, (q, r)."""
        columns = self.affine.values(chunk, moments)
        return columns if self.mix is None else self.mix.T @ columns


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

    def beta_to_user(self, beta: Floats) -> Floats:
        """Coefficients of X from those of Xs, (p,)."""
        return np.asarray(self.beta0 + self.y_scale * (self.A @ beta))


def scale_fixed(layout: Layout, moments: Moments, chunks: Chunks) -> FixedScaling:
    """Bring outcome and fixed design into the engine's units; drop aliased columns.

    Raises ModelError when the fixed part reproduces the outcome exactly, so that no variance is left.
    """
    affine, constant = Affine.of(moments, layout.fixed, centre=True), moments.constant(layout.fixed)
    order = np.argsort(np.arange(layout.fixed.size) != constant, kind="stable")
    kept, R = _independent(affine.gram, order, lambda: _triangle(affine, moments, chunks))
    mix = None if R is None or not kept.size else _inverse_of(R)
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


def _inverse_of(R: Floats) -> Floats:
    """Inverse of an upper triangular matrix."""
    return np.asarray(dtrtri(R)[0], dtype=np.float64)


def _orthonormal(numbers: Ints, term: RandomTerm, moments: Moments, chunks: Chunks) -> Basis:
    """Orthogonal covariates of unit size: affine ones times an upper triangular matrix.

    A full covariance follows any such change, and the search then sees the same problem whatever the coding.
    ModelError for a covariate that is constant beside the intercept, or that the others determine.
    """
    affine = Affine.of(moments, numbers, centre=True)
    q = numbers.size
    kept, R = _independent(affine.gram, np.arange(q), lambda: _triangle(affine, moments, chunks))
    if kept.size < q:
        lost = ", ".join(term.columns[j] for j in range(q) if j not in kept)
        raise ModelError(
            f"The random effect of {lost} over {term.name} cannot be estimated: the term's other covariates "
            f"determine it, or it is constant. Take it out of the random effects."
        )
    if q == 1:
        return Basis(affine)
    root = np.asarray(np.linalg.cholesky(affine.gram).T, dtype=np.float64) if R is None else R
    return Basis(affine, _inverse_of(root), by_row=R is not None)
