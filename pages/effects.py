"""Effects: what the model predicts, what would be if, and how means and slopes compare."""

from __future__ import annotations

import streamlit as st

from pages.ui import fitting, invitation, shell
from pages.ui.effects import choosing, means, predicting, setting, slopes, what_if
from pages.ui.results import picking

shell.enter("effects")
st.title("Effects")
result = fitting.current_fit_or_stop()
data = invitation.data_or_stop()

top = st.columns([5, 2], vertical_alignment="bottom")
with top[0]:
    section = choosing.section()
with top[1]:
    level = picking.choose_level("effects_level")
known = setting.setting(result, data.frame, level)
choosing.say_what_is_missing(known)

if section == "Predictions":
    predicting.section(known)
elif section == "What if":
    what_if.section(known)
elif section == "Means":
    means.section(known)
elif section == "Slopes":
    slopes.section(known)
