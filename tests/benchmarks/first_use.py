"""What a first use costs: `import mixedcore` beyond the import of what it stands on, and the first fit."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass

from tests.benchmarks import processes

# What scipy and pandas import only because mixedcore asks for it counts as ours.
SCRIPT = """
import json, time
start = time.process_time()
import numpy, pandas, patsy, scipy
between = time.process_time()
import mixedcore
end = time.process_time()
print(json.dumps({"dependencies": between - start, "beyond": end - between}))
"""
GOAL = 0.8


@dataclass(frozen=True)
class FirstUse:
    """CPU seconds, medians over fresh processes: of the bare dependencies, and of mixedcore on top."""

    dependencies: float
    beyond: float


def measure_import(times: int, limit: float) -> FirstUse:
    """One unmeasured process, which fills the disk's cache, then `times` measured ones."""
    command = [sys.executable, "-c", SCRIPT]
    lines = [processes.run(command, limit).lines[0] for _ in range(1 + times)][1:]
    return FirstUse(*(statistics.median(line[name] for line in lines) for name in ("dependencies", "beyond")))
