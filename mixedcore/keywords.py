"""Arguments by name: which there are, which statsmodels has, and what a misspelt one was meant to be."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping
from typing import Any

from mixedcore.errors import ModelError

MODEL_KEYWORDS = ("groups", "weights", "offset", "eval_env", "use_sqrt", "client", "progress")
# Accepted for programs written for statsmodels; the engine's own search needs none of them.
SEARCH_KEYWORDS = {"gtol", "maxiter", "eps", "maxcor", "ftol", "tol", "disp", "maxls", "skip_hessian"}


def check_model_keywords(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """ModelError for an argument of `mixedlm` that there is not, or one without its name."""
    if args:
        raise ModelError("Give the model's further arguments by name, such as groups='school'.")
    for name in kwargs:
        if name not in MODEL_KEYWORDS:
            raise ModelError(f"mixedlm has no argument {name!r}.{_suggestion(name)}")


def check_fit_keywords(fit_kwargs: Mapping[str, Any]) -> None:
    """FutureWarning, as in statsmodels, for what is not known."""
    for name in fit_kwargs:
        if name not in SEARCH_KEYWORDS:
            text = f"Argument {name} not used by MixedLM.fit: fit() has no argument {name!r}; it is ignored."
            warnings.warn(text, FutureWarning, stacklevel=3)


def _suggestion(name: str) -> str:
    own = ("formula", "data", "re_formula", "vc_formula", "subset", "use_sparse", "missing")
    known = [*MODEL_KEYWORDS, *own]
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else f" Known are {', '.join(known)}."
