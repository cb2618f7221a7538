"""p-values adjusted for the number of tests made, under the names that statsmodels' `multipletests` has.

Holm (1979), Scand. J. Statist. 6; Hochberg (1988), Biometrika 75; Hommel (1988), Biometrika 75;
Benjamini & Hochberg (1995), JRSS B 57; Benjamini & Yekutieli (2001), Ann. Statist. 29.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mixedcore.errors import ModelError
from mixedcore.terms import Floats


def adjusted_p(p: Floats, method: str) -> Floats:
    """Adjusted p-values (m,) in the order of `p`; ModelError for a method that is not known.

    'bonferroni', 'sidak', 'holm', 'holm-sidak', 'simes-hochberg', 'hommel', 'fdr_bh', 'fdr_by', or the short
    names 'b', 's', 'h', 'hs', 'sh', 'ho'. A p-value that is missing stays so and does not count.
    """
    name = SHORT.get(method, method)
    if name not in METHODS:
        raise ModelError(f"method={method!r} is not known; choose one of {', '.join(map(repr, METHODS))}.")
    p = np.asarray(p, dtype=np.float64)
    out, known = np.full(p.shape, np.nan), np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    if order.size:
        out[order] = np.minimum(METHODS[name](p[order]), 1.0)
    return out


def _bonferroni(p: Floats) -> Floats:
    return p * p.size


def _sidak(p: Floats) -> Floats:
    return _one_less_power(p, np.full(p.size, float(p.size)))


def _holm(p: Floats) -> Floats:
    return np.maximum.accumulate(p * np.arange(p.size, 0, -1))


def _holm_sidak(p: Floats) -> Floats:
    return np.maximum.accumulate(_one_less_power(p, np.arange(p.size, 0, -1, dtype=np.float64)))


def _hochberg(p: Floats) -> Floats:
    return _running_least(p * np.arange(p.size, 0, -1))


def _hommel(p: Floats) -> Floats:
    """Wright (1992), Biometrics 48, the algorithm of R's `p.adjust`."""
    m = p.size
    out = np.full(m, float(np.min(m * p / np.arange(1, m + 1))))
    bound = out.copy()
    for j in range(m - 1, 1, -1):
        last = np.arange(m - j + 1, m)
        least = float(np.min(j * p[last] / np.arange(2, j + 1)))
        first = np.arange(m - j + 1)
        bound[first] = np.minimum(j * p[first], least)
        bound[last] = bound[m - j]
        out = np.maximum(out, bound)
    return np.asarray(np.maximum(out, p))


def _benjamini_hochberg(p: Floats) -> Floats:
    return _running_least(p * p.size / np.arange(1, p.size + 1))


def _benjamini_yekutieli(p: Floats) -> Floats:
    return _benjamini_hochberg(p * float(np.sum(1 / np.arange(1, p.size + 1))))


def _one_less_power(p: Floats, power: Floats) -> Floats:
    """1 − (1 − p)^k without losing the digits of a small p."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(power * np.log1p(-p)))


def _running_least(p: Floats) -> Floats:
    """The least from each on to the last."""
    return np.minimum.accumulate(p[::-1])[::-1]


METHODS: dict[str, Callable[[Floats], Floats]] = {
    "bonferroni": _bonferroni,
    "sidak": _sidak,
    "holm": _holm,
    "holm-sidak": _holm_sidak,
    "simes-hochberg": _hochberg,
    "hommel": _hommel,
    "fdr_bh": _benjamini_hochberg,
    "fdr_by": _benjamini_yekutieli,
}
SHORT = {
    "b": "bonferroni",
    "bonf": "bonferroni",
    "s": "sidak",
    "h": "holm",
    "hs": "holm-sidak",
    "sh": "simes-hochberg",
    "ho": "hommel",
    "fdr_i": "fdr_bh",
    "fdr_p": "fdr_bh",
    "fdr_n": "fdr_by",
    "fdr_c": "fdr_by",
}
