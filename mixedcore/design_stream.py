"""Formulas and rows that come in chunks to a model's terms, levels and moments; no row is kept."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from patsy.eval import EvalEnvironment

from mixedcore.cells import Cells
from mixedcore.columns import Gaps, Settled, settle
from mixedcore.design import new_rows, numbers_as_text
from mixedcore.design_cells import terms_of
from mixedcore.design_coding import NO_STATE_ON_A_CLUSTER, ONES, Coding, empty_like, few
from mixedcore.design_eval import evaluate, resolve
from mixedcore.design_factors import factor_names
from mixedcore.design_kinds import FindKnown, check_by_row, is_category, kind_of, with_known
from mixedcore.design_outcome import check_rows, check_varies, outcome_numbers
from mixedcore.errors import DataError, FormulaError, ModelError, rows_not_kept
from mixedcore.moments import Moments, moments, origin_of
from mixedcore.passes import Reader, add_up
from mixedcore.rows import Chunk, Layout, Rows
from mixedcore.tables import Table
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
    weights: None = None
    offset: None = None
    weights_column: None = None
    offset_column: None = None

    @property
    def n(self) -> int:
        """Rows in use."""
        return self.moments.n

    @property
    def fixed_info(self) -> Any:
        """patsy's coding of X."""
        return self.coding.infos[0]

    def fixed_matrix(self, new_data: Any) -> tuple[Floats, pd.Index]:
        """X (k, p) on new data, as `Design.fixed_matrix`."""
        used = {name for term in self.coding.term_lists[0] for f in term.factors for name in factor_names(f)}
        own = {name: settled for name, settled in self.coding.settled.items() if name in used}
        X, frame = new_rows(self.fixed_info, own, new_data)
        return X, frame.index

    def fixed_part(self, new_data: Any, beta: Floats) -> pd.Series:
        """Xβ on new data, as `Design.fixed_part`."""
        X, index = self.fixed_matrix(new_data)
        return pd.Series(X @ beta, index=index)

    def chunks(self) -> Iterator[Chunk]:
        """All rows once more, read here."""
        for table in self.reader.tables():
            for columns in self.coding.columns(self.coding.read(table)):
                yield from Rows(self.layout, tuple(columns), None).chunks()

    y = property(lambda self: _not_kept("a value of endog"))
    response = y
    X = property(lambda self: _not_kept("a row of exog"))
    group_codes = property(lambda self: _not_kept("a group"))
    row_index = property(lambda self: _not_kept("a label"))


def _not_kept(what: str) -> NoReturn:
    raise rows_not_kept(what)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one pass found, additive: rows read, what is missing, cells and moments of the complete rows."""

    gaps: Gaps = field(default_factory=Gaps)
    cells: Cells | None = None
    moments: Moments | None = None

    @property
    def rows(self) -> int:
        """Rows read."""
        return self.gaps.n

    def __add__(self, other: Found) -> Found:
        """What both passes found."""
        gaps = self.gaps + other.gaps
        if self.cells is None or self.moments is None or other.cells is None or other.moments is None:
            some = other if self.cells is None else self
            return Found(gaps, some.cells, some.moments)
        return Found(gaps, self.cells + other.cells, self.moments + other.moments)


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
        if not read.n:
            return Found(read.gaps)
        chunks = (
            chunk
            for columns in self.coding.columns(read)
            for chunk in Rows(self.layout, tuple(columns), None).chunks()
        )
        return Found(read.gaps, Cells.of(read.keys), moments(chunks, self.origin))


def build_stream(
    formula: Any,
    reader: Reader,
    *,
    groups: Any,
    re_formula: Any,
    vc_formula: Mapping[str, Any] | None,
    missing: str,
    env: EvalEnvironment,
) -> StreamDesign:
    """The design of a model over a source: one pass, and another before it where there are categories."""
    if groups is not None and not isinstance(groups, str):
        raise ModelError("The data come in chunks, so groups must be the name of a column.")
    if missing not in ("none", "drop", "raise"):
        raise DataError(f"missing={missing!r} is not known; use 'none', 'drop' or 'raise'.")
    components = None if vc_formula is None else {k: _text(v) for k, v in vc_formula.items()}
    coding = _first_look((_text(formula), groups, _text(re_formula), components), reader, env)
    reader.columns = coding.used
    coding, layout, origin = _settled(coding, reader)
    found = reader.run(FindAll(coding, layout, origin))
    note = found.gaps.sentence(missing)
    if found.cells is None or found.moments is None:
        raise DataError(f"No rows are left. {note}")
    return _design(coding, reader, layout, found.cells, found.moments, (note,) if note else ())


def _text(formula: Any) -> Any:
    return formula.describe() if hasattr(formula, "describe") else formula


def _first_look(texts: Any, reader: Reader, env: EvalEnvironment) -> Coding:
    """The coding as the first complete rows suggest it, every name found."""
    factors, first = Coding(texts, {}, {}).spec.factors(), reader.source.head()
    names = resolve(factors, first, env)
    if names.extra:
        raise FormulaError(f"{next(iter(names.extra))!r} is a variable; data in chunks need it as a column.")
    namespace = _namespace(factors, names.columns, env)
    raw = {name: Settled(pd.Series(first.column(name))) for name in names.columns}
    coding = Coding(texts, namespace, raw, sample={name: settled.values for name, settled in raw.items()})
    reader.columns = coding.used
    columns = _first_complete(coding, reader)
    settled = {name: settle(columns[name], name) for name in names.columns}
    sample = few({name: found.values for name, found in settled.items()})
    coding = Coding(texts, namespace, settled, sample=sample)
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
    sample = next(coding.columns(coding.sampled))
    return coding, _layout(coding), origin_of(Chunk(sample, None))


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
    coding: Coding, reader: Reader, layout: Layout, cells: Cells, found: Moments, notes: tuple[str, ...]
) -> StreamDesign:
    name, y = coding.spec.outcome.name(), layout.outcome
    check_varies(name, float(found.low[y]), float(found.high[y]), found.n)
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
        notes=(*notes, *conversions, *numbers_as_text(coding.spec, coding.settled), *of_outcome),
        bars=bool(coding.spec.bars),
    )
