"""Fits that take seconds: made once for everyone who asks, saying how far they are, with a way to stop.

A fit runs in the session that asked for it first. Streamlit ends a run where it draws, and the fit draws
after each evaluation: so whatever the person does next, a button or another page, ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import streamlit as st

PATIENCE = 0.5
"""Seconds after which it is said how far the fit is."""
MOST_STEPS = 10

Tell = Callable[[int, float], None]


@dataclass(slots=True, eq=False)
class Place:
    """Where what took long stands for everyone; filled by one at a time."""

    lock: Lock = field(default_factory=Lock)
    outcome: Any = None


def filled(place: Place, make: Callable[[Tell], Any], stop: Callable[[], None] | None) -> Any:
    """What stands in a place; where that is nothing, what `make` gives, which tells of each evaluation.

    stop : what a button does that ends the fit for good; None where something else on the page does
    """
    if place.outcome is None:
        told = st.empty()
        while not place.lock.acquire(timeout=PATIENCE):
            told.caption("Somebody asked for the same fit just before; waiting for it…")
        try:
            if place.outcome is None:
                told.caption(":material/hourglass_empty: Fitting the model…")
                place.outcome = make(_teller(told, stop, f"stop_fit_{id(place)}"))
        finally:
            place.lock.release()
        told.empty()
    return place.outcome


def _teller(told: Any, stop: Callable[[], None] | None, key: str) -> Tell:
    """Shows how far a fit is, from when it has taken some time."""
    began, bar = time.monotonic(), None

    def tell(steps: int, criterion: float) -> None:
        nonlocal bar
        seconds = time.monotonic() - began
        if seconds < PATIENCE:
            return
        if bar is None:
            with told.container(horizontal=True, vertical_alignment="center"):
                bar = st.progress(0.0)
                if stop is not None:
                    st.button("Stop the fit", key=key, icon=":material/close:", on_click=stop)
        bar.progress(min(steps / MOST_STEPS, 0.95), words(steps, seconds))

    return tell


def words(steps: int, seconds: float) -> str:
    """How far a search is after so many evaluations of the criterion, the last of which is not known."""
    said = "1 step" if steps == 1 else f"{steps} steps"
    return f"Fitting the model: {said} in {seconds:.0f} s; most models take 4 to {MOST_STEPS}."
