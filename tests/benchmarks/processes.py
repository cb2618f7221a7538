"""A measurement in a process of its own, which can be stopped: `ready` first, a line of JSON a result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import threads

ROOT = Path(__file__).parents[2]
READY = "ready"
STARTING = 600.0  # seconds that imports and the making of data may take before the limit begins to count

Line = dict[str, Any]


@dataclass(frozen=True)
class Output:
    """lines: what was reported; stopped: whether at the limit; error: last words of a process that failed."""

    lines: tuple[Line, ...]
    stopped: bool = False
    error: str | None = None


def report(line: Line) -> None:
    """One result of the process that measures, at once."""
    print(json.dumps(line), flush=True)


def ready() -> None:
    """From here on the limit counts."""
    print(READY, flush=True)


def parse(text: Iterable[str]) -> list[Line]:
    """The results in what a process printed; a program may print other things between them."""
    return [json.loads(line) for line in text if line.startswith("{")]


def one_thread() -> dict[str, str]:
    """The environment with one thread for every BLAS, and for Rust's pool."""
    return os.environ | dict.fromkeys((*threads.VARIABLES, "RAYON_NUM_THREADS"), "1")


def worker(*arguments: object) -> list[str]:
    """The command of a Python measurement (see `worker.py`)."""
    return [sys.executable, "-m", "tests.benchmarks.worker", *map(str, arguments)]


def run(command: list[str], limit: float) -> Output:
    """Run to the end, or for `limit` seconds of wall clock after `ready`."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, text=True, cwd=ROOT, env=one_thread()
        )
        lines, stopped = _listen(process, limit)
        complaints.seek(0)
        last = (complaints.read().strip().splitlines() or [f"exit status {process.returncode}"])[-1]
    failed = process.returncode != 0 and not stopped
    return Output(tuple(parse(lines)), stopped, last if failed else None)


def _listen(process: subprocess.Popen[str], limit: float) -> tuple[list[str], bool]:
    """Every line that was printed, and whether the process had to be stopped."""
    over = threading.Event()

    def stop() -> None:
        over.set()
        process.kill()

    timer = threading.Timer(STARTING, stop)
    timer.start()
    lines: list[str] = []
    assert process.stdout is not None
    try:
        for line in process.stdout:
            lines.append(line)
            if line.strip() == READY:
                timer.cancel()
                timer = threading.Timer(limit, stop)
                timer.start()
        process.wait()
    finally:
        timer.cancel()
        process.kill()  # an interrupted run leaves nobody behind; nothing happens to one that has ended
        process.wait()
        process.stdout.close()
    return lines, over.is_set()
