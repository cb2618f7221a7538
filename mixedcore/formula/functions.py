"""The functions a formula may call, their arguments, and the namespace in which checked formulas run.

NumPy functions are written as in a notebook, `np.log(x)`; bare `log(x)` is refused (with that hint),
because the same formula would not run in a script that only imports NumPy as np.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from patsy import EvalEnvironment
from patsy import builtins as patsy_builtins
from patsy.eval import VarLookupDict

# Numbers of arguments by name; all elementwise, none with a cost that depends on the values.
NUMPY_FUNCTIONS: Mapping[str, int] = {
    **dict.fromkeys(("log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "abs"), 1),
    **dict.fromkeys(("sin", "cos", "tan", "tanh", "arctan", "floor", "ceil", "sign"), 1),
    **dict.fromkeys(("minimum", "maximum"), 2),
    "where": 3,
}
NUMPY_CONSTANTS = ("pi", "e")

# Parameters in order. The first is required; what each may hold is settled in expressions.py by its name.
_BOUNDS = ("lower_bound", "upper_bound")
SIGNATURES: Mapping[str, tuple[str, ...]] = {
    "C": ("data", "contrast", "levels"),
    "Q": ("name",),
    "I": ("x",),
    "center": ("x",),
    "standardize": ("x", "center", "rescale", "ddof"),
    "scale": ("x", "center", "rescale", "ddof"),
    "bs": ("x", "df", "knots", "degree", "include_intercept", *_BOUNDS),
    "cr": ("x", "df", "knots", *_BOUNDS, "constraints"),
    "cc": ("x", "df", "knots", *_BOUNDS, "constraints"),
    "te": ("constraints",),
}
CONTRASTS: Mapping[str, tuple[str, ...]] = {
    "Treatment": ("reference",),
    "Sum": ("omit",),
    "Poly": ("scores",),
    "Helmert": (),
    "Diff": (),
}
SPLINES = frozenset({"bs", "cr", "cc"})
TRANSFORMS = SPLINES | {"te", "center", "standardize", "scale"}
# These give several columns, or a box that only patsy opens. In arithmetic, a frame of k columns and a
# Series are aligned into rows × rows values, so they may only stand as a whole term (splines also in te).
WHOLE_TERM = SPLINES | {"te", "C"}
FUNCTION_NAMES = frozenset(SIGNATURES) | frozenset(CONTRASTS) | {"np"}

# patsy puts the objects of stateful transforms under such names, behind the data: a column of that name
# would be called in place of the transform.
RESERVED_PREFIX = "_patsy_"


class _NoBuiltins(EvalEnvironment):  # type: ignore[misc]  # patsy has no types
    """An environment whose expressions see its own names and the data: none of Python's builtins.

    patsy's own evaluates with empty globals, into which Python puts every builtin.
    """

    def eval(self, expr: str, source_name: str = "<string>", inner_namespace: Any = None) -> Any:
        """Evaluate `expr`, which must have been checked."""
        code = compile(expr, source_name, "eval", self.flags, False)
        names = VarLookupDict([inner_namespace or {}, *self._namespaces])
        return eval(code, {"__builtins__": {}}, names)  # noqa: S307 - checked text, no builtins

    def subset(self, names: Sequence[str]) -> _NoBuiltins:
        """Only the variables named; patsy keeps this one for each factor."""
        found = self.namespace
        return _NoBuiltins([{name: found[name] for name in names}], self.flags)


def safe_environment() -> EvalEnvironment:
    """Where formulas that `check_formula` has passed are evaluated: give it to patsy as `eval_env`.

    It holds np with the listed functions, and patsy's own functions; no builtins. It is a second fence,
    not a licence to evaluate unchecked text.
    """
    numpy_names = (*NUMPY_FUNCTIONS, *NUMPY_CONSTANTS)
    names: dict[str, Any] = {"np": SimpleNamespace(**{name: getattr(np, name) for name in numpy_names})}
    names |= {name: getattr(patsy_builtins, name) for name in (*SIGNATURES, *CONTRASTS)}
    return _NoBuiltins([names])
