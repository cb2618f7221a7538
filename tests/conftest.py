"""What every test needs: one BLAS thread, set before any test module imports NumPy."""

from __future__ import annotations

from tests import threads

threads.limit()
