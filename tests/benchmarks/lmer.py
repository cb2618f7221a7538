"""lme4's `lmer`, run by Rscript: the data as binary columns on disk, one line of JSON a fit back."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

SCRIPT = Path(__file__).with_name("lmer.R")
ASK = """
cat(sub("^R version ", "", R.version$version.string), as.character(packageVersion("lme4")),
    extSoftVersion()[["BLAS"]], La_library(), sep = "\\n")
"""


@functools.cache
def versions() -> dict[str, str] | None:
    """Versions of R, lme4 and their BLAS and LAPACK; None without them."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    asked = subprocess.run([rscript, "-e", ASK], capture_output=True, text=True, check=False)
    if asked.returncode:
        return None
    names = ("R", "lme4", "BLAS of R", "LAPACK of R")
    return dict(zip(names, asked.stdout.splitlines(), strict=True))


def write_columns(data: pd.DataFrame, folder: Path) -> None:
    """Each column as one binary file that `readBin` takes, exactly; `columns` lists names, types and rows.

    Categories are 32-bit codes from 1 with their labels in a file of lines beside them.
    """
    folder.mkdir(parents=True)
    lines = []
    for name, column in data.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            kind, values = "factor", column.cat.codes.to_numpy() + 1
            labels = "".join(f"{label}\n" for label in column.cat.categories)
            (folder / f"{name}.levels").write_text(labels, encoding="utf-8")
        else:
            whole = pd.api.types.is_integer_dtype(column.dtype)
            kind, values = ("integer" if whole else "double"), column.to_numpy()
        values.astype(np.float64 if kind == "double" else np.int32).tofile(folder / f"{name}.bin")
        lines.append(f"{name} {kind} {len(data)}\n")
    (folder / "columns").write_text("".join(lines), encoding="utf-8")


def command(formula: str, folder: Path, runs: int, enough: float) -> list[str]:
    """The command that measures `lmer` on the columns in `folder`."""
    return ["Rscript", str(SCRIPT), formula, str(folder), str(runs), str(enough)]
