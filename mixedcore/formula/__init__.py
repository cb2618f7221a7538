"""Formula text → checked parts: outcome, fixed effects, random terms in bars. No data; nothing is evaluated.

    split, one_sided             the parts of a formula (both routes)
    formula_columns              the names that a formula uses
    check_formula                whether a stranger's formula may be evaluated
    numeric_columns, check_width what the data must satisfy besides, before it is
    safe_environment             where it is evaluated
    quote_name                   a column's name as formula text

Modules, each importing only those before it: limits, functions, text, parts, refusals, arguments,
expressions, terms, check.
"""

from __future__ import annotations

from mixedcore.formula.check import check_formula, check_width, formula_columns, numeric_columns
from mixedcore.formula.functions import safe_environment
from mixedcore.formula.parts import BarTerm, FormulaParts, one_sided, split
from mixedcore.formula.text import quote_name

__all__ = [
    "BarTerm",
    "FormulaParts",
    "check_formula",
    "check_width",
    "formula_columns",
    "numeric_columns",
    "one_sided",
    "quote_name",
    "safe_environment",
    "split",
]
