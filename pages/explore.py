"""Explore: the outcome by group before any model, so that the model is no surprise."""

from __future__ import annotations

import streamlit as st

from pages.ui import display, invitation, shell
from pages.ui.explore import choosing, view

shell.enter("explore")
st.title("Explore", anchor=False)
data = invitation.data_or_stop()
asked = choosing.ask(data)
if asked is None:
    st.stop()

found = choosing.rows(data, asked)
if not len(found.y):
    st.warning("No row has an outcome, a predictor and a group at once. Choose others above.")
    st.stop()

view.at_a_glance(data, asked, found)
chosen = view.choose_group(found)
quantiles, own = choosing.summed(data, asked, found)
shown = view.Shown(data.digest, asked, found, quantiles, own, chosen, display.ink())
view.distribution(shown)
if asked.predictor:
    view.lines(shown)
view.sizes(shown)
