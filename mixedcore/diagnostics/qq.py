"""Normal quantiles beside sorted values, with an envelope from the distribution of order statistics.

The i-th smallest of n independent uniform numbers is Beta(i, n + 1 − i): its quantiles, taken through the
normal quantile function, are exact for the i-th smallest of n independent standard normal values. The median
of that distribution is `theoretical`, which so always lies inside the envelope. David & Nagaraja (2003),
Order Statistics, section 2.1.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from mixedcore.errors import ModelError
from mixedcore.inference.tails import check_level
from mixedcore.terms import Floats, Ints
from mixedcore.units import UserUnits

Band = Literal["pointwise", "simultaneous"]
FEWEST = 3  # values that make a plot
AT_ONCE = 1_000_000  # simulated numbers in memory at a time
NO_SPREAD = 1e-10  # variance of a mode over that of its effect, below which the data say nothing of it


def quantiles(
    values: Floats, level: float, band: Band, n: int, seed: int | None
) -> tuple[Ints, pd.DataFrame]:
    """Order of the finite values, and `theoretical, sample, low, high` in that order.

    As `MixedLMResults.qq` has them. Raises ModelError for fewer than three values or an unknown band.
    """
    if band not in ("pointwise", "simultaneous"):
        raise ModelError(f"band={band!r} is not known; choose 'pointwise' or 'simultaneous'.")
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order])]
    size = order.size
    if size < FEWEST:
        raise ModelError(
            f"A Q–Q plot needs at least {FEWEST} values that vary, and there are {size}. An effect whose "
            "variance is zero has none."
        )
    outside = 1 - check_level(level)
    if band == "simultaneous":
        outside = local_level(size, outside, n, seed)
    i = np.arange(1, size + 1)
    low, middle, high = (
        special.ndtri(special.betaincinv(i, size + 1 - i, at)) for at in (outside / 2, 0.5, 1 - outside / 2)
    )
    return order, pd.DataFrame({"theoretical": middle, "sample": values[order], "low": low, "high": high})


def effect_quantiles(
    blups: pd.DataFrame, factor: str, level: float, band: Band, n: int, seed: int | None
) -> pd.DataFrame:
    """`quantiles` of each effect of a factor beside its `term, level`; blups: `group, term, level, value`.

    Raises ModelError for an unknown factor, and where no effect has values that vary.
    """
    known = dict.fromkeys(blups["group"])
    if factor not in known:
        raise ModelError(
            f"what={factor!r} is not known; choose 'resid' or one of {', '.join(map(repr, known))}."
        )
    effects = [own for _, own in blups[blups["group"] == factor].groupby("term", sort=False)]
    varying = [own for own in effects if own["value"].count() >= FEWEST]
    parts = []
    for own in varying or effects:
        order, table = quantiles(own["value"].to_numpy(), level, band, n, seed)
        names = own[["term", "level"]].iloc[order].reset_index(drop=True)
        parts.append(pd.concat([names, table], axis=1))
    return pd.concat(parts, ignore_index=True)


def local_level(size: int, outside: float, n: int, seed: int | None) -> float:
    """The level at which each of `size` order statistics is to be judged so that all hold together.

    Equal local levels: Aldor-Noiman, Brown, Buja, Rolke & Stine (2013), Am. Stat. 67(4), from n draws.
    """
    if n < 1 / outside:
        raise ModelError(f"n={n} draws cannot tell a band of level {1 - outside:g}; give {10 / outside:.0f}.")
    rng, i = np.random.default_rng(seed), np.arange(1, size + 1)
    worst, done = np.empty(n), 0
    while done < n:
        draws = min(max(AT_ONCE // size, 1), n - done)
        below = special.betainc(i, size + 1 - i, np.sort(rng.random((draws, size)), axis=1))
        worst[done : done + draws] = 2 * np.minimum(below, 1 - below).min(axis=1)
        done += draws
    return float(np.quantile(worst, outside))


def standardised_modes(user: UserUnits) -> Floats:
    """Every mode over its own SD under the model, in the order of `group_effects.coefficients`.

    NaN for effects without variance, and for levels of which the data say nothing.
    """
    parts = []
    for t, term in enumerate(user.estimate.terms):
        for b, block in enumerate(term.blocks):
            psi = user.sigma2 * np.diag(user.psi(t))[:, None]
            spread = user.mode_spreads(t, b)
            spread = np.where(spread > NO_SPREAD * psi, spread, np.nan)
            real = np.asarray(block.labels, dtype=object) != ""
            parts.append((user.modes(t, b) / np.sqrt(spread)).T.ravel()[real])
    return np.concatenate(parts)
