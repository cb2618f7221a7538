"""Reading in a process of its own, for kinds of files whose libraries can be brought down by a damaged one.

Workbooks and files of statistics programs are read by compiled code. A few damaged bytes in a file have been
seen to end it with a segmentation fault or a claim of all memory, and with it the server for everybody. In a
process apart that is one sentence for the one person who opened the file. Pure.
"""

from __future__ import annotations

import atexit
import threading
from concurrent.futures import BrokenExecutor
from concurrent.futures import TimeoutError as TooLateError
from typing import Any

from pages.ui.data import reading
from pages.ui.data.readers.base import ReadError, ReadOptions, ReadResult

PATIENCE = 180.0
"""Seconds for one file."""
MEMORY = 8 * 2**30
"""Bytes that the process may claim."""
IDLE = 600
"""Seconds after which a process that nobody needs ends."""
_lock = threading.Lock()
_pool: list[Any] = []


def read(name: str, content: bytes, asked: ReadOptions) -> ReadResult:
    """As `reading.read`, with what may break done elsewhere. Raises ReadError."""
    if not reading.is_brittle(content):
        return reading.read(name, content, asked)
    pool = _running()
    try:
        result: ReadResult = pool.submit(reading.read, name, content, asked).result(timeout=PATIENCE)
    except (BrokenExecutor, TooLateError, MemoryError) as err:
        _end(pool)
        raise ReadError(
            "The file is damaged: reading it broke off. Save it again in the program that made it, or save "
            "the table there as CSV.",
            "workbook",
        ) from err
    return result


def _running() -> Any:
    """The pool of processes, started when first needed."""
    from joblib.externals import loky  # here, because it loads slowly

    with _lock:
        if not _pool:
            atexit.register(_end_all)
            _pool.append(loky.ProcessPoolExecutor(max_workers=2, timeout=IDLE, initializer=_limit))
        return _pool[0]


def _end(pool: Any) -> None:
    with _lock:
        if pool in _pool:
            _pool.remove(pool)
    pool.shutdown(wait=False, kill_workers=True)


def _end_all() -> None:
    for pool in _pool:
        _end(pool)


def _limit() -> None:
    """Let this process claim no more than its share of memory, where the system can say so."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
