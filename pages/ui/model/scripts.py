"""A model as programs that give the same numbers: with mixedcore, with statsmodels, with lme4 in R. Pure.

Names and labels are hostile text: they stand in literals and comments only, so that no file can write code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import pandas as pd

from mixedcore.errors import FormulaError
from mixedcore.formula import formula_columns
from pages.ui.model import condition, rwords
from pages.ui.model.lme4 import UntranslatableError, to_lme4
from pages.ui.model.modelcall import WHOLE_DATA, ModelCall
from pages.ui.text import csv_safe, one_line

PREPARED = "prepared-data.csv"
"""The file that the R script reads: the rows in use, new columns included."""
MOST_LEVELS = 200
USED_LEVELS = (
    'for name in data.select_dtypes("category"):',
    "    data[name] = data[name].cat.remove_unused_categories()",
)
QUOTING = re.compile(r"\bQ\s*\(")
NUMPY = re.compile(r"\bnp\b")


class Source(Protocol):
    """What a script must know about the data: `state.Dataset` has it."""

    @property
    def source(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def code(self) -> tuple[str, ...]: ...

    @property
    def reader(self) -> tuple[str, ...]: ...


def mixedcore(call: ModelCall, data: Source) -> str:
    """Python code that repeats this fit with mixedcore."""
    return _program(call, data, "from mixedcore import mixedlm")


def not_in_statsmodels(call: ModelCall) -> str:
    """Why statsmodels cannot fit this model, a clause; '' when it can."""
    if call.in_bars:
        return "has no random effects in bars"
    return "has no weights and no offset in mixed models" if call.weights or call.offset else ""


def statsmodels(call: ModelCall, data: Source) -> str:
    """The same fit with statsmodels: most often only the import differs. A comment where there is none.

    statsmodels 0.15 passes over `subset`, and loses columns named by Q("…") when it drops missing values, so
    then the program chooses the rows itself. Levels that no row has any more would stop it.
    """
    if reason := not_in_statsmodels(call):
        return f"# statsmodels {reason}.\n"
    chosen, plain = [], call
    if call.subset:
        chosen.append(f"data = data[{condition.as_python(call.subset)}]")
        plain = replace(plain, subset="")
    if call.missing == "drop" and (used := _quoted_columns(call)):
        chosen.append(f"data = data.dropna(subset=[{', '.join(map(_text, used))}])")
        plain = replace(plain, missing="none")
    if chosen or any("data.drop(index=" in line for line in data.code):
        chosen += USED_LEVELS
    return _program(plain, data, "from statsmodels.formula.api import mixedlm", chosen)


def about_statsmodels(call: ModelCall, data: Source) -> str:
    """What a person should know of the program for statsmodels, in a sentence or two."""
    if reason := not_in_statsmodels(call):
        return f"statsmodels {reason}, so it cannot fit this model."
    same = statsmodels(call, data).count("\n") == mixedcore(call, data).count("\n")
    differs = "only the import differs" if same else "it chooses the rows before the model, not in it"
    return f"The same with statsmodels: {differs}. Its search may stop short of the best fit; then it warns."


def _quoted_columns(call: ModelCall) -> list[str]:
    """The columns that the model uses, when a formula names one of them by Q("…"); else none."""
    formulas = [text for _, text in call.parts()]
    if not any(QUOTING.search(text) for text in formulas):
        return []
    try:
        used = [name for text in formulas for name in formula_columns(text)]
    except FormulaError:
        return []
    return sorted({*used, *([call.groups] if call.groups else [])})


def lme4(call: ModelCall, frame: pd.DataFrame) -> str:
    """R code that repeats this fit with lme4 on the prepared data; a comment with the reason where it cannot.

    frame : the data in use, for the kinds of its columns and the order of their levels
    """
    categories = {str(name) for name in frame.columns if _is_category(frame[name])}
    try:
        bars = to_lme4(call, categories)
        written = rwords.formula(bars)
        kept = rwords.condition(condition.comparisons(call.subset)) if call.subset else ""
        labels = [name for name in formula_columns(bars) if name in categories]
        # The order of levels settles the coding of a fixed effect; for groups it means nothing.
        ordered = [name for name in labels if name in formula_columns(call.formula)]
    except (UntranslatableError, FormulaError) as err:
        return f"# lme4 cannot fit this model as it stands. {one_line(err)}\n"
    return "\n".join(
        [
            "library(lmerTest)  # lme4, with degrees of freedom and p-values",
            "",
            *_r_reading(labels),
            *(f"data${rwords.name(label)} <- {_r_factor(label, frame[label])}" for label in ordered),
            *([f"data <- subset(data, {kept})"] if kept else []),
            "fit <- lmer(",
            f"  {written},",
            f"  data = data, REML = {str(call.reml).upper()}{_r_columns(call)}",
            ")",
            "print(summary(fit))\n",
        ]
    )


def _r_columns(call: ModelCall) -> str:
    """Prior weights and offset, as further arguments."""
    asked = {"weights": call.weights, "offset": call.offset}
    return "".join(f", {what} = {rwords.name(column)}" for what, column in asked.items() if column)


def _r_reading(labels: list[str]) -> list[str]:
    """The lines that read the prepared data, labels as text so that 007 stays 007."""
    classes = ", ".join(f'{rwords.text(str(csv_safe(label)))} = "character"' for label in labels)
    return [
        "data <- read.csv(",
        f'  {rwords.text(PREPARED)}, check.names = FALSE, na.strings = "", fileEncoding = "UTF-8-BOM"'
        + ("," if labels else ""),
        *([f"  colClasses = c({classes})"] if labels else []),
        ")",
    ]


def _r_factor(label: str, column: pd.Series) -> str:
    """A factor with its levels in the order used here; R's own order depends on its language."""
    levels = _levels(column)
    given = f", levels = {rwords.vector(levels)}" if len(levels) <= MOST_LEVELS else ""
    return f"factor(data${rwords.name(label)}{given})"


def _levels(column: pd.Series) -> list[str]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        values = list(column.dtype.categories)
    else:
        values = sorted(column.dropna().unique())
    return [str(csv_safe(str(value))) for value in values]


def _is_category(column: pd.Series) -> bool:
    """Whether R should read the column as labels."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return not set(column.dtype.categories) <= {True, False}
    return not (pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype))


def _program(call: ModelCall, data: Source, importing: str, chosen: Sequence[str] = ()) -> str:
    """The whole program: imports, data, the lines that choose their rows, model, fit, summary."""
    arguments = "".join(f"    {argument},\n" for argument in _arguments(call))
    written = [*(text for _, text in call.parts()), call.subset, *chosen]
    numpy = ["import numpy as np"] if call.one_group or any(map(NUMPY.search, written)) else []
    load, reading = _loading(data)
    # Lines that prepare the data import what they need; a program says that at its head, once.
    needed = sorted({line for line in reading if line.startswith("import ")})
    return "\n".join(
        [
            *dict.fromkeys([*numpy, *needed, *load, importing]),
            "",
            *(line for line in reading if line not in needed),
            *chosen,
            f"model = mixedlm(\n{arguments})",
            f"result = model.fit(reml={call.reml})",
            "print(result.summary())\n",
        ]
    )


def _loading(data: Source) -> tuple[list[str], list[str]]:
    """The imports and the lines that read the data, with what reading changed as comments."""
    kind, _, name = data.source.partition(":")
    if kind == "example":
        return ["from mixedcore import datasets"], [
            f"data = datasets.load({_text(name)})",
            *data.code,
        ]
    # A note may quote a column name: on one line it can only ever be a comment.
    notes = [f"# {one_line(note)}" for note in data.notes]
    lines = data.reader or ("import pandas as pd", f"data = pd.read_csv({_text(name)})")
    imports = [line for line in lines if line.startswith("import ")]
    return imports, [*lines[len(imports) :], *notes, *data.code]


def _arguments(call: ModelCall) -> Iterator[str]:
    yield _text(call.formula)
    yield "data"
    if call.groups != WHOLE_DATA or call.one_group:
        yield "groups=np.ones(len(data))" if call.one_group else f"groups={_text(call.groups)}"
    if call.re_formula is not None:
        yield f"re_formula={_text(call.re_formula)}"
    if call.vc_formula:
        inner = ", ".join(f"{_text(name)}: {_text(formula)}" for name, formula in call.vc_formula)
        yield f"vc_formula={{{inner}}}"
    if call.subset:
        yield f"subset={condition.as_python(call.subset)}"
    yield f"missing={_text(call.missing)}"
    for name, column in (("weights", call.weights), ("offset", call.offset)):
        if column:
            yield f"{name}={_text(column)}"


def _text(value: str) -> str:
    """A Python literal; double quotes where that is as short, as formatters prefer."""
    plain = repr(value)
    if plain.startswith("'") and '"' not in value:
        return f'"{plain[1:-1]}"'
    return plain
