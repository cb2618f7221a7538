"""The Estimates page through app.py: tables, verdict, level of intervals, script, hostile names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from mixedcore import datasets
from pages.ui import jobs
from pages.ui.model.modelcall import ModelCall
from pages.ui.results import computed
from pages.ui.results import estimates_view as view
from tests.pages import fits


def said(app: AppTest) -> str:
    """All that the page says, without the marks of Markdown."""
    return " ".join(fits.texts(app)).replace("\\", "").replace("**", "")


def opened_tab(tab: str, example: str = "sleepstudy") -> AppTest:
    """The page with one of its sections open."""
    app = fits.opened("estimates", example)
    app.session_state["estimates_tabs"] = tab
    return app.run()


def test_an_example_shows_tables_charts_and_the_verdict() -> None:
    app = fits.opened("estimates", "sleepstudy")
    assert not app.exception
    assert "converged" in app.success[0].value
    fixed, components, correlations, steps = (table.value for table in app.table)
    assert fixed["Estimate"].tolist() == pytest.approx([251.405, 10.4673], rel=1e-5)
    assert components["SD"].tolist() == pytest.approx([24.7405, 5.9221, 25.5918], rel=1e-4)
    assert correlations["Correlation"].tolist() == pytest.approx([0.0656], rel=1e-2)
    unbroken = [step.replace("\N{NO-BREAK SPACE}", " ") for step in steps["Step"]]
    assert unbroken == ["Null model", "Days", "Random slopes"]
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


# --- how it is computed ------------------------------------------------------------------------------------


def test_crossed_factors_are_counted_by_their_own_levels() -> None:
    app = fits.opened("estimates", "Penicillin")
    assert (app.metric[0].value, app.metric[0].delta) == ("144", "in 24 and 6 groups")


def test_degrees_of_freedom_change_tests_and_words() -> None:
    app = fits.opened("estimates", "sleepstudy")
    app.selectbox(key="estimates_ddf").set_value("normal").run()
    assert not app.exception
    assert "z" in app.table[0].value
    assert "z = 6.77" in said(app)
    app.selectbox(key="estimates_ddf").set_value("kenward-roger").run()
    assert "Kenward and Roger" in said(app)


def test_kenward_roger_after_ml_is_explained_and_offered() -> None:
    call = ModelCall("Reaction ~ Days", "Subject", "1 + Days", reml=False)
    app = fits.opened_with("estimates", datasets.load("sleepstudy"), call)
    app.selectbox(key="estimates_ddf").set_value("kenward-roger").run()
    assert not app.exception
    assert "needs a REML fit" in said(app)
    app.button(key="estimates_reml").click().run()
    assert not app.exception
    assert "needs a REML fit" not in said(app)
    assert "Standard errors and degrees of freedom by Kenward and Roger" in said(app)


def test_profile_intervals_fill_both_tables() -> None:
    app = fits.opened("estimates", "sleepstudy")
    wald = app.table[0].value["Lower 95\\%"].tolist()
    app.selectbox(key="estimates_intervals").set_value("profile").run()
    assert not app.exception
    assert app.table[0].value["Lower 95\\%"].tolist() != wald
    assert app.table[1].value["SD lower 95\\%"].tolist() == pytest.approx([14.38, 3.801, 22.898], rel=1e-3)


def test_a_bootstrap_waits_for_its_button() -> None:
    app = fits.opened("estimates", "Dyestuff")
    app.selectbox(key="estimates_intervals").set_value("bootstrap").run()
    assert "Wald intervals are shown" in said(app)
    fits.finish(app, "Run the bootstrap")
    assert not app.exception
    assert "1,000 data sets drawn from the model" in said(app)
    app.segmented_control(key="estimates_level").set_value(0.9).run()
    assert "Run the bootstrap" not in [button.label for button in app.button]


def test_a_long_profile_waits_for_its_button_and_each_level_for_its_own() -> None:
    app = fits.opened("estimates", "classrooms")
    app.selectbox(key="estimates_intervals").set_value("profile").run()
    wald = app.table[0].value["Lower 95\\%"].tolist()
    assert "Wald intervals are shown" in said(app)
    fits.finish(app, "Run the profile likelihood")
    assert not app.exception
    assert app.table[0].value["Lower 95\\%"].tolist() != wald
    assert "Run the profile likelihood" not in [button.label for button in app.button]
    app.segmented_control(key="estimates_level").set_value(0.9).run()
    assert "Run the profile likelihood" in [button.label for button in app.button]


def test_long_steps_wait_for_their_button(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computed, "QUICK_LEVELS", 1)
    jobs.kept.clear()  # type: ignore[attr-defined]
    app = opened_tab(view.TABS[0])
    assert "Variance left at each step" not in said(app)
    fits.finish(app, "Fit it step by step")
    assert not app.exception
    assert app.table[-1].value["Step"].iloc[0] == "Null\u00a0model"


def test_standardised_coefficients_are_a_further_column() -> None:
    app = fits.opened("estimates", "sleepstudy")
    app.toggle(key="estimates_standardised").set_value(True).run()
    column = app.table[0].value["Standardised"].tolist()
    data = datasets.load("sleepstudy")
    assert column[1] == pytest.approx(10.4673 * data["Days"].std() / data["Reaction"].std(), rel=1e-4)
    assert column[0] != column[0]


# --- the sections ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", [1, 2, 3])
def test_f_tests_of_each_type(type_: int) -> None:
    app = opened_tab(view.TABS[1], "Machines")
    app.segmented_control(key="estimates_type").set_value(type_).run()
    assert not app.exception
    assert app.table[2].value["Term"].tolist() == ["Machine"]
    assert f"Type {'I' * type_}:" in said(app)


def test_fit_statistics_and_shares_by_level() -> None:
    app = opened_tab(view.TABS[2], "classrooms")
    statistics, shares = (table.value for table in app.table[3:])
    assert "AIC" in statistics["Statistic"].tolist()
    assert shares["Between levels of"].tolist() == ["school", "classroom"]


def test_the_reading_can_be_copied_as_text_with_its_tests() -> None:
    blocks = [block.value for block in fits.opened("estimates", "sleepstudy").code]
    assert any("Reaction is 10.5 ms higher on average" in block for block in blocks)
    assert any("Days: t(17) = 6.77, p < .001" in block for block in blocks)


# --- odd models --------------------------------------------------------------------------------------------


def many_levels() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 1_000
    kind = np.char.add("level ", (np.arange(n) % 100).astype(str))
    return pd.DataFrame(
        {"y": rng.normal(size=n), "kind": kind, "g": rng.integers(0, 25, n), "x": rng.normal(size=n)}
    )


@pytest.mark.parametrize(
    "call",
    [
        ModelCall("y ~ 0", "g", "1"),
        ModelCall("y ~ 0 + x", "g", "1"),
        ModelCall("y ~ 1", "g", "0 + x"),
        ModelCall("y ~ x", "g", "0 + x", reml=False),
        ModelCall("y ~ x + I(2 * x)", "g", "1"),
        ModelCall("y ~ x", "", None, (("g", "0 + C(g)"), ("kind", "0 + C(kind)"))),
        ModelCall("y ~ kind", "g", "1"),
        ModelCall("np.exp(y) ~ bs(x, df=4)", "g", "1 + x"),
    ],
    ids=lambda call: f"{call.formula} {call.re_formula}",
)
def test_odd_models_have_no_gaps(call: ModelCall) -> None:
    app = fits.opened_with("estimates", many_levels(), call)
    for tab in view.TABS:
        app.session_state["estimates_tabs"] = tab
        app.run()
        assert not app.exception
        assert "nan" not in said(app).split()


def test_an_aliased_column_is_named() -> None:
    app = fits.opened_with("estimates", many_levels(), ModelCall("y ~ x + I(2 * x)", "g", "1"))
    assert "Some fixed effects cannot be told apart" in said(app)
    assert "I(2 * x)" in said(app)


def test_a_hundred_levels_are_thinned_in_the_picture_and_read_together() -> None:
    app = fits.opened_with("estimates", many_levels(), ModelCall("y ~ kind", "g", "1"))
    assert len(app.table[0].value) == 100
    assert len(fits.charts_of(app)[0]["layout"]["yaxis"]["ticktext"]) == 40
    assert "Only the 40 of 99 coefficients" in said(app)
    assert "has 99 coefficients" in said(app)
