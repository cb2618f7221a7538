"""What deserves a user's attention in a fit: each finding with its evidence, its meaning and a remedy.

Rules are small functions that yield findings. Those of `fit` and `design` need the cross-products alone;
those of `rows` and `within` read the rows, in time that goes with their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mixedcore.diagnostics.findings import design, fit, rows, within
from mixedcore.diagnostics.findings.finding import Finding, FixedTerm, Seen, fixed_terms
from mixedcore.engine.rows import Rows
from mixedcore.optimisation import Optimisation
from mixedcore.units import UserUnits

__all__ = ["Finding", "FixedTerm", "Seen", "findings", "fixed_terms", "of_the_fit"]


def of_the_fit(user: UserUnits, optimisation: Optimisation, aliased: list[str]) -> list[Finding]:
    """What search, boundary, levels and weights say, the most serious first.

    `aliased` are the columns of X that were left out.
    """
    return _sorted(_of_the_fit(user, optimisation, aliased))


def _of_the_fit(user: UserUnits, optimisation: Optimisation, aliased: list[str]) -> Iterator[Finding]:
    yield from fit.convergence(optimisation)
    yield from fit.undetermined(optimisation)
    yield from fit.boundary(user)
    yield from design.aliased(aliased)
    yield from design.few_levels(user)
    yield from design.single_rows(user)
    yield from design.saturated(user)
    yield from design.uneven_weights(user)


def findings(seen: Seen, aliased: list[str]) -> list[Finding]:
    """All findings, the most serious first; those that read the rows only where these are in memory."""
    return _sorted(_all(seen, aliased))


def _all(seen: Seen, aliased: list[str]) -> Iterator[Finding]:
    user = seen.user
    yield from _of_the_fit(user, seen.optimisation, aliased)
    yield from fit.near_boundary(user, seen.optimisation)
    yield from design.collinear(user, seen.names, seen.terms)
    yield from design.badly_scaled(user, seen.names)
    if isinstance(user.rows, Rows):
        yield from rows.constant_slope(seen)
        yield from within.within_between(seen)
        yield from rows.influential(seen)
        yield from rows.unequal_spread(seen)
        yield from rows.outliers(seen)


def _sorted(found: Iterable[Finding]) -> list[Finding]:
    order = {"serious": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda finding: order[finding.severity])
