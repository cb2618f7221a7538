"""Every page, light and dark, wide and narrow: nothing serious for axe, nothing wider than the window."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser import looks
from tests.browser.server import Server

APP = Path(__file__).parents[2] / "app.py"
PAGES = re.findall(r'\bpage\(\s*"(\w+)"', APP.read_text(encoding="utf-8"))
WIDTHS = (1280, 390)
# Plotly draws a chart anew some time after the window changed.
MAIN = "document.querySelector('[data-testid=stMain]')"
FITS = f"() => {MAIN}.scrollWidth <= {MAIN}.clientWidth"
SERIOUS = ("serious", "critical")


def described(violation: dict[str, Any]) -> str:
    """Rule and the elements that break it."""
    nodes = [f"{node['html'][:160]} ({node['failureSummary']})" for node in violation["nodes"][:3]]
    return f"{violation['id']}: {violation['help']}: " + "; ".join(nodes)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page(name: str, scheme: Literal["light", "dark"], browser: Browser, shared_server: Server) -> None:
    with browser.new_context(color_scheme=scheme, locale="en-GB") as window:
        page = window.new_page()
        page.set_viewport_size({"width": WIDTHS[0], "height": 800})
        page.goto(f"{shared_server.url}/{name}?example=Hsb82")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            looks.ready(page)
            looks.no_trouble(page)
            page.evaluate(looks.PAINTED)
            page.wait_for_function(FITS)
            found = Axe().run(page).response["violations"]
            assert [described(each) for each in found if each["impact"] in SERIOUS] == [], width
