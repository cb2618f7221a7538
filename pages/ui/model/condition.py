"""Conditions on rows, such as `Days > 2 and sex == "f"`: checked, evaluated, written as Python. No Streamlit.

A condition is one comparison of columns and numbers or texts, or several joined by `and`, in the language of
formulas: whatever `check_formula` refuses there is refused here.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

import pandas as pd

from mixedcore import formula as language
from mixedcore.errors import FormulaError
from mixedcore.formula.text import show, tokenize

CALLS = ("Q", "I")
"""What a condition may call besides the NumPy functions of the language."""


def check(text: str, columns: Sequence[str], numbers: Collection[str]) -> None:
    """Refuse what is no condition on these columns; `numbers` are those that can be calculated with.

    Raises FormulaError with a plain sentence. Nothing is evaluated.
    """
    for piece in _pieces(text):
        wrapped = f"I({piece})"
        language.check_formula(wrapped, columns)
        for name in sorted(language.numeric_columns(wrapped, columns) - set(numbers)):
            raise FormulaError(f"The condition calculates with {name!r}, which is not a number.")
        _check_calls(piece)


def columns_of(text: str) -> frozenset[str]:
    """The names that a checked condition uses."""
    return frozenset(name for piece in _pieces(text) for name in language.formula_columns(f"I({piece})"))


def rows(text: str, frame: pd.DataFrame) -> pd.Series:
    """Which rows of `frame` meet a condition, (n,) booleans; a missing value meets none.

    Raises FormulaError for what is no condition, before anything is evaluated, and where the columns cannot
    be compared so.
    """
    names = [str(name) for name in frame.columns]
    check(text, names, {str(name) for name in frame.select_dtypes(["number", "bool"]).columns})
    met = pd.Series(True, index=frame.index)
    environment = language.safe_environment()
    for piece in _pieces(text):
        values = {name: frame[name] for name in columns_of(piece) if name in frame}
        try:
            found = environment.eval(piece.strip(), inner_namespace=values)
        except TypeError as err:
            raise FormulaError(f"{show(piece.strip())} compares texts with numbers.") from err
        if not isinstance(found, pd.Series) or not pd.api.types.is_bool_dtype(found.dtype):
            raise FormulaError(f"{show(piece.strip())} is no comparison of a column, such as age > 3.")
        met &= found.fillna(False).astype(bool)
    return met


def as_python(text: str) -> str:
    """The condition as Python over the table `data`; text that is none becomes a string."""
    try:
        pieces = [ast.unparse(_OfData().visit(_parsed(piece))) for piece in _pieces(text)]
    except (FormulaError, ValueError):  # a surrogate cannot be parsed
        return repr(text)
    return " & ".join(f"({piece})" for piece in pieces)


def comparisons(text: str) -> list[ast.expr]:
    """The comparisons that must all hold. Raises FormulaError for what cannot be read."""
    return [_parsed(piece) for piece in _pieces(text)]


def _pieces(text: str) -> list[str]:
    """The comparisons that `and` joins. Raises FormulaError for nothing and for open brackets."""
    cuts = [token for token in tokenize(text) if token.text == "and" and token.depth == 0]
    starts, ends = [0, *(cut.end for cut in cuts)], [*(cut.start for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    if not all(piece.strip() for piece in pieces):
        raise FormulaError("The condition is empty, or 'and' lacks a side. Write for example: age > 3.")
    return pieces


def _parsed(piece: str) -> ast.expr:
    try:
        return ast.parse(piece.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as err:
        raise FormulaError(f"{show(piece.strip())} cannot be read as a condition.") from err


def _check_calls(piece: str) -> None:
    for node in ast.walk(_parsed(piece)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in CALLS:
            raise FormulaError(f"{show(node.func.id)} has no place in a condition on rows.")


class _OfData(ast.NodeTransformer):
    """Names and Q("names") become columns of `data`."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return _column(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return node  # np.log and its like

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Name(id="Q"), args=[ast.Constant(value=str(name))]):
                return _column(name)
            case ast.Call(func=ast.Name(id="I"), args=[inner]):
                visited: ast.AST = self.visit(inner)
                return visited
        node.args = [self.visit(argument) for argument in node.args]
        return node


def _column(name: str) -> ast.expr:
    return ast.Subscript(ast.Name("data", ast.Load()), ast.Constant(name), ast.Load())
