"""Charts are right, thin large data with a note, and hold no markup from names; pure functions of frames."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from pages.ui import charts
from pages.ui.charts import Chart, base, lines, nesting, ranked_effects, residual_groups
from pages.ui.results import fitview
from tests.pages import fits


def with_studentised(result: Any) -> pd.DataFrame:
    return result.augment().assign(studentised=result.residuals("studentised"))


def effect_quantiles(result: Any, group: str) -> list[Chart]:
    """The Q–Q plot of the first effect, where it varies."""
    if result.singular:
        return []
    quantiles = result.qq(group)
    own = quantiles[quantiles["term"] == "Intercept"].reset_index(drop=True)
    return [charts.effects_qq(own, group, chosen=str(own["level"][0]))]


def row_charts(result: Any, chosen: str | None) -> list[Chart]:
    """Charts that hold a point for each row, or for each group left out."""
    augmented, row = with_studentised(result), result.model.row_index[3]
    simulated = result.simulated_residuals(50, 1, random="fitted").residuals
    group, marks = result.model.group_name, np.zeros(len(augmented), dtype=bool)
    distance = result.influence(refit=False).set_index("row")["cooks_distance"]
    return [
        charts.cooks_by_row(distance, mine=marks, row=row),
        charts.cooks_by_group(result.influence(group, refit=False), group, chosen=chosen),
        charts.leverage_against_residual(augmented, charts.Marks(group, chosen, row)),
        charts.residuals_against(augmented, augmented["fitted"].rename("fitted"), charts.Marks(row=row)),
        charts.uniform_qq(simulated, row=row),
        charts.simulated_against_fitted(augmented, simulated, charts.Marks(row=row)),
    ]


def every_chart(result: Any, chosen: str | None = None) -> list[Chart]:
    """All charts of one fit."""
    augmented, blups = with_studentised(result), result.tidy(effects="blups")
    fixed, outcome, group = result.tidy(effects="fixed"), result.model.endog_names, result.model.group_name
    effects = [fitview.of_effect(blups, effect) for effect in fitview.random_effects(blups)]
    found = [
        charts.coefficient_plot(fixed, outcome=outcome),
        charts.variance_bar(charts.variance_shares(result.icc(), 0.2)),
        *(charts.caterpillar(mine, unit="Intercept", chosen=chosen) for mine in effects),
        charts.residuals_against_fitted(augmented, charts.Marks(group, chosen)),
        charts.scale_location(augmented, charts.Marks(group, chosen)),
        charts.normal_qq(augmented["resid_std"].to_numpy(), augmented.index),
        *effect_quantiles(result, group),
        charts.residuals_by_group(augmented, group, chosen=chosen),
        charts.group_means(augmented, group, outcome=outcome, chosen=chosen),
        *row_charts(result, chosen),
    ]
    for x in fitview.numeric_predictors(result, augmented):
        prepared = charts.grouped(augmented, x, group, outcome=outcome)
        found += [
            charts.all_lines(prepared, chosen=chosen),
            charts.panels(prepared, prepared.labels, chosen=chosen),
        ]
    return found


def strings(part: Any) -> list[str]:
    """Every text inside a figure."""
    if isinstance(part, dict):
        return [text for value in part.values() for text in strings(value)]
    if isinstance(part, list | tuple):
        return [text for value in part for text in strings(value)]
    return [part] if isinstance(part, str) else []


@pytest.mark.parametrize("name", fits.MODELS)
def test_every_chart_has_words_and_is_valid(name: str) -> None:
    result = fits.fitted(name)
    chosen = str(result.model.group_labels[0])
    for chart in every_chart(result, chosen):
        assert chart.title[0].isupper()
        assert chart.caption.endswith(".")
        assert chart.alt.endswith(".")
        go.Figure(json.loads(chart.figure.to_json()))


def test_names_from_data_are_never_markup() -> None:
    """Plotly reads <b>, <a href>, entities, $…$ and %{…}; only our own templates may hold them."""
    own = re.compile(r"%\{(customdata(\[\d])?|x|y)(:\.\d?g)?\}|<br>|<extra></extra>")
    for chart in every_chart(fits.hostile(), fits.NAMES[0]):
        found = strings(json.loads(chart.figure.to_json())["data"]) + strings(
            {key: value for key, value in chart.figure.layout.to_plotly_json().items() if key != "template"}
        )
        for text in found:
            assert not re.search(r"<[a-zA-Z/!]|\$a\$|%\{|&lt;i", own.sub("", text)), text


def test_the_exported_page_stands_alone() -> None:
    page = charts.caterpillar(fits.many_effects(5), unit="x").to_html()
    assert "<html>" in page
    assert "Plotly.newPlot" in page
    assert not re.search(r"<script[^>]+src=", page)


def test_the_exported_page_of_hostile_names_holds_no_script_of_theirs() -> None:
    for chart in every_chart(fits.hostile()):
        assert "<script>alert" not in chart.figure.to_html(include_plotlyjs=False)


@pytest.mark.parametrize("intercept", [True, False])
def test_coefficients_with_and_without_the_intercept(intercept: bool) -> None:
    tidy = fits.fitted("sleepstudy").tidy(effects="fixed")
    trace = charts.coefficient_plot(tidy, intercept=intercept).figure.data[0]
    assert list(trace.x) == pytest.approx(tidy["estimate"][0 if intercept else 1 :].tolist())
    assert list(trace.x - trace.error_x.arrayminus) == pytest.approx(
        tidy["conf_low"][0 if intercept else 1 :].tolist()
    )


def test_variance_shares_add_to_one_and_to_the_conditional_r2() -> None:
    result = fits.fitted("classrooms")
    glance = result.glance().iloc[0]
    shares = charts.variance_shares(result.icc(), glance["r2_marginal"])
    assert shares["share"].sum() == pytest.approx(1)
    assert shares["part"].tolist() == ["Predictors", "school", "classroom", "Residual"]
    assert 1 - shares["share"].iloc[-1] == pytest.approx(glance["r2_conditional"])


def test_without_predictors_nothing_is_said_of_them() -> None:
    shares = charts.variance_shares(pd.DataFrame({"group": ["g"], "icc": [0.25]}), 1e-31)
    assert shares["part"].tolist() == ["g", "Residual"]
    assert "predictors explain" not in charts.variance_bar(shares).caption


def test_a_bar_of_the_variance_starts_where_the_last_one_ended() -> None:
    trace = charts.variance_bar(charts.variance_shares(fits.fitted("sleepstudy").icc(), 0.28)).figure.data[0]
    assert list(trace.base) == pytest.approx([0, *np.cumsum(trace.x)[:-1]])


@pytest.mark.parametrize("n", [3, ranked_effects.LABELLED, ranked_effects.LABELLED + 1, 3_000, 5_000, 50_000])
def test_a_caterpillar_of_any_size(n: int) -> None:
    chart = charts.caterpillar(fits.many_effects(n), unit="x", chosen="level 1")
    named = n <= ranked_effects.LABELLED
    assert bool(chart.figure.layout.yaxis.ticktext) == named
    assert (chart.note != "") == (n > ranked_effects.INTERVALS_DRAWN)
    assert chart.figure.data[-1].name == "level 1"
    assert len(chart.figure.to_json()) < 3_000_000


def test_a_caterpillar_is_sorted_and_points_carry_their_rank() -> None:
    effects = fits.many_effects(300)
    trace = charts.caterpillar(effects, unit="x").figure.data[-1]
    assert np.all(np.diff(trace.y) >= 0)
    labels = fitview.labels_by_effect(effects)
    for point in (0, 150, 299):
        assert labels[trace.customdata[point][-1]] == trace.customdata[point][0]


def test_a_caterpillar_of_zeros_says_so() -> None:
    zeros = fits.many_effects(6).assign(estimate=0.0, conf_low=0.0, conf_high=0.0)
    assert "all effects are zero" in charts.caterpillar(zeros, unit="x").note


def test_an_unknown_chosen_group_changes_nothing() -> None:
    effects = fits.many_effects(10)
    assert len(charts.caterpillar(effects, unit="x", chosen="elsewhere").figure.data) == len(
        charts.caterpillar(effects, unit="x").figure.data
    )


@pytest.mark.parametrize("n", [200, 30_000, 1_000_000])
def test_residual_charts_of_any_size_stay_small(n: int) -> None:
    augmented = fits.many_rows(n)
    for draw in (charts.residuals_against_fitted, charts.scale_location):
        chart = draw(augmented, charts.Marks("g", "3"))
        assert (chart.note != "") == (n > base.POINTS_DRAWN)
        assert len(chart.figure.to_json()) < 4_000_000
    assert (
        len(charts.normal_qq(augmented["resid_std"].to_numpy(), augmented.index).figure.to_json()) < 500_000
    )


def test_thinning_keeps_the_extremes_and_is_repeatable() -> None:
    size = np.abs(np.random.default_rng(0).normal(size=100_000))
    kept = base.thinned(size)
    assert len(kept) == base.POINTS_DRAWN
    assert size.argmax() in kept
    assert np.array_equal(kept, base.thinned(size))
    assert np.array_equal(base.thinned(size[:10]), np.arange(10))


def test_many_points_are_drawn_when_asked_for_only_and_by_webgl() -> None:
    augmented = fits.many_rows(30_000)
    usual = charts.residuals_against_fitted(augmented)
    assert {trace.type for trace in usual.figure.data} == {"scatter"}
    assert usual.note.startswith("1,500 of 30,000 rows are drawn")
    asked = charts.residuals_against_fitted(augmented, charts.Marks(most=base.POINTS_ASKED))
    assert "scattergl" in {trace.type for trace in asked.figure.data}


def test_a_large_chosen_group_is_thinned_too() -> None:
    chart = charts.residuals_against_fitted(fits.many_rows(30_000, groups=3), charts.Marks("g", "1"))
    assert [len(trace.x) for trace in chart.figure.data[:2]] == [base.POINTS_DRAWN] * 2
    assert "Of the chosen group 1,500 of " in chart.note


def test_fitted_values_equal_but_for_rounding_are_equal() -> None:
    augmented = fits.many_rows(40).assign(fitted=5.0)
    augmented.loc[3, "fitted"] = np.nextafter(5.0, 6)
    assert np.ptp(charts.residuals_against_fitted(augmented).figure.data[0].x) == 0


def test_rows_are_named_on_hover() -> None:
    augmented = fits.many_rows(5)
    augmented.index = pd.Index(["a", "<b>", "c", "d", "e"])
    assert list(charts.residuals_against_fitted(augmented).figure.data[0].customdata) == [
        ["a", 0], ["&lt;b&gt;", 1], ["c", 2], ["d", 3], ["e", 4],
    ]  # fmt: skip


def test_the_chosen_group_is_drawn_on_top_in_the_accent() -> None:
    augmented = fits.many_rows(400)
    figure = charts.residuals_against_fitted(augmented, charts.Marks("g", "7")).figure
    mine = next(trace for trace in figure.data if trace.name == "7")
    assert len(mine.x) == int((augmented["g"] == "7").sum())
    assert mine.marker.color == charts.LIGHT.accent


@pytest.mark.parametrize(("rows", "kind"), [(5_000, "box"), (200, "scatter")])
def test_residuals_by_group_are_boxes_or_dots(rows: int, kind: str) -> None:
    chart = charts.residuals_by_group(fits.many_rows(rows), "g", chosen="7")
    assert chart.figure.data[0].type == kind
    assert len(chart.figure.layout.yaxis.tickvals) == residual_groups.GROUPS_SHOWN
    assert "7" in chart.figure.layout.yaxis.ticktext
    assert f"{residual_groups.GROUPS_SHOWN} groups" in chart.note


def test_a_box_has_the_quartiles_of_its_group() -> None:
    augmented = fits.many_rows(3_000, groups=5)
    figure = charts.residuals_by_group(augmented, "g").figure
    widest = figure.layout.yaxis.ticktext[0]
    expected = augmented.loc[augmented["g"] == widest, "resid"].quantile([0.25, 0.5, 0.75])
    box = figure.data[0]
    assert [box.q1[0], box.median[0], box.q3[0]] == pytest.approx(expected.tolist())


def test_the_lines_of_sleepstudy_are_its_fitted_values() -> None:
    augmented = fits.fitted("sleepstudy").augment()
    prepared = charts.grouped(augmented, "Days", "Subject", outcome="Reaction")
    own = augmented[augmented["Subject"] == "337"]
    code = prepared.labels.index("337")
    assert prepared.line_y[prepared.line_code == code] == pytest.approx(
        own.sort_values("Days")["fitted"].to_numpy()
    )


def test_a_model_line_is_a_straight_one_through_the_fitted_values() -> None:
    """Where nothing else moves the fitted values, all three ways of drawing a line agree."""
    result = fits.fitted("sleepstudy")
    augmented, blups = result.augment(), result.tidy(effects="blups")
    slopes = fitview.line_slopes(result, blups, "Days")
    options = [{"joined": True}, {"joined": False, "slopes": slopes}, {"joined": False}]
    ends = []
    for option in options:
        data = charts.grouped(augmented, "Days", "Subject", outcome="Reaction", **option)
        last = np.flatnonzero(np.diff(data.line_code, append=-1))
        ends.append(data.line_y[last])
    assert ends[1] == pytest.approx(ends[0])
    assert ends[2] == pytest.approx(ends[0])


def test_panels_are_a_dozen_at_most_and_include_the_chosen() -> None:
    labels = [f"g{i}" for i in range(100)]
    picked = charts.spread(labels, "g37")
    assert len(picked) == lines.PANELS
    assert {"g0", "g37", "g99"} <= set(picked)
    assert charts.spread(labels[:5]) == labels[:5]


def test_ten_thousand_lines_are_thinned() -> None:
    augmented = fits.many_rows(40_000).assign(g=np.repeat(np.arange(10_000), 4))
    chart = charts.all_lines(charts.grouped(augmented, "x", "g", outcome="y", joined=False))
    assert "2,000 of 10,000 lines" in chart.note
    assert len(chart.figure.to_json()) < 1_000_000


@pytest.mark.parametrize("groups", [3, 160, 3_000])
def test_every_line_drawn_takes_clicks(groups: int) -> None:
    augmented = fits.many_rows(4 * groups).assign(g=np.repeat(np.arange(groups), 4).astype(str))
    data = charts.grouped(augmented, "x", "g", outcome="y", joined=False)
    places = next(trace for trace in charts.all_lines(data).figure.data if trace.mode == "markers")
    assert places.marker.opacity == 0
    assert len(places.x) <= max(lines.PLACES_TO_CLICK, groups)
    codes = {each[-1] for each in places.customdata}
    assert len(codes) == min(groups, lines.LINES_DRAWN)
    assert all(data.labels[code] == name for name, code in places.customdata[:: groups // 3])


def test_lines_of_many_rows_stay_small() -> None:
    """Joined as they are, each of these lines has thousands of points; so has each panel."""
    data = charts.grouped(fits.many_rows(100_000, groups=20), "x", "g", outcome="y")
    panels = charts.panels(data, charts.spread(data.labels))
    assert "Of a group with more than 250 rows that many are drawn." in panels.note
    for chart in (panels, charts.all_lines(data)):
        assert len(chart.figure.to_json()) < 3_000_000


def test_the_colours_are_those_of_the_theme() -> None:
    theme = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text())["theme"]
    for ink, mode in ((charts.LIGHT, "light"), (charts.DARK, "dark")):
        assert list(ink.categories) == theme[mode]["chartCategoricalColors"]
        assert (ink.surface, ink.text) == (theme[mode]["backgroundColor"], theme[mode]["textColor"])


def test_charts_know_no_streamlit() -> None:
    folder = Path(charts.__file__).parent
    assert not [
        file.name
        for file in folder.glob("*.py")
        if re.search(r"^(import|from) streamlit", file.read_text(), re.M)
    ]


def test_what_lies_on_many_points_is_drawn_above_them() -> None:
    """WebGL lies above everything else, so a line over points drawn by it must be drawn by it too."""
    few = charts.residuals_against_fitted(fits.many_rows(5_000)).figure
    many = charts.residuals_against_fitted(fits.many_rows(5_000), charts.Marks(most=base.POINTS_ASKED)).figure
    assert {trace.type for trace in few.data} == {"scatter"}
    assert {trace.type for trace in many.data} == {"scattergl"}
    assert [trace.mode for trace in many.data] == [trace.mode for trace in few.data]
    assert np.isfinite(many.data[-1].x).all()


def test_points_say_which_group_a_click_chooses() -> None:
    """The last value that a point carries is its group's place in the labels that the page hands over."""
    augmented = fits.fitted("sleepstudy").augment().rename(columns=str)
    prepared = charts.grouped(augmented, "Days", "Subject", outcome="Reaction")
    for trace in charts.panels(prepared, prepared.labels[2:5]).figure.data[1::3]:
        label = prepared.labels[trace.customdata[0][-1]]
        own = augmented.index[augmented["Subject"].astype(str) == label].astype(str)
        assert [str(each[0]) for each in trace.customdata] == own.tolist()
    levels = [str(level) for level in pd.factorize(augmented["Subject"], sort=True)[1]]
    rows, marks = charts.group_means(augmented, "Subject", outcome="Reaction").figure.data
    assert [levels[place] for _, place in marks.customdata] == [name for name, _ in marks.customdata]
    first = augmented["Subject"].astype(str).loc[augmented.index.astype(str) == str(rows.customdata[0][0])]
    assert levels[rows.customdata[0][-1]] == first.iloc[0]


def test_bars_of_group_sizes_say_which_group_they_are() -> None:
    bars = nesting.group_sizes(np.array([2, 9, 4]), ["a", "b", "c"], "g", chosen="c").figure.data[0]
    assert [list(each) for each in bars.customdata] == [["b", 1], ["c", 2], ["a", 0]]
    assert bars.marker.color[1] != bars.marker.color[0] == bars.marker.color[2]
