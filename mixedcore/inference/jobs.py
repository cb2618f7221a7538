"""Many tasks of one kind, here, in worker processes or on a cluster: progress, cancelling, the same numbers.

Which tasks there are depends on what is asked, never on who does them, and results come in their order.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from threading import Event
from typing import Any, TypeVar

from mixedcore.errors import ModelError

SCHEDULER = "MIXEDCORE_SCHEDULER"  # environment variable: address of a Dask scheduler, 'tcp://host:8786'

Progress = Callable[[int, int], object]
Cancel = Callable[[], bool] | Event
T = TypeVar("T")


def stopped(cancel: Cancel | None) -> bool:
    """Whether the caller wants the work to end."""
    if cancel is None:
        return False
    return cancel.is_set() if isinstance(cancel, Event) else cancel()


def in_turn(items: Sequence[T], progress: Progress | None, cancel: Cancel | None) -> Iterator[T]:
    """The items one after the other until the caller cancels, who hears of each that is done."""
    for done, item in enumerate(items, 1):
        if stopped(cancel):
            return
        yield item
        if progress is not None:
            progress(done, len(items))


@dataclass(frozen=True, slots=True, eq=False)
class Jobs:
    """Who does the work, and who hears of it.

    n_jobs : processes; 1 is this one, −1 as many as there are processors. Each computes on one thread.
    progress : called with (done, total) after each task
    cancel : an Event, or a function that says whether to stop; asked before each task's result is taken
    """

    n_jobs: int = 1
    progress: Progress | None = None
    cancel: Cancel | None = None

    def __post_init__(self) -> None:
        if isinstance(self.n_jobs, bool) or not isinstance(self.n_jobs, int) or self.n_jobs == 0:
            raise ModelError(f"n_jobs={self.n_jobs!r}: give a number of processes, or −1 for all processors.")

    def run(self, task: Callable[[range], T], n: int, size: int) -> list[T]:
        """What `task` gives for 0 … n − 1 in ranges of up to `size`; fewer results where it is cancelled."""
        parts = [range(first, min(first + size, n)) for first in range(0, n, size)]
        stop, out = Event(), list[T]()
        self._ask(stop)
        to_do = takewhile(lambda _: not stop.is_set(), parts)  # what is begun by then is done to its end
        results = iter(self._results(task, to_do, len(parts)))
        try:
            for part, found in zip(parts, results, strict=False):
                out.append(found)
                if self.progress is not None:
                    self.progress(part.stop, n)
                self._ask(stop)
        finally:  # whatever ends it, a function of the caller's that failed too: leave no task behind
            stop.set()
            deque(results, maxlen=0)
        return out

    def _ask(self, stop: Event) -> None:
        """Set `stop` where the caller cancels."""
        if not stop.is_set() and stopped(self.cancel):
            stop.set()

    def _results(self, task: Callable[[range], T], parts: Iterable[range], count: int) -> Iterable[T]:
        address = os.environ.get(SCHEDULER)
        if address:
            return _in_parallel(task, parts, {"backend": "dask", "scheduler_host": address, "n_jobs": -1})
        if self.n_jobs == 1 or count == 1:
            return map(task, parts)
        how = {"backend": "loky", "n_jobs": self.n_jobs, "inner_max_num_threads": 1}
        return _in_parallel(task, parts, how)


def _in_parallel(task: Callable[[range], T], parts: Iterable[range], how: dict[str, Any]) -> Iterator[T]:
    from joblib import Parallel, delayed, parallel_config  # here, because it loads slowly

    try:
        config = parallel_config(**how)
    except (OSError, ValueError, ImportError) as err:
        raise ModelError(
            f"No Dask scheduler answers at {how.get('scheduler_host')!r}, the address in {SCHEDULER}: {err}. "
            "Start one there, correct the address, or unset the variable to compute on this machine."
        ) from err
    with config as used:
        try:
            yield from Parallel(return_as="generator")(delayed(task)(part) for part in parts)
        finally:
            # joblib leaves its client of a Dask cluster open, which would look for its scheduler ever after.
            if (client := getattr(used["backend"], "client", None)) is not None:
                client.close()
