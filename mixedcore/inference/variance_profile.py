"""Profile log-likelihood of one variance: the best that all other parameters can do while it is held.

    ℓ_p(v) = max ℓ(β, σ², Ψ) subject to σ²Ψ_jj = v

along the section of its standard deviation √v (see `sections`). Bates, Mächler, Bolker & Walker (2015),
section 5.1. statsmodels holds the ratio Ψ_jj instead and reports it times the σ̂² that goes with it, which is
no profile of the variance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixedcore.errors import ModelError
from mixedcore.inference.constrained import Likelihood
from mixedcore.inference.profile import descend
from mixedcore.inference.section_kinds import SdSection
from mixedcore.terms import Floats, RandomTerm
from mixedcore.units import UserUnits, free_entries


def profile_variance(user: UserUnits, t: int, j: int, values: Floats) -> Floats:
    """ℓ_p at some values of the variance of covariate j of term t, in the user's units, (r,).

    The restricted log-likelihood where the fit is REML. Starts each search where the one nearer to the
    estimate ended.
    """
    section = SdSection(Likelihood(user), "the variance", low=0.0, t=t, rows=(j,))
    estimate = user.sigma2 * user.psi(t)[j, j]
    out, outwards = np.empty(values.size), np.argsort(np.abs(values - estimate), kind="stable")
    for below in (True, False):
        x = section.optimum[0]
        for r in outwards[(values[outwards] <= estimate) == below]:
            point = descend(section, x, float(np.sqrt(values[r])) / user.y_scale)
            x, out[r] = point.x, -point.value / 2
    return out


def profiled_term(
    terms: Sequence[RandomTerm], effects: Sequence[str], which: int | str, vtype: str
) -> tuple[int, int]:
    """Term and covariate of a variance asked for as statsmodels does: 're' a random effect, 'vc' a component.

    effects : names of the group terms' effects, in order; `which` is a position in them, or a name
    """
    role = {"re": "group", "vc": "component"}.get(vtype)
    if role is None:
        raise ModelError(f"vtype={vtype!r} is not known; 're' is a random effect, 'vc' a variance component.")
    places = [
        (t, j)
        for t, term in enumerate(terms)
        if term.role == role
        for j in range(1 if role == "component" else term.blocks[0].width)
    ]
    names = list(effects) if role == "group" else [terms[t].name for t, _ in places]
    if isinstance(which, str) and which in names:
        return places[names.index(which)]
    if isinstance(which, (int, np.integer)) and 0 <= which < len(places):
        return places[int(which)]
    shown = ", ".join(f"{i} ({name!r})" for i, name in enumerate(names)) or "none"
    raise ModelError(f"re_ix={which!r} is none of the variances of kind {vtype!r}; there are: {shown}.")


def profile_grid(
    estimate: float, error: float, low: tuple[int, float | None], high: tuple[int, float | None]
) -> Floats:
    """Variances at which to profile: `low[0]` steps below the estimate, the estimate, `high[0]` steps above.

    low[1], high[1] are the distances reached, two standard errors where None (below, at most to zero).
    """
    reach = 2 * error
    below = min(reach, estimate) if low[1] is None else float(low[1])
    above = reach if high[1] is None else float(high[1])
    if not (0 <= below <= estimate and 0 <= above < np.inf):
        raise ModelError(
            f"dist_low={low[1]} is too large and would result in a negative variance: the estimate is "
            f"{estimate:.6g}. Try a smaller value; distances are positive and finite."
        )
    left = np.linspace(estimate - below, estimate, int(low[0]) + 1)[:-1] if below else np.zeros(0)
    return np.concatenate([left, [estimate], np.linspace(estimate, estimate + above, int(high[0]) + 1)[1:]])


def variance_position(term: RandomTerm, j: int) -> int:
    """Position of the variance of covariate j among the free entries of a term's covariance."""
    rows, cols = free_entries(term)
    return int(np.flatnonzero(rows == cols)[j])
