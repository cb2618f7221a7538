"""A server has one BLAS thread a session, though Streamlit loads NumPy before the app can ask for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pages.ui import THREADS

ROOT = Path(__file__).parents[2]
COUNT = """
import os, numpy, pages.ui, scipy.linalg
from threadpoolctl import threadpool_info
blas = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}
print(blas, os.environ.get("OMP_NUM_THREADS"))
"""


def counted(**asked: str) -> str:
    plain = {name: value for name, value in os.environ.items() if name not in THREADS}
    answer = subprocess.run(
        [sys.executable, "-c", COUNT], cwd=ROOT, env=plain | asked, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def test_blas_has_one_thread() -> None:
    assert counted() == "{1} 1"


def test_what_the_environment_asks_for_is_left_alone() -> None:
    assert counted(OPENBLAS_NUM_THREADS="1").endswith("None")
