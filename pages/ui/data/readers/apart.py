"""Reading in a process of its own, for kinds of files whose libraries can be brought down by a damaged one.

Workbooks, Parquet and files of statistics programs are read by compiled code. A few damaged bytes in a file
have been seen to end it with a segmentation fault or a claim of all memory, and with it the server for
everybody; and a Parquet file of half a megabyte can say one long text a hundred million times. In a process
apart that is one sentence for the one person who opened the file. Pure.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from concurrent.futures import TimeoutError as TooLateError
from typing import Any, TypeVar

from pages.ui.data import reading
from pages.ui.data.readers.base import ReadError, ReadOptions, ReadResult

PATIENCE = 180.0
"""Seconds for one file."""
MEMORY = 8 * 2**30
"""Bytes that the process may claim."""
MOST_HELD = 2**30
"""Bytes of a table that the server takes over; handing them over takes the process several times as much."""
IDLE = 600
"""Seconds after which a process that nobody needs ends."""
PROCESSES = 2
_turns = threading.BoundedSemaphore(PROCESSES)  # so that nobody's time runs while others' files are read
_lock = threading.Lock()
_shared: list[Any] = []
T = TypeVar("T")


class BrokenOffError(Exception):
    """A process came to its end, its memory or its time before the work was done."""


def read(name: str, content: bytes, asked: ReadOptions) -> ReadResult:
    """As `reading.read`, with what may break done elsewhere. Raises ReadError."""
    if not reading.is_brittle(content):
        return reading.read(name, content, asked)
    try:
        return run(_bearable, name, content, asked)
    except BrokenOffError as err:
        raise ReadError(
            "The file is damaged: reading it broke off. Save it again in the program that made it, or save "
            "the table there as CSV.",
            "workbook",
        ) from err


def run(function: Callable[..., T], *arguments: Any) -> T:
    """What a function gives in a process apart. Raises BrokenOffError where that comes to nothing.

    When a process falls, its neighbour falls with it, and nobody can tell which of two files did it: each is
    tried once more alone.
    """
    from joblib.externals.loky.process_executor import ShutdownExecutorError  # here, because it loads slowly

    with _turns:
        try:
            return _tried(_running(), function, *arguments)
        except (BrokenExecutor, ShutdownExecutorError):
            alone = _processes(1)
        try:
            return _tried(alone, function, *arguments)
        except (BrokenExecutor, ShutdownExecutorError) as err:
            raise BrokenOffError from err
        finally:
            _end(alone)


def _tried(pool: Any, function: Callable[..., T], *arguments: Any) -> T:
    try:
        found: T = pool.submit(function, *arguments).result(timeout=PATIENCE)
    except (TooLateError, MemoryError) as err:
        _end(pool)
        raise BrokenOffError from err
    except RuntimeError:  # whatever became of the processes
        _end(pool)
        raise
    return found


def _bearable(name: str, content: bytes, asked: ReadOptions) -> ReadResult:
    """The table, when it is no larger in memory than the server can bear. Raises ReadError."""
    result = reading.read(name, content, asked)
    held = int(result.frame.memory_usage(deep=True).sum())
    if held > MOST_HELD:
        raise ReadError(
            f"The table takes {held / 2**30:.1f} GB of memory, which is too much here. Leave out columns "
            "that you do not need.",
            result.kind,
        )
    return result


def _running() -> Any:
    """The processes that everybody shares, started when first needed."""
    with _lock:
        if not _shared:
            _shared.append(_processes(PROCESSES))
        return _shared[0]


def _processes(number: int) -> Any:
    from joblib.externals import loky

    return loky.ProcessPoolExecutor(max_workers=number, timeout=IDLE, initializer=_limit)


def _end(pool: Any) -> None:
    with _lock:
        if pool in _shared:
            _shared.remove(pool)
    pool.shutdown(wait=False, kill_workers=True)


@atexit.register
def _end_shared() -> None:
    for pool in [*_shared]:
        _end(pool)


def _limit() -> None:
    """Let this process claim no more than its share of memory, where the system can say so."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
