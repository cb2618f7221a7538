"""The reading says what the model says: every comparison is checked against the model's own predictions."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedcore import MixedLMResults, mixedlm
from mixedcore.formula import safe_environment
from pages.ui.results import narrative, phrases, reading
from pages.ui.results.facts import Facts, facts, outcome, units_of
from pages.ui.results.meaning import Against, Slope, Within, Zero
from pages.ui.results.voice import MARKDOWN, PLAIN
from tests.pages import fits


@cache
def data() -> pd.DataFrame:
    """Twelve groups, three numbers and three categories, none of them at rest."""
    rng = np.random.default_rng(1)
    n = 240
    frame = pd.DataFrame(
        {
            "g": np.arange(n) % 12,
            "x": rng.normal(size=n) + 3,
            "z": rng.uniform(1, 9, n),
            "t": rng.integers(0, 2, n),
            "a": rng.choice(["A", "B", "C"], n),
            "k": rng.choice(["k1", "k2", "k3", "k4"], n),
            "b": rng.random(n) > 0.5,
        }
    )
    return frame.assign(y=np.exp(rng.normal(size=n) * 0.3 + frame["x"] * 0.1 + (frame["a"] == "B") * 0.2))


@cache
def fit(formula: str, **options: Any) -> MixedLMResults:
    return mixedlm(formula, data(), groups="g", eval_env=safe_environment(), **options).fit()


def sentences(formula: str, **options: Any) -> list[str]:
    result = fit(formula, **options)
    return reading.fixed_effects(result.tidy(), facts(result), PLAIN, tests=result.anova())


def said(formula: str, **options: Any) -> str:
    return " ".join(sentences(formula, **options))


# --- every comparison, against predictions -----------------------------------------------------------------

FORMULAS = [
    "y ~ x",
    "y ~ a * x",
    "y ~ a * b",
    "y ~ a * b * x",
    "y ~ C(k, Helmert) + t",
    "y ~ C(k, Sum) * b",
    "y ~ C(k, Sum) * x",
    "y ~ C(k, Diff) * z",
    "y ~ C(k, Treatment(reference='k3')) * C(a, Sum)",
    "y ~ C(b, Sum) * x",
    "y ~ 0 + a + x",
    "y ~ 0 + a:b",
    "y ~ a:x",
    "y ~ a + a:x",
    "y ~ a + a:b",
    "y ~ a:b",
    "y ~ x * z",
    "y ~ I(x / 10) + I(5 - z)",
    "y ~ I((x - 3) * 2) * a",
    "y ~ t * x",
    "y ~ np.log(z) + np.log2(x + 10)",
    "y ~ np.log10(z) * a",
    "y ~ np.log1p(z)",
    "y ~ center(x) * a",
    "y ~ Q('x') + C(t)",
]


def moved(part: Any, base: dict[str, float | str | bool]) -> list[tuple[float, dict[str, Any]]]:
    """(weight, change) of the points that a part compares, seen from `base`."""
    if isinstance(part, Within):
        return [(1.0, {part.variable: level_of(part, part.level)})]
    if isinstance(part, Against):
        low = [(-1 / len(part.others), {part.variable: level_of(part, other)}) for other in part.others]
        return [(1.0, {part.variable: level_of(part, part.level)}), *low]
    step: Any = part.step
    at = float(base[step.name])
    if step.kind == "pair":
        return [(1.0, {step.name: step.low + step.size}), (-1.0, {step.name: step.low})]
    if step.kind == "log":
        return [(1.0, {step.name: (at + step.shift) * step.size - step.shift}), (-1.0, {step.name: at})]
    return [(1.0, {step.name: at + step.size}), (-1.0, {step.name: at})]


def level_of(part: Any, label: str) -> Any:
    if part.boolean:
        return label == "True"
    return int(label) if part.variable == "t" else label


def placed(zeros: tuple[Zero, ...]) -> list[tuple[float, dict[str, Any]]]:
    """(weight, values) of the points where a coefficient holds."""
    points: list[tuple[float, dict[str, Any]]] = [(1.0, {})]
    for zero in zeros:
        if zero.average:
            levels = sorted(data()[zero.name].unique())
            choices = [(1 / len(levels), level) for level in levels]
        elif zero.level is not None:
            choices = [(1.0, level_of(Within(zero.name, zero.level, zero.boolean), zero.level))]
        else:
            choices = [(1.0, zero.value)]
        points = [(w * v, {**p, zero.name: value}) for w, p in points for v, value in choices]
    return points


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_coefficient_is_the_difference_that_it_is_read_as(formula: str) -> None:
    result = fit(formula)
    known = facts(result)
    base = {"x": 2.5, "z": 4.0, "t": 1, "a": "B", "k": "k2", "b": True}
    for name, coefficient in known.coefficients.items():
        factor = 1.0
        points = [(w, base | values) for w, values in placed(coefficient.given)]
        for part in coefficient.parts:
            if isinstance(part, Slope):
                factor *= part.step.multiplier
            elif isinstance(part, Against):
                factor *= part.multiplier
            points = [(w * v, p | change) for w, p in points for v, change in moved(part, p)]
        grid = pd.DataFrame([values for _, values in points])
        predicted = result.predict(grid).to_numpy() @ [weight for weight, _ in points]
        assert predicted == pytest.approx(result.fe_params[name] * factor, abs=1e-8), (name, coefficient)


@pytest.mark.parametrize("formula", [*FORMULAS, "y ~ bs(x, df=4) * a", "y ~ x + I(x**2)", "y ~ C(a, Poly)"])
def test_every_term_is_read_and_no_sentence_is_empty(formula: str) -> None:
    for sentence in sentences(formula):
        assert sentence.endswith(".")
        assert "nan" not in sentence
        assert sentence[0].isupper() or not sentence[0].isalpha() or len(sentence) > 20


# --- direction, size, uncertainty --------------------------------------------------------------------------


def table(term: str, estimate: float, low: float, high: float) -> pd.DataFrame:
    columns = {"term": [term], "estimate": [estimate], "std_error": [1.0], "statistic": [estimate]}
    return pd.DataFrame(columns | {"df": [17.0], "p_value": [0.03], "conf_low": [low], "conf_high": [high]})


def read(term: str, estimate: float, low: float, high: float, known: Facts | None = None) -> str:
    known = facts(fit("y ~ x + a"), {"y": "ms"}) if known is None else known
    return reading.fixed_effects(table(term, estimate, low, high), known, PLAIN)[-1]


def test_the_example_is_read_with_its_units() -> None:
    result = fits.fitted("sleepstudy")
    read_ = reading.fixed_effects(result.tidy(), facts(result, units_of("example:sleepstudy")), PLAIN)
    assert read_ == [
        "At Days = 0, the expected Reaction is 251 ms (the intercept; 95% interval 237 to 266).",
        "Per additional unit of Days (days), Reaction is 10.5 ms higher on average (95% interval 7.2 to 13.7"
        "; t(17) = 6.77, p < .001).",
    ]


def test_a_negative_effect_is_lower_and_its_interval_keeps_its_sign() -> None:
    assert "y is 3.20 ms lower on average (95% interval −5.30 to −1.10;" in read("x", -3.2, -5.3, -1.1)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (0.0, 2.0), (-1.0, 0.0)])
def test_an_interval_over_zero_never_says_that_there_is_no_effect(low: float, high: float) -> None:
    sentence = read("x", (low + high) / 2, low, high)
    assert "compatible with no difference" in sentence
    assert "there is no" not in sentence.lower()
    assert "no effect" not in sentence


def test_what_an_open_interval_leaves_open() -> None:
    assert "anything from 1.00 lower to 2.00 higher" in read("x", 0.5, -1.0, 2.0)
    assert "anything from no difference to 2.00 higher" in read("x", 1.0, 0.0, 2.0)


def test_an_effect_of_exactly_nothing_and_one_without_interval() -> None:
    assert "y is the same on average" in read("x", 0.0, -1.0, 1.0)
    assert "no interval could be computed" in read("x", 1.0, np.nan, np.nan)


def test_a_difference_names_both_levels() -> None:
    assert read("a[T.C]", 1.5, 1.0, 2.0).startswith("For C compared with A (a), y is 1.50 ms higher")


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y ~ t", "Where t is 1 rather than 0, y is"),
        ("y ~ b", "Where b is true rather than false, y is"),
        ("y ~ C(k, Sum)", "For k1 compared with the mean of all levels of k, y is"),
        ("y ~ C(k, Helmert)", "For k3 compared with the mean of k1 and k2 (k), y is"),
        ("y ~ C(k, Diff)", "For k3 compared with k2 (k), y is"),
        ("y ~ 0 + a", "Within A (a), the expected y is"),
        ("y ~ a:x", "Per additional unit of x, within A (a), y is"),
        ("y ~ a * x", "For B compared with A (a), at x = 0, y is"),
        ("y ~ a * x", "Per additional unit of x, at a = A, y is"),
        ("y ~ a * x", "For B compared with A (a), the slope of x (per unit) is"),
        ("y ~ x * z", "Per additional unit of z, the slope of x (per unit) is"),
        ("y ~ a * b", "Where b is true rather than false, the difference between B and A is"),
        ("y ~ C(a, Sum) * b", "Where b is true rather than false, averaged over a, y is"),
        ("y ~ I(x / 10)", "Per additional 10 of x, y is"),
        ("y ~ np.log(z)", "With every doubling of z, y is"),
        ("y ~ np.log(z + 1)", "With every doubling of (z + 1), y is"),
        ("y ~ standardize(x)", "Per additional standard deviation of x, y is"),
        ("y ~ center(x) * a", "at x = 2.90 (its mean)"),
        ("y ~ np.sqrt(z)", "Per additional unit of np.sqrt(z), y is"),
        ("y ~ x + I(x**2)", "x enters through several columns together"),
        ("y ~ bs(x, df=4)", "The Effects page draws"),
        ("y ~ a * b * x", "says how the interaction of a and b changes with x"),
        ("y ~ 1", "The overall expected y is"),
    ],
)
def test_how_each_kind_of_effect_is_said(formula: str, expected: str) -> None:
    assert expected in said(formula)


def test_a_narrow_range_is_read_by_ten_percent() -> None:
    frame = data().assign(z=data()["z"] + 20)
    result = mixedlm("y ~ np.log(z)", frame, groups="g", eval_env=safe_environment()).fit()
    assert "With 10% more z, y is" in " ".join(reading.fixed_effects(result.tidy(), facts(result), PLAIN))


def test_effects_under_an_interaction_are_called_conditional() -> None:
    assert reading.CONDITIONAL in sentences("y ~ a * x")
    assert reading.CONDITIONAL not in sentences("y ~ a + x")


def test_an_intercept_outside_the_data_is_flagged_once() -> None:
    assert said("y ~ 0 + a + x").count("No row of the data is there (x runs from 0.289 to 5.87)") == 1
    assert "No row" not in said("y ~ center(x)")


def test_many_levels_are_read_together() -> None:
    frame = data().assign(many=np.arange(240) % 30)
    result = mixedlm("y ~ C(many)", frame, groups="g", eval_env=safe_environment()).fit()
    read_ = reading.fixed_effects(result.tidy(), facts(result), PLAIN, tests=result.anova())
    assert len(read_) == 2
    assert "many has 29 coefficients" in read_[1]
    assert "All of them together: F(29, " in read_[1]


# --- outcomes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "base"), [("np.log(y)", np.e), ("np.log2(y)", 2), ("np.log10(y)", 10), ("np.log1p(y)", np.e)]
)
def test_a_log_outcome_is_read_in_percent(code: str, base: float) -> None:
    result = fit(f"{code} ~ x")
    change = 100 * (base ** result.fe_params["x"] - 1)
    read_ = reading.fixed_effects(result.tidy(), facts(result), PLAIN)
    found = re.search(r"(y|\(y \+ 1\)) is ([\d.]+)% higher on average", read_[-1])
    assert found is not None
    assert float(found[2]) == pytest.approx(change, abs=0.05)
    assert "geometric mean" in read_[0]
    assert ("(y + 1)" in read_[0]) == (found[1] != "y") == (code == "np.log1p(y)")


def test_a_log_outcome_keeps_the_unit_of_expected_values() -> None:
    known = facts(fit("np.log(y) ~ 1"), {"y": "ms"})
    typical = float(np.exp(fit("np.log(y) ~ 1").fe_params["Intercept"]))
    assert f"The overall typical y is {typical:.2f} ms" in " ".join(
        reading.fixed_effects(fit("np.log(y) ~ 1").tidy(), known, PLAIN)
    )


def test_an_interaction_under_a_log_stays_on_its_scale() -> None:
    assert "on the scale of the logarithm" in said("np.log(y) ~ a * x")


def test_outcomes_by_their_code() -> None:
    assert outcome("Q('a b')", {"a b": "ms"}) == phrases.Outcome("a b", "ms")
    assert outcome("np.sqrt(y)", {"y": "ms"}) == phrases.Outcome("np.sqrt(y)")
    assert outcome("np.log(y + 2)", {}).shift == 2


def test_units_come_from_examples_alone() -> None:
    assert units_of("example:sleepstudy")["Reaction"] == "ms"
    assert "Yield" not in units_of("example:Dyestuff2")
    assert not any(
        "not " in unit for name in ("Pastes", "Oxide") for unit in units_of(f"example:{name}").values()
    )
    assert units_of("upload:sleepstudy") == {}
    assert units_of("example:nothing") == {}


# --- names -------------------------------------------------------------------------------------------------


def test_hostile_names_stay_text() -> None:
    result = fits.hostile()
    told = narrative.Told(result.tidy(), result.tidy(effects="random"), result.icc(), result.glance().iloc[0])
    for part in narrative.tell(result, facts(result), told, MARKDOWN):
        for sentence in part.sentences:
            assert not re.search(r"(?<!\\)[<$`\[&]|:red", sentence.replace("p < .", "p ."))


def test_a_hostile_level_is_escaped() -> None:
    frame = data().assign(a=np.where(data()["a"] == "A", "<b>A</b>", "[x](http://y) $z$"))
    result = mixedlm("y ~ a", frame, groups="g").fit()
    for sentence in reading.fixed_effects(result.tidy(), facts(result), MARKDOWN):
        assert not re.search(r"(?<!\\)[<$\[]", sentence.replace("p < .", "p ."))
