"""A model in an address: comes back the same, or the example's own model with a sentence."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given, settings
from streamlit.testing.v1 import AppTest

from mixedcore.errors import ModelError
from pages.ui import state
from pages.ui.data import examples
from pages.ui.model import link
from pages.ui.model.modelcall import ModelCall
from tests.pages import fits
from tests.pages.test_modelcall import calls

OTHER = ModelCall("Reaction ~ Days + I(Days**2)", "Subject", reml=False)


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content)).decode()


def opened(written: str) -> AppTest:
    app = AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT)
    app.query_params["example"] = "sleepstudy"
    app.query_params["model"] = written
    return app.run()


@settings(deadline=None)
@given(calls)
def test_a_model_comes_back_from_its_link(call: ModelCall) -> None:
    written = link.encode(call)
    assert written == "" or link.decode(written) == call


@pytest.mark.parametrize(
    "written",
    ["", "x", "é", "%00", "AAAA", packed(b"{}"), packed(b"[" * 9_000), packed(b"0" * 10**6), "A" * 5_000],
)
def test_a_broken_link_is_said_in_words(written: str) -> None:
    with pytest.raises(ModelError):
        link.decode(written)


def test_a_link_opens_the_model_of_someone_else() -> None:
    app = opened(link.encode(OTHER))
    assert not app.warning
    assert app.session_state[state._CALL] == OTHER
    assert link.encode(OTHER) in app.query_params["model"]


@pytest.mark.parametrize(
    "written",
    [
        "broken",
        link.encode(ModelCall("Reaction ~ __import__('os').system('x')", "Subject")),
        link.encode(ModelCall("Reaction ~ nothing", "Subject")),
        link.encode(ModelCall("Reaction ~ Days", "nobody")),
    ],
)
def test_a_broken_link_leaves_the_example_with_its_own_model(written: str) -> None:
    app = opened(written)
    assert not app.exception
    assert "own model" in app.warning[0].value
    assert app.session_state[state._CALL] == examples.suggested("sleepstudy")
    assert "model" not in app.query_params


def test_a_file_of_one_s_own_leaves_nothing_in_the_address() -> None:
    app = fits.opened_with("report", examples.dataset("sleepstudy").frame, OTHER)
    assert not app.query_params
    assert any("never a file of your own" in each.value for each in app.caption)
