"""Terms of one side of a formula, read by patsy's own parser and counted before they are expanded."""

from __future__ import annotations

import ast
import math
import tokenize
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from patsy import ModelDesc, PatsyError
from patsy.eval import EvalFactor
from patsy.parse_formula import ParseNode, parse_formula

from mixedcore.errors import FormulaError
from mixedcore.formula import limits
from mixedcore.formula.arguments import name_of, spline_columns
from mixedcore.formula.functions import SPLINES
from mixedcore.formula.text import show

# patsy's messages that speak of its parser, in the user's words.
_PLAIN_WORDS = {
    "expected a noun": "a column or number is missing beside an operator or in parentheses",
    "expected an operator": "an operator such as + is missing between two terms",
    "Unary minus": "a minus before a term only works for 1 and 0; write I(-x) for a column of opposite sign",
    "numbers besides": "numbers other than 0 and 1 cannot be terms; write I(x + 2) for arithmetic",
    "intercept term": "the intercept, 1, cannot interact with a column",
}


def parse_side(text: str) -> ParseNode:
    """patsy's tree of one side of a formula (no `~` in it). Errors: FormulaError."""
    with _readable(text):
        tree = parse_formula(text)
    if _chain(tree) > limits.MAX_CHAIN:
        raise FormulaError(
            f"The formula joins too many pieces: more than {limits.MAX_CHAIN} operators in one chain."
        )
    return tree


@contextmanager
def _readable(text: str) -> Iterator[None]:
    """Turns what patsy's parser raises into a FormulaError about `text`."""
    try:
        yield
    except PatsyError as err:
        reason = str(err.message)
        for jargon, words in _PLAIN_WORDS.items():
            if reason.startswith(jargon):
                reason = words
        raise FormulaError(f"{show(text)} cannot be read: {reason}.") from err
    except (tokenize.TokenError, SyntaxError, ValueError, IndexError, AssertionError) as err:
        # Unfinished text reaches patsy's tokenizer as a failed assertion.
        raise FormulaError(f"{show(text)} cannot be read: an operator or a bracket is missing.") from err


def _chain(root: ParseNode) -> int:
    layer, height = [root], 0
    while layer:
        height += 1
        layer = [child for node in layer for child in node.args]
    return height


def factor_codes(tree: ParseNode) -> list[str]:
    """The Python expressions in a tree, as patsy will evaluate them, in order."""
    codes, stack = [], [tree]
    while stack:
        node = stack.pop()
        if node.type == "PYTHON_EXPR":
            with _readable(node.token.extra):
                codes.append(EvalFactor(node.token.extra).code)
        stack.extend(reversed(node.args))
    return list(dict.fromkeys(codes))


def count_terms(node: ParseNode) -> int:
    """An upper bound on the terms that patsy makes of a tree, repeats included. Errors: FormulaError."""
    arguments = [count_terms(argument) for argument in node.args]
    first, second = arguments[0] if arguments else 1, arguments[-1] if arguments else 1
    if len(arguments) < 2:
        terms = first
    elif node.type == "*":
        terms = first + second + first * second
    elif node.type == ":":
        terms = first * second
    elif node.type == "**":
        power = min(_power(node.args[1]), first)
        terms = sum(math.comb(first, k) for k in range(1, power + 1))
    else:
        terms = first + second
    if terms > limits.MAX_TERMS:
        raise FormulaError(
            f"{show(node.origin.relevant_code())} would expand to {terms:,} terms; "
            f"at most {limits.MAX_TERMS} are allowed."
        )
    return terms


def _power(node: ParseNode) -> int:
    text = node.token.extra or ""
    if node.type not in ("ONE", "NUMBER") or not text.isdecimal() or int(text) < 1:
        raise FormulaError(
            "Between terms, ** takes a whole number, as in (a + b)**2. For a power of a column write I(x**2)."
        )
    if int(text) > limits.MAX_POWER:
        raise FormulaError(f"The power **{text} is too large; at most {limits.MAX_POWER} is allowed.")
    return int(text)


def expand(tree: ParseNode) -> list[tuple[str, ...]]:
    """The terms of a tree as tuples of factor codes, the intercept left out. Count them first."""
    with _readable(tree.origin.relevant_code()):
        description = ModelDesc.from_formula(tree)
    terms = [tuple(f.code for f in term.factors) for term in description.rhs_termlist if term.factors]
    for term in terms:
        if len(term) > limits.MAX_ORDER:
            raise FormulaError(
                f"The interaction {show(':'.join(term))} joins {len(term)} factors; "
                f"at most {limits.MAX_ORDER} are allowed."
            )
    return terms


def check_columns_made(
    terms: list[tuple[str, ...]], levels: Mapping[str, int], numeric: Collection[str]
) -> None:
    """Refuse terms that would make more than MAX_COLUMNS columns.

    levels  : number of distinct values of a column; one that is missing counts as 1
    numeric : columns that make one column of the design unless they stand in C()
    """
    trees = {code: ast.parse(code, mode="eval").body for term in terms for code in term}
    made = {term: math.prod(_columns_of(trees[code], levels, numeric) for code in term) for term in terms}
    if sum(made.values()) > limits.MAX_COLUMNS:
        widest = max(made, key=made.__getitem__)
        raise FormulaError(
            f"The formula makes {sum(made.values()):,} columns, {made[widest]:,} of them by the term "
            f"{show(':'.join(widest))}; at most {limits.MAX_COLUMNS:,} are allowed."
        )


def _columns_of(node: ast.expr, levels: Mapping[str, int], numeric: Collection[str]) -> int:
    """Columns that a factor makes at most."""
    if isinstance(node, ast.Compare):
        return 2
    name = name_of(node)
    if not isinstance(node, ast.Call) or name == "Q":
        column = next(names_in(node), None) if name else None
        return 1 if column is None or column in numeric else levels.get(column, 1)
    if name == "I" and node.args:
        return _columns_of(node.args[0], levels, numeric)
    if name == "C":
        return math.prod(levels.get(column, 1) for column in names_in(node)) or 1
    if name == "te":
        return math.prod(_columns_of(smooth, levels, numeric) for smooth in node.args)
    return spline_columns(node) if name in SPLINES else 1


def names_in(node: ast.AST) -> Iterator[str]:
    """Names that may be columns: variables and the strings in Q(), not functions that are called.

    In C() only what is coded counts, as its coding may be the bare name of a class.
    """
    match node:
        case ast.Call(func=ast.Name(id="Q"), args=[ast.Constant(value=str(name))]):
            yield name
        case ast.Call(func=ast.Name(id="Q"), keywords=[ast.keyword(value=ast.Constant(value=str(name)))]):
            yield name
        case ast.Call(func=function, args=arguments, keywords=keywords):
            if not isinstance(function, ast.Name):
                yield from names_in(function)
            coded = name_of(node) == "C"
            values = [k.value for k in keywords if not coded or k.arg == "data"]
            for argument in (*(arguments[:1] if coded else arguments), *values):
                yield from names_in(argument)
        case ast.Attribute(value=ast.Name(id="np")):
            return
        case ast.Name(id=name):
            yield name
        case _:
            for child in ast.iter_child_nodes(node):
                yield from names_in(child)
