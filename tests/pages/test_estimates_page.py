"""The Estimates page through app.py: tables, verdict, level of intervals, script, hostile names."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.model.modelcall import ModelCall
from pages.ui.results import estimates_view as view
from tests.pages import fits


def opened_tab(tab: str, example: str = "sleepstudy") -> AppTest:
    """The page with one of its sections open."""
    app = fits.opened("estimates", example)
    app.session_state["estimates_tabs"] = tab
    return app.run()


def test_an_example_shows_tables_charts_and_the_verdict() -> None:
    app = fits.opened("estimates", "sleepstudy")
    assert not app.exception
    assert "converged" in app.success[0].value
    fixed, components, steps = (table.value for table in app.table)
    assert fixed["Estimate"].tolist() == pytest.approx([251.405, 10.4673], rel=1e-5)
    assert components["SD"].tolist() == pytest.approx([24.7405, 5.9221, 25.5918], rel=1e-4)
    assert steps["Step"].tolist() == ["Null model", "Days", "Random slopes"]
    assert len(fits.charts_of(app)) == 3
    assert "10.5 ms higher" in " ".join(fits.texts(app))


def test_the_level_changes_every_interval() -> None:
    app = fits.opened("estimates", "sleepstudy")
    app.segmented_control(key="estimates_level").set_value(0.99).run()
    assert "Lower 99\\%" in app.table[0].value
    assert "SD lower 99\\%" in app.table[1].value
    assert "99% interval" in " ".join(fits.texts(app)).replace("\\", "")


def test_the_intercept_is_drawn_when_asked() -> None:
    app = fits.opened("estimates", "sleepstudy")
    assert fits.charts_of(app)[0]["layout"]["yaxis"]["ticktext"] == ["Days"]
    app.toggle(key="estimates_intercept").set_value(True).run()
    assert fits.charts_of(app)[0]["layout"]["yaxis"]["ticktext"] == ["Intercept", "Days"]


def test_a_singular_fit_says_which_component_and_what_it_means() -> None:
    app = fits.opened("estimates", "Dyestuff2")
    assert not app.exception
    assert "singular" in app.warning[0].value
    said = " ".join(fits.texts(app))
    assert "Batch" in said
    assert "What to try" in said


def test_the_summary_and_the_script_give_the_same_model() -> None:
    app = opened_tab(view.TABS[3])
    blocks = [block.value for block in app.code]
    assert any("Mixed Linear Model Regression Results" in block for block in blocks)
    assert any("from mixedcore import mixedlm" in block for block in blocks)


def test_without_data_there_is_an_invitation() -> None:
    app = (
        AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT)
        .run()
        .switch_page("pages/estimates.py")
        .run()
    )
    assert not app.exception
    assert not app.table
    app.button(key="invitation_example").click().run()
    assert app.table


def test_a_model_that_cannot_be_fitted_is_one_plain_sentence() -> None:
    call = ModelCall("nothing ~ 1", fits.GROUP)
    app = fits.opened_with("estimates", fits.hostile_data(), call)
    assert not app.exception
    assert len(app.error) == 1
    assert "nothing" in app.error[0].value


def test_hostile_names_stay_text() -> None:
    app = fits.opened_with("estimates", fits.hostile_data(), fits.HOSTILE_CALL)
    assert not app.exception
    assert app.table
    for said in fits.texts(app):
        assert ":red[" not in said
        assert "](http" not in said
        assert "$a$" not in said
    for table in app.table:
        assert not [cell for cell in table.value.to_numpy().ravel() if ":red[" in str(cell)]
