"""What the pages share. Importing it sets BLAS to one thread, unless the environment says otherwise.

A server runs many sessions on few cores: one thread a fit serves a class better than one fit on all cores,
and small matrices are faster without threads that wait for each other.
"""

from __future__ import annotations

import os

from threadpoolctl import threadpool_limits

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

if not any(name in os.environ for name in THREADS):
    # Streamlit has loaded NumPy by now, which read its settings then; SciPy has a BLAS of its own, and reads
    # them when it comes.
    os.environ.update(dict.fromkeys(THREADS, "1"))
    threadpool_limits(limits=1, user_api="blas")
