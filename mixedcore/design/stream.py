"""Formulas and rows that come in chunks to a model's terms, levels and moments; no row is kept."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from patsy.eval import EvalEnvironment

from mixedcore.data.columns import Gaps, Settled, settle
from mixedcore.data.frame import as_numbers, one_a_row
from mixedcore.data.passes import Reader, add_up
from mixedcore.data.tables import Table
from mixedcore.design.cells import terms_of
from mixedcore.design.coding import NO_STATE_ON_A_CLUSTER, ONES, Coding, RowReader, empty_like, few
from mixedcore.design.design import factor_name, new_fixed_part, new_rows, numbers_as_text
from mixedcore.design.evaluation import evaluate, resolve
from mixedcore.design.factors import factor_names
from mixedcore.design.kinds import FindKnown, check_by_row, is_category, kind_of, with_known
from mixedcore.design.outcome import (
    Range,
    check_rows,
    check_varies,
    notes_beside,
    outcome_numbers,
    summable,
)
from mixedcore.engine.cells import CellIndex, Cells
from mixedcore.engine.moments import Moments, moments, origin_of
from mixedcore.engine.rows import CHUNK, Chunk, Layout
from mixedcore.errors import DataError, FormulaError, ModelError, rows_not_kept
from mixedcore.terms import Floats, Ints, RandomTerm


@dataclass(frozen=True, eq=False)
class StreamDesign:
    """A model whose rows are read in chunks and not kept: what `Design` has, but for the rows.

    coding, reader, layout: how to read the rows again; cells, moments: what the first full pass found
    """

    coding: Coding
    reader: Reader
    layout: Layout
    cells: Cells
    moments: Moments
    fe_names: list[str]
    endog_name: str
    terms: tuple[RandomTerm, ...]
    group_name: str
    group_labels: list[Any]
    group_sizes: Ints
    notes: tuple[str, ...]
    bars: bool
    frame: None = None

    @property
    def n(self) -> int:
        """Rows in use."""
        return self.moments.n

    @property
    def fixed_info(self) -> Any:
        """patsy's coding of X."""
        return self.coding.infos[0]

    @property
    def fixed_terms(self) -> tuple[str, ...]:
        """Names of the terms of X as the formula has them."""
        return tuple(term.name() for term in self.coding.term_lists[0])

    @property
    def weights_column(self) -> str | None:
        """The column of prior weights."""
        return self.coding.beside.get("weights")

    @property
    def offset_column(self) -> str | None:
        """The column that is a known part of the mean."""
        return self.coding.beside.get("offset")

    def has(self, role: str) -> bool:
        """Whether the model has 'weights' or an 'offset'."""
        return role in self.coding.beside

    @property
    def weights(self) -> None:
        """None where there are none; they are not kept."""
        return _not_kept("a weight") if self.has("weights") else None

    @property
    def offset(self) -> None:
        """None where there is none; it is not kept."""
        return _not_kept("an offset") if self.has("offset") else None

    @property
    def _fixed_columns(self) -> dict[str, Settled]:
        used = {name for term in self.coding.term_lists[0] for f in term.factors for name in factor_names(f)}
        return {name: settled for name, settled in self.coding.settled.items() if name in used}

    def fixed_matrix(self, new_data: Any) -> tuple[Floats, pd.Index]:
        """X (k, p) on new data, as `Design.fixed_matrix`."""
        X, frame = new_rows(self.fixed_info, self._fixed_columns, new_data, self.offset_column)
        return X, frame.index

    def fixed_part(self, new_data: Any, beta: Floats) -> pd.Series:
        """Xβ on new data, as `Design.fixed_part`."""
        return new_fixed_part(self.fixed_info, self._fixed_columns, new_data, self.offset_column, beta)

    def factor_of(self, t: int) -> str:
        """As `Design.factor_of`."""
        return factor_name(self.coding.spec, self.terms, t)

    @cached_property
    def row_reader(self) -> RowReader:
        """What reads the rows of a table as those of this model."""
        return RowReader(self.coding, self.layout, CellIndex(self.cells))

    def chunks(self, codes: Sequence[Ints] = (), size: int = CHUNK) -> Iterator[Chunk]:
        """All rows once more, read here; codes as the terms have them, one a cell."""
        for table in self.reader.tables():
            yield from self.row_reader.chunks(table, codes, size)

    y = property(lambda self: _not_kept("a value of endog"))
    response = y
    X = property(lambda self: _not_kept("a row of exog"))
    group_codes = property(lambda self: _not_kept("a group"))
    row_index = property(lambda self: _not_kept("a label"))


def _not_kept(what: str) -> NoReturn:
    raise rows_not_kept(what)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one pass found, additive: rows read, what is missing, and of the complete rows the rest."""

    gaps: Gaps = field(default_factory=Gaps)
    weights: Range = field(default_factory=Range)
    offset: Range = field(default_factory=Range)
    cells: Cells | None = None
    moments: Moments | None = None

    @property
    def rows(self) -> int:
        """Rows read."""
        return self.gaps.n

    def __add__(self, other: Found) -> Found:
        """What both passes found."""
        ranges = self.gaps + other.gaps, self.weights + other.weights, self.offset + other.offset
        if self.cells is None or self.moments is None or other.cells is None or other.moments is None:
            some = other if self.cells is None else self
            return Found(*ranges, some.cells, some.moments)
        return Found(*ranges, self.cells + other.cells, self.moments + other.moments)


@dataclass(frozen=True, slots=True, eq=False)
class FindAll:
    """The pass that finds levels and moments."""

    coding: Coding
    layout: Layout
    origin: Floats

    def over(self, tables: Iterable[Table]) -> Found:
        """What some tables hold."""
        return add_up(map(self._of, tables), lambda a, b: a + b) or Found()

    def _of(self, table: Table) -> Found:
        read = self.coding.read(table)
        weights, offset = (Range.of(read.beside.get(role)) for role in ("weights", "offset"))
        if not read.n or not summable(weights):  # such weights are refused once all of them are counted
            return Found(read.gaps, weights, offset)
        chunks = (chunk for rows in self.coding.rows(read, self.layout) for chunk in rows.chunks())
        return Found(read.gaps, weights, offset, Cells.of(read.keys), moments(chunks, self.origin))


def build_stream(
    formula: Any,
    reader: Reader,
    *,
    groups: Any,
    re_formula: Any,
    vc_formula: Mapping[str, Any] | None,
    missing: str,
    weights: Any,
    offset: Any,
    env: EvalEnvironment,
) -> StreamDesign:
    """The design of a model over a source: one pass, and another before it where there are categories."""
    for role, given in (("groups", groups), ("weights", weights), ("offset", offset)):
        if given is not None and not isinstance(given, str):
            raise ModelError(f"The data come in chunks, so {role} must be the name of a column.")
    if missing not in ("none", "drop", "raise"):
        raise DataError(f"missing={missing!r} is not known; use 'none', 'drop' or 'raise'.")
    components = None if vc_formula is None else {k: _text(v) for k, v in vc_formula.items()}
    beside = {role: name for role, name in (("weights", weights), ("offset", offset)) if name is not None}
    unseen = Coding((_text(formula), groups, _text(re_formula), components), beside)
    coding = _first_look(unseen, reader, env)
    reader.columns = coding.used
    coding, layout, origin = _settled(coding, reader)
    found = reader.run(FindAll(coding, layout, origin))
    note = found.gaps.sentence(missing)
    of_beside = notes_beside(found.weights, found.offset)
    if found.cells is None or found.moments is None:
        raise DataError(f"No rows are left. {note}")
    dropped = (note,) if note else ()
    return _design(coding, reader, layout, found.cells, found.moments, dropped, of_beside)


def _text(formula: Any) -> Any:
    return formula.describe() if hasattr(formula, "describe") else formula


def _first_look(unseen: Coding, reader: Reader, env: EvalEnvironment) -> Coding:
    """The coding as the first complete rows suggest it, every name found."""
    factors, first = unseen.spec.factors(), reader.source.head()
    names = resolve(factors, first, env)
    if names.extra:
        raise FormulaError(f"{next(iter(names.extra))!r} is a variable; data in chunks need it as a column.")
    namespace = _namespace(factors, names.columns, env)
    raw = {name: Settled(pd.Series(first.column(name))) for name in names.columns}
    for role, name in unseen.beside.items():
        one_a_row(first, name, role)
    sample = {name: settled.values for name, settled in raw.items()}
    coding = replace(unseen, namespace=namespace, settled=raw, sample=sample)
    reader.columns = coding.used
    columns = _first_complete(coding, reader)
    settled = {name: settle(columns[name], name) for name in names.columns}
    beside = {name: pd.Series(as_numbers(columns[name], role)) for role, name in coding.beside.items()}
    sample = few(beside | {name: found.values for name, found in settled.items()})
    coding = replace(coding, settled=settled, sample=sample)
    used = {name for factor in coding.factors for name in factor_names(factor)}
    return replace(coding, settled={k: empty_like(found) for k, found in settled.items() if k in used})


def _first_complete(coding: Coding, reader: Reader) -> dict[str, Any]:
    gaps = Gaps()
    for table in reader.look():
        columns, own = coding.complete(table)
        if own.bad < own.n:
            return columns
        gaps += own
    raise DataError(f"No rows are left. {gaps.sentence('drop')}" if gaps.n else "The data have no rows.")


def _namespace(factors: Sequence[Any], columns: Sequence[str], env: EvalEnvironment) -> dict[str, Any]:
    """The caller's variables that the factors use, by name."""
    trees = [ast.parse(factor.name(), mode="eval") for factor in factors]
    names = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found = {name: env.namespace[name] for name in names if name in env.namespace and name not in columns}
    for name, value in found.items():
        if isinstance(value, (np.ndarray, pd.Series, list)) and np.ndim(value):
            raise FormulaError(f"{name!r} is a variable; data in chunks need it as a column.")
    return found


def _settled(coding: Coding, reader: Reader) -> tuple[Coding, Layout, Floats]:
    """The coding over all rows, its columns, and an origin near their values."""
    for factor in coding.factors:
        check_by_row(factor, coding.env)
    kinds = {factor.name(): kind_of(factor, coding.sample, coding.env) for factor in coding.factors}
    if kinds[coding.spec.outcome.name()].stateful:
        raise FormulaError(f"The outcome {coding.spec.outcome.name()} must not depend on other rows.")
    boxed = tuple(name for name, kind in kinds.items() if kind.levels)
    if boxed or any(is_category(s) or s.origin is not None for s in coding.settled.values()):
        coding = with_known(coding, reader.run(FindKnown(coding, boxed)))
    if any(kind.stateful for kind in kinds.values()):
        if reader.client is not None:
            raise ModelError(NO_STATE_ON_A_CLUSTER)
        coding = replace(coding, stateful=coding.code(lambda: _values(coding, reader)))
    layout = _layout(coding)
    sample = next(coding.rows(coding.sampled, layout))
    return coding, layout, origin_of(Chunk(sample.columns, None))


def _values(coding: Coding, reader: Reader) -> Iterator[Mapping[str, Any]]:
    for table in reader.tables():
        read = coding.read(table)
        if read.n:
            yield read.values


def _layout(coding: Coding) -> Layout:
    """Columns by name: those of X and of covariates that have one name are one."""
    at = {name: number for number, name in enumerate(coding.names[:-1])}
    fixed, *covariates = [
        np.array([at[name] for name in info.column_names], dtype=np.intp) for info in coding.infos
    ]
    plain, spec = iter(covariates), coding.spec
    leading = len(spec.bars) + (spec.group is not None)
    bases = [(next(plain),) for _ in range(leading)]
    for terms in spec.components.values():
        one_hot = coding.level_column(terms) is not None
        bases.append((np.array([at[ONES]], dtype=np.intp) if one_hot else next(plain),))
    return Layout(coding.names, fixed, tuple(bases))


def _design(
    coding: Coding,
    reader: Reader,
    layout: Layout,
    cells: Cells,
    found: Moments,
    dropped: tuple[str, ...],
    of_beside: tuple[str, ...],
) -> StreamDesign:
    name, y = coding.spec.outcome.name(), layout.outcome
    low, high = float(found.low[y]), float(found.high[y])
    check_varies(name, low, high, found.n, less_offset="offset" in coding.beside)
    check_rows(found.n, layout.fixed.size)
    terms, grouping = terms_of(coding, cells)
    conversions = [note for settled in coding.settled.values() for note in settled.notes]
    sampled = evaluate(coding.spec.outcome, coding.sample, coding.env)
    _, of_outcome = outcome_numbers(name, sampled, coding.sampled.n)
    return StreamDesign(
        coding=coding,
        reader=reader,
        layout=layout,
        cells=cells,
        moments=found,
        fe_names=list(coding.infos[0].column_names),
        endog_name=name,
        terms=terms,
        group_name=grouping.name,
        group_labels=grouping.labels,
        group_sizes=np.bincount(grouping.codes, cells.counts, grouping.m).astype(np.intp),
        notes=(
            *(*dropped, *conversions, *numbers_as_text(coding.spec, coding.settled)),
            *(*of_outcome, *of_beside),
        ),
        bars=bool(coding.spec.bars),
    )
