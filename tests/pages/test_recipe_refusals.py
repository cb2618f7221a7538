"""What a recipe refuses, in words: steps that data do not allow, and content that is no recipe."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore.errors import MixedCoreError
from pages.ui.data.recipe import steps
from pages.ui.data.recipe.arithmetic import Combine, Days, Lag
from pages.ui.data.recipe.categories import Bands, Recode
from pages.ui.data.recipe.cells import Edit
from pages.ui.data.recipe.names import Drop, Rename
from pages.ui.data.recipe.reshape import Lengthen, Measure
from pages.ui.data.recipe.rows import Between, DatesBetween, Filter, OneOf
from pages.ui.data.recipe.step import Step, StepError
from pages.ui.data.recipe.transforms import GroupMean, Standardise, Transform, shift_for
from tests.pages.recipe_table import table

# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step, sentence",
    [
        (Transform("n", "new", "log"), "“n” is 0 or below in one row"),
        (Transform("x", "new", "log", -1.0), "−1 is 0 or below in 2 rows"),
        (Transform("n", "new", "sqrt", -2.0), "negative in 2 rows"),
        (Transform("n", "new", "power", 0.0, -1.0), "nothing is divided by 0"),
        (Transform("x", "new", "power", 0.0, 1e6), "too large"),
        (Transform("g", "new", "log"), "“g” is not a number"),
        (Transform("x", " ", "log"), "needs a name"),
        (Transform("x", "a\nb", "log"), "one line"),
        (Transform("x", "n", "log"), "“n” already"),
        (Transform("x", "n" * 201, "log"), "at most 200"),
        (Transform("gone", "new", "log"), "no column “gone”"),
        (Combine("x", "/", "n", "new"), "One row would be divided by 0"),
        (GroupMean("x", "new", ()), "which group"),
        (Lag("x", "new", (), "d"), "belong together"),
        (Days("x", "new"), "not a date"),
        (Recode("g", "new", ()), "at least one label"),
        (Recode("g", "new", (("zz", "a"),)), "has the label “zz”"),
        (Recode("g", "new", (("p", " "),)), "needs a name"),
        (Recode("g", "n", (("p", "q"),)), "already"),
        (Recode("c", "new", (("mid", "hi"),), ("lo",)), "“hi” has no place"),
        (Bands("x", "new", (), ()), "at least one number"),
        (Bands("x", "new", (2.0, 1.0), ("a", "b", "c")), "must increase"),
        (Bands("x", "new", (1.0,), ("a", "a")), "label of its own"),
        (Bands("x", "new", (1.0,), ("a",)), "needs a label"),
        (Filter(()), "at least one condition"),
        (Filter((Between("x", 50.0, None),)), "nothing would be left"),
        (Filter((Between("x", 3.0, 1.0),)), "lies above"),
        (Filter((Between("g"),)), "no range"),
        (Filter((OneOf("g", ()),)), "at least one value"),
        (Filter((DatesBetween("d", "yesterday"),)), "year-month-day"),
        (Filter((DatesBetween("d", None, "9999-12-31"),)), "year-month-day"),
        (Filter((DatesBetween("d", "2024-02-01", "2024-01-01"),)), "after the last"),
        (Lengthen((Measure("v", ("t1",)),), "time", (1.0,)), "at least two"),
        (Lengthen((Measure("v", ("t1", "s1")),), "time", (1.0, 2.0)), "different types"),
        (Lengthen((Measure("v", ("t1", "t2")),), "time", (1.0, 1.0)), "time of its own"),
        (Lengthen((Measure("v", ("t1", "t2")),), "time", (1.0, 2.0, 3.0)), "2 columns for 3"),
        (Lengthen((Measure("v", ("t1", "t1")),), "time", (1.0, 2.0)), "only once"),
        (Lengthen((Measure("time", ("t1", "t2")),), "time", (1.0, 2.0)), "different names"),
        (Lengthen((Measure("x", ("t1", "t2")),), "time", (1.0, 2.0)), "“x” already"),
        (Edit(99, "x", "number", 1, 2), "no row 99"),
        (Edit(10, "x", "number", 5.0, 4.0), "now holds 1, not 4"),
        (Edit(10, "x", "date", "2024-01-01", None), "type number"),
        (Edit(10, "x", "number", "many", 1.0), "not a number"),
        (Edit(10, "x", "number", True, 1.0), "not a number"),
        (Edit(10, "n", "number", 2**70, 3), "not a number"),
        (Edit(10, "b", "yes_no", 1, True), "neither yes nor no"),
        (Edit(10, "d", "date", "soon", "2024-01-02"), "not a date"),
        (Rename("x", "n"), "already"),
        (Drop(()), "at least one"),
        (Drop(tuple(table().columns)), "has to stay"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(step: Step, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence) as refusal:
        step.apply(table())
    assert isinstance(refusal.value, MixedCoreError)
    assert str(refusal.value).endswith(".")


def test_infinite_values_are_not_calculated_with() -> None:
    with pytest.raises(StepError, match="infinite in one row"):
        Standardise("x", "z").apply(pd.DataFrame({"x": [1.0, 2.0, np.inf]}))


def test_a_constant_has_no_standard_deviation() -> None:
    with pytest.raises(StepError, match="different values"):
        Standardise("x", "z").apply(pd.DataFrame({"x": [1.0, 1.0]}))


def test_the_offered_constant_makes_a_logarithm_possible() -> None:
    for least in (-7.3, -1.0, 0.0, 2.0):
        frame = pd.DataFrame({"x": [least, 5.0]})
        Transform("x", "new", "log", shift_for(frame["x"])).apply(frame)


def test_a_date_with_a_time_zone_is_refused() -> None:
    frame = pd.DataFrame({"d": pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("UTC")})
    for step in (Days("d", "n"), Filter((DatesBetween("d"),)), Edit(0, "d", "date", None, "2024-01-01")):
        with pytest.raises(StepError, match="not a date"):
            step.apply(frame)


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content, sentence",
    [
        ({}, "must be a list"),
        ("transform", "must be a list"),
        ([3], "Step 1 .* not known"),
        ([{"kind": "Transform"}], "Step 1 .* not known"),
        ([{"kind": ["log"]}], "Step 1 .* not known"),
        ([{"kind": "transform", "column": "x", "new": "y"}], "'how' is missing"),
        ([{"kind": "transform", "column": "x", "new": "y", "how": "exp"}], "'how' must be one of"),
        ([{"kind": "transform", "column": 3, "new": "y", "how": "log"}], "'column' must be text"),
        ([{"kind": "transform", "column": "x", "new": "y", "how": "log", "shift": True}], "must be a number"),
        ([{"kind": "transform", "column": "x", "new": "y", "how": "log", "shift": 10**400}], "a number"),
        (
            [{"kind": "transform", "column": "x", "new": "y", "how": "log", "run": "1"}],
            "'run' that is not known",
        ),
        ([{"kind": "drop", "columns": "x"}], "must be a list"),
        ([{"kind": "drop", "columns": ["x", 1]}], "must be text"),
        ([{"kind": "recode", "column": "x", "new": "y", "changes": [["a"]]}], "list of 2"),
        ([{"kind": "filter", "conditions": [{"kind": "sometimes"}]}], "not of a kind"),
        ([{"kind": "filter", "conditions": [{"kind": "between", "column": "x", "low": "1"}]}], "."),
        ([{"kind": "lengthen", "measures": [{"kind": "drop"}], "time": "t", "times": [1, 2]}], "measure"),
        ([{"kind": "edit", "row": 1.5, "column": "x", "of": "number", "value": 1, "was": 2}], "."),
        ([{"kind": "rename", "column": "a", "new": "b"}] * 2_001, "2,000"),
    ],
)
def test_what_is_no_recipe_is_refused_in_words(content: object, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        steps.from_json(content)
