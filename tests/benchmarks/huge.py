"""A fit of more rows than memory should hold: from a folder of Parquet files, made chunk by chunk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks import memory, processes

FORMULA = "y ~ x + (x | g)"
ROWS, GROUPS, CHUNK = 100_000_000, 100_000, 2_000_000
LIMIT = 3600.0  # seconds after which the fit is stopped
GOAL = 2e9  # bytes that the process may hold at its peak, libraries included


@dataclass(frozen=True)
class Huge:
    """Seconds of wall clock and CPU that the fit of a folder took, peak of its whole process in bytes."""

    rows: int
    groups: int
    wall: float | None = None
    cpu: float | None = None
    peak: int | None = None
    llf: float | None = None
    note: str | None = None


def write(folder: Path, rows: int, groups: int, chunk: int, seed: int = 4) -> None:
    """Files of `chunk` rows of y, x and g of correlated intercepts and slopes; groups in all files."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    effects = rng.multivariate_normal([0, 0], [[1.0, 0.3], [0.3, 0.5]], size=groups)
    for number, start in enumerate(range(0, rows, chunk)):
        size = min(chunk, rows - start)
        g, x = rng.integers(groups, size=size), rng.normal(size=size)
        y = 1 + x + effects[g, 0] + effects[g, 1] * x + rng.normal(size=size)
        frame = pd.DataFrame({"y": y, "x": x, "g": g}, copy=False)
        frame.to_parquet(folder / f"part-{number:04}.parquet", index=False)


def fit_folder(folder: Path) -> None:
    """In the measuring process: fit what lies in the folder without reading it whole."""
    from mixedcore import mixedlm

    processes.ready()
    memory.reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    result = mixedlm(FORMULA, folder).fit()
    result.bse_fe  # noqa: B018
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    processes.report({"wall": wall, "cpu": cpu, "peak": memory.peak_bytes(), "llf": float(result.llf)})


def measure_huge(folder: Path, rows: int = ROWS, groups: int = GROUPS, chunk: int = CHUNK) -> Huge:
    """Write the files, then fit them in a fresh process."""
    files = folder / "huge"
    write(files, rows, groups, chunk)
    output = processes.run(processes.worker("huge", files), LIMIT)
    if output.lines:
        return Huge(rows, groups, **output.lines[0])
    return Huge(rows, groups, note=output.error or f"stopped after {LIMIT:.0f} s")
