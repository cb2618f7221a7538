"""The Model page on a phone: picture and equations fit its width, and a step is taken from the list."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.looks import no_trouble, open_page, ready

WIDER = "all => all.filter(each => each.scrollWidth > each.clientWidth + 3).length"


def test_picture_and_equations_fit_a_phone_and_a_step_is_taken(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    open_page(page, "model?example=classrooms")
    drawn = page.locator(".st-key-model_picture")
    expect(drawn.get_by_text("classroom in school")).to_be_visible()
    assert page.locator(".katex-display").evaluate_all(WIDER) == 0
    page.get_by_text("One step up, one step down").click()
    ready(page)
    step = page.locator(".st-key-model_step_down_0").get_by_role("button")
    expect(page.get_by_text("Without the random slope of pretest by school")).to_be_visible()
    step.click()
    ready(page)
    expect(page.locator(".st-key-model_text_re_formula input")).to_have_value("1")
    no_trouble(page)
