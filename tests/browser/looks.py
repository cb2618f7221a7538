"""Helpers for browser tests: wait for a page, look for trouble on it, keep a picture of it."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, expect

PICTURES = "MIXEDCORE_SCREENSHOTS"
# Streamlit's own marks: connected to the server, and no script run under way.
APP = "[data-testid='stApp']"
SETTLED = f"{APP}[data-test-connection-state='CONNECTED'][data-test-script-state='notRunning']"
WAIT_MS = 60_000  # two browsers and two servers on two cores; `expect` stops waiting at once when true
WINDOW: ViewportSize = {"width": 1280, "height": 800}


def ready(page: Page) -> None:
    """Wait until the page is connected, its script has ended and nothing is still loading."""
    expect(page.locator(SETTLED)).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=WAIT_MS)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=WAIT_MS)


def open_page(page: Page, path: str = "") -> None:
    """Go to a page of the app by its address ('' is the start page) and wait for it."""
    page.goto(f"/{path}")
    ready(page)


def no_trouble(page: Page) -> None:
    """Nothing on the page that only a programmer should see."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Traceback (most recent call last)")).to_have_count(0)
    expect(page.get_by_text("Page not found")).to_have_count(0)


def picture(page: Page, name: str) -> None:
    """Save the page in light and dark where MIXEDCORE_SCREENSHOTS says, or do nothing without it."""
    folder = os.environ.get(PICTURES)
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        expect(page.locator(APP)).to_have_css("color-scheme", scheme)
        _grow(page)
        ready(page)
        page.screenshot(path=Path(folder) / f"{name}-{scheme}.png", animations="disabled")
        page.set_viewport_size(WINDOW)


def _grow(page: Page) -> None:
    """Make the window as tall as the page: Streamlit scrolls inside it, and a picture shows one window."""
    height = int(page.get_by_test_id("stMain").evaluate("main => main.scrollHeight"))
    page.set_viewport_size({"width": WINDOW["width"], "height": min(max(height, WINDOW["height"]), 6000)})
