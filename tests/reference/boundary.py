"""What lies on the boundary at the best optimum that the dense search knows, in the words of `diagnose()`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.reference.dense_search import Dense, Optimum, search
from tests.reference.designs import ONE, Floats

COSTLESS = 1e-8  # what a best fit without a variance may be worse by, through rounding, where it is zero
SMALL = 0.15  # a singular value of Λ above this is not suspected of being zero


def titles(dense: Dense, best: Optimum) -> set[str]:
    """Titles of the findings that the fit should have."""
    return {title for t in range(len(dense.blocks)) for title in _of_term(dense, best, t)}


def _of_term(dense: Dense, best: Optimum, t: int) -> Iterator[str]:
    term, T = dense.data.terms[t], best.factors[t]
    zero = [j for j in range(len(T)) if _is_free(dense, best, t, _without_row(T, j))]
    if term.shape == "component":
        if zero:
            yield f"The variance component {term.name} is zero"
    elif zero:
        for j in zero:
            what = "intercept" if term.covariates[j] == ONE else f"slope of {term.covariates[j]}"
            yield f"The {what} does not vary over {term.name}"
    elif term.shape == "full" and len(T) > 1 and _is_free(dense, best, t, _of_lower_rank(T)):
        if len(T) > 2:
            yield f"The covariance matrix of {term.name} is singular"
        else:
            sign = "+1" if (T @ T.T)[1, 0] > 0 else "−1"
            yield f"A correlation over {term.name} is {sign}"


def _without_row(T: Floats, j: int) -> Floats | None:
    """Λ with no variance of effect j; None where it has too much for that to be a question."""
    if np.linalg.norm(T[j]) > SMALL:
        return None
    kept = T.copy()
    kept[j] = 0.0
    return kept


def _of_lower_rank(T: Floats) -> Floats | None:
    """Λ (q, q − 1) without its direction of least variance; None where that has too much."""
    left, size, _ = np.linalg.svd(T)
    return None if size[-1] > SMALL else np.asarray((left * size)[:, :-1])


def _is_free(dense: Dense, best: Optimum, t: int, kept: Floats | None) -> bool:
    """Whether the best fit with term t's Λ so restricted is as good."""
    if kept is None:
        return False
    start = (*best.factors[:t], kept, *best.factors[t + 1 :])
    if dense.criterion(start) <= best.value + COSTLESS:
        return True
    return search(dense, start).value <= best.value + COSTLESS
