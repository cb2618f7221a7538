"""Long work beside the pages: shared workers, progress that holds together, and an end when nobody waits."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from threading import Barrier, Event, Thread

import pytest

from mixedcore.errors import ModelError
from pages.ui import jobs

PATIENCE = 30.0


@pytest.fixture
def full() -> Iterator[None]:
    """All workers busy until the test is over."""
    workers, over = jobs._workers(), Event()
    busy = Barrier(workers.count + 1)

    def occupy() -> None:
        busy.wait(PATIENCE)
        over.wait(PATIENCE)

    occupied = [workers.submit(occupy) for _ in range(workers.count)]
    busy.wait(PATIENCE)
    yield
    over.set()
    for each in occupied:
        each.result(PATIENCE)


def until_stopped(progress: object, cancel: Event) -> bool:
    return cancel.wait(PATIENCE)


def test_work_ends_with_the_session_that_asked_for_it() -> None:
    """A browser that is closed must not leave a worker busy for the rest of the class."""
    begun = Event()

    def work(progress: object, cancel: Event) -> bool:
        begun.set()
        return cancel.wait(PATIENCE)

    session = {"job": jobs.Job(work)}
    future = session["job"].future
    assert begun.wait(PATIENCE)
    del session["job"]
    gc.collect()
    assert future.result(PATIENCE) is True


@pytest.mark.usefixtures("full")
def test_work_that_waits_leaves_the_queue_with_its_session() -> None:
    session = {"job": jobs.Job(until_stopped)}
    future = session["job"].future
    assert session["job"].words() == "Waiting for a free processor…"
    del session["job"]
    gc.collect()
    assert future.cancelled()


def test_finished_work_does_not_keep_what_it_worked_on() -> None:
    class Fit:
        """Stands for a fit of a hundred megabytes."""

    fit = Fit()
    there = weakref.ref(fit)
    job = jobs.Job(lambda progress, cancel, fit=fit: "done")
    assert job.outcome == "done"
    del fit
    gc.collect()
    assert there() is None
    assert job.outcome == "done"


def test_what_goes_wrong_is_for_those_who_ask_and_the_next_work_is_done() -> None:
    def fails(progress: object, cancel: object) -> None:
        raise ModelError("no such model")

    failed = [jobs.Job(fails) for _ in range(2 * jobs._workers().count)]
    for job in failed:
        with pytest.raises(ModelError, match="no such model"):
            _ = job.outcome
    assert jobs.Job(lambda progress, cancel: "done").outcome == "done"


def test_the_server_can_stop_while_work_goes_on() -> None:
    """As after Ctrl-C: nobody waits for a bootstrap of ten minutes before the process ends."""
    program = (
        "from pages.ui import jobs; j = jobs.Job(lambda progress, cancel: cancel.wait()); print(j.running)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=PATIENCE, text=True)
    assert (ended.returncode, ended.stdout.strip()) == (0, "True")


def test_progress_is_a_share_whatever_stage_is_read() -> None:
    """Stages have totals of their own; a page may look between any two notes of the thread."""
    job, over, read = jobs.Job(until_stopped), Event(), list[float]()

    def look() -> None:
        while not over.is_set():
            read.append(job.share)

    reader = Thread(target=look)
    reader.start()
    for _ in range(2_000):
        job.task.progress(1_000, 1_000)
        job.task.progress(0, 10)
    over.set()
    reader.join()
    job.cancel()
    assert set(read) <= {0.0, 1.0}


def test_a_job_without_a_total_has_only_begun() -> None:
    job = jobs.Job(until_stopped)
    assert job.share == 0.0
    job.task.progress(3, 2)
    assert job.share == 1.0
    job.cancel()
    job.cancel()  # a second click does no harm
    assert job.task.stop.is_set()


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "a second"), (30, "30 seconds"), (600, "10 minutes")])
def test_durations(seconds: float, words: str) -> None:
    assert jobs.duration(seconds) == words
