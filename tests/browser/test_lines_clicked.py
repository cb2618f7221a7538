"""A click on one of many lines, which lie in one trace, chooses its group."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.looks import WAIT_MS, no_trouble, open_page, ready

BETWEEN_TWO_PLACES = """([key, name]) => {
  const plot = document.querySelector(`.st-key-${key} .js-plotly-plot`);
  const places = plot.data.find(trace => trace.marker && trace.marker.opacity === 0);
  const own = places.customdata.flatMap((each, at) => each[0] === name ? [at] : []);
  const [one, next] = own.slice(own.length / 3, own.length / 3 + 2);
  const {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect();
  const middle = values => (values[one] + values[next]) / 2;
  return [
    box.left + xaxis._offset + xaxis.d2p(middle(places.x)),
    box.top + yaxis._offset + yaxis.d2p(middle(places.y)),
  ];
}"""


def click_line(page: Page, key: str, name: str) -> None:
    """Click the line of a group, off its corners and off the places that take clicks."""
    expect(page.locator(f".st-key-{key} .main-svg").first).to_be_visible(timeout=WAIT_MS)
    page.locator(f".st-key-{key} .js-plotly-plot").scroll_into_view_if_needed()
    ready(page)
    x, y = page.evaluate(BETWEEN_TWO_PLACES, [key, name])
    page.mouse.move(x, y)
    expect(page.locator(f".st-key-{key} .hoverlayer .hovertext")).to_contain_text(f"{name}: ")
    page.mouse.click(x, y)


def test_a_click_on_a_fitted_line_highlights_its_group(page: Page) -> None:
    open_page(page, "group_effects?example=sleepstudy")
    page.get_by_role("radio", name="Lines over the data").click()
    ready(page)
    click_line(page, "group_lines", "309")
    expect(page.get_by_role("combobox", name="Highlight a group")).to_have_value("309", timeout=WAIT_MS)
    ready(page)
    expect(page.locator(".st-key-group_lines .legendtext").last).to_have_text("309")
    no_trouble(page)


def test_a_click_on_an_own_line_before_any_model_highlights_its_group(page: Page) -> None:
    open_page(page, "explore?example=sleepstudy")
    page.get_by_role("radio", name="Group lines").click()
    ready(page)
    click_line(page, "explore_lines", "335")
    expect(page.locator(".st-key-explore_lines .legendtext").last).to_have_text("335", timeout=WAIT_MS)
    no_trouble(page)
