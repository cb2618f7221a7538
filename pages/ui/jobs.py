"""Long work beside the pages: it says how far it is, how long is left, and can be cancelled.

A job is a function of the core that takes `progress` and `cancel`. All sessions share as many workers as
there are processors, so that a class that simulates leaves the server able to answer; a job waits its turn.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

import streamlit as st

from mixedcore.errors import MixedCoreError
from pages.ui import state, text
from pages.ui.model.modelcall import ModelCall

Work = Callable[[Callable[[int, int], None], Event], Any]
POLL = "500ms"
KEPT = 64
KEPT_FOR = "2h"


@dataclass(slots=True, eq=False)
class Task:
    """What the thread of the work writes. It never refers to the job, so that a job nobody holds is gone.

    done_of : what is done and the total, in one value: read between two writes they could be of two stages
    """

    stop: Event = field(default_factory=Event)
    began: float = 0.0
    done_of: tuple[int, int] = (0, 0)

    def run(self, work: Work) -> Any:
        """Do the work; what it gives. It is not kept, for it may hold a fit of a hundred megabytes."""
        self.began = time.monotonic()
        return work(self.progress, self.stop)

    def progress(self, done: int, total: int) -> None:
        """Note how far the work is."""
        self.done_of = done, total


class Job:
    """One piece of work as a session holds it; when the session ends, so does the work that nobody awaits."""

    def __init__(self, work: Work) -> None:
        """Begin the work, or put it in the queue."""
        self.task = Task()
        self.future = _workers().submit(partial(self.task.run, work))
        self.cancel = weakref.finalize(self, _give_up, self.task, self.future)

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return not self.future.done()

    @property
    def outcome(self) -> Any:
        """What the finished work gave. Raises MixedCoreError with the reason where it could not be done."""
        return self.future.result()

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        done, total = self.task.done_of
        return min(done / total, 1.0) if total else 0.0

    def words(self) -> str:
        """How far it is and how long is left."""
        if not self.task.began:
            return "Waiting for a free processor…"
        return how_far(*self.task.done_of, time.monotonic() - self.task.began)


def _give_up(task: Task, future: Future[Any]) -> None:
    """Stop work that has begun, and take work that has not out of the queue."""
    task.stop.set()
    future.cancel()


def how_far(done: int, total: int, seconds: float) -> str:
    """What is done after so many seconds, and how long the rest will take."""
    if not done:
        return "Starting…"
    return f"{done:,} of {total:,} done, about {duration(seconds * (total - done) / done)} left"


def duration(seconds: float) -> str:
    """A time span as people say it."""
    if seconds < 1:
        return "a second"
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"


class Workers:
    """As many threads as there are processors, for everyone. They end with the server, whatever they do:
    those of the standard library's pool would make it wait for the last bootstrap before it stops.
    """

    def __init__(self) -> None:
        """Start the threads."""
        self.count = os.cpu_count() or 1
        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        for number in range(self.count):
            Thread(target=self._serve, name=f"job-{number}", daemon=True).start()

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Do the work when a thread is free."""
        future: Future[Any] = Future()
        self._queue.put((future, work))
        return future

    def _serve(self) -> None:
        while True:
            _do(*self._queue.get())


def _do(future: Future[Any], work: Callable[[], Any]) -> None:
    """Work that nobody took out of the queue; what goes wrong in it is for those who ask for the outcome.

    Whatever it is, as in the standard library: else the thread would end, and they would wait for ever.
    """
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(work())
        except BaseException as err:  # noqa: BLE001
            future.set_exception(err)


@st.cache_resource(show_spinner=False)
def _workers() -> Workers:
    return Workers()


def start(key: str, work: Work) -> None:
    """Begin the work of this key; what ran under the key before is cancelled."""
    cancel(key)
    state.set_job(key, Job(work))


def cancel(key: str) -> None:
    """Stop the work of this key and forget it."""
    job = state.job(key)
    if job is not None:
        job.cancel()
    state.set_job(key, None)


@st.cache_resource(max_entries=KEPT, ttl=KEPT_FOR, show_spinner=False)
def kept(call: ModelCall | None, digest: str) -> dict[Hashable, Any]:
    """A place for what somebody asked of one fit with a button: it is asked once for everyone, and progress
    can be shown while it is made, which a cached function could not do.
    """
    return {}


def keeping(place: dict[Hashable, Any], name: Hashable, of: Callable[..., Any]) -> Work:
    """Work with a function of the core, whose outcome is kept under a name when it is done to its end."""

    def work(progress: Callable[[int, int], None], cancel: Event) -> None:
        found = of(progress=progress, cancel=cancel)
        if not cancel.is_set():
            place[name] = found

    return work


def offer(key: str, label: str, work: Work) -> None:
    """A button that starts the work of this key; while it runs, how far it is."""
    job = state.job(key)
    if job is None or not job.running:
        st.button(label, key=f"{key}_start", icon=":material/play_arrow:", on_click=start, args=(key, work))
    show(key)


def show(key: str) -> Any | None:
    """The outcome of this key's work once it is there; until then how far it is, with a way to stop it."""
    job = state.job(key)
    if job is None:
        return None
    if job.running:
        _follow(key)
        return None
    try:
        return job.outcome
    except MixedCoreError as err:
        st.error(text.escape(err), icon=":material/error:")
        return None


@st.fragment(run_every=POLL)
def _follow(key: str) -> None:
    """The progress of running work, drawn again and again until it ends."""
    job = state.job(key)
    if job is None or not job.running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.share, text=job.words())
        st.button("Cancel", key=f"{key}_cancel", icon=":material/close:", on_click=cancel, args=(key,))
