"""Draws of the outcome from a fitted model.

y* = offset + Xβ̂ + Zb* + ε*, with b* ~ N(0, σ̂²Ψ̂) anew or b* the conditional modes, and ε* ~ N(0, σ̂²/w). Each
draw has a stream of random numbers of its own, spawned from one seed: draw r is the same whatever else is
drawn, in one process or in many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from mixedcore.engine.outcomes import DesignColumns
from mixedcore.engine.rowwise import random_part
from mixedcore.errors import ModelError
from mixedcore.terms import Floats
from mixedcore.units import UserUnits

RandomEffects = Literal["new", "fitted"]
Seed = int | Sequence[int] | SeedSequence | None


def seed_sequence(seed: Seed) -> SeedSequence:
    """The root of all streams; its `entropy` gives the same draws again. ModelError for what is no seed."""
    if isinstance(seed, SeedSequence):
        return seed
    try:
        return SeedSequence(seed)
    except (TypeError, ValueError) as err:
        raise ModelError(f"seed={seed!r} is no seed: give a whole number from 0 up, or None.") from err


def stream(root: SeedSequence, number: int) -> Generator:
    """Random numbers of one draw: those of the child `number` that `root` would spawn first."""
    key = (*root.spawn_key, number)
    return Generator(PCG64(SeedSequence(root.entropy, spawn_key=key, pool_size=root.pool_size)))


def check_count(n: int, what: str) -> int:
    """A number of draws; ModelError for less than one or for what is no whole number."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ModelError(f"n={n!r}: give the number of {what}, a whole number from 1 up.")
    return int(n)


def check_random(random: str) -> None:
    """ModelError for what is no way to treat the random effects."""
    if random not in get_args(RandomEffects):
        raise ModelError(f"random={random!r} is not known; choose 'new' or 'fitted'.")


@dataclass(frozen=True, eq=False)
class Simulator:
    """Draws from one fit whose engine's columns are `columns`."""

    user: UserUnits
    random: RandomEffects
    columns: DesignColumns

    @classmethod
    def of(cls, user: UserUnits, random: RandomEffects) -> Simulator:
        """From rows in memory; raises DataError where they were not kept."""
        check_random(random)
        estimate = user.estimate
        return cls(user, random, DesignColumns.of(estimate.evaluation.cp, user.kept_rows, estimate.terms))

    @cached_property
    def _modes_part(self) -> Floats:
        """√w Zb at the conditional modes (n,), in the engine's units."""
        estimate = self.user.estimate
        cp, modes = estimate.evaluation.cp, estimate.evaluation.modes
        return random_part(self.user.kept_rows, cp, estimate.terms, modes)

    def residual_draws(self, root: SeedSequence, numbers: Sequence[int]) -> Floats:
        """√w (y* − offset − Xβ̂) in the engine's unit of the outcome, (n, R), for draws `numbers`."""
        evaluation, new = self.user.estimate.evaluation, self.random == "new"
        cp = evaluation.cp
        sizes = [g.q * g.m for g in cp.groupings] if new else []
        z = np.empty((len(numbers), cp.n + sum(sizes)))
        for row, number in zip(z, numbers, strict=True):
            stream(root, number).standard_normal(out=row)
        z *= np.sqrt(evaluation.sigma2)
        Y = np.ascontiguousarray(z[:, : cp.n].T)
        if not new:
            return Y + self._modes_part[:, None]
        for part, g, root_of, Z in zip(
            np.split(z[:, cp.n :], np.cumsum(sizes)[:-1], axis=1),
            cp.groupings,
            evaluation.factor.roots,
            self.columns.Z,
            strict=True,
        ):
            b = np.einsum("ij,rjm->imr", root_of.T, part.reshape(-1, g.q, g.m))
            Y += Z.T @ b.reshape(g.q * g.m, -1)
        return Y

    def draws(self, root: SeedSequence, numbers: Sequence[int]) -> Floats:
        """y* in the user's units, (n, R), without offset and Xβ̂."""
        Y = self.residual_draws(root, numbers) * self.user.y_scale
        weights = self.user.root_weights
        return Y if weights is None else Y / weights[:, None]
