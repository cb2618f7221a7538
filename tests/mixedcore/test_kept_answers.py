"""What fits from a file and fits without rows tell, and files that somebody has changed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedCoreError, MixedLMResults, datasets, mixedlm
from mixedcore.errors import DataError
from tests.mixedcore.test_answers import MODELS, QUESTIONS

KEPT = ("groups", "bars", "component", "crossed", "weights and offset", "factors")


def through_a_file(result: MixedLMResults, change: Callable[[str], str] = str) -> Any:
    """The result saved, its text changed, and loaded."""
    file = io.BytesIO()
    result.save(file)
    changed = io.BytesIO()
    with zipfile.ZipFile(file) as found, zipfile.ZipFile(changed, "w") as into:
        for name in found.namelist():
            content = found.read(name)
            into.writestr(name, change(content.decode()).encode() if name.endswith(".json") else content)
    return MixedLMResults.load(changed)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("name", KEPT)
def test_a_fit_without_rows_answers_or_says_what_it_lacks(name: str, question: str) -> None:
    ask, suits = QUESTIONS[question]
    result = MODELS[name]().fit()
    result.remove_data()
    try:
        found = ask(result)
    except MixedCoreError as refusal:
        assert "rows" in str(refusal) or "data" in str(refusal)  # noqa: PT017 - either of the two will do
    else:
        assert suits(found)


@pytest.mark.parametrize("name", ["groups", "bars", "component", "nested"])
def test_a_loaded_fit_predicts_new_rows_with_their_random_effects(name: str) -> None:
    result = MODELS[name]().fit()
    rows = result.model.used_columns().head(7)
    loaded = through_a_file(result)
    for interval in ("confidence", "prediction"):
        one, other = (r.predict(rows, random="all", interval=interval) for r in (result, loaded))
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    "code", ["__import__('os').getcwd()", "np.load('x')", "cask.map(print)", "(lambda: 1)()"]
)
def test_code_in_a_changed_file_is_refused_before_it_is_evaluated(code: str) -> None:
    result = MODELS["component"]().fit()
    assert through_a_file(result).fe_params.equals(result.fe_params)
    with pytest.raises(DataError):
        through_a_file(result, lambda text: text.replace("C(cask)", code.replace('"', "'")))


def test_a_module_in_a_changed_file_is_refused() -> None:
    data = datasets.load("Pastes").assign(x=np.arange(60.0))
    result = mixedlm(
        "strength ~ 1", data, groups="batch", vc_formula={"x": "0 + np.sqrt(x)", "cask": "0 + C(cask)"}
    ).fit()
    assert np.isfinite(through_a_file(result).llf)
    with pytest.raises(DataError, match="module"):
        through_a_file(result, lambda text: text.replace('"numpy"', '"antigravity"'))
