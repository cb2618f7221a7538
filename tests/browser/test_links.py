"""A link opened by someone else: the same example, model and page, and nothing of anybody's session."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, ready


def test_a_link_opened_by_someone_else_shows_the_same(page: Page) -> None:
    open_page(page, "model?example=sleepstudy")
    formula = page.get_by_label("Formula", exact=True)
    formula.fill("Reaction ~ 1")
    formula.press("Enter")
    expect(page).to_have_url(re.compile(r"model="), timeout=WAIT_MS)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Report").click()
    expect(page.get_by_role("heading", name="Report", exact=True)).to_be_visible(timeout=WAIT_MS)
    ready(page)
    shared = page.get_by_text(re.compile(r"^http://localhost:\d+/report\?example=sleepstudy&model="))
    address = shared.inner_text().strip()
    browser = page.context.browser
    assert browser is not None
    with browser.new_context() as other:
        visitor = other.new_page()
        visitor.goto(address)
        ready(visitor)
        expect(visitor.get_by_role("heading", name="Report", exact=True)).to_be_visible(timeout=WAIT_MS)
        expect(visitor.locator(".st-key-loaded_strip")).to_contain_text("Reaction ~ 1", timeout=WAIT_MS)
        expect(visitor.get_by_role("alert")).to_have_count(0)
        no_trouble(visitor)
