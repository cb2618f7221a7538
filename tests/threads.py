"""One BLAS thread a process: the matrices are small, and several tests run side by side."""

from __future__ import annotations

import os

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def limit() -> None:
    """Set the limits that are not set yet; only before NumPy is first imported has this an effect."""
    for name in VARIABLES:
        os.environ.setdefault(name, "1")
