"""Models whose rows are in memory or come in chunks; for the latter the second pass, here or on a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mixedcore.data.passes import Reader
from mixedcore.data.sources import open_source
from mixedcore.data.tables import Table
from mixedcore.design.coding import RowReader
from mixedcore.design.design import Design, build
from mixedcore.design.stream import StreamDesign, build_stream
from mixedcore.engine.crossproducts import ROOM, CrossProducts, RowSums, assemble, check_distinct
from mixedcore.engine.groupings import Groupings, arrange
from mixedcore.engine.rows import CHUNK
from mixedcore.engine.scaling import EngineUnits, engine_units
from mixedcore.errors import ModelError
from mixedcore.terms import Ints


@dataclass(frozen=True, slots=True, eq=False)
class Summed:
    """Sums over `rows` rows read, additive."""

    rows: int
    sums: RowSums

    def __add__(self, other: Summed) -> Summed:
        """The sums over both."""
        return Summed(self.rows + other.rows, self.sums + other.sums)


@dataclass(frozen=True, slots=True, eq=False)
class SumRows:
    """The pass that sums. codes: for each of the sums by level, the level of each cell."""

    reader: RowReader
    codes: Sequence[Ints]
    groupings: Groupings
    units: EngineUnits

    def over(self, tables: Iterable[Table]) -> Summed:
        """The sums over some tables."""
        weighted = "weights" in self.reader.coding.beside
        sums, rows = RowSums.of(self.units, self.groupings, weighted=weighted), 0
        size = max([CHUNK, *(ROOM * each.m for each in sums.by_level)])
        for table in tables:
            for chunk in self.reader.chunks(table, self.codes, size):
                sums.add(chunk)
            rows += table.n_rows
        return Summed(rows, sums)


def sum_stream(design: StreamDesign) -> CrossProducts:
    """The cross-products of a model over a source.

    Columns so nearly collinear, or an outcome so nearly explained, that sums would lose digits are read row
    by row again, as in memory: further passes, which run here even where there is a cluster.
    """
    groupings, codes, pair_of = arrange(design.terms)
    units = engine_units(design.layout, design.terms, design.moments, design.chunks)
    check_distinct(design.terms, groupings, units)
    work = SumRows(design.row_reader, [*codes, *pair_of.values()], groupings, units)
    return assemble(design.terms, units, groupings, design.reader.run(work).sums)


def make_design(
    formula: Any, data: Any, *, subset: Any, eval_env: Any, client: Any, progress: Any, **more: Any
) -> Design | StreamDesign:
    """The design of a model written in formulas, over a table or over a source that comes in chunks."""
    source = open_source(data)
    if source is not None:
        if subset is not None:
            raise ModelError("The data come in chunks, so subset cannot be used: leave rows out of them.")
        return build_stream(formula, Reader(source, client, progress), env=eval_env, **more)
    for name, value in (("client", client), ("progress", progress)):
        if value is not None:
            raise ModelError(f"{name} is for data that come in chunks, and these are in memory.")
    return build(formula, data, subset=subset, eval_env=eval_env, **more)
