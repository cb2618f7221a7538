"""The model builder in a browser: what opens stays open, bars move cards, and nothing overflows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, picture, ready


def type_bars(page: Page, text: str) -> None:
    box = page.locator(".st-key-model_text_bars input")
    box.fill(text)
    box.press("Enter")
    ready(page)


def test_the_shape_of_a_predictor_stays_open_while_it_is_changed(page: Page) -> None:
    open_page(page, "model?example=sleepstudy")
    page.locator(".st-key-model_shapes").get_by_role("button", name=re.compile("Days")).click()
    ready(page)
    page.locator(".st-key-model_shape_0_curve").get_by_text("Polynomial").click()
    ready(page)
    formula = page.locator(".st-key-model_text_formula input")
    expect(formula).to_have_value("Reaction ~ Days + I(Days**2)", timeout=WAIT_MS)
    page.locator(".st-key-model_shape_0_curve").get_by_text("Straight line").click()
    ready(page)
    expect(formula).to_have_value("Reaction ~ Days", timeout=WAIT_MS)
    no_trouble(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_an_lme4_formula_becomes_a_card_for_each_factor(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    open_page(page, "model?example=Penicillin")
    type_bars(page, "diameter ~ (1 | plate) + (1 | sample)")
    expect(page.locator(".st-key-model_block_1_factor")).to_contain_text("sample", timeout=WAIT_MS)
    expect(page.get_by_text("REML criterion 330.86").first).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".katex").first).to_be_visible()
    no_trouble(page)
    picture(page, "builder")
    page.locator(".st-key-model_block_0_remove").get_by_role("button").click()
    ready(page)
    expect(page.locator(".st-key-model_text_re_formula input")).to_have_value("1", timeout=WAIT_MS)
    no_trouble(page)


def test_a_model_is_started_by_keyboard(page: Page) -> None:
    open_page(page, "model?example=Exam")
    page.get_by_role("button", name="Null model").focus()
    page.keyboard.press("Enter")
    ready(page)
    expect(page.locator(".st-key-model_text_bars input")).to_have_value(
        "normexam ~ 1 + (1 | school)", timeout=WAIT_MS
    )
    expect(page.get_by_text("The null model")).to_be_visible()
    no_trouble(page)
