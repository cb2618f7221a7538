"""Residuals: does the model fit, is the spread even, are errors and group effects about normal?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.ui import charts, display, fitting, shell
from pages.ui.results import fitview, picking

shell.enter("residuals")
st.title("Residuals")
result = fitting.current_fit_or_stop()
ink = display.ink()
augmented = result.augment()
blups = result.tidy(effects="blups")
groupings = fitview.groupings(result, augmented, factors=True)

group, chosen = None, None
places = st.columns(1 + bool(groupings) + (len(groupings) > 1), vertical_alignment="bottom")
with places[-1]:
    effect = picking.choose_effect(
        fitview.random_effects(blups), "residuals_effect", label="Group effects in the Q–Q plot"
    )
if groupings:
    with places[0]:
        grouping = picking.choose_grouping(groupings, "residuals_grouping")
    group = grouping.name
    augmented = augmented.assign(**{group: grouping.labels(augmented)})
    labels = fitview.in_order(augmented[group])
    with places[-2]:
        chosen = fitview.find_label(picking.choose_group(labels, "residuals_chosen"), labels)
effects = fitview.of_effect(blups, effect)

left, right = st.columns(2, gap="large")
with left:
    against = charts.residuals_against_fitted(augmented, group=group, chosen=chosen, ink=ink)
    display.chart(against, "residuals_against_fitted")
with right:
    mine = fitview.is_chosen(augmented, group, chosen)
    quantiles = charts.normal_qq(augmented["resid_std"].to_numpy(), augmented.index, chosen=mine, ink=ink)
    display.chart(quantiles, "residuals_qq")

left, right = st.columns(2, gap="large")
with left:
    spread = charts.scale_location(augmented, group=group, chosen=chosen, ink=ink)
    display.chart(spread, "scale_location")
with right:
    values, levels = fitview.standardised(effects["estimate"]), pd.Index(effects["level"])
    display.chart(charts.effects_qq(values, levels, effect.name, chosen=chosen, ink=ink), "effects_qq")

if group is not None:
    by_group = charts.residuals_by_group(augmented, group, chosen=chosen, ink=ink)
    display.chart(by_group, "residuals_by_group")
