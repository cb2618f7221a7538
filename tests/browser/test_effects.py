"""The Effects page in a real browser: a slider moves the prediction, a phone shows means and slopes."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, ready
from tests.browser.server import Server


def section(page: Page, name: str) -> None:
    page.locator(".st-key-effects_section").get_by_text(name, exact=True).click()
    ready(page)
    no_trouble(page)


def test_a_slider_moves_the_prediction_by_keyboard(page: Page) -> None:
    open_page(page, "effects?example=sleepstudy")
    expect(page.locator(".st-key-effects_predictions .main-svg").first).to_be_visible(timeout=WAIT_MS)
    section(page, "What if")
    slider = page.get_by_role("slider", name="Days")
    slider.press("Home")
    expect(page.get_by_test_id("stMetricValue")).to_have_text("251.4", timeout=WAIT_MS)
    ready(page)
    page.get_by_role("button", name="Compare with this from now on").click()
    ready(page)
    slider.press("End")
    expect(page.get_by_test_id("stMetricValue")).to_have_text("345.6", timeout=WAIT_MS)
    expect(page.get_by_text("94.21 more Reaction than before (251.4)")).to_be_visible()
    no_trouble(page)


def test_means_and_slopes_fit_a_phone(browser: Browser, shared_server: Server) -> None:
    with browser.new_context(viewport={"width": 390, "height": 800}) as context:
        page = context.new_page()
        page.goto(f"{shared_server.url}/effects?example=BodyWeight")
        ready(page)
        for name, key in (("Means", "effects_means_chart"), ("Slopes", "effects_slope_lines")):
            section(page, name)
            expect(page.locator(f".st-key-{key} .main-svg").first).to_be_visible(timeout=WAIT_MS)
            main = page.get_by_test_id("stMain")
            assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
