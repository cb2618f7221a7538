"""The Model page in a browser: widgets move formulas, hostile text is a sentence and runs nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.looks import no_trouble, open_page, picture, ready


def field(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} input")


def type_formula(page: Page, text: str) -> None:
    box = field(page, "model_text_formula")
    box.fill(text)
    box.press("Enter")
    ready(page)


def test_a_widget_changes_the_formula_and_the_fit(page: Page) -> None:
    open_page(page, "model?example=sleepstudy")
    no_trouble(page)
    expect(field(page, "model_text_re_formula")).to_have_value("1 + Days")
    expect(page.get_by_text("REML criterion 1,743.63")).to_be_visible()
    picture(page, "model")
    page.locator(".st-key-model_slopes").get_by_role("button", name=re.compile("Clear|Remove")).first.click()
    expect(field(page, "model_text_re_formula")).to_have_value("1")
    expect(page.get_by_text("REML criterion 1,786.47")).to_be_visible()
    page.locator(".st-key-model_reml").get_by_text("ML", exact=True).click()
    expect(page.get_by_text("−2 log-likelihood 1,794.08")).to_be_visible()
    no_trouble(page)


def test_a_typed_formula_changes_the_widgets(page: Page) -> None:
    open_page(page, "model?example=sleepstudy")
    type_formula(page, "Reaction ~ 1")
    expect(page.locator(".st-key-model_fixed")).not_to_contain_text("Days")
    expect(page.locator(".katex").first).to_be_visible()
    no_trouble(page)


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('touch {path}')",
        "open('{path}', 'w')",
        "Q.__globals__['__builtins__']['open']('{path}', 'w')",
        "(lambda: open('{path}', 'w'))()",
        "I([c for c in ().__class__.__base__.__subclasses__()])",
    ],
)
def test_a_hostile_formula_is_a_sentence_and_runs_nothing(
    page: Page, tmp_path: Path, expression: str
) -> None:
    mark = tmp_path / "it-ran"
    typed = "Reaction ~ " + expression.format(path=mark)
    open_page(page, "model?example=sleepstudy")
    type_formula(page, typed)
    expect(page.locator(".st-key-model_text_formula + * [role=alert], [role=alert]").first).to_be_visible()
    expect(page.get_by_text("The last fit that worked")).to_be_visible()
    expect(field(page, "model_text_formula")).to_have_value(typed)
    no_trouble(page)
    assert not mark.exists()


def test_markup_typed_is_shown_letter_by_letter(page: Page) -> None:
    open_page(page, "model?example=sleepstudy")
    type_formula(page, "Reaction ~ Q(':red[x] <img src=x onerror=alert(1)> $a$')")
    expect(page.get_by_test_id("stAlert").first).to_contain_text("red[x] <img src=x onerror=alert(1)> $a$")
    no_trouble(page)


def test_a_model_survives_leaving_the_page(page: Page) -> None:
    open_page(page, "model?example=sleepstudy")
    type_formula(page, "np.log(Reaction) ~ Days")
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Data").click()
    ready(page)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Model").click()
    ready(page)
    expect(field(page, "model_text_formula")).to_have_value("np.log(Reaction) ~ Days")
    no_trouble(page)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_is_pressed_is_written_in_the_colour_of_text(page: Page, mode: Literal["light", "dark"]) -> None:
    """The accent that carries white on a button is too dark to be read on a dark page."""
    page.emulate_media(color_scheme=mode)
    open_page(page, "model?example=sleepstudy")
    pressed, other = (
        page.locator(".st-key-model_reml").get_by_role("radio", name=n, exact=True) for n in ("REML", "ML")
    )
    expect(pressed).to_be_checked()
    colour = other.locator("p").evaluate("letters => getComputedStyle(letters).color")
    expect(pressed.locator("p")).to_have_css("color", colour)


def test_a_long_fit_is_stopped_and_nothing_is_lost(page: Page) -> None:
    """Slopes of two crossed factors of thousands of levels: some seconds for each step of the search."""
    written, slow = "model_text_bars", "y ~ service + (1 + service | s) + (1 + service | d) + (1 | dept)"
    open_page(page, "model?example=InstEval")
    expect(page.get_by_text("REML criterion 237,733.83")).to_be_visible()
    box = field(page, written)
    box.fill(slow)
    box.press("Enter")
    stop = page.get_by_role("button", name="Stop the fit")
    expect(page.get_by_text(re.compile(r"Fitting the model: \d+ steps? in"))).to_be_visible(timeout=60_000)
    stop.click()
    expect(page.get_by_text("Fits wait for the button (hold is on).")).to_be_visible(timeout=60_000)
    ready(page)
    expect(stop).to_have_count(0)
    expect(field(page, written)).to_have_value(slow)
    expect(page.get_by_text("The last fit that worked:")).to_be_visible()
    expect(page.get_by_text("REML criterion 237,733.83")).to_be_visible()
    no_trouble(page)
