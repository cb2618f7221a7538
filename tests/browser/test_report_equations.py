"""Equations of a report in a real browser: set as mathematics, aligned, with names in any script."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from pages.ui.model.choices import Choices
from pages.ui.report import as_html
from pages.ui.report.document import Formula, Report
from tests.pages.test_equations import drawn

SIDES = """cells => cells.map(cell => {
  const box = cell.firstElementChild.getBoundingClientRect();
  return [box.left, box.right, box.height];
})"""


def test_lines_are_aligned_at_their_relations(page: Page, tmp_path: Path) -> None:
    latex = drawn(Choices("성적", ("得点",), groups="学校", slopes=("得点",))).combined
    file = tmp_path / "report.html"
    file.write_bytes(as_html.write(Report("t", (Formula(latex, "All levels in one"),))))
    page.goto(file.as_uri())
    expect(page.locator("math")).to_be_visible()
    left = [side for side in page.locator("mtd:first-child:not(:empty)").evaluate_all(SIDES) if side[2] > 0]
    right = page.locator("mtd:nth-child(2)").evaluate_all(SIDES)
    assert len(left) >= 3
    ends, starts = [side[1] for side in left if side[1] > side[0]], [side[0] for side in right]
    assert max(ends) - min(ends) < 2
    assert max(starts) - min(starts) < 2
    assert max(ends) < min(starts)
    expect(page.locator("mtext", has_text="성적")).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
