"""Explore in a real browser: a click on a point."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, picture, ready


def test_a_click_on_a_group_mean_highlights_the_group_in_every_plot(page: Page) -> None:
    open_page(page, "explore?example=classrooms")
    page.get_by_role("radio", name="Within and between").click()
    chart = page.locator(".st-key-explore_within_between")
    points = chart.locator(".scatterlayer .point")
    expect(points.first).to_be_visible(timeout=WAIT_MS)
    ready(page)
    points.first.click(force=True)
    expect(chart.locator(".legendtext").last).to_have_text("S01", timeout=WAIT_MS)
    page.get_by_role("radio", name="Group lines").click()
    expect(page.locator(".st-key-explore_lines .legendtext").last).to_have_text("S01", timeout=WAIT_MS)
    no_trouble(page)
    picture(page, "explore")
