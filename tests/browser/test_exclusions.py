"""A point clicked shows its row; left out, the fit stands beside the old one, on every page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, ready
from tests.browser.test_result_pages import chart, go


def test_a_clicked_point_is_left_out_with_a_reason_and_comes_back(page: Page) -> None:
    open_page(page, "residuals?example=sleepstudy")
    points = chart(page, "residuals_against_fitted").locator(".scatterlayer .trace").first.locator(".point")
    points.first.scroll_into_view_if_needed()
    box = points.first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    panel = page.locator(".st-key-row_panel")
    expect(panel).to_contain_text("Studentised residual", timeout=WAIT_MS)
    ready(page)
    reason = panel.get_by_role("textbox", name="Reason to leave it out")
    reason.fill("typing error")
    panel.get_by_role("button", name="Leave this row out").click()
    out = page.locator(".st-key-rows_left_out")
    expect(out).to_contain_text("typing error", timeout=WAIT_MS)
    ready(page)
    expect(out).to_contain_text("SD of residuals")
    expect(page.locator(".st-key-loaded_strip")).to_contain_text("179 rows (1 left out)")
    go(page, "Estimates")
    expect(page.locator(".st-key-loaded_strip")).to_contain_text("179 rows (1 left out)")
    go(page, "Residuals")
    out.get_by_role("button", name="Take all back").click()
    expect(out).to_have_count(0, timeout=WAIT_MS)
    expect(page.locator(".st-key-loaded_strip")).to_contain_text("180 rows ×")
    no_trouble(page)
