"""A report as one HTML file that needs nothing else: style, tables, interactive charts. Pure.

Every text is escaped, and a content security policy allows no script but the two written here (by their
hashes) and no request to anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from pages.ui import text
from pages.ui.charts import DARK, LIGHT, Chart
from pages.ui.charts.base import CONFIG, Ink
from pages.ui.report import mathml
from pages.ui.report.document import (
    Block,
    Bullets,
    Code,
    Formula,
    Heading,
    Paragraph,
    Picture,
    Report,
    Tabular,
)
from pages.ui.tables import Table

_STYLE = """
:root { color-scheme: light dark; --ink: #1F2933; --paper: #FFFFFF; --line: #C5CCD3; --quiet: #52606D; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #E4E8EC; --paper: #14191F; --line: #3B4148; --quiet: #A7B0B9; }
}
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 52rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1, h2 { font-family: Georgia, serif; line-height: 1.25; }
h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; overflow-wrap: normal;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding-bottom: .3rem; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; }
th { border-bottom-width: 2px; }
.number { text-align: right; white-space: nowrap; }
figure { margin: 1.2rem 0; }
figcaption, .note { color: var(--quiet); font-size: .9rem; }
.formula { font-size: 1.15rem; overflow-x: auto; }
.formula math { margin: .3rem 0 .3rem 1.2rem; width: max-content; white-space: nowrap; }
.formula mtd { text-align: left; text-align: -webkit-left; padding: .25em .15em; }
.formula mtd:first-child { text-align: right; text-align: -webkit-right; padding-left: 0; }
.formula .bold { font-weight: bold; }
pre { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; font-size: .85rem;
  overflow-x: auto; white-space: pre-wrap; }
@media print {
  :root { --ink: #000; --paper: #FFF; --line: #999; --quiet: #333; }
  body { max-width: none; margin: 0; font-size: 11pt; }
  h2 { break-after: avoid; } figure, table, svg { break-inside: avoid; }
}
"""
_DRAW = """
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
for (const place of document.querySelectorAll("[data-chart]")) {
  let drawn = document.getElementById(place.dataset.chart).textContent;
  const said = JSON.parse(document.getElementById("colours").textContent);
  if (dark) for (const [light, other] of said) drawn = drawn.replaceAll(light, other);
  const figure = JSON.parse(drawn);
  Plotly.newPlot(place, figure.data, figure.layout, figure.config);
}
"""


def write(report: Report) -> bytes:
    """The file, UTF-8."""
    charts = [block.chart for block in report.blocks if isinstance(block, Picture)]
    numbers = iter(range(len(charts)))
    body = "\n".join(_block(block, numbers) for block in report.blocks)
    programs = [get_plotlyjs(), _DRAW] if charts else []
    title = text.html(report.title)
    page = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(programs)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>",
        body,
        "</main>",
        *(f"<script>{program}</script>" for program in programs),
        "</body>\n</html>\n",
    ]
    # A half of a character, which only a hostile name has, cannot be written.
    return "\n".join(page).encode("utf-8", "replace")


def _policy(programs: Iterable[str]) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()}'"
        for program in programs
    )
    scripts = hashes or "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _block(block: Block, numbers: Iterable[int]) -> str:
    match block:
        case Heading(said):
            return f"<h2>{text.html(said)}</h2>"
        case Paragraph(said):
            return f"<p>{text.html(said)}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{text.html(item)}</li>" for item in items) + "</ul>"
        case Tabular(table, caption):
            return _table(table, caption)
        case Picture(chart):
            return _figure(chart, next(iter(numbers)))
        case Formula(latex, caption):
            said = f"<figcaption>{text.html(caption)}</figcaption>"
            return f'<figure class="formula" tabindex="0">{said}{mathml.write(latex)}</figure>'
        case Code(program, caption):
            return f'<p class="note">{text.html(caption)}</p>\n<pre><code>{html.escape(program)}</code></pre>'


def _table(table: Table, caption: str) -> str:
    sides = [
        ' class="number"' if pd.api.types.is_numeric_dtype(dtype) else "" for dtype in table.values.dtypes
    ]
    head = "".join(
        f'<th scope="col"{side}>{text.html(name)}</th>'
        for name, side in zip(table.shown.columns, sides, strict=True)
    )
    rows = [
        "<tr>"
        + "".join(
            f'<th scope="row"{side}>{text.html(cell)}</th>'
            if place == 0
            else f"<td{side}>{text.html(cell)}</td>"
            for place, (cell, side) in enumerate(zip(row, sides, strict=True))
        )
        + "</tr>"
        for row in table.shown.to_numpy()
    ]
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{text.html(caption)}"><table>'
        f"<caption>{text.html(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
        "</table></div>"
    )


def _figure(chart: Chart, number: int) -> str:
    name = f"chart-{number}"
    colours = f'<script type="application/json" id="colours">{_json(_colours(LIGHT, DARK))}</script>\n'
    words = " ".join(filter(None, [chart.message, chart.caption, chart.note]))
    return (
        f"{colours if number == 0 else ''}"
        f'<figure>\n<div role="img" aria-label="{text.html(chart.alt)}" data-chart="{name}"></div>\n'
        f"<figcaption><strong>{text.html(chart.title)}.</strong> {text.html(words)}</figcaption>\n</figure>\n"
        f'<script type="application/json" id="{name}">{_drawn(chart.figure)}</script>'
    )


def _colours(light: Ink, dark: Ink) -> list[tuple[str, str]]:
    """Colours on light with their equals on dark, written as in figures."""
    pairs = [
        (light.main, dark.main),
        (light.accent, dark.accent),
        (light.muted, dark.muted),
        (light.surface, dark.surface),
        (light.text, dark.text),
    ]
    return [*pairs, *((_channels(one), _channels(other)) for one, other in pairs)]


def _channels(colour: str) -> str:
    return ", ".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


def _drawn(figure: go.Figure) -> str:
    """The figure as JSON, its points SVG: WebGL compiles programs, which the policy forbids."""
    shown = go.Figure(figure).update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": LIGHT.text},
        margin={"t": 24, "r": 16, "b": 48, "l": 64},
    )
    content = json.loads(shown.to_json(engine="json"))
    for trace in content["data"]:
        trace["type"] = trace["type"].replace("scattergl", "scatter")
    for name in ("xaxis", "yaxis"):
        axis = content["layout"].setdefault(name, {})
        axis.setdefault("gridcolor", "rgba(128, 128, 128, 0.25)")
    return _json({**content, "config": {**CONFIG, "responsive": True}})


def _json(content: object) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(content).replace("<", "\\u003c")
