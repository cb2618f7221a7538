"""Long work beside the pages: it says how far it is, how long is left, and can be cancelled.

A job is a function of the core that takes `progress` and `cancel`. All sessions share as many workers as
there are processors, so that a class that simulates leaves the server able to answer; a job waits its turn.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
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
class Job:
    """One piece of work. Its thread writes done, total and began; pages read them."""

    work: Work
    stop: Event = field(default_factory=Event)
    done: int = 0
    total: int = 0
    began: float = 0.0
    future: Future[Any] | None = None

    def run(self) -> Any:
        """Do the work; what it gives."""
        self.began = time.monotonic()
        return self.work(self.progress, self.stop)

    def progress(self, done: int, total: int) -> None:
        """Note how far the work is."""
        self.done, self.total = done, total

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return self.future is not None and not self.future.done()

    @property
    def outcome(self) -> Any:
        """What the finished work gave. Raises MixedCoreError with the reason where it could not be done."""
        assert self.future is not None
        return self.future.result()

    def words(self) -> str:
        """How far it is and how long is left."""
        if not self.began:
            return "Waiting for a free processor…"
        return how_far(self.done, self.total, time.monotonic() - self.began)


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


@st.cache_resource(show_spinner=False)
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="job")


def start(key: str, work: Work) -> None:
    """Begin the work of this key; what ran under the key before is cancelled."""
    cancel(key)
    job = Job(work)
    job.future = _workers().submit(job.run)
    state.set_job(key, job)


def cancel(key: str) -> None:
    """Stop the work of this key and forget it."""
    job = state.job(key)
    if job is not None:
        job.stop.set()
        if job.future is not None:
            job.future.cancel()
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
        st.progress(job.done / job.total if job.total else 0.0, text=job.words())
        st.button("Cancel", key=f"{key}_cancel", icon=":material/close:", on_click=cancel, args=(key,))
