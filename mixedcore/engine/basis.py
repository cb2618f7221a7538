"""Columns as the engine uses them: centred, scaled, and mixed where they nearly determine each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr
from scipy.linalg.lapack import dtrtri

from mixedcore.data.columns import Mask
from mixedcore.engine.moments import Moments
from mixedcore.engine.rows import Chunk
from mixedcore.terms import Floats, Ints

ALIAS_TOL = 1e-7  # a column whose part outside the earlier ones is this small a share is aliased (R's lm)
GRAM_TOL = 1e-8  # below this squared share the Gram matrix has lost too many digits: decide by QR
CONSTANT = 1e-14  # root mean square about the mean over that of the column, from which it varies

Chunks = Callable[[], Iterable[Chunk]]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """Some columns, centred where a constant among them allows and scaled to unit root mean square.

    numbers (q,) of the columns; centred (q,) booleans; scale (q,); A (q, q) such that they equal columns @ A;
    gram (q, q) their mean products over the rows
    """

    numbers: Ints
    centred: Mask
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


def engine_columns(
    chunk: Chunk,
    moments: Moments,
    numbers: Ints,
    centred: Mask,
    scale: Floats,
    out: Floats | None = None,
) -> Floats:
    """Columns of a chunk, centred or not and scaled, times the root of the rows' weights, (q, r)."""
    if out is None:
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


def independent(gram: Floats, order: Ints, triangle: Callable[[], Floats]) -> tuple[Ints, Floats | None]:
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


def triangle_of(affine: Affine, moments: Moments, chunks: Chunks) -> Floats:
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


def inverse_of(R: Floats) -> Floats:
    """Inverse of an upper triangular matrix."""
    return np.asarray(dtrtri(R)[0], dtype=np.float64)
