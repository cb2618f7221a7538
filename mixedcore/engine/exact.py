"""The reduced system of β and the residual from the rows, where the cross-products have lost its digits.

W'V⁻¹W = (W − ZB)'(W − ZB) + U'U for W = [X y], with B = ΛU the modes of each column. It is stationary in B,
so it keeps its digits whatever rounding has done to B; as a difference of cross-products it loses as many as
the random effects explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mixedcore.engine.criterion import Evaluation, least_squares
from mixedcore.engine.rows import Chunked
from mixedcore.engine.rowwise import residual_gram
from mixedcore.terms import RandomTerm

EXPLAINED = 1e-2  # residual variance over that of the fixed part's residual, below which the rows are asked
# Directions with less of Λ's largest singular value have no part in U = Λ'Z'V⁻¹W, and only rounding in Λ⁻¹B.
NO_PART = 1e-8


def with_exact_residual(point: Evaluation, rows: Chunked, terms: Sequence[RandomTerm]) -> Evaluation:
    """The same evaluation, its R_X, β and r² to all digits."""
    if point.sigma2 > EXPLAINED:
        return point
    cp = point.cp
    gram = residual_gram(rows, cp, terms, point.solution.b)
    for grouping, root, B in zip(cp.groupings, point.factor.roots, point.solution.b, strict=True):
        columns = B.swapaxes(0, 1).reshape(grouping.q, -1)
        U = np.linalg.lstsq(root.T, columns, rcond=NO_PART)[0].reshape(grouping.q, cp.p + 1, grouping.m)
        gram += np.einsum("iwm,ivm->wv", U, U)
    try:
        return replace(point, **least_squares(gram))
    except np.linalg.LinAlgError:  # no residual at all, which the caller reports
        return point
