"""The small pictures of the gallery: inside their frame, one for each example."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pandas as pd
import pytest

from pages.ui.charts.base import DARK, LIGHT
from pages.ui.data import examples, gallery, pictures


def parts(image: str, kind: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(image).findall(f"{{http://www.w3.org/2000/svg}}{kind}")


def places(image: str) -> list[tuple[float, float]]:
    """Every point of an image."""
    lines = [pair.split(",") for line in parts(image, "polyline") for pair in line.attrib["points"].split()]
    dots = [[dot.attrib["cx"], dot.attrib["cy"]] for dot in parts(image, "circle")]
    return [(float(x), float(y)) for x, y in lines + dots]


@pytest.mark.parametrize("name", examples.names())
def test_every_example_has_a_picture_within_its_frame(name: str) -> None:
    found = places(gallery.drawn(name, LIGHT))
    assert len(found) > 5
    assert all(0 <= x <= pictures.WIDTH and 0 <= y <= pictures.HEIGHT for x, y in found)
    assert len({y for _, y in found}) > 1


def test_a_line_a_group_and_a_strong_one() -> None:
    frame = pd.DataFrame({"y": [1.0, 2, 3, 2, 4, 6], "t": [0, 1, 2] * 2, "g": list("aaabbb")})
    image = pictures.picture(frame, "y", "g", "t", LIGHT)
    assert [line.attrib["stroke"] for line in parts(image, "polyline")] == [LIGHT.main] * 2 + [LIGHT.accent]
    assert places(image)[0] == (pictures.MARGIN, pictures.HEIGHT - pictures.MARGIN)  # the lowest, at the left
    assert (pictures.WIDTH - pictures.MARGIN, pictures.MARGIN) in places(image)


def test_groups_of_points_in_the_order_of_their_means() -> None:
    frame = pd.DataFrame({"y": [5.0, 7, 1, 3, None], "g": list("aabbb")})
    image = pictures.picture(frame, "y", "g", None, DARK)
    assert len(parts(image, "circle")) == 4
    strokes = [re.match(r"M([\d.]+) ([\d.]+)", path.attrib["d"]) for path in parts(image, "path")]
    low, high = ((float(each[1]), float(each[2])) for each in strokes if each)
    assert low[0] < high[0]
    assert low[1] > high[1]  # an image runs downwards


def test_an_outcome_that_does_not_differ_lies_in_the_middle() -> None:
    frame = pd.DataFrame({"y": [2.0] * 4, "t": [0, 1] * 2, "g": list("aabb")})
    assert {y for _, y in places(pictures.picture(frame, "y", "g", "t", LIGHT))} == {pictures.HEIGHT / 2}
