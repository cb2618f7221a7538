"""What a person does, timed: open the app, take an example, change a model, turn pages, open a large file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.benchmarks.app.goals import Held, Waits, gray
from tests.browser import chromium, looks, server
from tests.browser.conftest import FLAGS

STOPWATCH = Path(__file__).with_name("stopwatch.js").read_text(encoding="utf-8")
EXAMPLES = ("sleepstudy", "classrooms", "Exam", "Hsb82", "Orthodont", "Dyestuff")
PAGES = (
    "Data",
    "Explore",
    "Model",
    "Estimates",
    "Group effects",
    "Residuals",
    "Compare",
    "Effects",
    "Report",
)
SWITCHES = {"Hsb82": ("sx", "minrty", "meanses", "sector"), "InstEval": ("studage", "lectage", "service")}
FIRST_COUNT, LAST_COUNT = 10, 50
Needs = tuple[tuple[str, str], ...]
FITTED: Needs = (("[data-testid='stMarkdownContainer']", "ICC"),)
GROUPED: Needs = (("h2, h3", "How the rows are grouped"), ("[data-testid='stTab']", "Rows"))


@dataclass(frozen=True)
class Wait:
    """Seconds from the input to the painted answer, and until the server had sent everything."""

    seconds: float
    served: float


def timed(page: Page, act: Callable[[], object], needs: Needs = (), event: str = "pointerup") -> Wait:
    """Do something and measure, inside the browser, how long its answer takes."""
    looks.ready(page)
    page.evaluate("([event, needs]) => { window.answer = stopwatch(event, needs); }", [event, needs])
    act()
    return Wait(**page.evaluate("() => window.answer"))


def line(what: str, goal: float | None, waits: list[Wait]) -> Waits:
    """A line of the table from its repetitions."""
    return Waits(what, goal, tuple(w.seconds for w in waits), tuple(w.served for w in waits))


@contextmanager
def browsing() -> Iterator[Browser]:
    """A Chromium that stays off the network."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium.find()), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, app: server.Server, path: str = "") -> Iterator[Page]:
    """A new window on a page of the app that has settled."""
    with browser.new_context(viewport=looks.WINDOW, locale="en-GB") as window:
        window.add_init_script(STOPWATCH)
        window.set_default_timeout(60_000)
        page = window.new_page()
        page.goto(f"{app.url}/{path}")
        looks.ready(page)
        if "example=" in path:
            expect(page.locator(".st-key-loaded_strip")).to_contain_text("rows ×")
            looks.ready(page)
        yield page


# --- the journeys --------------------------------------------------------------------------------


def cold_starts(browser: Browser, times: int) -> Waits:
    """From the command that starts a server until a first visitor can use the first page."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        with server.running() as app, visiting(browser, app):
            seconds.append(time.perf_counter() - start)
    return Waits("cold server: command → first page usable", 4.0, tuple(seconds))


def examples(page: Page, times: int) -> Waits:
    """Choose one example after the other."""
    waits = []
    for name in islice(cycle(EXAMPLES), times):
        button = page.locator(f".st-key-use_{name} button")
        if not button.count():  # beside data the gallery is folded
            page.locator(".st-key-examples summary").click()
            looks.ready(page)
        waits.append(timed(page, button.click, GROUPED))
    return line("example chosen → preview and nesting shown", 0.5, waits)


def changes(page: Page, example: str) -> Iterator[Callable[[], object]]:
    """Acts of which each gives a model not fitted before: REML or ML between predictors put in and out."""
    for switch in gray(len(SWITCHES[example])):
        yield lambda: _other_estimation(page)
        name = SWITCHES[example][switch]
        yield _ready_switch(page, name)
    yield lambda: _other_estimation(page)


def _other_estimation(page: Page) -> None:
    page.locator(".st-key-model_reml [role=radio][aria-checked=false]").click()


def _ready_switch(page: Page, name: str) -> Callable[[], object]:
    """Put a predictor in or out; what comes before the deciding click is not measured."""
    field = page.locator(".st-key-model_fixed")
    looks.ready(page)
    gone = field.get_by_role("button", name=f"Remove {name}", exact=True).locator("visible=true")
    if gone.count():
        return gone.click
    return _option(page, field, name)


def _option(page: Page, field: Locator, name: str) -> Callable[[], object]:
    """Open the list of a field at the option of this name, for the click that chooses it."""
    box = field.get_by_role("combobox")
    box.click()  # brings the field into view, which an open list would not survive
    box.fill(name)
    option = page.get_by_role("option", name=name, exact=True)
    option.wait_for()
    return option.click


def model_changes(page: Page, example: str, goal: float, title: str, times: int) -> Waits:
    """Change the model again and again; every fit is a new one."""
    waits, seen = [], {_strip(page)}
    for act in islice(changes(page, example), times):
        waits.append(timed(page, act, FITTED))
        assert _strip(page) not in seen, f"{_strip(page)} was fitted before"
        seen.add(_strip(page))
    return line(f"a widget changed → new estimates painted, {title}", goal, waits)


def _strip(page: Page) -> str:
    return page.locator(".st-key-loaded_strip").inner_text()


def page_changes(page: Page, title: str, rounds: int) -> list[Waits]:
    """Go through the menu; the first round fills the caches and does not count."""
    waits: dict[str, list[Wait]] = {name: [] for name in PAGES}
    for _ in range(rounds + 1):
        for name in PAGES:
            link = page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile(rf"{name}$"))
            waits[name].append(timed(page, link.click, (("h1", name),)))
    counted = {name: each[1:] for name, each in waits.items()}
    every = [wait for each in counted.values() for wait in each]
    return [
        line(f"page change, {title}", 0.4, every),
        *(line(f"  to {name}", None, each) for name, each in counted.items()),
    ]


def large_file(browser: Browser, app: server.Server, folder: Path, times: int) -> list[Waits]:
    """A million rows: the end of the upload → preview → estimates with a random slope."""
    file = write_million(folder / "million.csv")
    previews, estimates = [], []
    for repetition in range(times):
        make_new(file, repetition)
        with visiting(browser, app) as page:
            drop = page.get_by_test_id("stFileUploaderDropzoneInput").first
            previews.append(timed(page, lambda: drop.set_input_files(file), GROUPED, "upload"))  # noqa: B023
            link = page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile("Model$"))
            first = timed(page, link.click, FITTED)
            slope = timed(page, _option(page, page.locator(".st-key-model_slopes"), "x"), FITTED)
            estimates.append(Wait(first.seconds + slope.seconds, first.served + slope.served))
    return [
        line("CSV of 1,000,000 rows: upload done → preview", 4.0, previews),
        line("  → Model page, slope chosen → its estimates", 3.0, estimates),
    ]


def write_million(path: Path, rows: int = 1_000_000) -> Path:
    """Six columns: outcome, two predictors, a category, pupils' schools and a row's number."""
    rng = np.random.default_rng(3)
    school = rng.integers(1000, size=rows)
    x, z = rng.normal(size=rows), rng.normal(size=rows)
    level, slope = rng.normal(size=1000), rng.normal(1, 0.5, size=1000)
    y = level[school] + slope[school] * x + rng.normal(size=rows)
    numbers = {"y": y.round(4), "x": x.round(4), "z": z.round(4)}
    names = {"kind": rng.choice(["a", "b", "c"], size=rows), "school": school, "row": np.arange(rows)}
    pd.DataFrame(numbers | names).to_csv(path, index=False)
    return path


def make_new(path: Path, number: int) -> None:
    """Change one letter so that nothing which was kept of this file is of use; its size stays."""
    with path.open("r+b") as file:
        file.seek(-2, 2)
        file.write(str(number % 10).encode())


def memory(page: Page, app: server.Server) -> Held:
    """Resident bytes of the server as the models of a large data set come and go."""
    counts, sizes = [], []
    for changed, act in enumerate(islice(memory_changes(page), LAST_COUNT), 1):
        timed(page, act, FITTED)
        if changed % FIRST_COUNT == 0 and (held := resident(app.pid)) is not None:
            counts.append(changed)
            sizes.append(held)
    return Held("server memory, changes of the model on InstEval", tuple(counts), tuple(sizes))


def memory_changes(page: Page) -> Iterator[Callable[[], object]]:
    """New models without end: with all random effects first, then with one less, and so on."""
    while True:
        yield from changes(page, "InstEval")
        remove = page.locator("[class*='st-key-model_']").get_by_role("button", name="Remove", exact=True)
        yield remove.locator("visible=true").first.click


def resident(pid: int) -> int | None:
    """Bytes of memory that a process holds, where the system tells it."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    found = re.search(r"^VmRSS:\s+(\d+) kB", status.read_text(), flags=re.MULTILINE)
    return int(found.group(1)) * 1024 if found else None
