"""How long a person waits, measured in a real Chromium against a server started for it.

    python -m tests.benchmarks.app [--quick] [--only PART …] [--save]

Each wait runs from the input event in the browser to the second frame after the page has settled. Every
change of a model is one that nobody has fitted before. `--save` keeps table and numbers in
tests/benchmarks/results.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser

from tests.benchmarks import machine
from tests.benchmarks.app import journeys, table
from tests.benchmarks.app.goals import Held, Results, Waits
from tests.browser import server

TIMES, QUICK_TIMES = 20, 3
Part = Callable[[Browser, int, bool], list[Waits | Held]]


def cold(browser: Browser, times: int, quick: bool) -> list[Waits | Held]:
    """Servers started anew."""
    return [journeys.cold_starts(browser, times)]


def example(browser: Browser, times: int, quick: bool) -> list[Waits | Held]:
    """Examples chosen on the start page."""
    with server.running() as app, journeys.visiting(browser, app) as page:
        return [journeys.examples(page, times)]


def widgets(browser: Browser, times: int, quick: bool) -> list[Waits | Held]:
    """Models changed on the Model page."""
    found: list[Waits | Held] = []
    with server.running() as app:
        for name, goal, title in (("Hsb82", 0.4, "Hsb82"), ("InstEval", 1.5, "InstEval")):
            with journeys.visiting(browser, app, f"model?example={name}") as page:
                changes = min(times, 2 ** (len(journeys.SWITCHES[name]) + 1) - 1)
                found.append(journeys.model_changes(page, name, goal, title, changes))
    return found


def pages(browser: Browser, times: int, quick: bool) -> list[Waits | Held]:
    """The menu, with a fit that is there."""
    found: list[Waits | Held] = []
    with server.running() as app:
        for name in ("Hsb82", "InstEval"):
            with journeys.visiting(browser, app, f"model?example={name}") as page:
                found += journeys.page_changes(page, name, times)
    return found


def large(browser: Browser, times: int, quick: bool) -> list[Waits | Held]:
    """A file of a million rows."""
    with server.running() as app, tempfile.TemporaryDirectory() as folder:
        return [*journeys.large_file(browser, app, Path(folder), times)]


def memory(browser: Browser, times: int, quick: bool) -> list[Waits | Held]:
    """What the server holds; nothing where the run is to be quick."""
    if quick:
        return []
    with server.running() as app, journeys.visiting(browser, app, "model?example=InstEval") as page:
        return [journeys.memory(page, app)]


PARTS: dict[str, Part] = {
    "cold": cold,
    "example": example,
    "widgets": widgets,
    "pages": pages,
    "large": large,
    "memory": memory,
}


def measure(parts: list[str], quick: bool) -> Results:
    """Each part against servers of its own."""
    about = machine.describe() | {
        name: importlib.metadata.version(name) for name in ("streamlit", "plotly", "playwright")
    }
    waits, held = [], []
    with journeys.browsing() as browser:
        about["Chromium"] = browser.version
        for part in parts:
            print(f"{part} …", file=sys.stderr)
            for each in PARTS[part](browser, QUICK_TIMES if quick else TIMES, quick):
                if isinstance(each, Waits):
                    waits.append(each)
                    print(table.wait_line(each), file=sys.stderr)
                else:
                    held.append(each)
                    print(table.held_line(each), file=sys.stderr)
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return Results(today, about, waits, held)


def options() -> argparse.Namespace:
    """What was asked for."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.app", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_TIMES} times instead of {TIMES}")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), metavar="PART")
    parser.add_argument("--save", action="store_true", help="keep the results, named by date")
    chosen = parser.parse_args()
    if chosen.save and (chosen.quick or chosen.only != list(PARTS)):
        parser.error("only a full run is kept: leave out --quick and --only, or --save")
    return chosen


def main() -> None:
    """Measure, print, and keep what was printed where that is asked for."""
    chosen = options()
    results = measure(chosen.only, chosen.quick)
    text = table.render(results)
    print(text, end="")
    if chosen.save:
        table.save(results, text)


if __name__ == "__main__":
    main()
