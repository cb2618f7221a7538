"""Passes over a source: the same sums here, chunk by chunk, or on a cluster, which returns only the total."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from mixedcore.data.sources import Piece, Source
from mixedcore.data.tables import Table
from mixedcore.errors import DataError, ModelError

AHEAD = 32  # pieces handed to a cluster before the first of them have to be done


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass over the rows is: its number from 1, rows read, and rows in all where that is known."""

    pass_number: int
    rows_done: int
    rows_total: int | None


class Part(Protocol):
    """A sum over rows. rows: how many were read for it."""

    @property
    def rows(self) -> int: ...

    def __add__(self, other: Any, /) -> Any: ...


P = TypeVar("P", bound=Part)
P_co = TypeVar("P_co", bound=Part, covariant=True)
T = TypeVar("T")


class Work(Protocol[P_co]):
    """What a pass does; can be sent elsewhere."""

    def over(self, tables: Iterable[Table]) -> P_co:
        """The sum over some tables, none included."""
        ...


def add_up(parts: Iterable[T], add: Callable[[T, T], T]) -> T | None:
    """The sum of parts in pairs of like size: each is added log₂ times; None where there are none."""
    waiting: list[tuple[int, T]] = []
    for part in parts:
        size, total = 1, part
        while waiting and waiting[-1][0] == size:
            total = add(waiting.pop()[1], total)
            size *= 2
        waiting.append((size, total))
    if not waiting:
        return None
    _, total = waiting.pop()
    while waiting:
        total = add(waiting.pop()[1], total)
    return total


@dataclass(slots=True, eq=False)
class Reader:
    """Passes over one source, numbered.

    client   : None, or a `dask.distributed.Client`: anything with its `submit` and `gather`
    progress : called with a `Progress` after each chunk, or each few pieces of a cluster
    """

    source: Source
    client: Any = None
    progress: Callable[[Progress], object] | None = None
    columns: Sequence[str] = ()
    passes: int = 0
    rows: int | None = field(init=False)

    def __post_init__(self) -> None:
        if self.client is not None and not all(hasattr(self.client, own) for own in ("submit", "gather")):
            raise ModelError("client must be a dask.distributed.Client, or have its submit and gather.")
        if self.progress is not None and not callable(self.progress):
            raise ModelError("progress must be a function of one argument, such as print.")
        self.rows = self.source.rows

    def look(self) -> Iterator[Table]:
        """The tables in order, for a look at the first of them."""
        for piece in self.source.pieces(self.columns):
            yield from piece.tables()

    def tables(self) -> Iterator[Table]:
        """One pass over all tables, here."""
        self.passes += 1
        done, number = 0, self.passes
        for piece in self.source.pieces(self.columns):
            for table in piece.tables():
                yield table
                done += table.n_rows
                self._report(number, done)
        self._finish(done)

    def run(self, work: Work[P]) -> P:
        """The sum of one pass."""
        return work.over(self.tables()) if self.client is None else self._on_cluster(work)

    def _on_cluster(self, work: Work[P]) -> P:
        """Pieces are read and summed where the cluster likes, sums added there; only the total comes back."""
        self.passes += 1
        there = _Cluster(self.client)
        total = add_up(self._parts(there, there.send(work)), there.add)
        if total is None:
            raise DataError("The data have no rows.")
        found: P = there.gather(total)
        self._finish(found.rows)
        return found

    def _parts(self, there: _Cluster, work: Any) -> Iterator[Any]:
        waiting: list[Any] = []
        done = 0
        for piece in self.source.pieces(self.columns):
            part = there.over(work, piece)
            waiting.append(there.count(part))
            yield part
            if len(waiting) >= AHEAD:
                done += sum(map(there.gather, waiting[: AHEAD // 2]))
                del waiting[: AHEAD // 2]
                self._report(self.passes, done)
        for rows in waiting:
            done += there.gather(rows)
            self._report(self.passes, done)

    def _report(self, number: int, done: int) -> None:
        if self.progress is not None:
            self.progress(Progress(number, done, self.rows))

    def _finish(self, done: int) -> None:
        if self.rows is not None and done != self.rows:
            raise DataError(
                f"Pass {self.passes} found {done} rows where {self.rows} were expected: the data must be the "
                "same each time. A function given as data has to start anew when it is called again."
            )
        self.rows = done


@dataclass(frozen=True, slots=True)
class _Cluster:
    """The few calls of a client that are used."""

    client: Any

    def send(self, work: Any) -> Any:
        """The work, put where the cluster can reach it."""
        scatter = getattr(self.client, "scatter", None)
        return work if scatter is None else scatter(work, hash=False)

    def over(self, work: Any, piece: Piece) -> Any:
        return self.client.submit(_over, work, piece, pure=False)

    def add(self, left: Any, right: Any) -> Any:
        return self.client.submit(operator.add, left, right, pure=False)

    def count(self, part: Any) -> Any:
        return self.client.submit(_rows, part, pure=False)

    def gather(self, future: Any) -> Any:
        return self.client.gather(future)


def _over(work: Work[P], piece: Piece) -> P:
    return work.over(piece.tables())


def _rows(part: Part) -> int:
    return part.rows
