"""Draw the newest kept results as the README shows them: `python -m tests.benchmarks.picture [results.json]`.

A row a problem, a mark an engine, seconds on a logarithmic axis. The SVG is written as text: no library draws
it. It stands on a surface of its own, so that it can be read wherever it is shown, and follows light and dark
where a browser tells it which.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from tests.benchmarks import store
from tests.benchmarks.engines import OURS, PEERS
from tests.benchmarks.measure import Measured, ratio
from tests.benchmarks.problems import PROBLEMS, Problem
from tests.benchmarks.store import Results

TARGET = Path(__file__).parents[2] / "pages" / "ui" / "assets" / "benchmarks.svg"
ENGINES = (OURS, *PEERS)
NAMES = {
    OURS: "mixedcore (NumPy)",
    "lme4": "lme4 (C++)",
    "mixedlm": "mixedlm (Rust)",
    "statsmodels": "statsmodels",
}

WIDTH, TOP, ROW, BOTTOM = 980, 104, 34, 58
LEFT, RIGHT = 325, 735  # of the axis
RATIOS = {"lme4": 795, "mixedlm": 862, "statsmodels": 956}  # right edges of the columns of ratios

# Colours of Okabe and Ito (2008), as the app has them; on dark the same hues, lighter. Shapes differ too.
STYLE = """
  .surface { fill: #ffffff; stroke: #d5dce2 } .text { fill: #1f2933 } .soft { fill: #5b6672 }
  .grid { stroke: #e1e7eb } .span { stroke: #c3ccd4 }
  .mixedcore { fill: #0072b2 } .lme4 { fill: #d55e00 }
  .mixedlm { fill: #009e73 } .statsmodels { fill: #b5548c }
  @media (prefers-color-scheme: dark) {
    .surface { fill: #14191f; stroke: #333c45 } .text { fill: #e4e8ec } .soft { fill: #a3adb8 }
    .grid { stroke: #2a323a } .span { stroke: #47525d }
    .mixedcore { fill: #56b4e9 } .lme4 { fill: #e8743b }
    .mixedlm { fill: #00a87c } .statsmodels { fill: #e3a3c9 }
  }
  text { font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
  .small { font-size: 12px } .title { font-size: 17px; font-weight: 600 } .strong { font-weight: 600 }
"""


def text(x: float, y: float, words: str, kind: str = "text", anchor: str = "start") -> str:
    """One line of words."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def mark(engine: str, x: float, y: float, stopped: bool = False) -> str:
    """Circle, square, diamond, triangle; an arrow for what was stopped there."""
    if stopped:
        corners: list[tuple[float, float]] = [(-5, -6), (7, 0), (-5, 6)]
    elif engine == OURS:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" class="{engine}"/>'
    elif engine == "lme4":
        corners = [(-5, -5), (5, -5), (5, 5), (-5, 5)]
    elif engine == "mixedlm":
        corners = [(0, -7), (7, 0), (0, 7), (-7, 0)]
    else:
        corners = [(0, -7), (6.5, 5), (-6.5, 5)]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" class="{engine}"/>'


def rounded(found: float) -> str:
    """A ratio in two digits, as a reader compares it: 0.67, 2.0, 36, 1,200."""
    if found < 9.95:
        return f"{found:.2f}" if found < 0.995 else f"{found:.1f}"
    step = 10 ** max(0, math.floor(math.log10(found)) - 1)
    return f"{round(found / step) * step:,.0f}"


class Axis:
    """Seconds on a logarithmic axis, over whole powers of ten."""

    def __init__(self, seconds: list[float]) -> None:
        """The axis that holds all of these."""
        self.low = math.floor(math.log10(min(seconds)))
        self.high = max(math.ceil(math.log10(max(seconds))), self.low + 1)

    def x(self, seconds: float) -> float:
        """Where these seconds are drawn."""
        return LEFT + (RIGHT - LEFT) * (math.log10(seconds) - self.low) / (self.high - self.low)

    def draw(self, bottom: float) -> Iterator[str]:
        """A line and a label a power of ten."""
        for power in range(self.low, self.high + 1):
            x = self.x(10.0**power)
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 12}" y2="{bottom:.1f}" class="grid"/>'
            yield text(x, bottom + 17, f"{10.0**power:g} s", "soft small", "middle")


def legend() -> Iterator[str]:
    """Marks with their names, and what the columns on the right are."""
    x = 24.0
    for engine in ENGINES:
        yield mark(engine, x + 7, 60)
        yield text(x + 20, 65, NAMES[engine])
        x += 36 + 8.0 * len(NAMES[engine])
    yield text(RATIOS["statsmodels"], 65, "CPU, in times ours", "soft small", "end")
    for engine, right in RATIOS.items():
        yield text(right, 84, engine, "soft small", "end")


def row(problem: Problem, found: dict[str, Measured], axis: Axis, y: float) -> Iterator[str]:
    """One problem: its name, a span from the fastest to the slowest, the marks (ours on top), the ratios."""
    yield text(24, y + 5, problem.title)
    shown = {engine: found[engine] for engine in ENGINES if found[engine].seconds}
    places = {engine: axis.x(each.seconds) for engine, each in shown.items() if each.seconds}
    if places:
        low, high = min(places.values()), max(places.values())
        yield f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" class="span" stroke-width="2"/>'
    for engine in reversed(places):
        yield mark(engine, places[engine], y, shown[engine].state == "stopped")
    for peer, right in RATIOS.items():
        times = ratio(found[peer], found[OURS])
        if times is None:
            yield text(right, y + 5, "–", "soft", "end")
        else:
            bound = "> " if found[peer].state == "stopped" else ""
            yield text(
                right, y + 5, f"{bound}{rounded(times)}×", "text strong" if times >= 1 else "text", "end"
            )


def foot(results: Results, y: float) -> str:
    """When, where and what; and what an arrow means, where there is one."""
    machine = results.machine
    versions = ", ".join(f"{name} {machine[name]}" for name in ("numpy", *PEERS) if name in machine)
    words = [results.date, machine.get("processor", ""), versions]
    if any(each.state == "stopped" for found in results.fits.values() for each in found.values()):
        words.append("arrow: stopped there")
    return text(24, y, " · ".join(filter(None, words)), "soft small")


def draw(results: Results) -> str:
    """The picture as SVG text."""
    rows = [(problem, results.fits[problem.key]) for problem in PROBLEMS if problem.key in results.fits]
    axis = Axis([each.seconds for _, found in rows for each in found.values() if each.seconds])
    bottom = TOP + ROW * len(rows) - 6
    height = bottom + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" role="img" aria-label="CPU seconds of whole fits by mixedcore and its peers">',
        f"<style>{STYLE}</style>",
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" class="surface"/>',
        text(
            24, 32, "CPU seconds of a whole fit, one thread: from data frame to standard errors", "text title"
        ),
        *legend(),
        *axis.draw(bottom),
    ]
    for number, (problem, found) in enumerate(rows):
        parts += row(problem, found, axis, TOP + ROW * number + 10)
    return "\n".join([*parts, foot(results, height - 14), "</svg>"]) + "\n"


def main() -> None:
    """Draw the results of this file, or the newest ones."""
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    results = store.from_json(chosen.read_text(encoding="utf-8")) if chosen else store.newest()
    TARGET.write_text(draw(results), encoding="utf-8")


if __name__ == "__main__":
    main()
