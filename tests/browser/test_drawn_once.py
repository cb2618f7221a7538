"""Plotly draws each chart once: Streamlit sets figures twice, and drawing again takes as long as before."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looks

PAGES = ("explore", "group_effects", "residuals", "effects", "model")


def drawings(page: Page, path: str) -> int:
    """How often Plotly draws traces while the page of this address opens."""
    session = page.context.new_cdp_session(page)
    session.send("Profiler.enable")
    session.send("Profiler.startPreciseCoverage", {"callCount": True, "detailed": False})
    looks.open_page(page, path)
    expect(page.locator(".st-key-loaded_strip")).to_contain_text("rows ×")
    looks.ready(page)
    for chart in page.get_by_test_id("stPlotlyChart").all():
        expect(chart.locator(".main-svg").first).to_be_visible()
    page.evaluate(looks.PAINTED)
    found = session.send("Profiler.takePreciseCoverage")["result"]
    functions = [function for script in found for function in script["functions"]]
    return sum(f["ranges"][0]["count"] for f in functions if f["functionName"].endswith("drawData"))


@pytest.mark.parametrize("name", PAGES)
def test_each_chart_is_drawn_once(page: Page, name: str) -> None:
    times = drawings(page, f"{name}?example=Hsb82")
    assert times == page.get_by_test_id("stPlotlyChart").count() > 0
