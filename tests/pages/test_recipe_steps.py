"""Every kind of step: what it makes, that its code makes the same, JSON and back, what it refuses."""

from __future__ import annotations

import ast
import json
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pandas as pd
import pytest

from pages.ui.data.recipe import steps
from pages.ui.data.recipe.arithmetic import Combine, Days, Lag
from pages.ui.data.recipe.categories import (
    Bands,
    Recode,
    band_labels,
    equal_counts,
    equal_widths,
    levels,
    order_after,
)
from pages.ui.data.recipe.cells import Edit
from pages.ui.data.recipe.names import Drop, Rename
from pages.ui.data.recipe.reshape import Lengthen, Measure, families, identifies, stem_of, times_of
from pages.ui.data.recipe.rows import Between, DatesBetween, Filter, OneOf, Present, staying
from pages.ui.data.recipe.step import Step, StepError
from pages.ui.data.recipe.transforms import (
    Centre,
    GroupCentre,
    GroupMean,
    Standardise,
    Transform,
)
from tests.pages.recipe_table import table

HOSTILE = ['"]; import os #', "a b", "Ä ö\n2", "{x}", "'''", "\\", "=1+1", "<img src=x onerror=alert(1)>"]


STEPS: list[Step] = [
    Transform("x", "new", "log"),
    Transform("x", "new", "log10", 1.5),
    Transform("x", "new", "log2", -0.25),
    Transform("n", "new", "log1p"),
    Transform("n", "new", "sqrt"),
    Transform("x", "new", "power"),
    Transform("x", "new", "power", 0.0, -0.5),
    Transform("b", "new", "power", 1.0, -1.0),
    Standardise("x", "new"),
    Centre("n", "new"),
    Centre("x", "new", -2.5),
    GroupMean("x", "new", ("g",)),
    GroupMean("b", "new", ("c",)),
    GroupMean("m", "new", ("h",)),
    GroupCentre("n", "new", ("g", "h")),
    Combine("x", "+", "n", "new"),
    Combine("x", "-", -2.0, "new"),
    Combine("n", "*", "x", "new"),
    Combine("n", "/", "x", "new"),
    Days("d", "new"),
    Days("d", "new", ("g",)),
    Lag("n", "new", ("g",), "d"),
    Lag("x", "new", ("g", "h"), "n"),
    Recode("g", "new", (("p", "q"), ("q", "p"))),
    Recode("g", "g", (("p", "other"), ("q", "other"))),
    Recode("c", "new", (("mid", "hi"),), ("lo", "hi")),
    Recode("b", "new", (("True", "yes"), ("False", "no"))),
    Recode("n", "new", (("3", "three"),)),
    Bands("x", "new", (1.0, 2.5), ("low", "middle", "high")),
    Filter((Between("x", 0.6, 3.0),)),
    Filter((Between("n", None, 3.0), OneOf("c", ("lo", "hi")))),
    Filter((OneOf("g", ("p",), keep=False),)),
    Filter((DatesBetween("d", "2024-01-02", "2024-02-01"),)),
    Filter((DatesBetween("d"), Present("x"), Between("x"))),
    Filter((Present("g", keep=False),)),
    Filter((OneOf("b", ("True",)),)),
    Lengthen((Measure("score", ("t1", "t2")),), "time", (1.0, 2.0), "row"),
    Lengthen((Measure("score", ("t1", "t2")), Measure("mood", ("s2", "s1"))), "when", (0.5, 1.0)),
    Lengthen((Measure("s", ("s1", "s2")),), "when", ("before", "after")),
    Edit(11, "x", "number", 2.75, 2.0),
    Edit(11, "n", "number", 2.75, 1),
    Edit(12, "n", "number", None, 2),
    Edit(12, "x", "number", 7, None),
    Edit(10, "g", "category", "new one", "p"),
    Edit(14, "g", "category", "p", None),
    Edit(13, "c", "ordered", "top", None),
    Edit(10, "c", "ordered", None, "lo"),
    Edit(10, "b", "yes_no", False, True),
    Edit(10, "b", "yes_no", None, True),
    Edit(12, "m", "yes_no", False, None),
    Edit(12, "d", "date", "2024-05-06T07:08:09", None),
    Edit(10, "d", "date", None, "2024-01-02"),
    Rename("x", "new"),
    Drop(("x", "s2")),
]  # fmt: skip
every_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.kind} {step.describe()[:50]}")


def by_code(step: Step, frame: pd.DataFrame) -> pd.DataFrame:
    scope = {"data": frame.copy()}
    exec("\n".join(step.code()), scope)  # noqa: S102 - our own lines, which is what is tested
    return scope["data"]


@every_step
def test_the_code_makes_the_same_table(step: Step) -> None:
    pd.testing.assert_frame_equal(by_code(step, table()), step.apply(table()))


@every_step
def test_the_table_before_stays_as_it_was(step: Step) -> None:
    before = table()
    step.apply(before)
    pd.testing.assert_frame_equal(before, table())


@every_step
def test_json_gives_the_same_step_back(step: Step) -> None:
    [back] = steps.from_json(json.loads(json.dumps(steps.to_json([step]), allow_nan=False)))
    assert back == step
    assert hash(back) == hash(step)
    pd.testing.assert_frame_equal(back.apply(table()), step.apply(table()))


@every_step
def test_a_step_says_itself_in_one_sentence(step: Step) -> None:
    assert step.describe().endswith(".")
    assert "\n" not in step.describe()


@every_step
def test_a_step_on_other_columns_is_refused_in_words(step: Step) -> None:
    with pytest.raises(StepError, match=r"[.]$"):
        step.apply(pd.DataFrame({"else": [1.0, 2.0]}))


def test_every_kind_is_tested() -> None:
    assert {step.kind for step in STEPS} == set(steps.KINDS)


@every_step
@pytest.mark.parametrize("sign", HOSTILE)
def test_hostile_names_stay_names(step: Step, sign: str) -> None:
    """All columns go by names that would break out of a string."""
    names = {column: f"{column}{sign}{place}" for place, column in enumerate(table().columns)}

    def renamed(part: object) -> object:
        if isinstance(part, dict):
            return {key: each if key == "kind" else renamed(each) for key, each in part.items()}
        if isinstance(part, list):
            return [renamed(each) for each in part]
        return names.get(part, part) if isinstance(part, str) else part

    [mine] = steps.from_json([renamed(step.to_mapping())])
    imported = {
        each.name
        for node in ast.walk(ast.parse("\n".join(mine.code())))
        if isinstance(node, ast.Import)
        for each in node.names
    }
    assert imported <= {"numpy", "pandas"}
    frame = table().rename(columns=names)
    pd.testing.assert_frame_equal(by_code(mine, frame), mine.apply(frame))


def test_a_step_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        STEPS[0].new = "other"  # type: ignore[attr-defined]


# --- what is computed ----------------------------------------------------------------------------


def test_within_and_between_add_up_and_do_not_correlate() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(size=300), "g": rng.integers(0, 20, 300)})
    frame = GroupMean("x", "between", ("g",)).apply(frame)
    frame = GroupCentre("x", "within", ("g",)).apply(frame)
    np.testing.assert_allclose(frame["between"] + frame["within"], frame["x"])
    assert abs(np.cov(frame["between"], frame["within"])[0, 1]) < 1e-12
    assert frame.groupby("g")["within"].mean().abs().max() < 1e-12


def test_standardised_values_have_mean_0_and_sd_1() -> None:
    new = Standardise("x", "z").apply(table())["z"]
    assert new.mean() == pytest.approx(0)
    assert new.std() == pytest.approx(1)


def test_rows_without_a_group_have_no_group_mean() -> None:
    assert GroupMean("x", "new", ("g",)).apply(table())["new"].isna().tolist() == [False] * 4 + [True, False]


def test_labels_are_swapped_at_once_and_merged_in_order() -> None:
    assert Recode("g", "new", (("p", "q"), ("q", "p"))).apply(table())["new"].tolist()[:4] == list("qqpp")
    assert order_after(table()["c"], [("mid", "hi")]) == ("lo", "hi")
    assert order_after(table()["g"], [("p", "q")]) == ()
    assert levels(table()["c"]) == ["lo", "mid", "hi"]
    assert levels(table()["n"]) == ["0", "1", "2", "3", "4", "5"]


def test_an_edge_belongs_to_the_band_below() -> None:
    frame = pd.DataFrame({"x": [1.0, 10.0, 10.5, 20.0, 99.0]})
    bands = Bands("x", "b", (10.0, 20.0), band_labels((10.0, 20.0))).apply(frame)["b"]
    assert bands.tolist() == ["up to 10", "up to 10", "over 10 to 20", "over 10 to 20", "over 20"]
    assert bands.cat.ordered


def test_cuts_of_equal_width_and_of_equal_counts() -> None:
    values = pd.Series([0.0, 1.0, 2.0, 3.0, 4.0, 100.0])
    assert equal_widths(values, 4) == (25.0, 50.0, 75.0)
    assert equal_counts(values, 2) == (2.5,)
    assert equal_widths(pd.Series([1.0, 1.0]), 3) == ()
    assert equal_counts(pd.Series([1.0, 1.0]), 3) == ()
    assert equal_counts(pd.Series([np.nan]), 3) == ()


def test_a_filter_keeps_labels_of_rows_and_drops_levels_nobody_has() -> None:
    kept = Filter((OneOf("c", ("lo", "hi")),)).apply(table())
    assert kept.index.tolist() == [10, 11, 12, 15]
    assert kept["c"].cat.categories.tolist() == ["lo", "hi"]
    assert staying(Filter((Between("n", 2.0, None),)), table()) == "4 of 6 rows stay"
    assert staying(Filter((Present("n"),)), table()) == "All 6 rows stay"


def test_the_last_day_counts_to_its_end() -> None:
    frame = pd.DataFrame({"d": pd.to_datetime(["2024-01-01 23:59", "2024-01-02 00:00"])})
    assert len(Filter((DatesBetween("d", None, "2024-01-01"),)).apply(frame)) == 1


def test_long_rows_stand_by_row_and_time() -> None:
    frame = pd.DataFrame({"id": ["p", "q"], "t1": [1, 2], "t10": [3, 4], "t2": [5, 6]}, index=[7, 3])
    [family] = families(frame)
    assert (family.stem, family.columns, family.times) == ("t", ("t1", "t2", "t10"), (1.0, 2.0, 10.0))
    long = Lengthen((Measure("y", family.columns),), "time", family.times).apply(frame.sort_index())
    assert long["id"].tolist() == ["q"] * 3 + ["p"] * 3
    assert long["time"].tolist() == [1, 2, 10, 1, 2, 10]
    assert long["y"].tolist() == [2, 6, 4, 1, 5, 3]
    assert long.index.tolist() == list(range(6))


def test_lengthening_keeps_every_value() -> None:
    long = STEPS[[step.kind for step in STEPS].index("lengthen")].apply(table())
    assert sorted(long["score"].dropna()) == sorted(pd.concat([table()["t1"], table()["t2"]]).dropna())
    assert long["row"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


@pytest.mark.parametrize(
    "names, times, stem",
    [
        (("t1", "t2", "t10"), (1.0, 2.0, 10.0), "t"),
        (("score_2019", "score_2020"), (2019.0, 2020.0), "score"),
        (("2019", "2020"), (2019.0, 2020.0), "value"),
        (("score pre", "score post"), ("pre", "post"), "score"),
        (("mood.morning", "mood.evening"), ("morning", "evening"), "mood"),
        (("a", "b"), ("a", "b"), "value"),
        (("a1", "b1"), ("a1", "b1"), "value"),
        (("pre score", "post score"), ("pre", "post"), "value"),
    ],
)
def test_times_come_from_the_names(names: tuple[str, ...], times: tuple[object, ...], stem: str) -> None:
    assert times_of(names) == times
    assert stem_of(names) == stem


def test_who_is_who_after_lengthening() -> None:
    assert identifies(table(), ["t1", "t2"])
    assert not identifies(table()[["g", "t1", "t2"]], ["t1", "t2"])


def test_every_part_of_every_step_is_written() -> None:
    for step in STEPS:
        assert set(step.to_mapping()) == {"kind", *(field.name for field in fields(step))}


# --- a list of steps -----------------------------------------------------------------------------


def test_a_step_that_does_not_fit_is_passed_over_with_its_reason() -> None:
    recipe = [Transform("n", "log_n", "log"), Centre("x", "x_c"), Centre("log_n", "log_n_c")]
    done = steps.run(table(), recipe)
    assert [bool(reason) for reason in done.refused] == [True, False, True]
    assert done.applied == (recipe[1],)
    scope = {"data": table()}
    exec("\n".join(done.code), scope)  # noqa: S102 - our own lines, which is what is tested
    pd.testing.assert_frame_equal(scope["data"], done.frame)


def test_all_steps_one_after_the_other_are_one_program() -> None:
    recipe = [replace(step, new=f"new {i}") if getattr(step, "new", "") == "new" else step
              for i, step in enumerate(STEPS)]  # fmt: skip
    done = steps.run(table(), recipe)
    assert len(done.applied) > 30
    scope = {"data": table()}
    exec("\n".join(done.code), scope)  # noqa: S102 - our own lines, which is what is tested
    pd.testing.assert_frame_equal(scope["data"], done.frame)


def test_adding_a_step_does_not_repeat_the_others() -> None:
    base = table()
    first = steps.run(base, [Centre("x", "a")])
    second = steps.run(base, [Centre("x", "a"), Centre("n", "b")], first)
    assert second.frame["a"].equals(first.frame["a"])
    pd.testing.assert_frame_equal(second.frame, steps.run(base, second.steps).frame)
    assert steps.run(base, [], second).frame is base
    assert steps.run(table(), [Centre("x", "a")], first).frame is not first.frame


def test_the_steps_tell_which_columns_stay_as_they_are() -> None:
    base = table()
    first = steps.run(base, [Centre("x", "a")])
    second = steps.run(base, [*first.steps, Recode("g", "g", (("p", "q"),)), Transform("g", "no", "log")])
    assert second.same_columns(first) == first.same_columns(second) == {"a", *base.columns} - {"g"}
    assert first.same_columns(steps.run(base, [*first.steps, Filter((Between("x", 1.0),))])) == set()
    assert first.same_columns(steps.run(base, [Centre("x", "b")])) == set()
    assert first.same_columns(steps.run(table(), first.steps)) == set()


def test_only_reshaping_gives_rows_new_labels() -> None:
    lengthen = Lengthen((Measure("score", ("t1", "t2")),), "time", (1.0, 2.0))
    done = steps.run(table(), [Centre("x", "a"), lengthen, Filter((Between("score", 1.0, 4.0),))])
    assert done.rows_made_by == (lengthen,)
