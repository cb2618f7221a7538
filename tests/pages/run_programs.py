"""Runs programs from standard input, each by itself, and prints what they found.

    python -m tests.pages.run_programs < programs.json

In a process of its own, because warnings raised inside statsmodels are not the project's, while in its own
tests a warning is an error.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any

import numpy as np


def numbers(result: Any) -> dict[str, object]:
    """The estimates of one fit, of mixedcore or of statsmodels."""
    fixed = result.fe_params
    return {
        "fixed": dict(zip(map(str, fixed.index), map(float, fixed), strict=True)),
        "cov_re": np.asarray(result.cov_re, dtype=float).tolist(),
        "vcomp": np.asarray(result.vcomp, dtype=float).tolist(),
        "scale": float(result.scale),
        "llf": float(result.llf),
        "nobs": int(result.nobs),
        "converged": bool(result.converged),
    }


def run(program: str) -> dict[str, object]:
    """What the program found, and what it printed."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(program, names)  # noqa: S102 - our own programs are what is tested
    return numbers(names["result"]) | {"printed": printed.getvalue()}


def main() -> None:
    """All programs; one that fails is told apart by its error."""
    found: dict[str, dict[str, object]] = {}
    for name, program in json.load(sys.stdin).items():
        try:
            found[name] = run(program)
        except Exception as err:  # noqa: BLE001 - whatever a program raises is what is told of it
            found[name] = {"error": f"{type(err).__name__}: {err}"}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
