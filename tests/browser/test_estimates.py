"""The Estimates page in a real browser: its sections by keyboard and mouse, and the reading as text."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, picture, ready


def test_sections_open_one_at_a_time_and_keep_the_key_results_in_view(page: Page) -> None:
    open_page(page, "estimates?example=Machines")
    expect(page.get_by_text("Machine explains")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".st-key-explained_bars .main-svg").first).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("tab", name="Tests of terms").click()
    expect(page.get_by_role("heading", name="F tests of terms")).to_be_visible(timeout=WAIT_MS)
    ready(page)
    expect(page.get_by_text("Machine explains")).to_have_count(0)
    picture(page, "estimates-tests")
    page.get_by_role("tab", name="Tests of terms").press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Fit statistics")).to_be_visible(timeout=WAIT_MS)
    ready(page)
    picture(page, "estimates-fit")
    expect(page.get_by_role("heading", name="Fixed effects")).to_be_attached()
    no_trouble(page)


def test_the_reading_is_copied_as_plain_text(page: Page) -> None:
    open_page(page, "estimates?example=sleepstudy")
    page.locator(".st-key-reading_copy button").click()
    shown = page.get_by_test_id("stPopoverBody")
    expect(shown).to_contain_text("Reaction is 10.5 ms higher on average", timeout=WAIT_MS)
    expect(shown).to_contain_text("Days: t(17) = 6.77, p < .001")
    assert "**" not in shown.inner_text()
    no_trouble(page)
