"""Group effects: what is special about each group, as intervals, as lines over the data, and as a table."""

from __future__ import annotations

import streamlit as st

from pages.ui import charts, display, fitting, shell, tables
from pages.ui.results import fitview, picking

shell.enter("group_effects")
st.title("Group effects")
result = fitting.current_fit_or_stop()
outcome = fitview.outcome_name(result)
ink = display.ink()

top = st.columns([2, 2, 3], vertical_alignment="bottom")
with top[0]:
    level = picking.choose_level("group_effects_level")
blups = result.tidy(effects="blups", level=level)
with top[1]:
    effect = picking.choose_effect(fitview.random_effects(blups), "group_effects_effect")
mine = fitview.of_effect(blups, effect)
ranking = fitview.labels_by_effect(mine)
with top[2]:
    chosen = picking.choose_group(ranking, "group_effects_chosen")

here = fitview.find_label(chosen, ranking)
caterpillar = charts.caterpillar(mine, level=level, unit=effect.name, chosen=here, ink=ink)
display.chart(caterpillar, "caterpillar", on_click=picking.highlight_clicked(ranking))

augmented = result.augment()
groupings = fitview.groupings(result, augmented)
predictors = fitview.numeric_predictors(result, augmented)
if groupings:
    left, right = st.columns(2)
    with left:
        grouping = picking.choose_grouping(groupings, "group_effects_grouping")
    augmented = augmented.assign(**{grouping.name: grouping.labels(augmented)})
    labels = fitview.in_order(augmented[grouping.name], ranking)
    here = fitview.find_label(chosen, labels)
    if predictors:
        with right:
            x = picking.choose_column("Predictor", predictors, "group_effects_predictor")
        slopes = fitview.line_slopes(result, blups, x)
        joined = not fitview.moved_by_more(result, augmented, x, grouping)
        lines = charts.grouped(augmented, x, grouping.name, outcome=outcome, slopes=slopes, joined=joined)
        display.chart(charts.panels(lines, charts.spread(labels, here), chosen=here, ink=ink), "group_panels")
        display.chart(charts.all_lines(lines, chosen=here, ink=ink), "group_lines")
    else:
        means = charts.group_means(augmented, grouping.name, outcome=outcome, chosen=here, ink=ink)
        display.chart(means, "group_means")

st.subheader("All group effects", anchor=False)
picking.searchable(tables.group_effects(mine, level), "group_effects_table")
