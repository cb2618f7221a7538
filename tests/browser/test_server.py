"""The app starts as the README says and answers; it reports nothing to anyone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

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


@pytest.mark.parametrize("name", ["data", "model", "estimates", "group_effects", "residuals"])
def test_a_link_with_an_example_opens_the_page_with_its_model(page: Page, name: str) -> None:
    open_page(page, f"{name}?example=classrooms")
    no_trouble(page)
    expect(page.get_by_text("classrooms").or_(page.get_by_text("Pupils in classes")).first).to_be_visible()
    picture(page, name)
