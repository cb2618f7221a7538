"""Helpers for browser tests: wait for a page, look for trouble on it, keep a picture of it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, ViewportSize, expect

PICTURES = "MIXEDCORE_SCREENSHOTS"
# Streamlit's own marks: connected to the server, and no script run under way.
APP = "[data-testid='stApp']"
SETTLED = f"{APP}[data-test-connection-state='CONNECTED'][data-test-script-state='notRunning']"
WAIT_MS = 60_000  # two browsers and two servers on two cores; `expect` stops waiting at once when true
# The app's own style. A link leads through app.py to its page; between these two runs the app looks settled.
STYLED = "[data-testid='stHtml'] style"
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
WINDOW: ViewportSize = {"width": 1280, "height": 800}


def ready(page: Page) -> None:
    """Wait until the page is connected, its script has ended and nothing is still loading."""
    expect(page.locator(STYLED).first).to_be_attached(timeout=WAIT_MS)
    expect(page.locator(SETTLED)).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=WAIT_MS)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=WAIT_MS)
    expect(page.locator("[data-stale='true']")).to_have_count(0, timeout=WAIT_MS)


def open_page(page: Page, path: str = "") -> None:
    """Go to a page of the app by its address ('' is the start page) and wait for it."""
    page.goto(f"/{path}")
    ready(page)


def unfold(page: Page, title: str) -> None:
    """Open a folded section and wait until it is unrolled: a click on what still moves misses it."""
    section = page.get_by_test_id("stExpander").filter(has=page.get_by_text(title, exact=True))
    section.locator("summary").click()
    section.evaluate(
        "s => Promise.all(s.getAnimations({ subtree: true }).map(each => each.finished)).then(() => null)"
    )
    ready(page)


def pick(page: Page, box: Locator, option: str) -> None:
    """Choose an option of a box, brought to the middle first: Streamlit closes its lists when a page scrolls,
    and a click at the edge of the window scrolls it.
    """
    box.evaluate("box => box.scrollIntoView({ block: 'center' })")
    page.evaluate(PAINTED)
    box.click()
    page.get_by_role("option", name=option, exact=True).click()
    ready(page)


def no_trouble(page: Page) -> None:
    """Nothing on the page that only a programmer should see."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Traceback (most recent call last)")).to_have_count(0)
    expect(page.get_by_text("Page not found")).to_have_count(0)


def picture(page: Page, name: str) -> None:
    """Save the page where MIXEDCORE_SCREENSHOTS says, or do nothing without it.

    A link with an example is opened once more in dark: the server learns of a change of appearance only
    at the next run, so that the charts of this page would keep their light colours.
    """
    folder = os.environ.get(PICTURES)
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    _save(page, Path(folder) / f"{name}-light.png")
    browser = page.context.browser
    if browser and ("example=" in page.url or not urlsplit(page.url).path.strip("/")):
        with browser.new_context(color_scheme="dark", viewport=WINDOW, locale="en-GB") as dark:
            again = dark.new_page()
            again.goto(page.url)
            ready(again)
            expect(again.locator(APP)).to_have_css("color-scheme", "dark")
            _save(again, Path(folder) / f"{name}-dark.png")


def _save(page: Page, file: Path) -> None:
    """A picture of the whole page: Streamlit scrolls inside its window, so the window grows for a moment."""
    height = int(page.get_by_test_id("stMain").evaluate("main => main.scrollHeight"))
    page.set_viewport_size({"width": WINDOW["width"], "height": min(max(height, WINDOW["height"]), 6000)})
    ready(page)
    page.screenshot(path=file, animations="disabled")
    page.set_viewport_size(WINDOW)
