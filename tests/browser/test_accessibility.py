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
PAGES = re.findall(r'url_path="(\w+)"', APP.read_text(encoding="utf-8"))
WIDTHS = (1280, 390)
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
SERIOUS = ("serious", "critical")


def described(violation: dict[str, Any]) -> str:
    """Rule and the elements that break it."""
    nodes = [f"{node['html'][:160]} ({node['failureSummary']})" for node in violation["nodes"][:3]]
    return f"{violation['id']}: {violation['help']}: " + "; ".join(nodes)


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page(
    name: str, scheme: Literal["light", "dark"], width: int, browser: Browser, shared_server: Server
) -> None:
    window = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, locale="en-GB"
    )
    with window:
        page = window.new_page()
        page.goto(f"{shared_server.url}/{name}?example=Hsb82")
        looks.ready(page)
        looks.no_trouble(page)
        page.evaluate(PAINTED)
        found = Axe().run(page).response["violations"]
        assert [described(each) for each in found if each["impact"] in SERIOUS] == []
        main = page.get_by_test_id("stMain")
        assert main.evaluate("m => m.scrollWidth - m.clientWidth") <= 0
