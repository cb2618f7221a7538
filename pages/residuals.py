"""Residuals: does the model fit, is the spread even, what rests on single rows; a row chosen and left out."""

from __future__ import annotations

import streamlit as st

from pages.ui import display, fitting, invitation, shell, state
from pages.ui.residuals import computed, left_out, points, row_panel, sections
from pages.ui.results import fitview, picking

shell.enter("residuals")
st.title("Residuals")
data, call = invitation.data_or_stop(), state.call()
left_out.show()
result = fitting.current_fit_or_stop()
assert call is not None  # current_fit_or_stop ends the run without one
fitted = computed.Fitted(call, data)
augmented = computed.augmented(fitted)
groupings = fitview.groupings(result, augmented, factors=True)

group, chosen = None, None
section = sections.choose()
controls = st.grid(4, min_column_width=180)
with controls:
    if groupings:
        grouping = picking.choose_grouping(groupings, "residuals_grouping")
        group = grouping.name
        augmented = augmented.assign(**{group: grouping.labels(augmented)})
        labels = fitview.in_order(augmented[group])
        picking.choose_group(labels, "residuals_chosen", group)
        chosen = picking.highlighted(labels, group)
    row_panel.choose(augmented.index)

row_panel.show(augmented, fitview.groupings(result, augmented))
row, most, ink = state.chosen_row(), points.choose(len(augmented)), display.ink()
shown = sections.Shown(fitted, result, augmented, groupings, group, chosen, row, most, ink, controls)
sections.SECTIONS[section](shown)
