"""Fits for the pages: cached by call and content, checked before evaluation, refused in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedcore
from mixedcore.errors import FormulaError, MixedCoreError
from pages.ui import fitting
from pages.ui.data.dataset import Dataset
from pages.ui.model import roles
from pages.ui.model.modelcall import ModelCall

CALL = ModelCall("y ~ x", "g", "1")


def frame(rows: int = 60) -> pd.DataFrame:
    generator = np.random.default_rng(7)
    group = np.arange(rows) % 6
    x = generator.normal(size=rows)
    return pd.DataFrame(
        {
            "y": x + group + generator.normal(size=rows),
            "x": x,
            "g": [f"g{number}" for number in group],
            "h": [f"h{number}" for number in np.arange(rows) % 5],
            "text": [f"row {number}" for number in range(rows)],
        }
    )


def dataset(content: pd.DataFrame | None = None) -> Dataset:
    return Dataset.of("test", frame() if content is None else content, "upload:test.csv")


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    fitting._cached_outcome.clear()
    fitting._large_place.clear()
    fitting.profiled.clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every call of mixedlm that reaches the core, which still answers it."""
    seen: list[dict[str, Any]] = []
    real = mixedcore.mixedlm

    def recorded(formula: str, data: pd.DataFrame, **arguments: Any) -> Any:
        seen.append({"formula": formula, "data": data, **arguments})
        return real(formula, data, **arguments)

    monkeypatch.setattr(mixedcore, "mixedlm", recorded)
    return seen


def test_the_same_question_is_answered_once(asked: list[dict[str, Any]]) -> None:
    first = fitting.fit(CALL, dataset())
    assert fitting.fit(replace(CALL), dataset()) is first
    assert len(asked) == 1


def test_of_large_data_only_the_latest_fits_are_kept(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "LARGE", 60)
    for turn in range(fitting.KEPT_LARGE_FITS):
        fitting.fit(replace(CALL, formula=f"y ~ x + I(x ** {turn + 2})"), dataset())
    latest = replace(CALL, formula="y ~ 1")
    kept = fitting.fit(latest, dataset())
    assert fitting.fit(latest, dataset()) is kept
    assert len(asked) == fitting.KEPT_LARGE_FITS + 1
    fitting.fit(replace(CALL, formula="y ~ x + I(x ** 2)"), dataset())
    assert len(asked) == fitting.KEPT_LARGE_FITS + 2


def test_one_changed_cell_of_many_rows_is_another_question(asked: list[dict[str, Any]]) -> None:
    content = frame(60_000)
    changed = content.copy()
    changed.loc[31_234, "y"] += 1e6
    before, after = fitting.fit(CALL, dataset(content)), fitting.fit(CALL, dataset(changed))
    assert len(asked) == 2
    assert before.scale != after.scale


@pytest.mark.parametrize(
    "change", [{"reml": False}, {"formula": "y ~ 1"}, {"groups": "h"}, {"missing": "raise"}]
)
def test_another_call_is_another_question(asked: list[dict[str, Any]], change: dict[str, Any]) -> None:
    fitting.fit(CALL, dataset())
    fitting.fit(replace(CALL, **change), dataset())
    assert len(asked) == 2


def test_every_part_of_the_call_reaches_the_core(asked: list[dict[str, Any]]) -> None:
    call = ModelCall("y ~ x", "g", "1 + x", (("h", "0 + C(h)"),), reml=False, missing="raise")
    result = fitting.fit(call, dataset())
    (arguments,) = asked
    assert arguments["groups"] == "g"
    assert arguments["re_formula"] == "1 + x"
    assert arguments["vc_formula"] == {"h": "0 + C(h)"}
    assert arguments["missing"] == "raise"
    assert not result.reml


def test_bars_weights_offset_and_a_condition_reach_the_core(asked: list[dict[str, Any]]) -> None:
    data = dataset(frame().assign(w=2.0, o=1.0))
    call = ModelCall("y ~ x + (1 | g) + (1 | h)", "", weights="w", offset="o", subset="x > 0")
    result = fitting.fit(call, data)
    (arguments,) = asked
    assert arguments["groups"] is None
    assert (arguments["weights"], arguments["offset"]) == ("w", "o")
    assert result.nobs == (data.frame["x"] > 0).sum()


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"weights": "nowhere"}, "weights", "no column named 'nowhere'"),
        ({"offset": "text"}, "offset", "must be numbers"),
        ({"subset": "x >"}, "subset", "cannot be read"),
        ({"subset": "text * 2 == 4"}, "subset", "not a number"),
        ({"subset": "__import__('os')"}, "subset", "__import__"),
        (
            {"formula": "y ~ (1 + C(text) | g)", "groups": "", "re_formula": None},
            "formula",
            "60 coefficients",
        ),
        (
            {"formula": "y ~ (1 | nowhere)", "groups": "", "re_formula": None},
            "formula",
            "no column 'nowhere'",
        ),
    ],
)
def test_what_stands_beside_the_formula_is_checked(change: dict[str, Any], field: str, said: str) -> None:
    assert said in fitting.problems(replace(CALL, **change), roles.profile(frame()))[field]


def test_a_condition_that_no_row_meets_is_a_sentence() -> None:
    with pytest.raises(MixedCoreError, match="No rows are left"):
        fitting.fit(replace(CALL, subset="x > 1000"), dataset())


def test_one_group_is_ones(asked: list[dict[str, Any]]) -> None:
    fitting.fit(ModelCall("y ~ x", "", None, (("g", "0 + C(g)"), ("h", "0 + C(h)"))), dataset())
    assert asked[0]["groups"].tolist() == [1.0] * 60


def test_formulas_do_not_see_the_app(asked: list[dict[str, Any]]) -> None:
    fitting.fit(CALL, dataset())
    assert "mixedcore" not in asked[0]["eval_env"].namespace
    assert "__builtins__" not in asked[0]["eval_env"].namespace


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ __import__('os').system('true')",
        "y ~ x.__class__",
        "y ~ (lambda: x)()",
        "y ~ open('file')",
        "y ~ mixedcore",
        "y ~ nowhere",
        "y ~ x[0]",
        "y ~ np.random.normal(x)",
        "y ~ 10**10**10",
        "y ~ bs(x, df=10**6)",
        "y ~ (" * 300,
        "",
    ],
)
@pytest.mark.parametrize("field", ["formula", "re_formula", "vc_formula"])
def test_a_hostile_formula_never_reaches_the_core(
    asked: list[dict[str, Any]], field: str, formula: str
) -> None:
    text = formula if field == "formula" else formula.removeprefix("y ~ ")
    change: dict[str, Any] = {field: (("v", text),) if field == "vc_formula" else text}
    with pytest.raises(FormulaError):
        fitting.fit(replace(CALL, **change), dataset())
    assert asked == []


def test_text_is_not_calculated_with(asked: list[dict[str, Any]]) -> None:
    with pytest.raises(FormulaError, match="'text', which is not a number"):
        fitting.fit(replace(CALL, formula="y ~ I(text * 1000)"), dataset())
    assert asked == []


def test_a_formula_too_wide_for_the_data_is_refused(asked: list[dict[str, Any]]) -> None:
    with pytest.raises(FormulaError):
        fitting.fit(replace(CALL, formula="y ~ C(text):C(h)"), dataset(frame(600)))
    assert asked == []


def test_a_component_may_have_any_number_of_levels() -> None:
    call = replace(CALL, vc_formula=(("text", "0 + C(text)"),))
    assert fitting.problems(call, roles.profile(frame(5_000))) == {}


@pytest.mark.parametrize(
    ("formula", "able"),
    [
        ("0 + C(text):C(h)", True),
        ("0 + C(text):C(h):C(g)", True),
        ("C(text):C(h)", False),  # with an intercept, or with a coding, they are columns
        ("0 + C(text, Sum):C(h)", False),
        ("0 + C(text) + C(text):C(h)", False),
    ],
)
def test_crossed_categories_are_codes_as_well(formula: str, able: bool) -> None:
    """Of two columns of 2,000 and 500 levels, the combinations that occur are fitted in half a second."""
    call = replace(CALL, vc_formula=(("v", formula),))
    found = fitting.problems(call, roles.profile(frame(20_000)))
    assert (found == {}) is able


def test_many_crossed_categories_are_fitted_without_their_columns() -> None:
    generator = np.random.default_rng(1)
    content = pd.DataFrame(
        {
            "y": generator.normal(size=4_000),
            "a": np.repeat(np.arange(2_000), 2),
            "b": np.repeat(generator.integers(0, 500, 2_000), 2),
            "g": np.arange(4_000) // 400,
        }
    )
    fit = fitting.fit(ModelCall("y ~ 1", "g", "1", (("ab", "0 + C(a):C(b)"),)), dataset(content))
    assert list(fit.model.exog_vc.names) == ["ab"]


def test_too_many_correlated_slopes_are_refused() -> None:
    found = fitting.problems(replace(CALL, re_formula="1 + C(text)"), roles.profile(frame()))
    assert list(found) == ["re_formula"]
    assert "60 coefficients" in found["re_formula"]


def test_the_most_correlated_slopes_that_are_allowed_are_allowed() -> None:
    most = pd.DataFrame({"y": np.arange(60.0), "g": np.tile(list("ab"), 30)}).assign(
        most=np.arange(60) % fitting.MOST_SLOPES, more=np.arange(60) % (fitting.MOST_SLOPES + 1)
    )
    columns, call = roles.profile(most), ModelCall("y ~ 1", "g")
    assert not fitting.problems(replace(call, re_formula="1 + C(most)"), columns)
    refused = fitting.problems(replace(call, re_formula="1 + C(more)"), columns)
    assert f"{fitting.MOST_SLOPES + 1} coefficients" in refused["re_formula"]


def test_problems_name_their_field() -> None:
    rows = (("a", "0 + C(h)"), ("a", "0 + nowhere"), (" ", "0 + x"))
    found = fitting.problems(ModelCall("y ~", "nobody", "x +", rows), roles.profile(frame()))
    assert set(found) == {"formula", "re_formula", "vc_formula.1", "groups", "vc_name.1", "vc_name.2"}


def test_a_refusal_is_found_once_and_raised_afresh(asked: list[dict[str, Any]]) -> None:
    call = replace(CALL, formula="text ~ x")
    errors = []
    for _ in range(2):
        with pytest.raises(MixedCoreError) as caught:
            fitting.fit(call, dataset())
        errors.append(caught.value)
    assert len(asked) == 1
    assert errors[0] is not errors[1]
    assert str(errors[0]) == str(errors[1])
    assert type(errors[0]) is type(errors[1])


def test_a_bug_is_not_taken_for_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("bug")

    monkeypatch.setattr(mixedcore, "mixedlm", broken)
    with pytest.raises(KeyError):
        fitting.fit(CALL, dataset())


@pytest.mark.parametrize(
    ("groups", "field", "said"),
    [("", "groups", "Nothing groups the rows yet"), ("g", "re_formula", "Nothing differs between the")],
)
def test_a_model_without_random_effects_says_what_to_choose(groups: str, field: str, said: str) -> None:
    data = dataset()
    call = ModelCall("y ~ x", groups, "0")
    assert said in fitting.problems(call, roles.profile(data.frame))[field]
    assert not fitting.problems(replace(call, vc_formula=(("h", "0 + C(h)"),)), roles.profile(data.frame))
    with pytest.raises(FormulaError, match=said):
        fitting.fit(call, data)
