"""Whole fits, from a DataFrame and formulas to standard errors: this core and statsmodels in the same run.

    python -m tests.benchmarks [--quick] [--limit SECONDS]

Times are CPU seconds of one process with one BLAS thread, the median of several runs; a peer that has not
finished within the limit is stopped and shown as '> limit'.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

from tests.benchmarks.measure import Measured, measure  # noqa: E402  # after the thread count is set
from tests.benchmarks.problems import PROBLEMS, Problem  # noqa: E402


def _row(problem: Problem, ours: Measured, theirs: Measured | None, limit: float) -> str:
    ours_text = f"{ours.seconds:9.3f}" if ours.seconds else f"> {limit:.0f}".rjust(9)
    if theirs is None:
        return f"{problem.title:<44}{ours_text}{'absent':>13}"
    if theirs.seconds is None or ours.seconds is None:
        ratio = f"> {limit / ours.seconds:.0f}" if ours.seconds else "–"
        return f"{problem.title:<44}{ours_text}{f'> {limit:.0f}':>13}{ratio:>10}{ours.llf or 0:>18.6f}"
    ratio = f"{theirs.seconds / ours.seconds:.0f}"
    return (
        f"{problem.title:<44}{ours_text}{theirs.seconds:13.3f}{ratio:>10}{ours.llf:>18.6f}{theirs.llf:>18.6f}"
    )


def versions() -> str:
    """What ran where."""
    import numpy
    import pandas
    import scipy

    parts = [
        f"Python {platform.python_version()}",
        f"NumPy {numpy.__version__}",
        f"SciPy {scipy.__version__}",
    ]
    parts.append(f"pandas {pandas.__version__}")
    if importlib.util.find_spec("statsmodels"):
        import statsmodels

        parts.append(f"statsmodels {statsmodels.__version__}")
    return f"{', '.join(parts)}; {platform.machine()}, {os.cpu_count()} cores"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out what takes statsmodels minutes")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which a peer is stopped")
    options = parser.parse_args()
    print(versions())
    print(f"{'CPU seconds of a whole REML fit':<44}{'mixedcore':>9}{'statsmodels':>13}{'ratio':>10}", end="")
    print(f"{'llf':>18}{'llf statsmodels':>18}")
    for number, problem in enumerate(PROBLEMS):
        if options.quick and not problem.quick:
            continue
        ours = measure("mixedcore", number, options.limit)
        present = importlib.util.find_spec("statsmodels") is not None
        theirs = measure("statsmodels", number, options.limit) if present else None
        print(_row(problem, ours, theirs, options.limit), flush=True)


if __name__ == "__main__":
    main()
