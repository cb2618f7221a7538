"""The likelihood-ratio statistic of data that the smaller model draws: a parametric bootstrap test.

Davison & Hinkley (1997), Bootstrap Methods and their Application, section 4.2.3; pbkrtest's `PBmodcomp`
(Halekoh & Højsgaard 2014, J. Stat. Softw. 59(9)).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.random import SeedSequence

from mixedcore.inference.jobs import Jobs
from mixedcore.inference.refits import Refitter
from mixedcore.inference.simulate import Seed, Simulator, seed_sequence
from mixedcore.terms import Floats
from mixedcore.units import UserUnits


def bootstrap_statistics(small: UserUnits, large: UserUnits, n: int, seed: Seed, jobs: Jobs) -> Floats:
    """Falls of the criterion from the smaller to the larger model, (n,), for outcomes that the smaller draws.

    Missing where either could not be fitted; fewer than n where the work was cancelled. Draw r depends on
    the seed and on r alone. Raises DataError where rows were not kept.
    """
    size = min(Refitter(small).block, Refitter(large).block)
    parts = jobs.run(partial(_statistics, small, large, seed_sequence(seed)), n, size)
    return np.concatenate([np.zeros(0), *parts])


def _statistics(small: UserUnits, large: UserUnits, root: SeedSequence, numbers: range) -> Floats:
    """Those of draws `numbers`: neither criterion depends on Xβ̂ of the smaller model, so it is left out."""
    lower = Refitter(small)
    Y = Simulator(small, "new", lower.columns).residual_draws(root, numbers) * small.y_scale
    one, other = lower.fit(Y), Refitter(large).fit(Y)
    found = np.maximum(one.criterion - other.criterion, 0.0)
    return np.where(one.converged & other.converged, found, np.nan)
