"""An SPSS file with value labels from upload to estimates, and cells pasted, in a real browser."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, picture, ready, unfold
from tests.browser.test_upload import strip, upload
from tests.pages import files

HOSTILE = "<img src=x onerror=alert(1)> $x$"


def pupils() -> bytes:
    """Twenty schools; a treatment by codes of which the second, alphabetically first, is the reference."""
    rng = np.random.default_rng(5)
    school = np.repeat(np.arange(1.0, 21), 15)
    group = np.tile([1.0, 2.0, 3.0], 100)
    score = 50 + 4 * (group == 2) + rng.normal(0, 3, 20)[school.astype(int) - 1] + rng.normal(0, 5, 300)
    frame = pd.DataFrame({"school": school, "group": group, "score": score.round(2)})
    frame.loc[:9, "score"] = 999.0
    return files.sav(
        frame,
        variable_value_labels={"group": {1: "usual lessons", 2: "extra lessons", 3: HOSTILE}},
        column_labels={"group": "How they were taught", "score": "**Points**"},
        missing_ranges={"score": [999]},
    )


def test_value_labels_from_the_file_to_the_estimates(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    open_page(page)
    upload(page, "pupils.sav", pupils())
    expect(strip(page)).to_contain_text("300 rows × 3 columns", timeout=WAIT_MS)
    ready(page)
    unfold(page, "How the file was read")
    labelled = page.get_by_role("combobox", name="Labelled values")
    expect(labelled).to_have_value("Labels, in the order of their codes", timeout=WAIT_MS)
    expect(page.get_by_role("combobox", name="Separator")).to_have_count(0, timeout=WAIT_MS)
    picture(page, "spss-data")
    page.get_by_text("One note on reading these data", exact=True).click()
    expect(page.get_by_text("10 values of “score” marked as missing in the file: 999.")).to_be_visible(
        timeout=WAIT_MS
    )
    page.get_by_role("button", name="Choose a model").click()
    expect(page.get_by_role("heading", name="Model", exact=True)).to_be_visible(timeout=WAIT_MS)
    ready(page)
    groups = page.locator(".st-key-model_groups").get_by_role("combobox")
    groups.fill("school")
    groups.press("Enter")
    expect(strip(page)).to_contain_text("| school)", timeout=WAIT_MS)
    ready(page)
    box = page.locator(".st-key-model_text_formula input")
    box.fill("score ~ group")
    box.press("Enter")
    ready(page)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Estimates").click()
    ready(page)
    main = page.get_by_test_id("stMain")
    expect(strip(page)).to_contain_text("score ~ group + (1 | school)", timeout=WAIT_MS)
    picture(page, "spss-estimates")
    expect(main).to_contain_text("group: extra lessons", timeout=WAIT_MS)
    expect(main).to_contain_text("290", timeout=WAIT_MS)  # the values marked as missing are in no model
    expect(main).not_to_contain_text("group: usual lessons")  # the first code is what others are held against
    no_trouble(page)


def test_cells_pasted_from_a_spreadsheet(page: Page) -> None:
    open_page(page)
    page.get_by_role("button", name="Paste from a spreadsheet").click()
    cells = page.get_by_role("textbox", name="Cells")
    cells.fill("class\thours\tscore\n" + "".join(f"7{'ABC'[i % 3]}\t{i},5\t{i * 2}\n" for i in range(12)))
    page.get_by_role("button", name="Use these cells").click()
    expect(strip(page)).to_contain_text("12 rows × 3 columns", timeout=WAIT_MS)
    ready(page)
    expect(page.get_by_role("textbox", name="Cells")).to_have_count(0, timeout=WAIT_MS)
    unfold(page, "How the file was read")
    expect(page.get_by_role("combobox", name="Separator")).to_have_value("Automatic (tab)", timeout=WAIT_MS)
    expect(page.get_by_role("combobox", name="Decimal mark")).to_have_value(
        "Automatic (comma)", timeout=WAIT_MS
    )
    no_trouble(page)
