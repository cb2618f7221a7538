"""Residuals of every kind, and how far each row pulls its own fitted value."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from mixedcore.errors import ModelError
from mixedcore.terms import Floats
from mixedcore.units import UserUnits

Kind = Literal["conditional", "marginal", "pearson", "standardised", "studentised"]
ALONE = 1e-10  # 1 − leverage below which a row determines its own fitted value


def residuals(user: UserUnits, kind: Kind, leverage: Floats | None = None) -> Floats:
    """Residuals (n,) as `MixedLMResults.residuals` defines them; `leverage` (n,) for studentised ones.

    Raises ModelError for an unknown kind.
    """
    if kind not in get_args(Kind):
        raise ModelError(f"kind={kind!r} is not known; choose one of {', '.join(map(repr, get_args(Kind)))}.")
    if kind == "marginal":
        return user.marginal_resid
    found = user.marginal_resid - user.random_part
    if kind == "conditional":
        return found
    if user.root_weights is not None:
        found = np.asarray(found * user.root_weights)
    if kind == "pearson":
        return found
    found = np.asarray(found / np.sqrt(user.sigma2))
    if kind == "studentised":
        assert leverage is not None
        return np.asarray(found / np.sqrt(left_over(leverage)))
    return found


def left_over(leverage: Floats) -> Floats:
    """1 − h, (n,); NaN where a row determines its own fitted value, so that its residual is zero anyway."""
    rest = 1.0 - leverage
    return np.where(rest > ALONE, rest, np.nan)


def cooks_distance(standardised: Floats, leverage: Floats, p: int) -> Floats:
    """r²h / ((1 − h)²p) for standardised residuals r (n,): lme4's `cooks.distance` of a fit.

    Cook (1977), Technometrics 19(1), with the hat matrix of fixed and random effects together, so that it is
    the change of a row's own conditional fit; `influence` has the change of β. NaN without fixed effects
    (p = 0) and where a row determines its own fitted value.
    """
    if not p:
        return np.full_like(leverage, np.nan)
    return np.asarray((standardised / left_over(leverage)) ** 2 * leverage / p)
