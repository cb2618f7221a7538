"""Peak memory of a fit above its data frame, as the operating system counts it, in a fresh process.

The size of a design is what its numbers take at 8 bytes each: y, the columns of X, and of every random term
the covariates and the level codes. For `y ~ x + (x | g)` these are 1 + 2 + 2 + 1 = 6 numbers a row.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks import processes
from tests.benchmarks.problems import slopes

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")
FORMULA = "y ~ x + (x | g)"
NUMBERS_A_ROW = 1 + 2 + 2 + 1
GROUPS = 1_000
GOAL = 3.0
SIZES = (1_000_000, 10_000_000)


@dataclass(frozen=True)
class Memory:
    """Bytes: held before the fit, at the peak, and of the design; all None where the peak cannot be read."""

    rows: int
    before: int | None
    peak: int | None
    design: int
    llf: float | None = None

    @property
    def multiple(self) -> float | None:
        """Peak above what was held before, in sizes of the design."""
        if self.before is None or self.peak is None:
            return None
        return (self.peak - self.before) / self.design


def peak_bytes() -> int | None:
    """Largest resident size of this process so far, since `reset_peak` where that is possible.

    Linux counts VmHWM for the process itself; its ru_maxrss begins with that of the parent.
    """
    if STATUS.exists():
        found = re.search(r"^VmHWM:\s+(\d+) kB", STATUS.read_text(), flags=re.MULTILINE)
        return int(found.group(1)) * 1024 if found else None
    if sys.platform == "win32":
        return None
    import resource

    counted = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return counted if sys.platform == "darwin" else counted * 1024


def reset_peak() -> None:
    """On Linux, begin to count again at what is resident now; elsewhere the peak so far stays."""
    if RESET.exists():
        RESET.write_text("5")


def write(data: pd.DataFrame, folder: Path) -> None:
    """Each column as a NumPy file, which loads without any memory but its own."""
    folder.mkdir(parents=True)
    for name, column in data.items():
        np.save(folder / f"{name}.npy", column.to_numpy())


def read(folder: Path) -> pd.DataFrame:
    """The frame that was written, on the arrays as they were loaded."""
    files = sorted(folder.glob("*.npy"))
    return pd.DataFrame({file.stem: np.load(file) for file in files}, copy=False)


def fit_in_memory(folder: Path) -> None:
    """In the measuring process: report what is held just before the fit, and the peak after it."""
    from mixedcore import mixedlm

    data = read(folder)
    processes.ready()
    reset_peak()
    before = peak_bytes()
    result = mixedlm(FORMULA, data).fit()
    result.bse_fe  # noqa: B018
    processes.report({"before": before, "peak": peak_bytes(), "llf": float(result.llf)})


def measure_memory(rows: int, folder: Path, limit: float) -> Memory:
    """Write the rows to `folder` and fit them in a fresh process."""
    columns = folder / f"memory-{rows}"
    write(slopes(GROUPS, rows // GROUPS), columns)
    output = processes.run(processes.worker("memory", columns), limit)
    line = output.lines[0] if output.lines else {}
    design = 8 * NUMBERS_A_ROW * rows
    return Memory(rows, line.get("before"), line.get("peak"), design, line.get("llf"))
