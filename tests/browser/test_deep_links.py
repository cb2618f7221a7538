"""A link to any page, opened first on a server nobody has visited: right page, right menu, nothing lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, ready
from tests.browser.server import Server

APP = Path(__file__).parents[2] / "app.py"
PAGES = dict(re.findall(r'\bpage\(\s*"(\w+)",\s*"\w+",\s*"([^"]+)"', APP.read_text(encoding="utf-8")))


def menu_is_right(page: Page, current: str) -> None:
    links = page.get_by_test_id("stSidebarNavLink")
    expect(links).to_have_text([re.compile(f"{title}$") for title in PAGES.values()])
    expect(page.locator("[data-testid='stSidebarNavLink'][aria-current='page']")).to_contain_text(
        current, timeout=WAIT_MS
    )


@pytest.mark.parametrize("path, title", PAGES.items(), ids=PAGES)
def test_the_first_visitor_of_a_server_may_come_by_any_link(
    page: Page, fresh_server: Server, path: str, title: str
) -> None:
    page.goto(f"{fresh_server.url}/{path}")
    ready(page)
    menu_is_right(page, title)
    no_trouble(page)
    expect(page).to_have_url(re.compile(rf"/{path}(\?.*)?$"))
    expect(page).to_have_title(re.compile(f"^{title}"))
    assert "Traceback" not in fresh_server.printed()


def example_arrived(page: Page, address: str, path: str, title: str) -> None:
    page.goto(f"{address}/{path}?example=sleepstudy")
    ready(page)
    menu_is_right(page, title)
    no_trouble(page)
    expect(page.locator(".st-key-loaded_strip")).to_contain_text("180 rows × 3 columns", timeout=WAIT_MS)
    expect(page).to_have_url(re.compile(rf"/{path}\?example=sleepstudy$"))


def test_the_first_visitor_s_link_carries_an_example(page: Page, fresh_server: Server) -> None:
    example_arrived(page, fresh_server.url, "estimates", "Estimates")


@pytest.mark.parametrize("path, title", PAGES.items(), ids=PAGES)
def test_a_link_carries_an_example(page: Page, shared_server: Server, path: str, title: str) -> None:
    example_arrived(page, shared_server.url, path, title)


def test_later_visitors_find_the_same(page: Page, fresh_server: Server) -> None:
    for path, title in [("residuals", "Residuals"), *PAGES.items()]:
        page.goto(f"{fresh_server.url}/{path}")
        ready(page)
        menu_is_right(page, title)
        no_trouble(page)


def test_the_start_page_is_the_data_page_and_back_leaves_it(page: Page, shared_server: Server) -> None:
    page.goto("about:blank")
    page.goto(shared_server.url)
    ready(page)
    menu_is_right(page, "Data")
    page.go_back()
    expect(page).to_have_url("about:blank")


def test_a_page_without_data_invites(page: Page, shared_server: Server) -> None:
    page.goto(f"{shared_server.url}/estimates")
    ready(page)
    invitation = page.locator(".st-key-invitation")
    expect(invitation.get_by_role("link", name="Go to Data")).to_be_visible()
    invitation.get_by_role("button", name="Use an example now").click()
    expect(page.locator(".st-key-loaded_strip")).to_contain_text("180 rows × 3 columns", timeout=WAIT_MS)
    ready(page)
    no_trouble(page)
    expect(invitation).to_have_count(0)


def test_an_unknown_example_is_said_in_words(page: Page, shared_server: Server) -> None:
    page.goto(f"{shared_server.url}/data?example=:red[x]<script>")
    ready(page)
    no_trouble(page)
    expect(page.get_by_role("alert")).to_contain_text(
        "red[x]<script>”, which does not exist", timeout=WAIT_MS
    )
