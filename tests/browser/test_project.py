"""A project saved, the server restarted, the project restored; a damaged file changes nothing."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, ready
from tests.browser.server import Server
from tests.browser.test_upload import scores

PROJECT = ".st-key-project_box"


def test_a_project_outlives_the_server(page: Page, fresh_server: Server, tmp_path: Path) -> None:
    open_page(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(
        {"name": "scores.csv", "mimeType": "text/csv", "buffer": scores().to_csv(index=False).encode()}
    )
    strip = page.locator(".st-key-loaded_strip")
    expect(strip).to_contain_text("60 rows × 3 columns", timeout=WAIT_MS)
    ready(page)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Model").click()
    expect(strip).to_contain_text("score ~", timeout=WAIT_MS)
    ready(page)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Report").click()
    expect(page.get_by_role("heading", name="Report", exact=True)).to_be_visible(timeout=WAIT_MS)
    ready(page)
    model = strip.inner_text()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the project").click()
    saved = tmp_path / "project.zip"
    saving.value.save_as(saved)

    page.goto(fresh_server.url)
    ready(page)
    box = page.locator(PROJECT).get_by_test_id("stFileUploaderDropzoneInput")
    box.set_input_files({"name": "p.zip", "mimeType": "application/zip", "buffer": saved.read_bytes()[:-200]})
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed", timeout=WAIT_MS)
    expect(strip).to_have_count(0)  # still without data
    page.goto(fresh_server.url)
    ready(page)
    box.set_input_files(saved)
    expect(page.get_by_text("The project is open: 60 rows")).to_be_visible(timeout=WAIT_MS)
    ready(page)
    for said in filter(str.strip, model.splitlines()):
        expect(strip).to_contain_text(said.strip())
    no_trouble(page)
