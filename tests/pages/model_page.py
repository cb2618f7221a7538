"""Opening the Model page in tests, and reading what it shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from pages.ui import state
from pages.ui.data.dataset import Dataset
from pages.ui.model.modelcall import ModelCall

APP = str(Path(__file__).parents[2] / "app.py")
TIMEOUT = 60
ODD = [
    "a b",
    'say "hi"',
    "$x$",
    ":red[x]",
    "<script>alert(1)</script>",
    "`q`",
    "[l](http://x)",
    "Größe",
    "µ",
    "C",
]


def opened(example: str = "sleepstudy") -> AppTest:
    """The Model page with an example and its suggested model."""
    app = AppTest.from_file(APP, default_timeout=TIMEOUT)
    app.query_params["example"] = example
    return app.run().switch_page("pages/model.py").run()


def with_data(frame: pd.DataFrame) -> AppTest:
    """The Model page with data of one's own and no model yet."""
    app = AppTest.from_file(APP, default_timeout=TIMEOUT)
    app.session_state[state._DATASET] = Dataset.of("mine", frame, "upload:mine.csv")
    return app.run().switch_page("pages/model.py").run()


def odd_frame() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    frame = pd.DataFrame({name: generator.normal(size=60) for name in ODD})
    return frame.assign(
        text="same",
        constant=1.0,
        empty=np.nan,
        group=np.repeat(list("abcdefghij"), 6),
        row=[f"r{number}" for number in range(60)],
        code=np.arange(60) % 3,
        twin=frame["a b"],
        billions=generator.normal(size=60) * 1e9 + 5e9,
        of_group=np.repeat(np.arange(10.0) ** 2, 6),
    )


def call(app: AppTest) -> ModelCall:
    found = app.session_state[state._CALL]
    assert isinstance(found, ModelCall)
    return found


def formula(app: AppTest) -> str:
    return str(app.text_input(key="model_text_formula").value)


def errors(app: AppTest) -> str:
    assert not app.exception
    return " ".join(error.value for error in app.error).replace("\\", "")


def fitted(app: AppTest) -> bool:
    """Whether the present model is shown as fitted, without an error or an older fit in its place."""
    assert not app.exception
    shown = [text.value for text in app.markdown]
    return (
        any("criterion" in s or "log-likelihood" in s for s in shown)
        and not app.error
        and not any("last fit" in s for s in shown)
    )
