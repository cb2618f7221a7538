"""A Chromium that stays off the network, a running app, and a page that fails its test on a console error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from tests.browser import chromium, looks, server

FLAGS = [
    "--no-sandbox",  # root in a container has no user namespaces
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-dev-shm-usage",
]
# On a deep link Streamlit first asks below the page's address whether the server is there, then at the root.
PROBE = re.compile(r"/\w+/_stcore/(health|host-config)$")
HERE = {"localhost", "127.0.0.1", "[::1]", "::1"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs a page is a browser test."""
    for item in items:
        if "page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the Chromium that was found; without one these tests fail with the line that says what to do."""
    return browser_type_launch_args | {"executable_path": str(chromium.find()), "args": FLAGS}


@pytest.fixture(scope="session")
def shared_server() -> Iterator[server.Server]:
    """One app for all tests of a worker: as on a server that others have used before."""
    with server.running() as started:
        yield started


@pytest.fixture
def fresh_server() -> Iterator[server.Server]:
    """An app that nobody has visited yet."""
    with server.running() as started:
        yield started


@pytest.fixture(scope="session")
def base_url(shared_server: server.Server) -> str:
    """Lets `page.goto('/model')` mean the shared app."""
    return shared_server.url


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    """A browser window of its own for each test."""
    context.set_default_timeout(30_000)
    return context


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A laptop's window, in English, light unless a test asks for dark."""
    return browser_context_args | {"viewport": looks.WINDOW, "locale": "en-GB", "color_scheme": "light"}


@pytest.fixture
def page(page: Page, shared_server: server.Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that ends its test in failure after a script error or a request to any other machine."""
    trouble: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        address = message.location["url"]
        if message.type == "error" and not PROBE.search(address):
            trouble.append(f"console: {message.text} ({address})")

    def on_request(asked: Request) -> None:
        address = urlsplit(asked.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in HERE:
            trouble.append(f"request to another machine: {asked.url}")

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: trouble.append(f"script: {error}"))
    yield page
    request.node.add_report_section("teardown", "server log", shared_server.printed())
    assert not trouble, "\n".join(trouble)
