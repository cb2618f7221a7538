"""The words in which the check of an expression refuses: what it is, and what to write instead."""

from __future__ import annotations

import ast
from collections.abc import Collection

from mixedcore.errors import FormulaError
from mixedcore.formula.functions import CONTRASTS, NUMPY_FUNCTIONS, SIGNATURES
from mixedcore.formula.text import nearest, show

_REASONS: dict[type[ast.AST], str] = {
    ast.Attribute: "after a dot only the listed functions of NumPy may follow, as in np.log(x)",
    ast.Subscript: "square brackets after a name are not",
    ast.Lambda: "lambda is not",
    ast.IfExp: "if … else is not; use np.where(condition, a, b)",
    ast.BoolOp: "and/or are not; multiply comparisons, as in I((x > 1) * (x < 3))",
    ast.NamedExpr: "assignment is not",
    ast.JoinedStr: "f-strings are not",
    ast.Starred: "starred arguments are not",
    ast.List: "a list may only follow levels=, scores= or knots=",
    ast.Tuple: "a tuple may only follow levels=, scores= or knots=",
}


_INSTEAD = {
    "poly": "For a polynomial write its powers, x + I(x**2).",
    "ns": 'For a natural spline write cr(x, df=3, constraints="center").',
    "s": 'For a smooth curve write bs(x, df=4) or cr(x, df=4, constraints="center").',
    "rcs": 'For a restricted cubic spline write cr(x, df=4, constraints="center").',
    "offset": "An offset is a column of its own beside the formula, not a term of it.",
    "factor": "For a category write C(x).",
    "ln": "For the natural logarithm write np.log(x).",
}
"""Functions of other programs, and what says the same here."""


def not_allowed(piece: str, node: ast.AST) -> FormulaError:
    """The refusal of a syntax node that is not in the language; `piece` is its text, as shown."""
    reason = _REASONS.get(type(node), "this is not")
    return FormulaError(
        f"{piece} is not allowed: a formula may hold columns, numbers, arithmetic, comparisons "
        f"and the listed functions; {reason}."
    )


def unknown_function(name: str, known: Collection[str]) -> FormulaError:
    """The refusal of a call; `name` is what is called, `known` the columns."""
    if name in known:
        return FormulaError(
            f"{show(name)} is a column, not a function: put an operator before the parenthesis."
        )
    if name in NUMPY_FUNCTIONS:
        return FormulaError(f"Write np.{name}(…) for {show(name)}.")
    if name in _INSTEAD:
        return FormulaError(f"{show(name)} is not part of the formula language. {_INSTEAD[name]}")
    functions = [*SIGNATURES, *(f"np.{function}" for function in NUMPY_FUNCTIONS)]
    close = nearest(name, functions)
    suggestion = f"Did you mean {close}()?" if close else f"There are: {', '.join(functions)}."
    return FormulaError(f"The function {show(name)} is not one that a formula may call. {suggestion}")


def usage(name: str) -> str:
    """How a function of the language is written, as the end of a sentence."""
    if name == "np":
        return "write np.log(x), for example."
    if name in CONTRASTS:
        return f"write C(x, {name})."
    return f'write {name}("name").' if name == "Q" else f"write {name}(x)."
