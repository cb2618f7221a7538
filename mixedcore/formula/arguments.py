"""Arguments of calls in a formula: bound to their parameters, and literals where data have no place."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence

from mixedcore.errors import FormulaError
from mixedcore.formula import limits
from mixedcore.formula.functions import CONTRASTS
from mixedcore.formula.text import show


def bind(node: ast.Call, name: str, parameters: Sequence[str]) -> dict[str, ast.expr]:
    """The arguments of a call by parameter. Errors: FormulaError for too many, unknown or repeated ones."""
    if len(node.args) > len(parameters):
        raise FormulaError(f"{name}() takes at most {len(parameters)} arguments; this has {len(node.args)}.")
    arguments = dict(zip(parameters, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg not in parameters:
            known = ", ".join(parameters[name not in CONTRASTS :]) or "none"
            raise FormulaError(f"{name}() has no keyword {show(keyword.arg or '**')}; there are: {known}.")
        if keyword.arg in arguments:
            raise FormulaError(f"{name}() has its argument {keyword.arg} twice.")
        arguments[keyword.arg] = keyword.value
    return arguments


def name_of(node: ast.expr) -> str:
    """The name that a node is, or calls; else the empty string."""
    target = node.func if isinstance(node, ast.Call) else node
    return target.id if isinstance(target, ast.Name) else ""


def string(node: ast.expr) -> str | None:
    """The value of a string literal of bounded length, None for anything else."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return None
    if len(node.value) > limits.MAX_STRING:
        raise FormulaError(
            f"The string {show(node.value)} has {len(node.value):,} characters; "
            f"at most {limits.MAX_STRING} are allowed."
        )
    return node.value


def is_none(node: ast.expr) -> bool:
    """Whether a node is the constant None."""
    return isinstance(node, ast.Constant) and node.value is None


def number(node: ast.Constant) -> float:
    """The value of a numeric constant. Errors: FormulaError if it is too large, infinite or complex."""
    value = node.value
    if isinstance(value, int) and abs(value) > limits.MAX_INTEGER:
        raise FormulaError(f"The number {show(str(value))} is too large; write it with an exponent, as 1e20.")
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise FormulaError(f"{show(str(value))} is not a number that a formula may hold.")
    return value


def literal_number(node: ast.expr) -> float | None:
    """The value of `2`, `-0.5` as written, None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = literal_number(node.operand)
        return inner if inner is None or isinstance(node.op, ast.UAdd) else -inner
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return number(node)
    return None


def check_literal(node: ast.expr, parameter: str) -> None:
    """A level: a string, number or truth value."""
    boolean = isinstance(node, ast.Constant) and isinstance(node.value, bool)
    if not boolean and string(node) is None and literal_number(node) is None:
        raise FormulaError(f"{parameter}= takes a level: a string in quotes or a number.")


def _items(node: ast.expr, parameter: str, most: int) -> list[ast.expr]:
    if not isinstance(node, ast.List | ast.Tuple):
        raise FormulaError(f"{parameter}= takes a list, such as [1, 2, 3].")
    if len(node.elts) > most:
        raise FormulaError(f"{parameter}= has {len(node.elts)} entries; at most {most} are allowed.")
    return node.elts


def check_literals(node: ast.expr, parameter: str) -> None:
    """A list of levels or scores."""
    for item in _items(node, parameter, limits.MAX_LIST):
        check_literal(item, parameter)


def check_knots(node: ast.expr, parameter: str) -> None:
    """A list of numbers, of bounded length."""
    for item in _items(node, parameter, limits.MAX_KNOTS):
        check_bound(item, parameter)


def check_bound(node: ast.expr, parameter: str) -> None:
    """A number, written out."""
    if literal_number(node) is None:
        raise FormulaError(f"{parameter}= takes numbers, written out.")


def check_flag(node: ast.expr, parameter: str) -> None:
    """True or False."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, bool)):
        raise FormulaError(f"{parameter}= takes True or False.")


def check_centred(node: ast.expr, parameter: str) -> None:
    """The only constraint that costs no more than its spline."""
    if not is_none(node) and string(node) != "center":
        raise FormulaError(f'{parameter}= takes "center" and nothing else here.')


def check_whole_number(most: int) -> Callable[[ast.expr, str], None]:
    """A check that a node is a whole number from 0 to `most`, written out."""

    def check(node: ast.expr, parameter: str) -> None:
        if not (isinstance(node, ast.Constant) and type(node.value) is int and node.value >= 0):
            raise FormulaError(f"{parameter}= takes a whole number, written out.")
        if node.value > most:
            raise FormulaError(f"{parameter}={node.value} is too large; at most {most} is allowed.")

    return check


def spline_columns(node: ast.Call) -> int:
    """Columns of bs, cr or cc at most: df if it is given, else what the knots make."""
    given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    given |= dict(zip(("x", "df", "knots", "degree"), node.args, strict=False))
    df, knots, degree = given.get("df"), given.get("knots"), given.get("degree")
    if isinstance(df, ast.Constant) and type(df.value) is int:
        return max(df.value, 1)
    order = degree.value + 1 if isinstance(degree, ast.Constant) and type(degree.value) is int else 4
    return order + (len(knots.elts) if isinstance(knots, ast.List | ast.Tuple) else 0)
