"""Group effects: what is special about each group, how far the model draws it in, its line over the data."""

from __future__ import annotations

import streamlit as st

from pages.ui import display, fitting, invitation, shell, state
from pages.ui.residuals import computed
from pages.ui.results import fitview, group_sections, picking

shell.enter("group_effects")
st.title("Group effects")
data, call = invitation.data_or_stop(), state.call()
result = fitting.current_fit_or_stop()
assert call is not None  # current_fit_or_stop ends the run without one

top = st.columns([5, 2], vertical_alignment="bottom")
with top[0]:
    section = group_sections.choose()
with top[1]:
    level = picking.choose_level("group_effects_level")
blups = result.tidy(effects="blups", level=level)
with st.grid(2, min_column_width=180):
    effect = picking.choose_effect(fitview.random_effects(blups), "group_effects_effect")
    mine = fitview.of_effect(blups, effect)
    picking.choose_group(fitview.labels_by_effect(mine), "group_effects_chosen", effect.group)

fitted = computed.Fitted(call, data)
augmented = computed.augmented(fitted)
shown = group_sections.Shown(fitted, result, augmented, blups, mine, effect, level, display.ink())
group_sections.SECTIONS[section](shown)
