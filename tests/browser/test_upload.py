"""A file of one's own in a real browser: opened, looked at, mended, refused; nothing is lost on the way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, ready, unfold

HOSTILE = [":red[x]", "$y$", "<script>alert(1)</script>", "`tick`", "[link](http://x)", "Größe µ", "a, b"]


def scores(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(1, rows // 6 + 1), 6)
    return pd.DataFrame(
        {
            "class": [f"{label:03d}" for label in group],
            "hours": rng.uniform(0, 10, rows).round(2),
            "score": (50 + rng.normal(0, 5, rows) + rng.normal(0, 4, rows // 6)[group - 1]).round(1),
        }
    )


def upload(page: Page, name: str, content: bytes) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )


def strip(page: Page) -> Locator:
    return page.locator(".st-key-loaded_strip")


def test_a_european_file_is_read_as_it_is_meant(page: Page) -> None:
    open_page(page)
    content = "\ufeff" + scores().to_csv(sep=";", decimal=",", index=False)
    upload(page, "klasse.csv", content.encode())
    expect(strip(page)).to_contain_text("60 rows × 3 columns", timeout=WAIT_MS)
    ready(page)
    unfold(page, "How the file was read")
    expect(page.get_by_role("combobox", name="Separator")).to_have_value("Automatic (semicolon)")
    expect(page.get_by_role("combobox", name="Decimal mark")).to_have_value("Automatic (comma)")
    no_trouble(page)


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("empty.csv", b"", "The file is empty"),
        ("names.csv", b"a,b,c\n", "column names but no rows"),
        ("paper.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "This is a PDF document"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "Line 3 has 3 values"),
        ("wide.csv", (",".join(f"v{i}" for i in range(3000)) + "\n").encode() * 2, "the limit is 1,000"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.endswith(".csv") else "",
)
def test_a_bad_file_is_refused_in_one_sentence_and_nothing_is_lost(
    page: Page, name: str, content: bytes, sentence: str
) -> None:
    open_page(page, "data?example=sleepstudy")
    upload(page, name, content)
    alert = page.get_by_role("alert").filter(has_text="was not opened")
    expect(alert).to_contain_text(sentence, timeout=WAIT_MS)
    ready(page)
    expect(strip(page)).to_contain_text("180 rows × 3 columns", timeout=WAIT_MS)
    no_trouble(page)


def test_hostile_names_and_values_stay_letters(page: Page) -> None:
    frame = pd.DataFrame({name: [1.5, 2.5, 3.5] for name in HOSTILE})
    frame["x"] = ["<img src=x onerror=alert(1)>", ":material/home:", "oops"]
    frame["$n"] = ["1", "2", "<b>?"]
    open_page(page)
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    upload(page, "<b>:blue[me]</b>.csv", frame.to_csv(index=False).encode())
    expect(strip(page)).to_contain_text("3 rows × 9 columns", timeout=WAIT_MS)
    ready(page)
    main = page.get_by_test_id("stMain")
    expect(main.locator("h2").first).to_contain_text("<b>:")
    expect(main.get_by_text("$n is text")).to_be_visible()
    expect(main.locator(".katex")).to_have_count(0)
    expect(main.locator("a[href='http://x']")).to_have_count(0)
    no_trouble(page)


def test_numbers_stored_as_text_are_offered_with_the_cost(page: Page) -> None:
    frame = scores().astype({"hours": str})
    frame.loc[3, "hours"] = "eight"
    open_page(page)
    upload(page, "hours.csv", frame.to_csv(index=False).encode())
    offer = page.locator("[class*='st-key-offer_']")
    expect(offer).to_contain_text("59 of 60 values are numbers", timeout=WAIT_MS)
    expect(offer).to_contain_text("“eight”")
    offer.get_by_role("button", name="Read it as number").click()
    expect(offer).to_have_count(0, timeout=WAIT_MS)
    page.get_by_role("tab", name="Missing values").click()
    expect(page.get_by_text("1 of 60 rows")).to_be_visible(timeout=WAIT_MS)
    no_trouble(page)


def test_choices_outlive_a_visit_to_another_page(page: Page) -> None:
    open_page(page)
    upload(page, "scores.csv", scores().to_csv(index=False).encode())
    expect(strip(page)).to_contain_text("60 rows × 3 columns", timeout=WAIT_MS)
    ready(page)
    page.get_by_role("tab", name="Missing values").click()
    codes = page.get_by_role("combobox", name="What stands for a missing value")
    codes.fill("50.1x")
    expect(page.get_by_role("option", name="50.1x")).to_be_visible(timeout=WAIT_MS)
    codes.press("Enter")
    expect(page.locator("[class*='st-key-codes_']").get_by_text("50.1x", exact=True)).to_be_visible(
        timeout=WAIT_MS
    )
    ready(page)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Model").click()
    expect(page.get_by_role("heading", name="Model", exact=True)).to_be_visible(timeout=WAIT_MS)
    ready(page)
    expect(strip(page)).to_contain_text("60 rows × 3 columns", timeout=WAIT_MS)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Data").click()
    expect(page.get_by_role("tab", name="Missing values")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("tab", name="Missing values").click()
    expect(page.locator("[class*='st-key-codes_']").get_by_text("50.1x", exact=True)).to_be_visible(
        timeout=WAIT_MS
    )
    no_trouble(page)


def test_dropping_a_row_of_names_that_are_data(page: Page) -> None:
    open_page(page)
    upload(page, "bare.csv", b"1,2.5\n1,3.5\n2,4.5\n2,9.5\n")
    expect(page.get_by_role("alert")).to_contain_text("first row holds only numbers", timeout=WAIT_MS)
    ready(page)
    unfold(page, "How the file was read")
    page.get_by_text("First row holds the names", exact=True).click()
    expect(strip(page)).to_contain_text("4 rows × 2 columns", timeout=WAIT_MS)
    expect(page.get_by_role("alert")).to_have_count(0, timeout=WAIT_MS)
    no_trouble(page)
