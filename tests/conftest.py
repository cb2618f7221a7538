"""What every test needs: one BLAS thread, set before NumPy is imported; Hypothesis without a stopwatch."""

from __future__ import annotations

import os

from hypothesis import settings

from tests import threads

threads.limit()

# A deadline for each example would fail on a busy machine what holds. CI takes the same examples each time,
# so that a change is judged by what it changed; everybody's own machine searches for new ones.
settings.register_profile("mixedcore", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("mixedcore")
