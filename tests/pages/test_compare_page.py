"""The Compare page through app.py: keep, rename, remove, common rows, bootstrap with progress."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from streamlit.testing.v1 import AppTest

from mixedcore import datasets
from pages.ui import jobs, state
from pages.ui.data.dataset import Dataset
from pages.ui.model.kept import Kept
from pages.ui.model.modelcall import ModelCall
from tests.pages import fits

NULL = ModelCall("Reaction ~ 1", "Subject")
DAYS = ModelCall("Reaction ~ Days", "Subject")
SLOPE = ModelCall("Reaction ~ Days", "Subject", "1 + Days")


def with_kept(*calls: ModelCall, frame: object = None) -> AppTest:
    data = datasets.load("sleepstudy") if frame is None else frame
    dataset = Dataset.of("sleep", data, "upload:sleep.csv")  # type: ignore[arg-type]
    app = AppTest.from_file(fits.APP, default_timeout=fits.TIMEOUT)
    app.session_state[state._DATASET] = app.session_state[state._ALL_ROWS] = dataset
    app.session_state[state._CALL] = SLOPE
    app.session_state[state._KEPT] = tuple(
        Kept(f"Model {number}", call, dataset) for number, call in enumerate(calls, 1)
    )
    return app.run().switch_page("pages/compare.py").run()


def shown(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(fits.texts(app))


def test_models_are_kept_one_after_the_other_and_compared() -> None:
    app = fits.opened("compare", "sleepstudy")
    assert "No model is kept yet" in shown(app)
    app.button(key="compare_keep").click().run()
    assert "Kept as “Model 1”" in shown(app)
    app.session_state[state._CALL] = DAYS
    app.run()
    app.button(key="compare_keep").click().run()
    assert "**Model 1** fits better than **Model 2**" in shown(app)
    assert "REML likelihoods can be compared" in shown(app)


def test_different_predictors_are_compared_by_ml_and_that_is_said() -> None:
    app = with_kept(NULL, DAYS)
    assert "fitted by full maximum likelihood (ML)" in shown(app)
    assert app.session_state[state._KEPT][0].call.reml


def test_a_model_is_renamed_taken_up_again_and_removed() -> None:
    app = with_kept(NULL, DAYS)
    app.text_input(key="kept_name_0").set_value("Model 2").run()
    assert [each.name for each in app.session_state[state._KEPT]] == ["Model 2 2", "Model 2"]
    app.text_input(key="kept_name_0").set_value("nothing").run()
    app.button(key="kept_use_0").click().run()
    assert app.session_state[state._CALL] == NULL
    app.button(key="kept_remove_1").click().run()
    assert [each.name for each in app.session_state[state._KEPT]] == ["nothing"]
    assert "One model alone" in shown(app)


def test_other_rows_are_refused_with_one_click_that_mends_it() -> None:
    frame = datasets.load("sleepstudy").assign(z=lambda data: np.sin(data.index))
    frame.loc[[3, 50, 51], "z"] = np.nan
    app = with_kept(DAYS, ModelCall("Reaction ~ Days + z", "Subject"), frame=frame)
    assert "**177 rows** are used by all" in shown(app)
    assert not app.get("plotly_chart")
    app.button(key="compare_common").click().run()
    assert "use different rows" not in shown(app)
    assert "**AIC** is lowest" in shown(app)
    assert len(app.session_state[state._DATASET].frame) == 180


def test_a_model_that_cannot_be_fitted_leaves_the_others() -> None:
    app = with_kept(NULL, DAYS, ModelCall("Reaction ~ nothing", "Subject"))
    assert "“Model 3” cannot be fitted" in shown(app)
    assert "**Model 2** fits better than **Model 1**" in shown(app)


def test_a_bootstrap_runs_beside_the_page_and_gives_its_p_value() -> None:
    app = with_kept(DAYS, SLOPE)
    app.number_input(key="compare_n").set_value(200).run()
    app.button(key="compare_run").click().run()
    (job,) = app.session_state[state._JOBS].values()
    job.future.result()
    app.run()
    assert "**Model 2** against **Model 1** by parametric bootstrap: χ² = 42.84" in shown(app)
    assert "p = 0.005" in shown(app)
    app.text_input(key="kept_name_1").set_value("slopes").run()
    assert "**slopes** against **Model 1** by parametric bootstrap" in shown(app)


def test_a_bootstrap_is_not_shown_for_other_models_of_the_same_names() -> None:
    app = with_kept(DAYS, SLOPE)
    app.number_input(key="compare_n").set_value(100).run()
    app.button(key="compare_run").click().run()
    (job,) = app.session_state[state._JOBS].values()
    job.future.result()
    one, other = app.session_state[state._KEPT]
    app.session_state[state._KEPT] = (replace(one, call=NULL), replace(other, call=DAYS))
    app.run()
    assert [each.name for each in app.session_state[state._KEPT]] == ["Model 1", "Model 2"]
    assert not app.exception
    assert "by parametric bootstrap:" not in shown(app)


def test_work_can_be_cancelled() -> None:
    app = with_kept(DAYS, SLOPE)

    def work(progress: object, cancel: object) -> str:
        cancel.wait()  # type: ignore[attr-defined]
        return "stopped"

    job = jobs.Job(work)
    job.task.progress(1, 4)
    assert job.words().startswith(("1 of 4 done", "Waiting"))
    app.button(key="compare_run").click().run()
    (key,) = app.session_state[state._JOBS]
    app.session_state[state._JOBS] = {key: job}
    app.run()
    app.button(key=f"{key}_cancel").click().run()
    assert job.task.stop.is_set()
    assert job.outcome == "stopped"
    assert app.session_state[state._JOBS][key] is None
    assert not app.exception


def test_a_kept_model_shows_its_program() -> None:
    app = fits.opened("compare", "sleepstudy")
    app.button(key="compare_keep").click().run()
    made = app.session_state[state._KEPT][0].made
    assert made is not None
    assert (made.steps, made.exclusions) == ((), ())
    app.session_state["kept_program_0"] = True
    app.run()
    assert 'datasets.load("sleepstudy")' in app.get("code")[0].value
    other = with_kept(NULL, DAYS)
    other.session_state["kept_program_1"] = True
    other.run()
    assert "is not known any more" in shown(other)
