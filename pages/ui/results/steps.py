"""What one more of a numeric predictor means: read from the code of its factor, nothing is evaluated.

`Days` steps by one; `I(x / 10)` by ten; `np.log(x)` by doubling; `standardize(x)` by a standard deviation.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mixedcore.errors import MixedCoreError
from mixedcore.formula import formula_columns

Kind = Literal["unit", "pair", "log", "deviation", "code"]

LOGS = {"log": math.e, "log2": 2.0, "log10": 10.0, "log1p": math.e}
DOUBLED = 2.0
A_TENTH_MORE = 1.1


@dataclass(frozen=True, slots=True)
class Range:
    """A numeric column: its ends, its mean, and whether it takes two values only."""

    low: float
    high: float
    mean: float
    two_valued: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """How a numeric factor is read.

    kind       : 'unit' (so much more of the column), 'pair' (its higher value instead of the lower), 'log'
                 (so many times as much), 'deviation' (one SD more), 'code' (one more of what the code gives)
    name       : of the column, or the code where it is no simple function of one column
    size       : how much more (unit), how many times as much (log), the lower and higher value (pair)
    multiplier : the coefficient times this is the difference that such a step makes
    zero       : the value of the column at which the factor is zero; None where that is not one number
    shift      : what is added to the column before its logarithm is taken
    low        : the lower value (pair); centred : whether zero is the column's mean
    """

    kind: Kind
    name: str
    size: float = 1.0
    multiplier: float = 1.0
    zero: float | None = 0.0
    shift: float = 0.0
    low: float = 0.0
    centred: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    """scale · column + shift."""

    column: str
    scale: float
    shift: float


def step(code: str, ranges: Mapping[str, Range]) -> Step:
    """How the factor of this code is read; `ranges` of the numeric columns, by name."""
    try:
        node = ast.parse(code, mode="eval").body
    except (SyntaxError, ValueError):
        return Step("code", code, zero=None)
    for reader in (_logarithm, _deviation, _affine):
        found = reader(node, ranges)
        if found is not None:
            return found
    return Step("code", code, zero=0.0 if _is_power(node) else None)


def columns_in(code: str) -> frozenset[str]:
    """Columns that a factor's code uses."""
    try:
        return frozenset(formula_columns(code))
    except MixedCoreError:
        return frozenset({code})


def column_of(code: str) -> str | None:
    """The column that the code is, bare, quoted or boxed in C(…); None for a calculation."""
    try:
        node = ast.parse(code, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if isinstance(node, ast.Call) and _function(node) == "C" and node.args:
        node = node.args[0]
    return _column(node)


def log_base(code: str) -> tuple[str, float, float] | None:
    """(column, base, shift) of a logarithm of a column, or None: how an outcome's code is read."""
    try:
        node = ast.parse(code, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    return _log_parts(node)


def _log_parts(node: ast.AST) -> tuple[str, float, float] | None:
    name = _function(node)
    if name not in LOGS or not isinstance(node, ast.Call) or len(node.args) != 1:
        return None
    inside = _line(node.args[0])
    if inside is None or inside.scale <= 0:
        return None
    shift = inside.shift / inside.scale + (1 / inside.scale if name == "log1p" else 0)
    return inside.column, LOGS[name], shift


def _logarithm(node: ast.AST, ranges: Mapping[str, Range]) -> Step | None:
    parts = _log_parts(node)
    if parts is None:
        return None
    column, base, shift = parts
    found = ranges.get(column)
    doubles = found is None or found.low + shift <= 0 or found.high + shift >= DOUBLED * (found.low + shift)
    times = DOUBLED if doubles else A_TENTH_MORE
    # log(s(x + shift)) is zero where x + shift is 1/s; that s is one is all that is said of zero.
    inside = _line(node.args[0]) if isinstance(node, ast.Call) else None
    zero = 1 / inside.scale - shift if inside is not None else None
    return Step("log", column, times, math.log(times) / math.log(base), zero, shift)


def _deviation(node: ast.AST, ranges: Mapping[str, Range]) -> Step | None:
    """center(x), standardize(x), scale(x)."""
    name = _function(node)
    if not isinstance(node, ast.Call) or name not in ("center", "standardize", "scale"):
        return None
    column = _column(node.args[0]) if len(node.args) == 1 and not node.keywords else None
    if column is None:
        return None
    mean = ranges[column].mean if column in ranges else None
    return Step("unit" if name == "center" else "deviation", column, zero=mean, centred=True)


def _affine(node: ast.AST, ranges: Mapping[str, Range]) -> Step | None:
    found = _line(node)
    if found is None or found.scale == 0:
        return None
    sign, zero = math.copysign(1.0, found.scale), -found.shift / found.scale
    known = ranges.get(found.column)
    if known is not None and known.two_valued:
        apart = known.high - known.low
        return Step("pair", found.column, apart, apart * found.scale, zero + 0.0, low=known.low)
    return Step("unit", found.column, 1 / abs(found.scale), sign, zero + 0.0)


def _is_power(node: ast.AST) -> bool:
    """x ** 2, which is zero where x is."""
    if isinstance(node, ast.Call) and _function(node) == "I" and node.args:
        node = node.args[0]
    match node:
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _column(left) is not None and (_number(right) or 0) > 0
    return False


def _line(node: ast.AST) -> _Line | None:
    """A straight line in one column, or None."""
    column = _column(node)
    if column is not None:
        return _Line(column, 1.0, 0.0)
    match node:
        case ast.Call(args=[inner]) if _function(node) == "I":
            return _line(inner)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            found = _line(inner)
            return None if found is None else _Line(found.column, -found.scale, -found.shift)
        case ast.BinOp(left=left, op=op, right=right):
            return _combined(_line(left), _number(left), op, _line(right), _number(right))
    return None


def _combined(
    left: _Line | None, before: float | None, op: ast.operator, right: _Line | None, after: float | None
) -> _Line | None:
    if left is not None and after is not None:
        match op:
            case ast.Add():
                return _Line(left.column, left.scale, left.shift + after)
            case ast.Sub():
                return _Line(left.column, left.scale, left.shift - after)
            case ast.Mult():
                return _Line(left.column, left.scale * after, left.shift * after)
            case ast.Div() if after != 0:
                return _Line(left.column, left.scale / after, left.shift / after)
    if right is not None and before is not None:
        match op:
            case ast.Add():
                return _Line(right.column, right.scale, right.shift + before)
            case ast.Sub():
                return _Line(right.column, -right.scale, before - right.shift)
            case ast.Mult():
                return _Line(right.column, right.scale * before, right.shift * before)
    return None


def _number(node: ast.AST) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -float(value)
    return None


def _column(node: ast.AST) -> str | None:
    return node.id if isinstance(node, ast.Name) else _quoted(node)


def _quoted(node: ast.AST) -> str | None:
    match node:
        case ast.Call(func=ast.Name(id="Q"), args=[ast.Constant(value=str(name))]):
            return name
    return None


def _function(node: ast.AST) -> str | None:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name)):
            return name
        case ast.Call(func=ast.Name(id=name)):
            return name
    return None
