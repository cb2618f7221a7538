"""A report as a value: an ordered list of blocks, all text plain; the writers make it HTML or Word."""

from __future__ import annotations

from dataclasses import dataclass

from pages.ui.charts import Chart
from pages.ui.tables import Table


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a part."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tabular:
    """A table under its caption."""

    table: Table
    caption: str


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A chart with its title, how to read it, and what it shows for those who cannot see it."""

    chart: Chart


@dataclass(frozen=True, slots=True)
class Formula:
    """Equations under their caption; latex : an `aligned` block, as the Model page has it."""

    latex: str
    caption: str


@dataclass(frozen=True, slots=True)
class Code:
    """A program under its caption."""

    text: str
    caption: str


Block = Heading | Paragraph | Bullets | Tabular | Picture | Formula | Code


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The whole report."""

    title: str
    blocks: tuple[Block, ...]
