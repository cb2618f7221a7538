"""Sets of contrasts between k means: their coefficients and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from mixedcore.errors import ModelError
from mixedcore.terms import Floats

Method = Literal["pairwise", "revpairwise", "trt.vs.ctrl", "poly"]
DEGREES = ("linear", "quadratic", "cubic", "quartic", "degree 5", "degree 6")


def contrast_set(method: Any, names: Sequence[str], reference: int) -> tuple[list[str], Floats]:
    """Names and coefficients (r, k) of a set of contrasts of k means.

    method : 'pairwise' (earlier − later), 'revpairwise', 'trt.vs.ctrl' (each − the one at `reference`),
             'poly' (orthogonal polynomials in whole numbers, as emmeans has them), or the coefficients: a
             mapping of names to k numbers, a DataFrame or a matrix, one contrast a row
    """
    if isinstance(method, str):
        return _named(method, names, reference)
    given: Any
    if isinstance(method, pd.DataFrame):
        labels, given = [str(name) for name in method.index], method.to_numpy()
    elif isinstance(method, Mapping):
        labels, given = [str(name) for name in method], list(method.values())
    else:
        given = np.atleast_2d(np.asarray(method))
        labels = [f"contrast {i + 1}" for i in range(len(given))]
    try:
        coefficients = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        coefficients = np.zeros((0, 0))
    if coefficients.ndim != 2 or not len(coefficients) or coefficients.shape[1] != len(names):
        raise ModelError(
            f"Each contrast needs {len(names)} coefficients, one for each of {', '.join(names)}."
        )
    return labels, coefficients


def _named(method: str, names: Sequence[str], reference: int) -> tuple[list[str], Floats]:
    k = len(names)
    if method not in get_args(Method):
        known = ", ".join(map(repr, get_args(Method)))
        raise ModelError(f"method={method!r} is not known; choose one of {known}, or give the coefficients.")
    if k < 2:
        raise ModelError(f"There is only one mean here ({', '.join(names)}), so nothing to compare.")
    if method == "poly":
        return list(DEGREES[: k - 1]), _polynomials(k)
    if method == "trt.vs.ctrl":
        pairs = [(i, reference) for i in range(k) if i != reference]
    else:
        pairs = [(i, j) for i in range(k) for j in range(i + 1, k)]
        if method == "revpairwise":
            pairs = sorted((j, i) for i, j in pairs)
    out = np.zeros((len(pairs), k))
    for row, (i, j) in zip(out, pairs, strict=True):
        row[i], row[j] = 1.0, -1.0
    return [f"{names[i]} - {names[j]}" for i, j in pairs], out


def _polynomials(k: int) -> Floats:
    """Orthogonal polynomials over 1 … k up to degree 6, (≤ 6, k), in the smallest whole numbers there are.

    Up to 17 means these are emmeans' coefficients (`poly.emmc`), which scales decimal ones until they are
    nearly whole; beyond, that search can end at numbers like 10¹⁶, so they are found in exact arithmetic.
    """
    x = [Fraction(2 * place - (k - 1), 2) for place in range(k)]
    found = [[Fraction(1)] * k]
    for _ in range(min(k - 1, len(DEGREES))):
        new = [value * at for value, at in zip(found[-1], x, strict=True)]
        for lower in found[-2:]:  # orthogonal to those below already: the three-term recurrence
            share = _product(new, lower) / _product(lower, lower)
            new = [value - share * own for value, own in zip(new, lower, strict=True)]
        found.append(new)
    return np.array([_whole(polynomial) for polynomial in found[1:]])


def _product(one: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(one, other, strict=True)), start=Fraction(0))


def _whole(values: Sequence[Fraction]) -> list[float]:
    """The values times what makes them whole numbers without a common divisor."""
    most = lcm(*(value.denominator for value in values))
    whole = [int(value * most) for value in values]
    return [float(value // gcd(*whole)) for value in whole]
