"""Tables of a fit show significant digits and readable names, and export numbers in full."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pages.ui import tables
from tests.pages import fits


def test_fixed_effects_of_sleepstudy() -> None:
    table = tables.fixed_effects(fits.fitted("sleepstudy").tidy(effects="fixed"))
    assert table.shown["Term"].tolist() == ["Intercept", "Days"]
    assert table.shown["Estimate"].tolist() == ["251.41", "10.47"]
    assert table.shown["p"].tolist() == ["< 0.001", "< 0.001"]
    assert "t" in table.shown
    assert table.raw["estimate"][1] == pytest.approx(10.467286, abs=1e-6)


def test_a_normal_test_has_no_df_and_is_called_z() -> None:
    tidy = fits.fitted("sleepstudy").tidy(effects="fixed", ddf="normal")
    table = tables.fixed_effects(tidy, 0.9)
    assert list(table.shown.columns) == [
        "Term",
        "Estimate",
        "Standard error",
        "z",
        "p",
        "Lower 90%",
        "Upper 90%",
    ]


def test_variance_components_of_sleepstudy() -> None:
    table = tables.variance_components(fits.fitted("sleepstudy").tidy(effects="random"))
    assert table.shown["Group"].tolist() == ["Subject", "Subject", "Residual"]
    assert table.shown["Variance"].tolist() == ["612.09", "35.07", "654.94"]
    assert table.shown["SD"].tolist() == ["24.740", "5.922", "25.592"]
    assert [name for name in table.shown if name.startswith("SD ")] == ["SD lower 95%", "SD upper 95%"]


def test_a_zero_variance_shows_no_interval() -> None:
    table = tables.variance_components(fits.fitted("Dyestuff2").tidy(effects="random"))
    assert table.shown["SD lower 95%"].tolist()[0] == "–"
    assert float(table.shown["SD"][0]) == 0


def test_fit_statistics_leave_out_what_has_no_value() -> None:
    glance = fits.fitted("sleepstudy").glance().assign(reml_criterion=np.nan)
    shown = tables.fit_statistics(glance).shown.set_index("Statistic")["Value"]
    assert "REML criterion" not in shown
    assert shown["Rows"] == "180"
    assert shown["Log-likelihood"] == "−871.814"


def test_what_rounding_left_of_zero_is_zero() -> None:
    shown = tables.fit_statistics(fits.fitted("Dyestuff2").glance()).shown.set_index("Statistic")["Value"]
    assert shown["R², predictors alone (marginal)"] == "0"


def test_group_effects_are_ranked() -> None:
    table = tables.group_effects(fits.many_effects(500))
    assert table.values["Rank"].tolist() == list(range(1, 501))
    assert table.values["Effect"].is_monotonic_decreasing


def test_numbers_keep_their_type_and_show_their_text() -> None:
    """Streamlit sets a column to the right when it holds numbers."""
    table = tables.fixed_effects(fits.fitted("sleepstudy").tidy(effects="fixed"))
    styled = tables._styled(table)
    assert pd.api.types.is_float_dtype(styled.data["Estimate"].dtype)
    assert "251.41".replace(".", "\\.") in styled.to_html()


def test_hostile_names_are_escaped_in_the_table() -> None:
    table = tables.fixed_effects(fits.hostile().tidy(effects="fixed"))
    cells = tables._styled(table).data["Term"].tolist()
    assert not [cell for cell in cells if ":red[" in cell or "`*" in cell]
