"""Preparing data in a real browser: a cell is edited in place, a step is added, both are taken back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, pick, picture, ready
from tests.browser.test_upload import HOSTILE, strip, upload

CONTENT = "school,score,mood_1,mood_2\n" + "".join(
    f"s{row // 4},{10 + row},{row % 3},{row % 5}\n" for row in range(12)
)


def prepare(page: Page, kind: str) -> None:
    page.get_by_role("tab", name="Prepare").click()
    ready(page)
    page.get_by_text(kind, exact=True).click()
    ready(page)


def choose(page: Page, label: str, option: str) -> None:
    pick(page, page.get_by_role("combobox", name=label), option)


def test_a_cell_is_edited_in_place_and_the_edit_taken_back(page: Page) -> None:
    open_page(page)
    upload(page, "moods.csv", CONTENT.encode())
    expect(strip(page)).to_contain_text("12 rows × 4 columns", timeout=WAIT_MS)
    prepare(page, "Edit a cell")
    grid = page.locator(".st-key-prepare_form").get_by_test_id("stDataFrame")
    # The grid is drawn on a canvas, with a table for screen readers inside: heading, then rows of 35 pixels.
    expect(grid.locator("[role=gridcell]").first).to_be_attached(timeout=WAIT_MS)
    grid.scroll_into_view_if_needed()
    grid.locator(".dvn-scroller").click(position={"x": 100, "y": 55})
    expect(grid.locator("[role=gridcell][aria-selected=true]").first).to_be_attached(timeout=WAIT_MS)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    written = page.locator("#portal input")
    expect(written).to_be_visible(timeout=WAIT_MS)
    written.fill("99")
    written.press("Enter")
    step = page.locator(".st-key-prepare_step_0")
    expect(step).to_contain_text("Row 0, “score”: 10 → 99.", timeout=WAIT_MS)
    ready(page)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(step).to_have_count(0, timeout=WAIT_MS)
    ready(page)
    no_trouble(page)


def test_a_predictor_is_split_and_the_tab_stays_open(page: Page) -> None:
    open_page(page, "data?example=sleepstudy")
    prepare(page, "New column")
    choose(page, "From the column", "Days")
    picture(page, "prepare")
    page.get_by_role("button", name="Add both columns").click()
    expect(page.locator(".st-key-prepare_step_1")).to_contain_text("between groups", timeout=WAIT_MS)
    expect(page.get_by_role("tab", name="Prepare")).to_have_attribute("aria-selected", "true")
    expect(strip(page)).to_contain_text("180 rows × 5 columns")
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Estimates").click()
    expect(page.get_by_role("heading", name="Estimates", exact=True)).to_be_visible(timeout=WAIT_MS)
    ready(page)
    no_trouble(page)


def test_hostile_names_stay_letters_in_steps(page: Page) -> None:
    open_page(page)
    names = ",".join(f'"{name}"' for name in HOSTILE)
    upload(page, "names.csv", f"{names}\n{','.join('123'[i % 3] for i in range(len(HOSTILE)))}\n".encode())
    expect(strip(page)).to_contain_text("1 row × 7 columns", timeout=WAIT_MS)
    prepare(page, "Rename or leave out")
    choose(page, "Column", "$y$")
    page.get_by_role("textbox", name="New name").fill(":red[**z**]")
    page.get_by_role("textbox", name="New name").press("Enter")
    ready(page)
    page.get_by_role("button", name="Add this step").click()
    step = page.locator(".st-key-prepare_step_0")
    expect(step).to_contain_text("Column “$y$” renamed “:", timeout=WAIT_MS)
    expect(step.locator("strong")).to_have_count(0)
    expect(step.locator(".katex")).to_have_count(0)
    no_trouble(page)
