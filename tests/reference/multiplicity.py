"""Regenerates multiplicity.json: adjusted p-values by R's `p.adjust` and by statsmodels' `multipletests`.

    python -m tests.reference.multiplicity

Needs statsmodels and Rscript, which neither the project nor its tests do; hence the stored numbers.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import statsmodels  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

IN_R = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "simes-hochberg": "hochberg",
    "hommel": "hommel",
    "fdr_bh": "BH",
    "fdr_by": "BY",
}
METHODS = (*IN_R, "sidak", "holm-sidak")


def in_r(p: list[float], method: str) -> list[float]:
    """R's answer, all digits."""
    numbers = ", ".join(f"{x:.17g}" for x in p)
    code = f'cat(sprintf("%.17g", p.adjust(c({numbers}), "{IN_R[method]}")))'
    said = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=True)
    return [float(x) for x in said.stdout.split()]


def main() -> None:
    """Adjust all and write the file beside this one."""
    rng = np.random.default_rng(20)
    cases = {
        "three": [0.013, 0.04, 0.9],
        "ties": [0.02, 0.02, 0.05, 0.05, 0.8, 0.001],
        "ten small": (rng.uniform(size=10) ** 4).tolist(),
        "twenty": rng.uniform(size=20).tolist(),
    }
    out: dict[str, Any] = {}
    for name, p in cases.items():
        adjusted: dict[str, dict[str, list[float]]] = {}
        for method in METHODS:
            adjusted[method] = {"statsmodels": multipletests(p, method=method)[1].tolist()}
            if method in IN_R:
                adjusted[method]["R"] = in_r(p, method)
        out[name] = {"p": p, "adjusted": adjusted}
    said = subprocess.run(
        ["Rscript", "-e", "cat(as.character(getRversion()))"], capture_output=True, text=True, check=True
    )
    versions = {"statsmodels": statsmodels.__version__, "R": said.stdout}
    path = Path(__file__).parent / "multiplicity.json"
    path.write_text(json.dumps({"versions": versions, "cases": out}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
