"""One factor of a formula, `np.log(x + 1)`, checked against the language: a whitelist over its syntax tree.

Whatever is not named here is refused. Nothing is evaluated.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Sequence

from mixedcore.errors import FormulaError
from mixedcore.formula import limits
from mixedcore.formula.arguments import (
    bind,
    check_bound,
    check_centred,
    check_flag,
    check_knots,
    check_literal,
    check_literals,
    check_whole_number,
    is_none,
    literal_number,
    name_of,
    number,
    spline_columns,
    string,
)
from mixedcore.formula.functions import (
    CONTRASTS,
    FUNCTION_NAMES,
    NUMPY_CONSTANTS,
    NUMPY_FUNCTIONS,
    RESERVED_PREFIX,
    SIGNATURES,
    SPLINES,
    TRANSFORMS,
    WHOLE_TERM,
)
from mixedcore.formula.refusals import not_allowed, unknown_function, usage
from mixedcore.formula.text import show, unknown_column

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
_COMPARISON = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def parse(code: str) -> ast.expr:
    """The syntax tree of one factor. Errors: FormulaError if it is no expression or nested too deeply."""
    try:
        node = ast.parse(code, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as err:
        if code.strip() == ".":
            raise FormulaError("A dot does not stand for all columns here: name the predictors.") from err
        raise FormulaError(f"{show(code)} cannot be read: an operator or a bracket is missing.") from err
    if tree_height(node) > limits.MAX_HEIGHT:
        raise FormulaError(
            f"The expression {show(code)} is too deep: "
            f"at most {limits.MAX_HEIGHT} operations may stand inside one another."
        )
    return node


def tree_height(root: ast.AST) -> int:
    """Height of the tree, by layers, as recursion is what it protects."""
    layer, height = [root], 0
    while layer:
        height += 1
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
    return height


class FactorCheck:
    """Walks one factor; afterwards `columns` are the columns it uses, `numeric` those it calculates with."""

    def __init__(self, code: str, known: Collection[str]) -> None:
        self.columns: dict[str, None] = {}
        self.numeric: set[str] = set()
        self._code, self._known, self._calls = code, known, 0
        self._argument: dict[str, Callable[[ast.expr, str], None]] = self._argument_checks()
        self._whole(parse(code))
        if not self.columns:
            raise FormulaError(f"{show(code)} uses no column of the data.")

    def _argument_checks(self) -> dict[str, Callable[[ast.expr, str], None]]:
        return {
            "data": self._category,
            "contrast": self._contrast,
            "levels": check_literals,
            "scores": check_literals,
            "knots": check_knots,
            "reference": check_literal,
            "omit": check_literal,
            "df": check_whole_number(limits.MAX_DF),
            "degree": check_whole_number(limits.MAX_DEGREE),
            "ddof": check_whole_number(limits.MAX_DF),
            "lower_bound": check_bound,
            "upper_bound": check_bound,
            "constraints": check_centred,
            **dict.fromkeys(("center", "rescale", "include_intercept"), check_flag),
        }

    def _whole(self, node: ast.expr) -> None:
        """A factor as a whole: a spline, te(), C(), or a value."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WHOLE_TERM:
            self._call_of(node, node.func.id)
        else:
            self._value(node, numeric=False)

    def _category(self, node: ast.expr, _: str) -> None:
        """What C() marks: a value, or another C()."""
        if name_of(node) == "C" and isinstance(node, ast.Call):
            self._call_of(node, "C")
        else:
            self._value(node, numeric=False)

    def _value(self, node: ast.expr, *, numeric: bool) -> int:
        """Check one value; `numeric`: it is calculated with. Returns its exponent, nested ones multiplied."""
        match node:
            case ast.Name(id=name):
                self._column(name, numeric)
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float()):
                number(node)
            case ast.Constant(value=str(text)):
                raise FormulaError(
                    f'The string {show(text)} may only be compared (x == "a"), be a level, or stand in Q().'
                )
            case ast.BinOp(op=ast.Pow()):
                return self._power(node)
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _ARITHMETIC):
                return max(self._value(left, numeric=True), self._value(right, numeric=True))
            case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
                return self._value(operand, numeric=True)
            case ast.Compare():
                return self._comparison(node)
            case ast.Attribute(value=ast.Name(id="np"), attr=attr) if attr in NUMPY_CONSTANTS:
                self._not_hidden("np")
            case ast.Call():
                return self._call(node, numeric=numeric)
            case _:
                raise not_allowed(self._piece(node), node)
        return 1

    def _column(self, name: str, numeric: bool) -> None:
        if name not in self._known:
            if name in FUNCTION_NAMES:
                raise FormulaError(f"{show(name)} is a function, not a column: {usage(name)}")
            raise unknown_column(name, self._known)
        self._use(name, numeric)

    def _use(self, column: str, numeric: bool) -> None:
        self.columns[column] = None
        if numeric:
            self.numeric.add(column)

    def _power(self, node: ast.BinOp) -> int:
        exponent = literal_number(node.right)
        if exponent is None:
            raise FormulaError(
                f"The exponent in {self._piece(node)} must be a number written out; "
                "for a power of e use np.exp()."
            )
        power = self._value(node.left, numeric=True) * max(1, math.ceil(abs(exponent)))
        if power > limits.MAX_POWER:
            raise FormulaError(
                f"The exponent in {self._piece(node)} is too large: "
                f"at most {limits.MAX_POWER}, with nested ones multiplied."
            )
        return power

    def _comparison(self, node: ast.Compare) -> int:
        if len(node.ops) > 1:
            raise FormulaError(f"Write {self._piece(node)} as a product: I((1 < x) * (x < 3)).")
        if not isinstance(node.ops[0], _COMPARISON):
            raise not_allowed(self._piece(node), node)
        sides = (node.left, node.comparators[0])
        return max(1 if string(side) else self._value(side, numeric=False) for side in sides)

    def _call(self, node: ast.Call, *, numeric: bool) -> int:
        """A call inside an expression."""
        match node.func:
            case ast.Attribute(value=ast.Name(id="np"), attr=attr) if attr in NUMPY_FUNCTIONS:
                return self._numpy_call(node, attr)
            case ast.Name(id=name) if name in WHOLE_TERM:
                raise FormulaError(
                    f"{name}() gives several columns and must stand alone as a term, "
                    f"not inside {show(self._code)}."
                )
            case ast.Name(id="I"):
                arguments = self._bound_arguments(node, "I", SIGNATURES["I"])
                return self._value(arguments["x"], numeric=numeric)
            case ast.Name(id="Q"):
                self._quoted_column(self._bound_arguments(node, "Q", SIGNATURES["Q"])["name"], numeric)
                return 1
            case ast.Name(id=name) if name in SIGNATURES:
                self._call_of(node, name)
                return 1
            case ast.Name(id=name) if name in CONTRASTS:
                raise FormulaError(f"{name} is a coding of categories: write C(x, {name}).")
        raise unknown_function(ast.get_source_segment(self._code, node.func) or "", self._known)

    def _call_of(self, node: ast.Call, name: str) -> None:
        """A call of one of SIGNATURES, its arguments checked by their names."""
        if name == "te":
            return self._tensor(node)
        for parameter, value in self._bound_arguments(node, name, SIGNATURES[name]).items():
            if parameter == "x":
                self._value(value, numeric=name in TRANSFORMS)
            elif not is_none(value):
                self._argument[parameter](value, parameter)
        return None

    def _tensor(self, node: ast.Call) -> None:
        """te(cr(x, df=3), cr(z, df=3), constraints="center")."""
        if not 1 <= len(node.args) <= limits.MAX_SMOOTHS:
            raise FormulaError(f"te() takes 1 to {limits.MAX_SMOOTHS} splines; this has {len(node.args)}.")
        self._count_call("te")
        for smooth in node.args:
            name = name_of(smooth)
            if not isinstance(smooth, ast.Call) or name not in SPLINES:
                raise FormulaError("The arguments of te() must be splines: te(cr(x, df=3), cr(z, df=3)).")
            self._call_of(smooth, name)
        made = math.prod(spline_columns(smooth) for smooth in node.args if isinstance(smooth, ast.Call))
        if made > limits.MAX_SMOOTH_COLUMNS:
            raise FormulaError(
                f"{self._piece(node)} makes {made:,} columns; "
                f"at most {limits.MAX_SMOOTH_COLUMNS} are allowed in te()."
            )
        for keyword in node.keywords:
            if keyword.arg != "constraints" or len(node.keywords) > 1:
                raise FormulaError('te() has no keyword but constraints, once: constraints="center".')
            check_centred(keyword.value, "constraints")

    def _numpy_call(self, node: ast.Call, name: str) -> int:
        self._not_hidden("np")
        self._count_call(f"np.{name}")
        expected = NUMPY_FUNCTIONS[name]
        if node.keywords or len(node.args) != expected:
            raise FormulaError(
                f"np.{name}() takes {expected} value{'s' * (expected > 1)} here, and no keywords."
            )
        return max(
            self._value(argument, numeric=not (name == "where" and i == 0))
            for i, argument in enumerate(node.args)
        )

    def _bound_arguments(self, node: ast.Call, name: str, parameters: Sequence[str]) -> dict[str, ast.expr]:
        """The arguments of a call by parameter; the first one is required."""
        self._count_call(name)
        arguments = bind(node, name, parameters)
        if name not in CONTRASTS and parameters[0] not in arguments:
            raise FormulaError(f"{name}() needs something in its parentheses: {usage(name)}")
        return arguments

    def _count_call(self, name: str) -> None:
        self._not_hidden(name.partition(".")[0])
        self._calls += 1
        if self._calls > limits.MAX_CALLS:
            raise FormulaError(
                f"{show(self._code)} calls more than {limits.MAX_CALLS} functions in one term."
            )
        if name in TRANSFORMS:
            reserved = [column for column in self._known if column.startswith(RESERVED_PREFIX)]
            if reserved:
                raise FormulaError(
                    f"The column {show(reserved[0])} has a name that {name}() needs for itself. "
                    "Rename the column."
                )

    def _not_hidden(self, function: str) -> None:
        if function in self._known:
            raise FormulaError(
                f"The data have a column called {show(function)}, which hides the function of that name. "
                "Rename the column to use the function."
            )

    def _quoted_column(self, node: ast.expr, numeric: bool) -> None:
        name = string(node)
        if name is None:
            raise FormulaError(
                f'Q() takes the name of a column in quotes, as in Q("odd name"), not {self._piece(node)}.'
            )
        if name not in self._known:
            raise unknown_column(name, self._known)
        self._use(name, numeric)

    def _contrast(self, node: ast.expr, _: str) -> None:
        name = name_of(node)
        if name not in CONTRASTS:
            raise FormulaError(
                f"{self._piece(node)} is not a coding of categories. There are: {', '.join(CONTRASTS)}."
            )
        self._not_hidden(name)
        if isinstance(node, ast.Call):
            for parameter, value in self._bound_arguments(node, name, CONTRASTS[name]).items():
                if not is_none(value):
                    self._argument[parameter](value, parameter)

    def _piece(self, node: ast.AST) -> str:
        return show(ast.get_source_segment(self._code, node) or self._code)
