"""What ran where: the processor, Python and its numerical libraries, every peer."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
from pathlib import Path

import numpy as np

from tests.benchmarks import lmer

LIBRARIES = ("numpy", "scipy", "pandas", "patsy", "pyarrow", "mixedlm", "statsmodels")


def processor() -> str:
    """The processor's name, as the system tells it."""
    about = Path("/proc/cpuinfo")
    if about.exists():
        named = re.search(r"^model name\s*:\s*(.+)$", about.read_text(encoding="utf-8"), flags=re.MULTILINE)
        if named:
            return named.group(1)
    return platform.processor() or platform.machine()


def blas() -> str:
    """BLAS of NumPy and SciPy, with the kernel in use where threadpoolctl can tell it."""
    if importlib.util.find_spec("threadpoolctl"):
        pools = importlib.import_module("threadpoolctl").threadpool_info()
        found = {
            f"{pool['internal_api']} {pool['version']}, kernel {pool.get('architecture')}"
            for pool in pools
            if pool["user_api"] == "blas"
        }
        return "; ".join(sorted(found))
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built['name']} {built['version']}"


def describe() -> dict[str, str]:
    """Label → text, in the order in which it is shown."""
    machine = {
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        # Others' work slows the caches that all cores share; Windows does not count it.
        "load before": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "not counted",
        "Python": platform.python_version(),
        "BLAS": blas(),
    }
    installed = {name for name in LIBRARIES if importlib.util.find_spec(name)}
    machine |= {name: importlib.metadata.version(name) for name in LIBRARIES if name in installed}
    return machine | (lmer.versions() or {})
