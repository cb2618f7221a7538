"""Variance components: each formula evaluated within each group, as blocks of level codes and covariates.

One vectorised pass where that gives the same matrix as evaluating group by group (one-hot factors, plain
numeric columns); otherwise patsy sees the rows of one group at a time (`by_group`).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import patsy
from patsy.categorical import guess_categorical
from patsy.eval import EvalEnvironment, ast_names

from mixedcore.data.frame import Frame
from mixedcore.design.by_group import evaluate_by_group
from mixedcore.design.evaluation import Namespace, NotFiniteError, design_info, evaluate, matrix
from mixedcore.design.factors import elementwise, unboxed
from mixedcore.design.groups import Grouping
from mixedcore.design.spec import Spec
from mixedcore.errors import ModelError
from mixedcore.terms import Block, Floats, Ints, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class FactorValues:
    """One factor of a term on all rows: level codes and names if categorical, else numbers (n,).

    truth : the levels are true and false
    """

    codes: Ints | None
    levels: Sequence[str]
    numbers: Floats | None
    truth: bool


def component(
    name: str, terms: Sequence[patsy.Term], frame: Frame, grouping: Grouping, env: EvalEnvironment
) -> RandomTerm:
    """The variance component `name`: independent coefficients of one variance, made within each group.

    Raises ModelError for one that cannot be told from the residual, FormulaError where evaluation fails.
    """
    blocks = (
        _one_hot(name, terms, frame, grouping, env)
        or _intercept_and_levels(name, terms, frame, grouping, env)
        or _plain_columns(name, terms, frame, grouping, env)
        or evaluate_by_group(name, terms, frame, grouping.codes, grouping.m, env)
    )
    check_not_residual(name, blocks, frame.n)
    return RandomTerm(name, "component", "isotropic", (), blocks)


def making(
    terms: Sequence[patsy.Term], frame: Frame, env: EvalEnvironment
) -> Literal["cells", "plain", "by group"]:
    """How `component` makes the blocks of these terms: it is asked for those of one row."""
    one, alone = frame.take(np.zeros(1, dtype=np.intp)), Grouping(np.zeros(1, dtype=np.intp), [0], "")
    if _one_hot("", terms, one, alone, env) is not None:
        return "cells"
    if _intercept_and_levels("", terms, one, alone, env) is not None:
        return "by group"
    return "plain" if _plain_columns("", terms, one, alone, env) is not None else "by group"


def of_formulas(spec: Spec, env: EvalEnvironment, columns: Container[str]) -> Namespace:
    """The part of the caller's namespace that formulas use: what is no column."""
    codes = [factor.code for factor in spec.factors() if not factor.code.isidentifier()]
    names = {name for code in codes for name in ast_names(code) if name not in columns}
    return Namespace.of(env, sorted(names))


def factor_codes(values: Any, factor: Any) -> tuple[Ints, list[Any]]:
    """Level of each row and the levels in patsy's order (categories as given, else sorted)."""
    series = pd.Series(values).reset_index(drop=True) if not isinstance(values, pd.Series) else values
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, levels = series.cat.codes.to_numpy(dtype=np.intp), series.cat.categories
    else:
        codes, levels = pd.factorize(series, sort=True)
    if (codes < 0).any():
        raise NotFiniteError(codes < 0, factor.name())
    return np.asarray(codes, dtype=np.intp), list(levels)


def _one_hot(
    name: str, terms: Sequence[patsy.Term], frame: Frame, grouping: Grouping, env: EvalEnvironment
) -> tuple[Block, ...] | None:
    """`0 + C(a)`, `0 + C(a):x`, `0 + C(a):C(b)`: a coefficient for each cell, without a dense matrix."""
    if len(terms) != 1 or not all(elementwise(f, env) for f in terms[0].factors):
        return None
    factors = [_factor_values(f, frame, env) for f in terms[0].factors]
    if any(f is None for f in factors) or not any(f is not None and f.codes is not None for f in factors):
        return None
    known = [f for f in factors if f is not None]
    categorical = [f for f in known if f.codes is not None]
    if sum(f.codes is None for f in known) and len(categorical) > 1:
        return None
    return (cell_block(name, terms[0], known, grouping),)


def _intercept_and_levels(
    name: str, terms: Sequence[patsy.Term], frame: Frame, grouping: Grouping, env: EvalEnvironment
) -> tuple[Block, ...] | None:
    """`1 + C(a)`: an intercept a group, and a coefficient for each of its levels but the first."""
    if len(terms) != 2 or terms[0].factors or len(terms[1].factors) != 1:
        return None
    if not elementwise(terms[1].factors[0], env):
        return None
    factor = _factor_values(terms[1].factors[0], frame, env)
    if factor is None or factor.codes is None or factor.truth:  # patsy codes False first even without rows
        return None
    every = np.arange(grouping.m, dtype=np.intp)
    ones = np.ones((frame.n, 1))
    intercept = Block(grouping.codes, grouping.m, ones, every, (f"{name}[Intercept]",) * grouping.m)
    levels = _without_first(cell_block(name, terms[1], [factor], grouping, "T."))
    return (intercept,) if levels is None else (intercept, levels)


def _without_first(cells: Block) -> Block | None:
    """The block without the first level of each group; a group's only level stays as padding."""
    starts = np.diff(cells.group_of_level, prepend=-1) != 0
    alone = starts & (np.diff(cells.group_of_level, append=-1) != 0)
    if alone.all():
        return None
    kept = ~starts | alone
    number = np.where(kept, np.cumsum(kept) - 1, np.cumsum(kept))  # a first level's rows join the second
    labels = tuple(
        "" if only else label for label, only, keep in zip(cells.labels, alone, kept, strict=True) if keep
    )
    basis = np.where(starts[cells.codes], 0.0, cells.basis[:, 0])
    return Block(number[cells.codes], int(kept.sum()), basis[:, None], cells.group_of_level[kept], labels)


def cell_block(
    name: str, term: patsy.Term, factors: Sequence[FactorValues], grouping: Grouping, coding: str = ""
) -> Block:
    """One level for each (group, levels of the factors) that occurs, in that order."""
    key, sizes = grouping.codes.astype(np.int64), []
    basis = np.ones(len(key))
    for factor in factors:
        if factor.codes is not None:
            key = key * len(factor.levels) + factor.codes
            sizes.append(len(factor.levels))
        if factor.numbers is not None:
            basis = basis * factor.numbers
    codes, cells = pd.factorize(key, sort=True)
    parts: list[np.ndarray] = []
    for size in reversed(sizes):
        cells, level = np.divmod(cells, size)
        parts.append(level)
    columns = _cell_names(term, factors, parts[::-1], len(cells), coding)
    labels = tuple(f"{name}[{column}]" for column in columns)
    return Block(codes.astype(np.intp), len(cells), basis[:, None], cells.astype(np.intp), labels)


def _cell_names(
    term: patsy.Term, factors: Sequence[FactorValues], parts: list[np.ndarray], m: int, coding: str
) -> list[str]:
    """patsy's column names of m cells, 'C(a)[x]:pretest'; `coding` is 'T.' for treatment coding."""
    pieces: list[Sequence[str]] = []
    level_of = iter(parts)
    for factor, info in zip(term.factors, factors, strict=True):
        if info.codes is None:
            pieces.append([factor.name()] * m)
        else:
            names = [f"{factor.name()}[{coding}{level}]" for level in info.levels]
            pieces.append([names[i] for i in next(level_of)])
    return [":".join(columns) for columns in zip(*pieces, strict=True)]


def _plain_columns(
    name: str, terms: Sequence[patsy.Term], frame: Frame, grouping: Grouping, env: EvalEnvironment
) -> tuple[Block, ...] | None:
    """Numeric columns and intercept that do not depend on the group: codes of the group, (n, q) basis."""
    factors = [f for term in terms for f in term.factors]
    if not all(elementwise(f, env) for f in factors):
        return None
    if any(guess_categorical(evaluate(f, frame.values(), env)) for f in factors):
        return None
    values = frame.values()
    info = design_info(terms, values, env, frame.n)
    basis = matrix(info, values, frame.n)
    labels = tuple(f"{name}[{column}]" for column in info.column_names) * grouping.m
    return (Block(grouping.codes, grouping.m, basis, np.arange(grouping.m, dtype=np.intp), labels),)


def _factor_values(factor: Any, frame: Frame, env: EvalEnvironment) -> FactorValues | None:
    """Levels or numbers of an elementwise factor; None where it is neither (two-dimensional)."""
    value = evaluate(factor, frame.values(), env)
    if guess_categorical(value):
        codes, levels = factor_codes(unboxed(value), factor)
        truth = all(isinstance(level, (bool, np.bool_)) for level in levels)
        return FactorValues(codes, [str(level) for level in levels], None, truth)
    numbers = np.asarray(value, dtype=np.float64)
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.shape != (frame.n,):
        return None
    if not np.isfinite(numbers).all():
        raise NotFiniteError(~np.isfinite(numbers), factor.name())
    return FactorValues(None, (), numbers, False)


def check_not_residual(name: str, blocks: tuple[Block, ...], n: int) -> None:
    """A coefficient of its own for every row cannot be told from the residual."""
    if len(blocks) == 1 and blocks[0].n_levels == n and blocks[0].width == 1 and np.ptp(blocks[0].basis) == 0:
        raise ModelError(
            f"The variance component {name!r} has one row in every level, so its variance cannot be told "
            "from the residual; use a coarser factor or leave the component out."
        )
