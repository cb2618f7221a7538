"""Fits that take seconds: made once, telling how far they are, and ended by whatever the person does."""

from __future__ import annotations

from threading import Lock, Thread

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from mixedcore import datasets, mixedlm
from pages.ui import fitting, state, waiting
from tests.pages import fits
from tests.pages.model_page import opened


class StoppedError(Exception):
    """What ends a run of a page."""


def test_the_core_tells_of_every_evaluation_and_can_be_ended() -> None:
    model, told = mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load("sleepstudy")), []
    result = model.fit(progress=lambda *far: told.append(far))
    assert [step for step, _ in told] == list(range(1, result.optimisation.evaluations + 1))
    assert min(criterion for _, criterion in told) == pytest.approx(-2 * result.llf, rel=1e-12)

    def end(steps: int, criterion: float) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        model.fit(progress=end)
    assert model.fit().llf == result.llf


def test_one_makes_what_all_get() -> None:
    place, made = waiting.Place(), []

    def make(tell: waiting.Tell) -> str:
        made.append(1)
        tell(1, 0.0)
        return "fit"

    several = [Thread(target=waiting.filled, args=(place, make, None)) for _ in range(5)]
    for each in several:
        each.start()
    for each in several:
        each.join()
    assert made == [1]
    assert waiting.filled(place, make, None) == "fit"


def test_what_is_ended_is_made_anew_by_the_next_who_asks() -> None:
    place = waiting.Place()

    def ended(tell: waiting.Tell) -> str:
        raise StoppedError

    with pytest.raises(StoppedError):
        waiting.filled(place, ended, None)
    assert waiting.filled(place, lambda tell: "fit", None) == "fit"


def test_many_who_ask_and_stop_leave_one_fit_and_no_lock() -> None:
    """A class that opens the same page: some go away in the middle, one at a time fits, all get the same."""
    place, stopped, working = waiting.Place(), iter(range(20)), Lock()
    got, made = list[object](), list[int]()

    def make(tell: waiting.Tell) -> object:
        assert working.acquire(blocking=False), "two make the same at once"
        try:
            tell(1, 0.0)
            if next(stopped, None) is not None:
                raise StoppedError
            made.append(1)
            return object()
        finally:
            working.release()

    def ask() -> None:
        while True:
            try:
                got.append(waiting.filled(place, make, None))
            except StoppedError:
                continue
            return

    several = [Thread(target=ask) for _ in range(16)]
    for each in several:
        each.start()
    for each in several:
        each.join()
    assert (len(got), len(set(map(id, got))), made) == (16, 1, [1])
    assert not place.lock.locked()


@pytest.mark.parametrize(("steps", "said"), [(1, "1 step in 4 s"), (7, "7 steps in 4 s")])
def test_how_far_in_words(steps: int, said: str) -> None:
    assert said in waiting.words(steps, 4.2)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example counts as large, and its fits as slow."""
    monkeypatch.setattr(fitting, "LARGE", 1)
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    fitting._large_place.clear()


@pytest.mark.usefixtures("slow")
def test_a_fit_that_is_stopped_leaves_page_and_model_and_waits_for_its_button(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = opened()
    last = app.session_state[state._GOOD_FIT]
    shown = waiting._teller

    def pressed(told: object, stop: object, key: str) -> waiting.Tell:
        assert stop is fitting.hold_back
        tell = shown(told, stop, key)

        def then_stop(steps: int, criterion: float) -> None:
            tell(steps, criterion)
            st.stop()  # as where something is pressed meanwhile

        return then_stop

    monkeypatch.setattr(waiting, "_teller", pressed)
    app.multiselect(key="model_fixed").set_value([]).run()
    assert not app.exception
    (button,) = [each for each in app.button if each.label == "Stop the fit"]
    monkeypatch.undo()
    monkeypatch.setattr(fitting, "LARGE", 1)
    fitting._large_place.clear()
    button.click().run()
    assert app.toggle(key="model_hold").value is True
    assert "Fits wait for the button" in " ".join(fits.texts(app))
    assert app.session_state[state._GOOD_FIT] == last
    app.switch_page("pages/estimates.py").run()
    assert "not fitted yet" in " ".join(fits.texts(app))
    app.switch_page("pages/model.py").run()
    app.button(key="model_fit").click().run()
    assert not app.exception
    assert app.session_state[state._GOOD_FIT][0] == app.session_state[state._CALL]
    app.switch_page("pages/estimates.py").run()
    assert len(app.table) > 0


@pytest.mark.usefixtures("slow")
def test_the_progress_is_gone_when_the_fit_is_there() -> None:
    app = AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT)
    app.query_params["example"] = "sleepstudy"
    app.run()
    app.switch_page("pages/estimates.py").run()
    assert not app.exception
    assert "Stop the fit" not in [button.label for button in app.button]
    assert not app.get("progress")


@pytest.mark.usefixtures("slow")
def test_choosing_while_fits_are_held_back_takes_no_kept_fit_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The few fits of large data that are kept serve everyone, whatever one person tries out."""
    app = opened()
    app.toggle(key="model_hold").set_value(True).run()
    fitted, asked, place = app.session_state[state._CALL], set(), fitting._large_place
    monkeypatch.setattr(fitting, "_large_place", lambda call, digest: asked.add(call) or place(call, digest))
    app.multiselect(key="model_fixed").set_value([]).run()
    app.switch_page("pages/estimates.py").run()
    assert not app.exception
    assert "not fitted yet" in " ".join(fits.texts(app))
    assert app.session_state[state._CALL] != fitted
    assert asked == {fitted}  # shown beside the new one, as the last that worked
