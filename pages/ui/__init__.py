"""What the pages share. Importing it sets BLAS to one thread, which works only before NumPy is loaded.

A server runs many sessions on few cores: one thread a fit serves a class better than one fit on all cores.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
