"""The picture of a model: which groups lie in which, what differs at each, and the words for it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pages.ui.charts import DARK
from pages.ui.charts.model_picture import LEVEL, Groups, Rows, model_picture
from pages.ui.model.choices import Block, Effects
from pages.ui.model.picture import arranged
from tests.pages.fits import NAMES
from tests.pages.model_page import opened

CLASSES = Groups("class in school", 58, 16, ((LEVEL,),), ("teacher",))
SCHOOLS = Groups("school", 20, 48, ((LEVEL, "pretest"), ("age",)), ("sector",), (CLASSES,))


def texts(chart) -> list[str]:  # type: ignore[no-untyped-def]
    return [note.text for note in chart.figure.layout.annotations]


def boxes(chart) -> list[tuple[float, ...]]:  # type: ignore[no-untyped-def]
    return [(b.x0, b.x1, b.y0, b.y1) for b in chart.figure.layout.shapes]


def test_nested_groups_are_boxes_in_boxes_down_to_the_rows() -> None:
    chart = model_picture([SCHOOLS], Rows(949, ("age", "pretest")))
    found = boxes(chart)
    assert len(found) == 3
    for (l0, r0, t0, b0), (l1, r1, t1, b1) in pairwise(found):
        assert l0 < l1 < r1 < r0
        assert t0 < t1 < b1 < b0
    words = " ".join(texts(chart))
    assert "Differs: level and slope of pretest (correlated)" in words.replace("  ", " ")
    assert "and slope of age (independent)" in words
    assert words.index("sector") < words.index("teacher") < words.index("age and pretest")


def test_every_word_stands_inside_the_figure_and_no_line_is_wider_than_a_phone() -> None:
    name = "x" * 200
    wide = Groups(name, 3, 4, ((LEVEL, *NAMES),), tuple(NAMES))
    for outer in ([wide], [wide, wide], [wide, wide, wide]):
        chart = model_picture(outer, Rows(12, tuple(NAMES)), ink=DARK)
        low, _ = chart.figure.layout.yaxis.range
        assert all(0 <= note.y < low for note in chart.figure.layout.annotations)
        assert max(len(note.text.removeprefix("<b>").removesuffix("</b>")) for note in
                   chart.figure.layout.annotations if "&" not in note.text) < 50  # fmt: skip
        assert "<script>" not in "".join(texts(chart))


def test_two_crossed_kinds_stand_side_by_side_above_their_rows() -> None:
    one, other = Groups("person", 30, 20, ((LEVEL,),)), Groups("item", 20, 30, ((LEVEL, "cond"),))
    chart = model_picture([one, other], Rows(600))
    person, item, rows = boxes(chart)
    assert person[1] < item[0]
    assert person[2:] == item[2:]
    assert rows[2] > person[3]
    assert (rows[0], rows[1]) == (person[0], item[1])
    assert "person: 30 groups, median 20 rows; differs: level. item: 20 groups" in chart.alt


def test_more_crossed_kinds_stand_below_each_other() -> None:
    kinds = [Groups(name, 5, 10, ((LEVEL,),)) for name in "abc"]
    found = boxes(model_picture(kinds, Rows(100)))
    assert len(found) == 4
    assert all(upper[3] < lower[2] for upper, lower in pairwise(found))


@pytest.mark.parametrize(
    ("effects", "parallel", "through_one_point"),
    [(((LEVEL,),), True, False), ((("x",),), False, True), (((LEVEL, "x"),), False, False)],
)
def test_the_sketch_shows_what_differs(
    effects: tuple[tuple[str, ...], ...], parallel: bool, through_one_point: bool
) -> None:
    chart = model_picture([Groups("g", 4, 5, effects)], Rows(20))
    down = np.array(chart.figure.data[0].y, dtype=float).reshape(-1, 3)[:, :2]
    slopes, middles = np.diff(down).ravel(), down.mean(axis=1)
    assert np.allclose(slopes, slopes[0]) is parallel
    assert np.allclose(middles, middles[0]) is through_one_point


def test_blocks_are_arranged_by_what_lies_in_what() -> None:
    blocks = [Block(("class",)), Block(("district",)), Block(("school",)), Block(("rater",))]
    chain = ["district", "school", "class"]

    def inside(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
        pair = (outer[0], inner[0])
        return set(pair) <= set(chain) and chain.index(pair[0]) < chain.index(pair[1])

    sizes = {("class",): (90, 10.0), ("district",): (5, 180.0), ("school",): (20, 45.0), ("rater",): (9, 100)}
    constant = {("school",): frozenset({"ses"}), ("class",): frozenset({"ses", "teacher"})}
    outer, above = arranged(blocks, sizes, constant, ["x", "ses", "teacher"], inside)
    assert [kind.name for kind in outer] == ["district", "rater"]
    (school,) = outer[0].inside
    (classes,) = school.inside
    assert (school.predictors, classes.predictors) == (("ses",), ("teacher",))
    assert above == {"ses", "teacher"}


def test_sets_of_effects_keep_their_order() -> None:
    block = Block(("g",), (Effects(True, ("x",)), Effects(False, ("z",))))
    (kind,), _ = arranged([block], {("g",): (4, 5.0)}, {}, [], lambda inner, outer: False)
    assert kind.effects == ((LEVEL, "x"), ("z",))


def test_the_page_draws_the_model_and_follows_it() -> None:
    app = opened("classrooms")
    assert not app.exception
    drawn = app.get("plotly_chart")
    assert len(drawn) == 1
    assert "classroom in school" in drawn[0].proto.spec
    app.multiselect(key="model_slopes").set_value([]).run()
    assert "slope of pretest" not in app.get("plotly_chart")[0].proto.spec


@pytest.mark.parametrize("example", ["Penicillin", "InstEval", "Dyestuff2"])
def test_other_models_are_drawn(example: str) -> None:
    app = opened(example)
    assert not app.exception
    assert app.get("plotly_chart")
