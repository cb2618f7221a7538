"""Every result page with random effects in bars, weights and a condition on the rows."""

from __future__ import annotations

import pytest

from mixedcore import datasets
from pages.ui.model.modelcall import ModelCall
from tests.pages.fits import opened_with

CALLS = {
    "crossed": ModelCall("y ~ x + (1 + x | g) + (1 | h)", ""),
    "nested": ModelCall("y ~ x + (1 | g/h)", ""),
    "apart": ModelCall("y ~ x + (1 + x || g)", "", weights="w", subset="x < 3"),
}


@pytest.mark.parametrize("name", ["estimates", "group_effects", "residuals"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_model_in_bars_is_shown(name: str, call: ModelCall) -> None:
    frame = datasets.load("Oats").rename(columns={"yield": "y", "nitro": "x", "Block": "g", "Variety": "h"})
    app = opened_with(name, frame.assign(w=1.0 + frame["x"]), call)
    assert not app.exception
    assert not app.error
