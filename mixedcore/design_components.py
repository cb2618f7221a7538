"""Variance components: each formula evaluated within each group, as blocks of level codes and covariates.

One vectorised pass where that gives the same matrix as evaluating group by group (one-hot factors, plain
numeric columns); otherwise patsy sees the rows of one group at a time (`design_by_group`).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import patsy
from patsy.categorical import guess_categorical
from patsy.eval import EvalEnvironment, EvalFactor

from mixedcore.design_by_group import evaluate_by_group
from mixedcore.design_eval import NotFiniteError, design_info, evaluate, matrix
from mixedcore.design_groups import Grouping
from mixedcore.errors import ModelError
from mixedcore.frame import Frame
from mixedcore.terms import Block, Floats, Ints, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class _Factor:
    """One factor of a term on all rows: level codes and names if categorical, else numbers (n,)."""

    codes: Ints | None
    levels: Sequence[str]
    numbers: Floats | None


def component(
    name: str, terms: Sequence[patsy.Term], frame: Frame, grouping: Grouping, env: EvalEnvironment
) -> RandomTerm:
    """The variance component `name`: independent coefficients of one variance, made within each group.

    Raises ModelError for one that cannot be told from the residual, FormulaError where evaluation fails.
    """
    blocks = (
        _one_hot(name, terms, frame, grouping, env)
        or _plain_columns(name, terms, frame, grouping, env)
        or evaluate_by_group(name, terms, frame, grouping.codes, grouping.m, env)
    )
    check_not_residual(name, blocks, frame.n)
    return RandomTerm(name, "component", "isotropic", (), blocks)


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
    return (_cells(name, terms[0], known, grouping),)


def _cells(name: str, term: patsy.Term, factors: Sequence[_Factor], grouping: Grouping) -> Block:
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
    labels = _cell_labels(name, term, factors, parts[::-1], len(cells))
    return Block(codes.astype(np.intp), len(cells), basis[:, None], cells.astype(np.intp), labels)


def _cell_labels(
    name: str, term: patsy.Term, factors: Sequence[_Factor], parts: list[np.ndarray], m: int
) -> tuple[str, ...]:
    """patsy's column names, 'C(a)[x]:pretest', inside the component's name."""
    pieces: list[Sequence[str]] = []
    level_of = iter(parts)
    for factor, info in zip(term.factors, factors, strict=True):
        if info.codes is None:
            pieces.append([factor.name()] * m)
        else:
            names = [f"{factor.name()}[{level}]" for level in info.levels]
            pieces.append([names[i] for i in next(level_of)])
    return tuple(f"{name}[{':'.join(columns)}]" for columns in zip(*pieces, strict=True))


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


def elementwise(factor: Any, env: EvalEnvironment) -> bool:
    """Whether a factor's value in a row depends on that row alone: groups need no pass of their own."""
    if not isinstance(factor, EvalFactor):
        return False
    return _elementwise(ast.parse(factor.code, mode="eval").body, env, boxed=True)


def _elementwise(node: ast.AST, env: EvalEnvironment, *, boxed: bool = False) -> bool:
    match node:
        case ast.Name():
            return True
        case ast.Constant():
            return True
        case ast.BinOp(left=left, right=right):
            return _elementwise(left, env) and _elementwise(right, env)
        case ast.UnaryOp(operand=operand):
            return _elementwise(operand, env)
        case ast.Compare(left=left, comparators=others):
            return all(_elementwise(part, env) for part in (left, *others))
        case ast.Call(func=ast.Name(id="C"), args=[inner], keywords=[]):
            return boxed and _elementwise(inner, env)
        case ast.Call(func=ast.Name(id="I"), args=[inner], keywords=[]):
            return _elementwise(inner, env)
        case ast.Call(func=ast.Name(id="Q")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=function), keywords=[]):
            called = getattr(env.namespace.get(module), function, None)
            known = isinstance(called, np.ufunc) or called is np.where
            return known and all(_elementwise(arg, env) for arg in node.args)
    return False


def _factor_values(factor: Any, frame: Frame, env: EvalEnvironment) -> _Factor | None:
    """Levels or numbers of an elementwise factor; None where it is neither (two-dimensional)."""
    value = evaluate(factor, frame.values(), env)
    if guess_categorical(value):
        codes, levels = factor_codes(getattr(value, "data", value) if _boxed(value) else value, factor)
        return _Factor(codes, [str(level) for level in levels], None)
    numbers = np.asarray(value, dtype=np.float64)
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.shape != (frame.n,):
        return None
    if not np.isfinite(numbers).all():
        raise NotFiniteError(~np.isfinite(numbers), factor.name())
    return _Factor(None, (), numbers)


def _boxed(value: Any) -> bool:
    return hasattr(value, "contrast") and hasattr(value, "levels")


def check_not_residual(name: str, blocks: tuple[Block, ...], n: int) -> None:
    """A coefficient of its own for every row cannot be told from the residual."""
    if len(blocks) == 1 and blocks[0].n_levels == n and blocks[0].width == 1 and np.ptp(blocks[0].basis) == 0:
        raise ModelError(
            f"The variance component {name!r} has one row in every level, so its variance cannot be told "
            "from the residual; use a coarser factor or leave the component out."
        )
