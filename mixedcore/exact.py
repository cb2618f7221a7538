"""The residual sum of squares from the rows, where the cross-products have lost its digits.

r² = ‖y − Xβ − Zb‖² + ‖u‖² with b = Λu is least at the solution, so it keeps its digits whatever rounding has
done to β and b; as a difference of cross-products it loses as many as the effects explain of y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mixedcore.criterion import Evaluation
from mixedcore.rows import Rows
from mixedcore.rowwise import outcome_less_fixed, random_part
from mixedcore.terms import RandomTerm

EXPLAINED = 1e-2  # residual variance over that of the fixed part's residual, below which the rows are asked
# Directions with less of Λ's largest singular value have no part in u = Λ'Z'Py, and only rounding in Λ⁻¹b.
NO_PART = 1e-8


def with_exact_residual(point: Evaluation, rows: Rows, terms: Sequence[RandomTerm]) -> Evaluation:
    """The same evaluation, its r² to all digits."""
    if point.sigma2 > EXPLAINED:
        return point
    rest = outcome_less_fixed(rows, point.cp, point.beta) - random_part(rows, point.cp, terms, point.modes)
    penalty = 0.0
    for root, modes in zip(point.factor.roots, point.modes, strict=True):
        u = np.linalg.lstsq(root.T, modes, rcond=NO_PART)[0]
        penalty += float(np.vdot(u, u))
    return replace(point, r2=float(rest @ rest) + penalty)
