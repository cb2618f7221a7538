"""Fits and frames that the tests of result pages share."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from mixedcore import MixedLMResults, datasets, mixedlm
from pages.ui import state
from pages.ui.data.dataset import Dataset
from pages.ui.model.modelcall import ModelCall

APP = str(Path(__file__).parents[2] / "app.py")
TIMEOUT = 60
NAMES = [
    "<script>alert(1)</script>",
    ":red[x]",
    "$a$",
    "[x](http://y)",
    "`",
    "=1+1",
    "<b>bold</b>",
    "&lt;i&gt;",
    "%{y}",
    "a very long name of a group that nobody should use but that somebody will",
]
OUTCOME, PREDICTOR, GROUP = "<b>y</b> $a$", ":red[x] & `*_`", "=g [l](http://x) %{x}"
MODELS: dict[str, dict[str, Any]] = {
    "sleepstudy": {"formula": "Reaction ~ Days", "groups": "Subject", "re_formula": "1 + Days"},
    "Dyestuff2": {"formula": "Yield ~ 1", "groups": "Batch"},
    "classrooms": {
        "formula": "test_score ~ age + pretest",
        "groups": "school",
        "re_formula": "1 + pretest",
        "vc_formula": {"classroom": "0 + C(classroom)"},
    },
}


@cache
def fitted(name: str) -> MixedLMResults:
    """The suggested model of an example."""
    arguments = dict(MODELS[name])
    return mixedlm(arguments.pop("formula"), datasets.load(name), **arguments).fit()


def hostile_data() -> pd.DataFrame:
    """Ten groups of twelve rows whose every name and label tries to be something else than text."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(len(NAMES)), 12)
    x = rng.normal(size=group.size)
    y = 2 + x + rng.normal(size=len(NAMES))[group] + rng.normal(size=group.size)
    return pd.DataFrame({OUTCOME: y, PREDICTOR: x, GROUP: np.array(NAMES)[group]})


HOSTILE_CALL = ModelCall(f"Q({OUTCOME!r}) ~ Q({PREDICTOR!r})", GROUP, f"1 + Q({PREDICTOR!r})")


@cache
def hostile() -> MixedLMResults:
    """A fit to `hostile_data`."""
    return mixedlm(
        HOSTILE_CALL.formula, hostile_data(), groups=GROUP, re_formula=HOSTILE_CALL.re_formula
    ).fit()


def fit_of(call: ModelCall, frame: pd.DataFrame) -> MixedLMResults:
    """The fit of a call with a grouping column."""
    model = mixedlm(
        call.formula,
        frame,
        groups=call.groups,
        re_formula=call.re_formula,
        vc_formula=dict(call.vc_formula) or None,
    )
    return model.fit(reml=call.reml)


def many_effects(n: int) -> pd.DataFrame:
    """Effects of n groups, as one term of `tidy(effects="blups")`."""
    estimate = np.random.default_rng(1).normal(size=n)
    error = np.full(n, 0.5)
    return pd.DataFrame(
        {
            "group": "g",
            "level": [f"level {i}" for i in range(n)],
            "term": "Intercept",
            "estimate": estimate,
            "std_error": error,
            "conf_low": estimate - 1.96 * error,
            "conf_high": estimate + 1.96 * error,
        }
    )


def many_rows(n: int, groups: int = 50) -> pd.DataFrame:
    """n rows as `augment()` gives them, with heavy tails."""
    rng = np.random.default_rng(2)
    resid = rng.standard_t(4, size=n)
    fitted_values = rng.normal(size=n)
    return pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "g": rng.integers(groups, size=n).astype(str),
            "fitted": fitted_values,
            "fitted_fixed": fitted_values / 2,
            "resid": resid,
            "resid_std": resid / resid.std(),
        }
    )


def opened(page: str, example: str) -> AppTest:
    """A result page with an example and its suggested model, through app.py."""
    app = AppTest.from_file(APP, default_timeout=TIMEOUT)
    app.query_params["example"] = example
    return app.run().switch_page(f"pages/{page}.py").run()


def opened_with(page: str, frame: pd.DataFrame, call: ModelCall | None) -> AppTest:
    """A result page with data and a model of one's own."""
    app = AppTest.from_file(APP, default_timeout=TIMEOUT)
    app.session_state[state._DATASET] = Dataset.of("mine", frame, "upload:mine.csv")
    app.session_state[state._CALL] = call
    return app.run().switch_page(f"pages/{page}.py").run()


def texts(app: AppTest) -> list[str]:
    """Every text of the page that Streamlit reads as Markdown, its spaces plain ones."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "success", "warning", "error", "info")
    found = [str(getattr(element, "value", "")) for kind in kinds for element in app.get(kind)]
    return [said.replace("\N{NO-BREAK SPACE}", " ") for said in found]


def charts_of(app: AppTest) -> list[dict[str, Any]]:
    """The Plotly figures of the page, as the browser gets them."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def finish(app: AppTest, label: str) -> None:
    """Press the button of this label, wait for the work that it starts, and look again."""
    next(button for button in app.button if button.label == label).click().run()
    for job in app.session_state[state._JOBS].values():
        job.future.result()
    app.run()
