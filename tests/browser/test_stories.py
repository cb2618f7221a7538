"""Whole analyses in a real browser, each with what must not happen on the way.

The page fixture fails on a console error and on any request to another machine. `still_here` says after each
step that no traceback is shown and that the data are the ones that were opened.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, pick, ready
from tests.browser.server import Server
from tests.browser.test_result_pages import chart, go
from tests.browser.test_upload import strip, upload

HOSTILE = "<img src=x onerror=alert(1)> **b** $x$"
PUPILS, OUTLIER = 8, 43
"""Pupils of a class, and the row whose score was typed ten times too large."""


def marks() -> pd.DataFrame:
    """Ten schools with classes 7A and 7B each, so that a class's label names ten classes."""
    rng = np.random.default_rng(11)
    schools = [f"School {letter}" for letter in "ABCDEFGHI"] + [HOSTILE]
    school, room = np.divmod(np.repeat(np.arange(20), PUPILS), 2)
    hours = rng.uniform(0, 10, school.size).round(1)
    levels = 50 + rng.normal(0, 4, 10)[school] + rng.normal(0, 3, 20)[2 * school + room]
    slopes = 1.5 + rng.normal(0, 0.8, 10)[school]
    score = (levels + slopes * hours + rng.normal(0, 2, school.size)).round(1)
    score[OUTLIER] *= 10
    frame = pd.DataFrame(
        {
            "school": np.array(schools)[school],
            "class": np.array(["7A", "7B"])[room],
            "hours": hours,
            "score": score,
        }
    )
    frame.loc[[3, 77], "hours"] = np.nan
    return frame


def as_typed_in_europe(frame: pd.DataFrame) -> bytes:
    """Semicolons between values, a comma in numbers, nothing where a value is missing."""
    return frame.to_csv(sep=";", decimal=",", index=False).encode()


def still_here(page: Page, rows: str) -> None:
    """No traceback, and the same data in the strip above the page."""
    no_trouble(page)
    expect(strip(page)).to_contain_text(rows, timeout=WAIT_MS)
    main = page.get_by_test_id("stMain")
    expect(main.locator("img[src='x'], .katex:has-text('x$'), .js-plotly-plot b")).to_have_count(0)


def field(page: Page, name: str) -> Locator:
    return page.locator(f".st-key-model_text_{name} input")


def highest_point(drawn: Locator) -> tuple[float, float]:
    """The middle of the point of a chart that lies highest on the screen."""
    drawn.scroll_into_view_if_needed()
    found = drawn.locator(".scatterlayer .point").evaluate_all(
        """points => points.map(p => p.getBoundingClientRect())
                           .map(b => [b.x + b.width / 2, b.y + b.height / 2])
                           .reduce((a, b) => b[1] < a[1] ? b : a)"""
    )
    return found[0], found[1]


def click_highest(page: Page, key: str) -> None:
    x, y = highest_point(chart(page, key))
    page.mouse.move(x, y)
    page.mouse.click(x, y)


def test_analyst_from_a_raw_file_to_a_report(page: Page, tmp_path: Path) -> None:
    """Labels re-used over schools are asked about, an outlier is left out, two models kept, all reported."""
    page.on("dialog", lambda dialog: pytest.fail(f"a script of the data ran: {dialog.message}"))
    open_page(page)
    upload(page, "marks.csv", as_typed_in_europe(marks()))
    rows = "160 rows × 4 columns"
    expect(strip(page)).to_contain_text(rows, timeout=WAIT_MS)
    ready(page)
    the_label_trap_is_asked_about(page)
    still_here(page, rows)

    go(page, "Model")
    predictors = page.locator(".st-key-model_fixed").get_by_role("combobox")
    pick(page, predictors, "hours")
    expect(field(page, "formula")).to_have_value("score ~ hours", timeout=WAIT_MS)
    ready(page)
    slopes = field(page, "re_formula")
    slopes.fill("1 + hours")
    slopes.press("Enter")
    expect(page.locator(".st-key-model_slopes")).to_contain_text("hours", timeout=WAIT_MS)
    ready(page)
    expect(field(page, "vc_formula_0")).to_have_value('0 + C(Q("class"))')
    still_here(page, rows)

    go(page, "Estimates")
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text("Per additional unit of hours, score is", timeout=WAIT_MS)
    expect(main).to_contain_text("2 of 160 rows dropped: missing in hours (2)")
    still_here(page, rows)

    go(page, "Residuals")
    an_outlier_is_left_out(page)
    still_here(page, "159 rows (1 left out)")

    go(page, "Compare")
    keep(page, 1)
    go(page, "Model")
    page.locator(".st-key-model_slopes").get_by_role("button", name=re.compile("Clear|Remove")).first.click()
    expect(field(page, "re_formula")).to_have_value("1", timeout=WAIT_MS)
    ready(page)
    go(page, "Compare")
    keep(page, 2)
    expect(main.get_by_role("cell", name="Model 1").first).to_be_visible(timeout=WAIT_MS)
    expect(main.get_by_role("cell", name="Model 2").first).to_be_visible()
    expect(main.get_by_text("use different rows")).to_have_count(0)
    chart(page, "compared_coefficients")
    still_here(page, "159 rows (1 left out)")

    go(page, "Report")
    the_report_tells_it_all(page, tmp_path)
    still_here(page, "159 rows (1 left out)")


def the_report_tells_it_all(page: Page, folder: Path) -> None:
    """The report is downloaded and opened: what was left out and why, both models, nothing that runs."""
    with page.expect_download() as saving:
        page.get_by_role("button", name="HTML", exact=True).click()
    file = folder / "report.html"
    saving.value.save_as(file)
    report = page.context.new_page()
    report.goto(file.as_uri())
    body = report.locator("body")
    expect(body).to_contain_text(f"Row {OUTLIER}: <b>typed</b> ten times too large", timeout=WAIT_MS)
    expect(body).to_contain_text("Per additional unit of hours, score is")
    expect(report.get_by_role("cell", name="Model 2").first).to_be_visible()
    expect(report.locator("b", has_text="typed")).to_have_count(0)
    expect(report.get_by_role("heading", name="References")).to_be_visible()
    report.close()


def the_label_trap_is_asked_about(page: Page) -> None:
    """With the labels of the file; the answer makes the model's levels."""
    main = page.get_by_test_id("stMain")
    question = "“7A” occurs in 10 of 10 groups of school. Is it one class that they share"
    expect(main).to_contain_text(question, timeout=WAIT_MS)
    expect(page.get_by_role("button", name="Use this structure in the model")).to_have_count(0)
    page.get_by_text("Another in each school", exact=True).click()
    ready(page)
    expect(main).to_contain_text("20 different ones in all", timeout=WAIT_MS)
    chart(page, "nesting_boxes")
    page.get_by_role("button", name="Use this structure in the model").click()
    expect(page.get_by_text("The model has this structure")).to_be_visible(timeout=WAIT_MS)
    ready(page)


def an_outlier_is_left_out(page: Page) -> None:
    """The highest point is clicked, its row read, left out with a reason; both fits stand side by side."""
    click_highest(page, "residuals_against_fitted")
    panel = page.locator(".st-key-row_panel")
    expect(panel).to_contain_text("score = 537.0", timeout=WAIT_MS)
    ready(page)
    panel.get_by_role("textbox", name="Reason to leave it out").fill("<b>typed</b> ten times too large")
    panel.get_by_role("button", name="Leave this row out").click()
    out = page.locator(".st-key-rows_left_out")
    expect(out).to_contain_text(f"Row {OUTLIER}: <b>typed</b> ten times too large", timeout=WAIT_MS)
    ready(page)
    for column in ("All rows", "Rows in use", "Change"):
        expect(out.get_by_role("columnheader", name=column).first).to_be_visible(timeout=WAIT_MS)


def keep(page: Page, number: int) -> None:
    page.get_by_role("button", name="Keep this model to compare").click()
    expect(page.get_by_text(f"Kept as “Model {number}”")).to_be_visible(timeout=WAIT_MS)
    ready(page)


def test_an_lme4_formula_moves_the_widgets_and_a_wrong_one_loses_nothing(page: Page) -> None:
    open_page(page, "model?example=sleepstudy")
    bars = field(page, "bars")
    bars.fill("Reaction ~ Days + (1 | Subject)")
    bars.press("Enter")
    expect(page.get_by_text("REML criterion 1,786.47")).to_be_visible(timeout=WAIT_MS)
    ready(page)
    bars.fill("Reaction ~ Days + (Days | Subject)")
    bars.press("Enter")
    expect(page.get_by_text("REML criterion 1,743.63")).to_be_visible(timeout=WAIT_MS)
    ready(page)
    expect(page.locator(".st-key-model_fixed")).to_contain_text("Days")
    expect(page.locator("[class*='st-key-model_block_0'], .st-key-model_slopes").first).to_be_visible()
    go(page, "Estimates")
    expect(page.get_by_role("cell", name="251.41")).to_be_visible(timeout=WAIT_MS)
    go(page, "Model")

    wrong = "Reaction ~ Days + (Day | Subject"
    bars.fill(wrong)
    bars.press("Enter")
    expect(page.get_by_text("Not fitted: the model above needs a correction.")).to_be_visible(timeout=WAIT_MS)
    ready(page)
    expect(bars).to_have_value(wrong)
    expect(page.get_by_text("The last fit that worked")).to_be_visible()
    expect(page.get_by_text("REML criterion 1,743.63")).to_be_visible()
    still_here(page, "180 rows × 3 columns")
    page.get_by_role("button", name="Go back to that model").click()
    expect(bars).to_have_value("Reaction ~ Days + (Days | Subject)", timeout=WAIT_MS)
    ready(page)
    still_here(page, "180 rows × 3 columns")


def test_a_second_visitor_sees_nothing_of_the_first_one_s_data(
    page: Page, browser: Browser, shared_server: Server
) -> None:
    open_page(page)
    upload(page, "private.csv", as_typed_in_europe(marks()))
    expect(strip(page)).to_contain_text("160 rows × 4 columns", timeout=WAIT_MS)
    ready(page)
    go(page, "Model")
    expect(strip(page)).to_contain_text("score ~", timeout=WAIT_MS)
    # The address as it stands in the first window's bar.
    with browser.new_context(locale="en-GB") as window:
        other = window.new_page()
        for address in (page.url, shared_server.url):
            other.goto(address)
            ready(other)
            no_trouble(other)
            for word in ("private.csv", "School A", "hours"):
                expect(other.get_by_text(word, exact=True)).to_have_count(0)
        go(other, "Compare")
        expect(other.get_by_role("heading", name="There are no data yet")).to_be_visible()
    still_here(page, "160 rows × 4 columns")
