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
quantiles, own = choosing.summed(data, asked, found)
top = st.columns([5, 2], vertical_alignment="bottom")
with top[0]:
    section = view.choose(found)
with top[1]:
    chosen = view.choose_group(found)
shown = view.Shown(data.digest, asked, found, quantiles, own, chosen, display.ink())
if section == view.OUTCOME:
    view.distribution(shown)
elif section == view.LINES:
    view.lines(shown)
elif own is not None:
    view.two_slopes(shown, own)
