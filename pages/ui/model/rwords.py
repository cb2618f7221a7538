"""A formula in R's words: names in backticks, C() as factor(), NumPy's functions by their names in R. Pure.

What R would read differently is refused with the reason, so that no script gives other numbers.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable

from pages.ui.model.lme4 import UntranslatableError
from pages.ui.text import csv_safe

_SYNTACTIC = re.compile(r"[A-Za-z][A-Za-z0-9._]*$")
_RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "in"}
_RESERVED |= {"TRUE", "FALSE", "NULL", "Inf", "NaN", "NA", "T", "F", "data", "fit"}
_FUNCTIONS = {name: name for name in ("log", "log10", "log2", "log1p", "exp", "expm1", "sqrt", "abs")}
_FUNCTIONS |= {name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "floor")}
_FUNCTIONS |= {"ceil": "ceiling", "absolute": "abs"}
_CONTRASTS = {
    "Sum": "contr.sum",
    "Helmert": "contr.helmert",
    "Poly": "contr.poly",
    "Diff": "MASS::contr.sdif",
}
_OPERATORS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "Pow": "^", "FloorDiv": "%/%", "Mod": "%%"}
_OPERATORS |= {"Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">="}


def text(value: str) -> str:
    """A string as R writes it, whatever it contains."""
    return f'"{_escaped(value, chr(34))}"'


def name(column: str) -> str:
    """A column's name as it stands in a formula of R: as the prepared file has it, where =x is '=x."""
    column = str(csv_safe(column))
    if _SYNTACTIC.match(column) and column not in _RESERVED:
        return column
    return f"`{_escaped(column, '`')}`"


def vector(values: Iterable[str]) -> str:
    """c("a", "b")."""
    return f"c({', '.join(map(text, values))})"


def _escaped(value: str, quote: str) -> str:
    """What can be seen as it is; the quote, the backslash and the rest escaped."""
    return "".join(
        f"\\{sign}"
        if sign in (quote, "\\")
        else sign
        if sign.isprintable() or sign == " "
        else f"\\U{{{_code(sign):X}}}"
        for sign in value
    )


def _code(sign: str) -> int:
    """The sign's number; R has no strings with zeros or halves of characters."""
    return 0xFFFD if sign == "\0" or "\ud800" <= sign <= "\udfff" else ord(sign)


def formula(written: str) -> str:
    """The formula as R reads it, bars included. Raises UntranslatableError with the reason."""
    try:
        tokens = [
            token
            for token in tokenize.generate_tokens(io.StringIO(written.replace("\n", " ").strip()).readline)
            if token.string.strip()
        ]
    except (tokenize.TokenError, SyntaxError) as err:
        raise UntranslatableError("The formula is not complete.") from err
    words, at = list[str](), 0
    while at < len(tokens):
        end = _end_of_call(tokens, at)
        if end > at:
            words.append(_call(tokens[at:end]))
        else:
            words.append(_word(tokens[at]))
            end = at + 1
        at = end
    return _spaced(words)


def condition(comparisons: Iterable[ast.expr]) -> str:
    """Comparisons that must all hold, as R says it. Raises UntranslatableError with the reason."""
    return " & ".join(_expression(each) for each in comparisons)


def _spaced(words: Iterable[str]) -> str:
    """The words with spaces between them, but inside brackets and around : and ^."""
    line, before = "", "("
    for word in words:
        line += word if before in ("(", ":", "^") or word in (")", ":", "^") else f" {word}"
        before = word
    return line


def _end_of_call(tokens: list[tokenize.TokenInfo], at: int) -> int:
    """Position after the call that begins here; `at` when none does."""
    if tokens[at].type != tokenize.NAME:
        return at
    opening = at + (3 if [token.string for token in tokens[at : at + 2]] == ["np", "."] else 1)
    if opening >= len(tokens) or tokens[opening].string != "(":
        return at
    depth = 0
    for place in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place].string, 0)
        if depth == 0:
            return place + 1
    raise UntranslatableError("The formula is not complete.")


def _word(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return name(token.string)
    return "^" if token.string == "**" else token.string


def _call(tokens: list[tokenize.TokenInfo]) -> str:
    source = " ".join(token.string for token in tokens).replace(" . ", ".")
    try:
        return _expression(ast.parse(source, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as err:
        raise UntranslatableError("The formula is not complete.") from err


def _expression(node: ast.expr) -> str:
    match node:
        case ast.Name(id=column):
            return name(column)
        case ast.Constant(value=str(value)):
            return text(value)
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return repr(number)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=inner):
            return f"{'-' if isinstance(sign, ast.USub) else '+'}{_expression(inner)}"
        case ast.BinOp() | ast.Compare(ops=[_]):
            return f"({_argument(node)})"
        case ast.Call():
            return _function(node)
        case _:
            raise UntranslatableError(f"R has no equal of {ast.unparse(node)}.")


def _argument(node: ast.expr) -> str:
    """An expression where no brackets are needed around it."""
    match node:
        case (
            ast.BinOp(left=left, op=sign, right=right)
            | ast.Compare(left=left, ops=[sign], comparators=[right])
        ):
            if type(sign).__name__ not in _OPERATORS:
                raise UntranslatableError(f"R has no equal of {ast.unparse(node)}.")
            return f"{_expression(left)} {_OPERATORS[type(sign).__name__]} {_expression(right)}"
        case _:
            return _expression(node)


def _function(node: ast.Call) -> str:
    match node:
        case ast.Call(func=ast.Name(id="Q"), args=[ast.Constant(value=str(column))], keywords=[]):
            return name(column)
        case ast.Call(func=ast.Name(id="I"), args=[inner], keywords=[]):
            return f"I({_argument(inner)})"
        case ast.Call(func=ast.Name(id="C"), args=[column], keywords=[]):
            return f"factor({_argument(column)})"
        case ast.Call(func=ast.Name(id="C"), args=[column, contrast], keywords=[]):
            return _contrast(_expression(column), contrast)
        case ast.Call(func=ast.Name(id="center"), args=[column], keywords=[]):
            return f"scale({_argument(column)}, scale = FALSE)"
        case ast.Call(func=ast.Name(id="bs"), args=[column], keywords=options) if {
            option.arg for option in options
        } <= {"df", "degree"}:
            given = "".join(f", {option.arg} = {_expression(option.value)}" for option in options)
            return f"splines::bs({_expression(column)}{given})"
        case ast.Call(func=ast.Attribute(attr=function), args=[inner], keywords=[]) if function in _FUNCTIONS:
            return f"{_FUNCTIONS[function]}({_argument(inner)})"
        case _:
            raise UntranslatableError(f"R has no function that does exactly what {ast.unparse(node)} does.")


def _contrast(column: str, contrast: ast.expr) -> str:
    match contrast:
        case ast.Name(id="Treatment"):
            return f"factor({column})"
        case ast.Call(func=ast.Name(id="Treatment"), args=[ast.Constant() as level], keywords=[]):
            return f"relevel(factor({column}), ref = {text(str(level.value))})"
        case ast.Name(id=kind) | ast.Call(func=ast.Name(id=kind), args=[], keywords=[]) if kind in _CONTRASTS:
            return f"C(factor({column}), {_CONTRASTS[kind]})"
        case _:
            raise UntranslatableError(f"R has no coding that is exactly {ast.unparse(contrast)}.")
