"""From an example to estimates, group effects and residuals in a real browser; a phone; hostile names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from mixedcore import datasets
from tests.browser.looks import WAIT_MS, no_trouble, open_page, picture, ready
from tests.browser.server import Server
from tests.pages import fits

RESULT_PAGES = {"estimates": "Estimates", "group_effects": "Group effects", "residuals": "Residuals"}


def go(page: Page, title: str) -> None:
    page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile(f"{title}$")).click()
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=WAIT_MS)
    ready(page)
    no_trouble(page)


def chart(page: Page, key: str) -> Locator:
    """A chart that has been drawn."""
    drawn = page.locator(f".st-key-{key} .main-svg").first
    expect(drawn).to_be_visible(timeout=WAIT_MS)
    return page.locator(f".st-key-{key}")


def test_three_clicks_from_the_start_to_every_result(page: Page) -> None:
    open_page(page)
    page.locator(".st-key-fit_sleepstudy button").click()
    expect(page.get_by_role("heading", name="Estimates", exact=True)).to_be_visible(timeout=WAIT_MS)
    ready(page)
    expect(page.get_by_text("The fit converged")).to_be_visible()
    expect(page.get_by_role("cell", name="251.41")).to_be_visible()
    chart(page, "coefficient_plot")
    picture(page, "estimates")
    go(page, "Group effects")
    chart(page, "caterpillar")
    picture(page, "group_effects")
    page.get_by_role("radio", name="Lines over the data").click()
    chart(page, "group_panels")
    go(page, "Residuals")
    chart(page, "residuals_against_fitted")
    picture(page, "residuals")
    page.get_by_role("radio", name="Even spread?").click()
    chart(page, "residuals_by_group")


def test_a_file_of_ones_own_leads_to_the_same_numbers(page: Page) -> None:
    """Upload → model typed → estimates, BLUPs and residuals of lme4's sleepstudy fit."""
    content = datasets.load("sleepstudy").to_csv(index=False).encode()
    open_page(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(
        {"name": "my reactions.csv", "mimeType": "text/csv", "buffer": content}
    )
    expect(page.locator(".st-key-loaded_strip")).to_contain_text("180 rows", timeout=WAIT_MS)
    ready(page)
    go(page, "Model")
    for key, text, widget in (("formula", "Reaction ~ Days", "fixed"), ("re_formula", "1 + Days", "slopes")):
        box = page.locator(f".st-key-model_text_{key} input")
        box.fill(text)
        box.press("Enter")
        expect(page.locator(f".st-key-model_{widget}")).to_contain_text("Days", timeout=WAIT_MS)
        ready(page)
    expect(page.get_by_text("REML criterion 1,743.63")).to_be_visible(timeout=WAIT_MS)
    go(page, "Estimates")
    expect(page.get_by_role("cell", name="251.41")).to_be_visible()
    go(page, "Group effects")
    assert chart(page, "caterpillar").locator(".ytick").count() == 18
    go(page, "Residuals")
    chart(page, "residuals_against_fitted")


def test_a_click_on_a_point_highlights_its_group_everywhere(page: Page) -> None:
    open_page(page, "group_effects?example=sleepstudy")
    points = chart(page, "caterpillar").locator(".scatterlayer .point")
    points.first.scroll_into_view_if_needed()
    box = points.first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    chosen = page.get_by_role("combobox", name="Highlight a group")
    expect(chosen).to_have_value("309", timeout=WAIT_MS)
    ready(page)
    expect(chart(page, "caterpillar").locator(".legend")).to_contain_text("309")
    go(page, "Residuals")
    expect(chart(page, "residuals_against_fitted").locator(".legend")).to_contain_text("309")
    no_trouble(page)


def test_exports_are_files(page: Page, tmp_path: Path) -> None:
    open_page(page, "estimates?example=sleepstudy")
    page.locator(".st-key-fixed_effects_export button").click()
    with page.expect_download() as saved:
        page.locator(".st-key-fixed_effects_csv button").click()
    assert saved.value.suggested_filename == "fixed-effects.csv"
    assert b"251.405" in saved.value.path().read_bytes()
    page.keyboard.press("Escape")
    with page.expect_download() as saved:
        page.locator(".st-key-coefficient_plot_html button:visible").click()
    assert saved.value.suggested_filename == "coefficient-plot.html"
    exported = tmp_path / saved.value.suggested_filename
    saved.value.save_as(exported)
    page.context.set_offline(True)
    page.goto(exported.as_uri())
    expect(page.locator(".main-svg").first).to_be_visible(timeout=WAIT_MS)


@pytest.mark.parametrize("path", RESULT_PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_reads_results_without_scrolling_sideways(
    browser: Browser, shared_server: Server, path: str, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme) as phone:
        page = phone.new_page()
        page.goto(f"{shared_server.url}/{path}?example=classrooms")
        ready(page)
        no_trouble(page)
        expect(page.locator(".main-svg").first).to_be_visible(timeout=WAIT_MS)
        width = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth")
        assert width <= 390
        for picture_ in page.locator(".js-plotly-plot").all():
            box = picture_.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 391


def test_hostile_names_and_labels_are_shown_letter_by_letter(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script from the data ran: {dialog.message}"))
    open_page(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(
        {
            "name": "hostile.csv",
            "mimeType": "text/csv",
            "buffer": fits.hostile_data().to_csv(index=False).encode(),
        }
    )
    expect(page.locator(".st-key-loaded_strip")).to_contain_text("120 rows", timeout=WAIT_MS)
    ready(page)
    go(page, "Model")
    for title in RESULT_PAGES.values():
        go(page, title)
        expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=WAIT_MS)
        main = page.get_by_test_id("stMain")
        expect(main.locator("a[href*='://y'], a[href*='://x']")).to_have_count(0)
        expect(
            main.locator(".katex, .stMarkdownColoredText, .js-plotly-plot b, .js-plotly-plot script")
        ).to_have_count(0)
        picture(page, f"hostile-{title}")
    page.get_by_role("radio", name="Even spread?").click()
    expect(page.locator(".st-key-residuals_by_group .ytick").filter(has_text=":red[x]")).to_have_count(1)
