"""The reduced system of β and the residual from the rows, where the cross-products have lost its digits.

W'V⁻¹W = (W − ZB)'(W − ZB) + U'U for W = [X y], with B = ΛU the modes of each column. It is stationary in B,
so it keeps its digits whatever rounding has done to B; as a difference of cross-products it loses as many as
the random effects explain.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import solve_triangular

from mixedcore.criterion import Evaluation

EXPLAINED = 1e-2  # residual variance over that of the fixed part's residual, below which the rows are asked
# Directions with less of Λ's largest singular value have no part in U = Λ'Z'V⁻¹W, and only rounding in Λ⁻¹B.
NO_PART = 1e-8


def with_exact_residual(point: Evaluation) -> Evaluation:
    """The same evaluation, its R_X, β and r² to all digits."""
    if point.sigma2 > EXPLAINED:
        return point
    cp = point.cp
    rest = np.column_stack([cp.fixed.Xs, cp.fixed.ys]).T.copy()
    gram = np.zeros((cp.p + 1, cp.p + 1))
    for grouping, root, B in zip(cp.groupings, point.factor.roots, point.solution.b, strict=True):
        for covariate, modes in zip(grouping.basis.T, B.swapaxes(0, 1), strict=True):
            rest -= covariate * modes[:, grouping.codes]
        columns = B.swapaxes(0, 1).reshape(grouping.q, -1)
        U = np.linalg.lstsq(root.T, columns, rcond=NO_PART)[0].reshape(grouping.q, cp.p + 1, grouping.m)
        gram += np.einsum("iwm,ivm->wv", U, U)
    try:
        L = np.linalg.cholesky(gram + rest @ rest.T)
    except np.linalg.LinAlgError:  # no residual at all, which the caller reports
        return point
    R_X = np.ascontiguousarray(L[:-1, :-1].T)
    beta = solve_triangular(R_X, L[-1, :-1]) if cp.p else np.zeros(0)
    return replace(point, R_X=R_X, beta=beta, r2=float(L[-1, -1] ** 2))
