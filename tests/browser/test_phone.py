"""On a phone: the menu goes when a page is chosen, and a long formula can be read while it is typed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, ready

LONG = "Reaction ~ Days + I(Days**2) + (1 + Days + I(Days**2) | Subject)"


def test_the_menu_goes_when_a_page_is_chosen(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, "model?example=sleepstudy")
    for name in ("Explore", "Estimates"):
        page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_test_id("stSidebarNavLink").filter(has_text=name).click()
        ready(page)
        expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true", timeout=WAIT_MS)
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    no_trouble(page)


@pytest.mark.parametrize("width", [390, 1280])
def test_what_to_press_does_not_lie_over_the_formula(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    open_page(page, "model?example=sleepstudy")
    field = page.locator(".st-key-model_text_bars")
    field.locator("input").fill(LONG)
    hint = field.get_by_test_id("InputInstructions")
    expect(hint).to_be_visible(timeout=WAIT_MS)
    box, below = field.locator("input").bounding_box(), hint.bounding_box()
    assert box is not None
    assert below is not None
    assert below["y"] >= box["y"] + box["height"] - 1
