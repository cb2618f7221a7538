"""The theme keeps its promises: readable contrast, colours that colour-blind readers tell apart, no download.

Contrast as in WCAG 2.2 (relative luminance); colour blindness simulated as in Machado, Oliveira & Fernandes
(2009), IEEE Trans. Vis. Comput. Graph. 15(6), severity 1; difference of colours as distance in CIELAB.
"""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pages.ui.charts import base

CONFIG = tomllib.loads((Path(__file__).parents[1] / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
THEME = CONFIG["theme"]
READABLE = 4.5  # WCAG AA, body text
VISIBLE = 3.0  # WCAG AA, large text and the marks of a chart or control
# Two marks side by side are told apart at a fraction of this; the closest pair of Okabe and Ito's own has 16.
APART = 11.0

NORMAL = np.eye(3)
PROTAN = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
DEUTAN = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
TRITAN = [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
EYES = {"normal": NORMAL, "protan": PROTAN, "deutan": DEUTAN, "tritan": TRITAN}
SRGB_TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
WHITE_POINT = (0.95047, 1.0, 1.08883)  # D65

Floats = NDArray[np.float64]
in_both_modes = pytest.mark.parametrize("mode", ["light", "dark"])


def linear(colour: str) -> Floats:
    """Linear RGB of '#RRGGBB', each in 0 … 1."""
    coded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear(colour) @ SRGB_TO_XYZ[1]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(colour: str, eyes: Floats) -> Floats:
    seen = np.clip(np.asarray(eyes) @ linear(colour), 0, 1)
    x, y, z = np.cbrt(np.maximum(SRGB_TO_XYZ @ seen / WHITE_POINT, 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@in_both_modes
@pytest.mark.parametrize("text", ["textColor", "linkColor", "dataframeHeaderTextColor", "grayColor"])
def test_text_is_readable_on_both_surfaces(mode: str, text: str) -> None:
    for surface in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(THEME[mode][text], THEME[mode][surface]) >= READABLE


@in_both_modes
def test_the_accent_carries_white_text_and_is_seen(mode: str) -> None:
    accent = THEME[mode]["primaryColor"]
    assert contrast(accent, "#FFFFFF") >= READABLE
    assert contrast(accent, THEME[mode]["backgroundColor"]) >= VISIBLE


@in_both_modes
def test_the_first_chart_colours_are_seen(mode: str) -> None:
    """The first four do nearly all the work; Okabe and Ito's orange and sky blue are weak on white."""
    for colour in THEME[mode]["chartCategoricalColors"][:4]:
        assert contrast(colour, THEME[mode]["backgroundColor"]) >= VISIBLE


@in_both_modes
@pytest.mark.parametrize("eyes", EYES.values(), ids=EYES)
def test_chart_colours_stay_apart(mode: str, eyes: Floats) -> None:
    seen = [lab(colour, eyes) for colour in THEME[mode]["chartCategoricalColors"]]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) >= APART


@in_both_modes
@pytest.mark.parametrize("scale", ["chartSequentialColors", "chartDivergingColors"])
def test_a_scale_has_the_ten_colours_that_streamlit_wants(mode: str, scale: str) -> None:
    assert len(set(THEME[mode][scale])) == 10


@in_both_modes
def test_the_sequential_scale_goes_one_way(mode: str) -> None:
    """Away from the background: more is stronger."""
    strength = [
        contrast(colour, THEME[mode]["backgroundColor"]) for colour in THEME[mode]["chartSequentialColors"]
    ]
    assert strength == sorted(strength)


@pytest.mark.parametrize(("ink", "mode"), [(base.LIGHT, "light"), (base.DARK, "dark")], ids=["light", "dark"])
def test_the_charts_draw_with_the_colours_of_the_theme(ink: base.Ink, mode: str) -> None:
    assert list(ink.categories) == THEME[mode]["chartCategoricalColors"]
    assert ink.surface == THEME[mode]["backgroundColor"]
    assert ink.text == THEME[mode]["textColor"]


def test_nothing_is_fetched_or_reported() -> None:
    assert "://" not in str(CONFIG)
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["server"]["enableCORS"] is CONFIG["server"]["enableXsrfProtection"] is True
