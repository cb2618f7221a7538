"""What a session remembers, through a script that stands for a page: data, model, decisions, the way in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import shell, state
from pages.ui.data.dataset import Dataset, digest_of
from pages.ui.model.modelcall import ModelCall

FRAME = pd.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "x": [1, 2, 3, 5], "g": ["a", "a", "b", "b"]})
CALL = ModelCall("y ~ x", "g", "1 + x")


def test_setting_data_keeps_a_model_whose_columns_are_all_there() -> None:
    def page(first: object, second: object, call: object) -> None:
        from pages.ui import state

        state.set_data(first)
        state.set_call(call)
        state.set_chosen_group("a")
        state.set_data(second)

    second = Dataset.of("b", FRAME.assign(z=0.0), "upload:b.csv")
    at = AppTest.from_function(
        page, args=(Dataset.of("a", FRAME, "upload:a.csv"), second, CALL), default_timeout=30
    )
    at.run()
    assert not at.exception
    assert at.session_state["_dataset"] is second
    assert at.session_state["_call"] == CALL
    assert at.session_state["_chosen_group"] is None


@pytest.mark.parametrize("gone", ["y", "x", "g"])
def test_setting_data_drops_a_model_that_misses_a_column(gone: str) -> None:
    assert not state.fits(CALL, Dataset.of("a", FRAME.drop(columns=gone), "upload:a.csv"))


@pytest.mark.parametrize(
    "call",
    [
        ModelCall("y ~ x + (1 | g)", ""),
        ModelCall("y ~ 1", "g", "1", weights="x"),
        ModelCall("y ~ 1", "g", "1", offset="x"),
        ModelCall("y ~ 1", "g", "1", subset="x > 1"),
    ],
)
def test_a_model_needs_every_column_that_it_names(call: ModelCall) -> None:
    assert state.fits(call, Dataset.of("a", FRAME, "upload:a.csv"))
    assert not state.fits(call, Dataset.of("a", FRAME.drop(columns=["x", "g"]), "upload:a.csv"))


def test_a_model_of_one_group_needs_no_group_column() -> None:
    call = ModelCall("y ~ x", "", vc_formula=(("g", "0 + C(g)"),))
    assert state.fits(call, Dataset.of("a", FRAME, "upload:a.csv"))
    assert not state.fits(call, Dataset.of("a", FRAME.drop(columns="g"), "upload:a.csv"))


def test_a_prediction_to_compare_with_is_one_of_the_same_data_and_model() -> None:
    def page(first: object, second: object, call: object, other: object) -> None:
        import streamlit as st

        from pages.ui import state

        seen = []
        state.set_data(first)
        state.set_call(call)
        state.set_before(1.5)
        seen.append(state.before())
        state.set_call(other)
        seen.append(state.before())
        state.set_call(call)
        state.set_data(second)
        seen.append(state.before())
        st.session_state["seen"] = seen

    first, second = (Dataset.of("a", FRAME.assign(x=x), "upload:a.csv") for x in (FRAME["x"], 7))
    other = ModelCall("y ~ 1", "g")
    at = AppTest.from_function(page, args=(first, second, CALL, other), default_timeout=30).run()
    assert not at.exception
    assert at.session_state["seen"] == [1.5, None, None]


def test_an_example_brings_its_model() -> None:
    def page() -> None:
        from pages.ui import state

        state.use_example("sleepstudy")

    at = AppTest.from_function(page, default_timeout=30).run()
    assert not at.exception
    assert at.session_state["_dataset"].source == "example:sleepstudy"
    assert at.session_state["_call"] == ModelCall("Reaction ~ Days", "Subject", "1 + Days")


@pytest.mark.parametrize("name", ["SLEEPSTUDY", "sleepstudy"])
def test_examples_are_found_in_upper_and_lower_case(name: str) -> None:
    from pages.ui.data import examples

    assert examples.known(name)
    assert examples.dataset(name).source == "example:sleepstudy"


def test_every_example_suggests_a_model_of_its_own_columns() -> None:
    from pages.ui.data import examples

    for name in examples.names():
        assert state.fits(examples.suggested(name), examples.dataset(name)), name


# --- digests -------------------------------------------------------------------------------------


def large() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({"y": rng.normal(size=100_000), "g": rng.integers(0, 99, 100_000).astype(str)})


def test_one_changed_cell_of_many_changes_the_digest() -> None:
    """Streamlit's own keys look at 10,000 rows of a large frame; a digest must look at all."""
    frame = large()
    before = digest_of(frame)
    for row in (0, 12_345, 99_999):
        changed = frame.copy()
        changed.loc[row, "y"] += 1e-9
        assert digest_of(changed) != before
        changed = frame.copy()
        changed.loc[row, "g"] = "other"
        assert digest_of(changed) != before


def test_the_same_content_has_the_same_digest() -> None:
    assert digest_of(large()) == digest_of(large().copy())


@pytest.mark.parametrize(
    "other",
    [
        FRAME.rename(columns={"x": "z"}),
        FRAME[["x", "y", "g"]],
        FRAME.astype({"x": float}),
        FRAME.astype({"x": str}),
        FRAME.astype({"g": "category"}),
        FRAME.iloc[::-1],
        FRAME.iloc[:3],
        FRAME.set_index(pd.Index([1, 2, 3, 4])),
        FRAME.assign(y=[1.0, 2.0, np.nan, 4.0]),
    ],
    ids=[
        "name",
        "order of columns",
        "float",
        "text",
        "category",
        "order of rows",
        "rows",
        "index",
        "missing",
    ],
)
def test_whatever_can_change_a_fit_changes_the_digest(other: pd.DataFrame) -> None:
    assert digest_of(other) != digest_of(FRAME)


def test_the_order_of_levels_is_content() -> None:
    levels = [pd.Categorical(["a", "b"], categories=order) for order in (["a", "b"], ["b", "a"])]
    first, second = (digest_of(pd.DataFrame({"g": level})) for level in levels)
    assert first != second


@pytest.mark.parametrize(
    "call, said",
    [
        (ModelCall("y ~ x", "g", "1 + x"), "y ~ x + (1 + x | g), REML"),
        (ModelCall("y ~ x", "g", None), "y ~ x + (1 | g), REML"),
        (ModelCall("y ~ x", "g", "1", (("class", "0 + C(c)"),)), "y ~ x + (1 | g) + (class in g), REML"),
        (ModelCall("y ~ x + (1 | g)", "", None), "y ~ x + (1 | g), REML"),
        (ModelCall("y ~ x", "", None, (("a", "0 + C(a)"),)), "y ~ x + (a), all rows as one group, REML"),
        (ModelCall('Q("yield") ~ IQ + C(Q("a b"))', "g", None), "`yield` ~ IQ + C(`a b`) + (1 | g), REML"),
    ],
)
def test_a_model_is_said_in_one_line(call: ModelCall, said: str) -> None:
    assert shell.described(call) == said
