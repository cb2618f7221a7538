"""A design without its rows: what a fit still needs of it once the data are gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from mixedcore.data.columns import Settled
from mixedcore.design.coding import empty_like
from mixedcore.design.design import Design, array_part
from mixedcore.design.keep import coding_of, keep_coding
from mixedcore.design.stream import StreamDesign
from mixedcore.engine.rows import CHUNK, Chunk
from mixedcore.errors import rows_not_kept
from mixedcore.terms import Block, Floats, Ints, RandomTerm


class _Gone:
    """In place of what rows are read with."""

    def __getattr__(self, name: str) -> Any:
        raise rows_not_kept("a term of each sum")


GONE = _Gone()


@dataclass(frozen=True, eq=False, kw_only=True)
class RowlessDesign(StreamDesign):
    """As `StreamDesign`, but the rows cannot be read again either.

    n_rows  : rows that were in use
    info    : patsy's coding of X, None for a model from arrays
    settled : the columns that X needs, without rows
    names   : role → column of 'weights' and 'offset', None where they were given beside the data
    """

    coding: Any = GONE
    reader: Any = GONE
    layout: Any = GONE
    cells: Any = GONE
    moments: Any = GONE
    n_rows: int
    info: Any
    settled: Mapping[str, Settled]
    names: Mapping[str, str | None]

    @classmethod
    def of(cls, design: Design | StreamDesign) -> RowlessDesign:
        """The same model without rows."""
        if isinstance(design, RowlessDesign):
            return design
        given = (("weights", design.weights_column), ("offset", design.offset_column))
        return cls(
            n_rows=design.n,
            info=design.fixed_info,
            settled=_settled(design),
            names={role: column for role, column in given if design.has(role)},
            fe_names=list(design.fe_names),
            endog_name=design.endog_name,
            terms=tuple(map(without_rows, design.terms)),
            group_name=design.group_name,
            group_labels=list(design.group_labels),
            group_sizes=design.group_sizes,
            notes=design.notes,
            bars=design.bars,
        )

    @property
    def n(self) -> int:
        """Rows that were in use."""
        return self.n_rows

    @property
    def fixed_info(self) -> Any:
        """patsy's coding of X, None for a model from arrays."""
        return self.info

    @property
    def weights_column(self) -> str | None:
        """The column of prior weights."""
        return self.names.get("weights")

    @property
    def offset_column(self) -> str | None:
        """The column that is a known part of the mean."""
        return self.names.get("offset")

    def has(self, role: str) -> bool:
        """Whether the model has 'weights' or an 'offset'."""
        return role in self.names

    @property
    def _fixed_columns(self) -> dict[str, Settled]:
        return dict(self.settled)

    def fixed_part(self, new_data: Any, beta: Floats) -> Any:
        """Xβ on new data, as `Design.fixed_part`."""
        if self.info is None:
            return array_part(new_data, beta)
        return super().fixed_part(new_data, beta)

    def chunks(self, codes: Sequence[Ints] = (), size: int = CHUNK) -> Iterator[Chunk]:
        """There are no rows: DataError."""
        raise rows_not_kept("a term of each sum")

    def plain(self) -> dict[str, Any]:
        """All fields by name, patsy's coding as plain values: what is pickled, and saved."""
        found = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not GONE}
        coding = None if self.info is None else keep_coding(self.info, tuple(self.settled))
        return found | {"info": coding}

    @classmethod
    def of_plain(cls, found: Mapping[str, Any]) -> RowlessDesign:
        """The design whose `plain` values these are."""
        info = found["info"]
        return cls(**{**found, "info": None if info is None else coding_of(info)})

    def __reduce__(self) -> tuple[Any, ...]:
        return RowlessDesign.of_plain, (self.plain(),)


def without_rows(term: RandomTerm) -> RandomTerm:
    """A random term whose blocks know their levels and how many rows each has, but not which."""
    return replace(term, blocks=tuple(map(_without_rows, term.blocks)))


def _without_rows(block: Block) -> Block:
    levels = np.arange(block.n_levels, dtype=np.intp)
    return replace(block, codes=levels, counts=block.sizes, basis=np.zeros((0, block.width)))


def _settled(design: Design | StreamDesign) -> dict[str, Settled]:
    """The columns that X needs, without rows."""
    if isinstance(design, StreamDesign):
        return dict(design._fixed_columns)
    columns = {} if design.frame is None else design.frame.columns
    return {name: empty_like(columns[name]) for name in design.fixed_columns}
