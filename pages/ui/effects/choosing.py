"""Which part of the Effects page is shown, and what to say when there is nothing to show."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pages.ui import text
from pages.ui.effects import predictions, words
from pages.ui.effects.setting import Setting
from pages.ui.results import picking

Section = Literal["Predictions", "What if", "Means", "Slopes"]
SECTIONS: tuple[Section, ...] = ("Predictions", "What if", "Means", "Slopes")


def section() -> Section:
    """The part of the page to work on."""
    return picking.choose_section(
        SECTIONS,
        "effects_section",
        "Predictions: curves over one predictor. What if: one prediction, a slider for each predictor. "
        "Means: categories and their contrasts. Slopes: how one predictor's slope depends on another.",
    )


def say_what_is_missing(known: Setting) -> None:
    """Say what cannot be determined; end the run when no predictor is there to look at."""
    left_out = [name for name in known.result.model.exog_names if name not in known.result.fe_params.index]
    if left_out:
        st.warning(
            f"The data do not determine {text.listing(left_out)}, so the model leaves that out. Predictions "
            "where it would count are guesses: compare only combinations that the data have."
        )
    if known.fixed:
        return
    mean = predictions.predicted(known.result, known.rows.iloc[[0]], (), "confidence", known.level).iloc[0]
    st.info(
        f"The model has no predictor, so the prediction is the same everywhere: "
        f"{text.escape(text.shorten(known.outcome))} {words.value(mean['fit'])}, {known.level:.0%} normal "
        f"interval {words.interval(mean)}, in the average group. The Estimates page allows for few groups.",
        icon=":material/info:",
    )
    st.page_link("pages/model.py", label="Add a predictor", icon=":material/tune:")
    st.stop()
