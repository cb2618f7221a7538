"""The residual sum of squares from the rows, where the cross-products have lost its digits.

r² = ‖y − Xβ − Zb‖² + ‖u‖² with b = Λu is least at the solution, so it keeps its digits whatever rounding has
done to β and b; as a difference of cross-products it loses as many as the effects explain of y.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mixedcore.criterion import Evaluation

EXPLAINED = 1e-2  # residual variance over that of the fixed part's residual, below which the rows are asked
# Directions with less of Λ's largest singular value have no part in u = Λ'Z'Py, and only rounding in Λ⁻¹b.
NO_PART = 1e-8


def with_exact_residual(point: Evaluation) -> Evaluation:
    """The same evaluation, its r² to all digits."""
    if point.sigma2 > EXPLAINED:
        return point
    cp = point.cp
    rest = cp.fixed.ys - cp.fixed.Xs @ point.beta
    penalty = 0.0
    for grouping, root, modes in zip(cp.groupings, point.factor.roots, point.modes, strict=True):
        for covariate, mode in zip(grouping.basis.T, modes, strict=True):
            rest -= covariate * mode[grouping.codes]
        u = np.linalg.lstsq(root.T, modes, rcond=NO_PART)[0]
        penalty += float(np.vdot(u, u))
    return replace(point, r2=float(rest @ rest) + penalty)
