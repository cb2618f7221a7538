"""What lies in what, what crosses, where labels come again: the truth of every example, and odd tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedcore import datasets
from pages.ui import fitting
from pages.ui.charts import nesting as drawing
from pages.ui.data import examples, nesting, nesting_model, nesting_words
from pages.ui.data.dataset import Dataset
from pages.ui.data.nesting_model import SAME
from pages.ui.model import roles
from pages.ui.model.modelcall import ModelCall

RELATIONS = {
    ("classrooms", "classroom", "school"): "partly",
    ("classrooms", "student", "school"): "inside",
    ("Exam", "student", "school"): "partly",
    ("Pastes", "cask", "batch"): "crossed",
    ("Pastes", "sample", "batch"): "inside",
    ("Pastes", "batch", "sample"): "around",
    ("Oxide", "Lot", "Source"): "inside",
    ("Oxide", "Wafer", "Lot"): "crossed",
    ("Machines", "Machine", "Worker"): "crossed",
    ("Oats", "Variety", "Block"): "crossed",
    ("cake", "recipe", "replicate"): "crossed",
    ("Penicillin", "sample", "plate"): "crossed",
    ("Assay", "dilut", "Block"): "crossed",
    ("BodyWeight", "Rat", "Diet"): "inside",
    ("Orthodont", "Subject", "Sex"): "inside",
    ("Early", "id", "trt"): "inside",
    ("Hsb82", "school", "sector"): "inside",
    ("egsingle", "childid", "schoolid"): "inside",
    ("ScotsSec", "primary", "second"): "partly",
    ("Chem97", "school", "lea"): "inside",
    ("InstEval", "s", "d"): "partly",
    ("InstEval", "d", "dept"): "inside",
    ("InstEval", "s", "dept"): "partly",
}


@pytest.mark.parametrize(("example", "one", "other"), RELATIONS, ids="-".join)
def test_the_relations_of_the_examples(example: str, one: str, other: str) -> None:
    structure = nesting.examine(datasets.load(example), [one, other])
    assert structure.relation(one, other) == RELATIONS[example, one, other]


@pytest.mark.parametrize("example", examples.names())
def test_the_suggested_model_of_an_example_is_what_its_structure_gives(example: str) -> None:
    frame, call = datasets.load(example), examples.suggested(example)
    columns = roles.profile(frame)
    names = nesting_model.suggested(columns, call)
    assert set(datasets.describe(example).grouping) <= set(names)
    structure = nesting.examine(frame, names, call.groups)
    fixed = nesting_model.predictors(call, list(frame.columns))
    answers = nesting_model.answers_of(call, structure, fixed)
    # Of numbers that begin again in every group a person must say what they count; no model says it for them.
    answers |= {"Exam": {"student": "school"}, "Oxide": {"Site": "Wafer"}}.get(example, {})
    assert nesting_model.unanswered(structure, answers) == []
    assert (
        nesting_model.apply(nesting_model.plan(structure, answers, fixed), call, list(frame.columns)) == call
    )


def classes(schools: int = 12) -> pd.DataFrame:
    """Two to four classes in each school, all of them called 7A, 7B, …; eight pupils each."""
    rows = [
        (f"S{school}", f"7{'ABCD'[place]}")
        for school in range(schools)
        for place in range(2 + school % 3)
        for _ in range(8)
    ]
    frame = pd.DataFrame(rows, columns=["school", "room"])
    rng = np.random.default_rng(0)
    return frame.assign(pupil=[f"P{i}" for i in range(len(frame))], y=rng.normal(size=len(frame)))


def test_the_label_trap_is_asked_with_the_labels_of_the_data() -> None:
    structure = nesting.examine(classes(), ["room", "school", "pupil"])
    assert structure.names == ("school", "room", "pupil")
    found = nesting.recurrence(structure, "room", "school")
    assert found.doubtful
    assert found.begins_again
    assert nesting_words.question(found).startswith("“7A” occurs in 12 of 12 groups of **school**.")
    assert "2 to 4" in nesting_words.evidence(found)
    assert nesting_model.unanswered(structure, {}) == ["room"]


def test_each_answer_gives_its_model() -> None:
    frame = classes()
    structure = nesting.examine(frame, ["school", "room", "pupil"])
    call = ModelCall("y ~ 1", "room")
    own = nesting_model.plan(structure, {"room": "school"})
    assert [unit.groups for unit in own.units] == [12, 36]
    assert list(own.left) == ["pupil"]
    nested = nesting_model.apply(own, call, list(frame.columns))
    assert (nested.groups, nested.re_formula) == ("school", "1")
    assert nested.vc_formula == (("room", "0 + C(room)"),)
    same = nesting_model.apply(nesting_model.plan(structure, {"room": SAME}), call, list(frame.columns))
    assert (same.groups, same.re_formula) == ("", None)
    assert dict(same.vc_formula) == {"school": "0 + C(school)", "room": "0 + C(room)"}
    for model in (nested, same):
        assert fitting.fit(model, Dataset.of("classes", frame, "upload:classes.csv")).nobs == len(frame)
        assert nesting_model.answers_of(model, structure)["room"] == ("school" if model is nested else SAME)


def test_classes_that_cross_teachers_are_fitted_as_school_and_class_together() -> None:
    frame = classes()
    frame["teacher"] = [f"T{i % 7}" for i in range(len(frame))]
    structure = nesting.examine(frame, ["school", "room", "teacher"], "school")
    plan = nesting_model.plan(structure, {"room": "school", "teacher": SAME})
    call = nesting_model.apply(plan, ModelCall("y ~ 1", "school"), list(frame.columns))
    assert call.groups == ""
    assert dict(call.vc_formula)["room"] == "0 + C(school):C(room)"
    assert fitting.fit(call, Dataset.of("classes", frame, "upload:classes.csv")).nobs == len(frame)


def test_predictors_and_slopes_stay_where_the_groups_do() -> None:
    frame = classes().assign(x=1.0)
    structure = nesting.examine(frame, ["school", "room"])
    plan = nesting_model.plan(structure, {"room": "school"})
    before = ModelCall("y ~ x", "school", "1 + x", reml=False)
    after = nesting_model.apply(plan, before, list(frame.columns))
    assert (after.formula, after.re_formula, after.reml) == ("y ~ x", "1 + x", False)
    free = ModelCall("y ~ x", "school", "1", (("x slope", "0 + x"),))
    kept = nesting_model.apply(plan, free, list(frame.columns))
    assert kept.vc_formula == (("x slope", "0 + x"), ("room", "0 + C(room)"))
    assert nesting_model.apply(plan, kept, list(frame.columns)) is kept


def test_the_order_of_rows_does_not_matter() -> None:
    frame = classes()
    one = nesting.examine(frame, ["school", "room"])
    other = nesting.examine(frame.sample(frac=1, random_state=1), ["room", "school"])
    assert one.names == other.names
    assert nesting.recurrence(one, "room", "school") == nesting.recurrence(other, "room", "school")


def test_missing_labels_belong_to_no_group() -> None:
    frame = pd.DataFrame({"g": ["a", "a", None, "b"], "h": [1.0, 1.0, 2.0, np.nan]})
    structure = nesting.examine(frame, ["g", "h"])
    assert structure.factor("g").missing == structure.factor("h").missing == 1
    assert structure.pairs["g", "h"].count.tolist() == [2]
    assert "1 rows" in nesting_words.sizes(structure.factor("g"))


def test_movers_are_seen() -> None:
    rng = np.random.default_rng(3)
    home = rng.integers(5, size=200)
    rows = pd.DataFrame({"teacher": np.repeat(np.arange(200), 10), "school": np.repeat(home, 10)})
    rows.loc[rows.index[:100:10], "school"] = (rows["school"][:100:10] + 1) % 5
    structure = nesting.examine(rows, ["teacher", "school"], "school")
    found = nesting.recurrence(structure, "teacher", "school")
    assert found.moving == 10
    assert found.nearly_nested
    assert not found.doubtful
    said = " ".join(nesting_words.relations(structure, {}))
    assert "190 of 200 teacher lie in one school only and 10 in several" in said


def test_columns_that_are_the_same_under_two_names_are_one_level() -> None:
    frame = pd.DataFrame({"code": [1, 1, 2, 2, 3, 3], "name": list("aabbcc")})
    structure = nesting.examine(frame, ["code", "name"])
    assert structure.relation("code", "name") == "same"
    plan = nesting_model.plan(structure, {})
    assert len(plan.units) == 1
    assert "same groups" in next(iter(plan.left.values()))


def test_labels_written_as_numbers_are_in_their_order() -> None:
    assert nesting.factor_of(pd.Series(["10", "9", "1", "10"], name="g")).labels.tolist() == ["1", "9", "10"]


@pytest.mark.parametrize("example", ["classrooms", "Chem97", "InstEval", "Penicillin", "Oxide"])
def test_the_drawings_say_what_they_show(example: str) -> None:
    frame, call = datasets.load(example), examples.suggested(example)
    names = nesting_model.suggested(roles.profile(frame), call)
    structure = nesting.examine(frame, names, call.groups)
    answers = nesting_model.answers_of(call, structure)
    levels = nesting_model.chain(structure, nesting_model.plan(structure, answers))
    if len(levels) > 1:
        boxes = drawing.nested_boxes(nesting_model.tree(structure, levels))
        trace = boxes.figure.data[0]
        assert len(trace.ids) < 150
        assert len(set(trace.ids)) == len(trace.ids)
        values, parents = np.array(trace.values), np.array(trace.parents)
        for box, rows in zip(trace.ids, trace.values, strict=True):
            inside = values[parents == box]
            assert not len(inside) or inside.sum() == rows
        assert f"{levels[0].groups:,} of {levels[0].name}" in boxes.alt
    crossed = nesting_model.crossed_pair(structure, answers)
    if crossed:
        pair, (one, other) = structure.pairs[crossed], map(structure.factor, crossed)
        chart = drawing.crossing(
            pair.one, pair.other, pair.count, (one.labels, other.labels), (one.name, other.name)
        )
        assert np.nansum(chart.figure.data[0].z) == len(frame)
        assert max(np.shape(chart.figure.data[0].z)) <= drawing.CELLS
        assert f"{len(pair.count):,} of" in chart.alt


@pytest.mark.parametrize("groups", [1, 3, 5_000])
def test_sizes_are_drawn_for_any_number_of_groups(groups: int) -> None:
    sizes = np.arange(groups) % 7 + 1
    chart = drawing.group_sizes(sizes, [f"<b>{i}</b>" for i in range(groups)], "=g $x$")
    assert sum(chart.figure.data[0].y) in (sizes.sum(), groups)
    assert f"{groups:,} groups" in chart.alt
    assert "<b>" not in str(chart.figure.to_dict())


def test_labels_used_again_are_asked_of_the_narrower_groups() -> None:
    rows = [(s, c, p) for s in range(1, 9) for c in "ABC" for p in range(1, 9)]
    frame = pd.DataFrame(rows, columns=["school", "class", "pupil"]).assign(score=range(192))
    names = nesting_model.suggested(roles.profile(frame), None)
    structure = nesting.examine(frame, names, nesting_model.top_of(None, roles.profile(frame)))
    assert structure.names == ("school", "class", "pupil")
    question = nesting_words.question(nesting.recurrence(structure, "class", "school"))
    assert question.startswith("“A” occurs in 8 of 8 groups of **school**. Is it one class that they share")


def test_numbers_of_things_are_suggested_and_numbers_kept_as_text_are_not() -> None:
    frame = pd.DataFrame([(e, r) for e in range(1, 31) for r in "abcdef"], columns=["essay", "rater"])
    frame["score"] = [f"{row}" for row in range(179)] + ["k.A."]
    assert set(nesting_model.suggested(roles.profile(frame), None)) == {"essay", "rater"}


def test_groups_in_groups_in_groups_are_not_drawn_as_crossed() -> None:
    rows = [(s, c, p) for s in range(1, 9) for c in "ABC" for p in range(1, 9)]
    frame = pd.DataFrame(rows, columns=["school", "class", "pupil"])
    structure = nesting.examine(frame, list(frame), "school")
    assert nesting_model.crossed_pair(structure, {"class": "school", "pupil": "class"}) is None
    assert nesting_model.crossed_pair(structure, {"class": "school"}) == ("pupil", "school")
