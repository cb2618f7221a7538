"""The app starts as the README says and answers; it reports nothing to anyone."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.looks import no_trouble, open_page, picture
from tests.browser.server import Server


def test_a_fresh_server_is_healthy(fresh_server: Server) -> None:
    assert fresh_server.health() == "ok"
    assert "Traceback" not in fresh_server.printed()


def test_the_start_page_opens(page: Page, shared_server: Server) -> None:
    open_page(page)
    no_trouble(page)
    picture(page, "start")
    assert "Traceback" not in shared_server.printed()
