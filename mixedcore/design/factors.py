"""Single factors of a formula: the names they use, and a form that patsy codes without a Python loop."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import patsy
from patsy.eval import EvalEnvironment, EvalFactor

from mixedcore.errors import FormulaError, MixedCoreError
from mixedcore.formula.expressions import tree_height

DEEPEST = 500  # operations inside one another; Python's own limit varies with its version
_FROM_TRANSFORMS = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)


class Factor(EvalFactor):  # type: ignore[misc]  # patsy has no types
    """patsy's factor, with `C(column)` given back as pandas categories.

    patsy walks over the values in a box made by `C` one by one; categories it takes as they are. The
    levels of the first evaluation are kept in the factor's state, so that new data are coded alike.
    """

    def memorize_passes_needed(self, state: dict[str, Any], eval_env: EvalEnvironment) -> int:
        """patsy's; a bare name calls no transform, so its code need not be read."""
        if not self.code.isidentifier():
            return int(super().memorize_passes_needed(state, eval_env))
        known = [self.code] if self.code in eval_env.namespace else []
        state.update(transforms={}, memorize_code={}, pass_bins=[])
        state.update(eval_env=eval_env.subset(known), eval_code=self.code)
        return 0

    def eval(self, memorize_state: dict[str, Any], data: Mapping[str, Any]) -> Any:
        """The factor's value on some rows; a patsy error for a level that the first evaluation had not."""
        # A column's bare name needs no compiling: patsy too looks among the columns first.
        value = data[self.code] if self.code in data else super().eval(memorize_state, data)
        if value is None:
            raise patsy.PatsyError("it has no value", self)
        if not (_is_box(value) and value.contrast is None and value.levels is None):
            return value
        inner = value.data
        if isinstance(getattr(inner, "dtype", None), pd.CategoricalDtype):
            return inner
        if not (isinstance(inner, (np.ndarray, pd.Series)) and inner.ndim == 1 and inner.dtype.kind in "iuf"):
            return value
        found = _as_categories(inner, memorize_state.get("levels"), self)
        memorize_state.setdefault("levels", found.categories)
        return pd.Series(found) if isinstance(inner, pd.Series) else found


def _as_categories(values: Any, levels: pd.Index | None, factor: Factor) -> pd.Categorical:
    """Numbers as categories: of their own, or of the levels that the first evaluation found."""
    if levels is None:
        return pd.Categorical(values)
    codes = levels.get_indexer(pd.Index(values))
    new = np.asarray((codes < 0) & ~np.asarray(pd.isna(values)))
    if new.any():
        raise patsy.PatsyError(f"the fit has not seen the value {np.asarray(values)[new][0]}", factor)
    return pd.Categorical.from_codes(codes, categories=levels)


def unboxed(value: Any) -> Any:
    """The values inside a box made by `C`, or the value itself."""
    return value.data if _is_box(value) else value


def with_own_factors(terms: Iterable[patsy.Term]) -> list[patsy.Term]:
    """The same terms with `Factor` in place of patsy's."""
    return [
        patsy.Term([Factor(f.code, f.origin) if type(f) is EvalFactor else f for f in term.factors])
        for term in terms
    ]


def factors_of(terms: Iterable[patsy.Term]) -> list[Any]:
    """The distinct factors of some terms, in order."""
    return list(dict.fromkeys(factor for term in terms for factor in term.factors))


def factor_names(factor: Any) -> list[str]:
    """The variables whose values a factor uses: names that are not merely called, and names in Q('…')."""
    if not isinstance(factor, EvalFactor):
        return [factor.name()]
    nodes = list(ast.walk(_tree(factor)))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    names = [node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in called]
    return names + [name for node in nodes if (name := _quoted(node)) is not None]


def called_names(factor: Any) -> list[str]:
    """The functions that a factor calls by a bare name."""
    if not isinstance(factor, EvalFactor):
        return []
    calls = (node.func for node in ast.walk(_tree(factor)) if isinstance(node, ast.Call))
    return [func.id for func in calls if isinstance(func, ast.Name)]


def elementwise(factor: Any, env: EvalEnvironment) -> bool:
    """Whether a factor's value in a row depends on that row alone: groups need no pass of their own."""
    return isinstance(factor, EvalFactor) and _elementwise(_tree(factor).body, env, boxed=True)


def _elementwise(node: ast.AST, env: EvalEnvironment, *, boxed: bool = False) -> bool:
    match node:
        case ast.Name() | ast.Constant():
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


@contextmanager
def translated(what: str) -> Iterator[None]:
    """patsy's errors as FormulaError with the useful sentence; arithmetic on zeros and the like is silent."""
    try:
        with np.errstate(all="ignore"):
            yield
    except patsy.PatsyError as err:
        code = "" if err.origin is None else f" in {origin_text(err.origin)!r}"
        raise FormulaError(f"The {what} cannot be used{code}: {_sentence(err.message)}") from err
    except SyntaxError as err:
        raise FormulaError(f"The {what} cannot be read: {_sentence(err.msg)}") from err
    except (RecursionError, MemoryError) as err:
        raise FormulaError(f"The {what} is too long or too deeply nested.") from err
    except MixedCoreError:
        raise
    except _FROM_TRANSFORMS as err:  # what patsy's transforms raise for arguments that make no sense
        raise FormulaError(f"The {what} cannot be used: {_sentence(str(err))}") from err


def origin_text(origin: Any) -> str:
    """The piece of the formula that a patsy origin marks."""
    if hasattr(origin, "code") and hasattr(origin, "start"):
        return str(origin.code[origin.start : origin.end])
    return str(origin.name()) if callable(getattr(origin, "name", None)) else str(origin)


def _sentence(message: str) -> str:
    return " ".join(message.split()).rstrip(".") + "."


def _is_box(value: Any) -> bool:
    return hasattr(value, "contrast") and hasattr(value, "levels") and hasattr(value, "data")


def _tree(factor: Any) -> ast.Expression:
    return _parsed(str(factor.code))


@lru_cache(maxsize=512)
def _parsed(code: str) -> ast.Expression:
    with translated("formula"):
        try:
            tree = ast.parse(code, mode="eval")
        except SyntaxError as err:
            reserved = [word for word in code.split() if keyword.iskeyword(word)]
            if not reserved:
                raise
            raise FormulaError(
                f"{reserved[0]!r} is a word of Python's own; write Q({reserved[0]!r}) for the column."
            ) from err
        if tree_height(tree) > DEEPEST:
            raise FormulaError("The formula is too long or too deeply nested.")
        return tree


def _quoted(node: ast.AST) -> str | None:
    """The name inside Q('…')."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q"):
        return None
    first = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "name"), None)
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
