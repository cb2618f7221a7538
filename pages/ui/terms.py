"""Names of coefficients as people read them: `sex[T.Male]:age` is shown as `sex: Male × age`.

Only what is shown is renamed: exports and programs keep the names of the model. Patsy writes a category that
is compared with its reference as column[T.level], and a product with colons; every other coding stays as it
is written. A name that would then be open to two readings stays as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pages.ui.results.steps import column_of

TIMES = " × "
_COMPARED = re.compile(r"(.+?)\[T\.(.+)\]", re.DOTALL)
_POWER = re.compile(r"I\((.+?)\s*\*\*\s*(\d)\)", re.DOTALL)
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNCLEAR = re.compile(r"[:×\[\]]")
_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "\"'"


def readable(names: Iterable[object]) -> dict[str, str]:
    """Each name and how it is read; all stay as they are when two of them would read alike."""
    raw = dict.fromkeys(map(str, names))
    shown = {name: _read(name) for name in raw}
    return shown if len(set(shown.values())) == len(shown) else {name: name for name in raw}


def one(name: object) -> str:
    """How a name is read that stands by itself."""
    return _read(str(name))


def of_random(scale: object, group: object, term: object, term2: object) -> str:
    """A row of `result.tidy("random")`: 'SD of Days by Subject', 'Correlation of a and b by g'."""
    if str(group) == "Residual":
        return "SD of residuals"
    names = [one(name) for name in (term, term2) if isinstance(name, str) and name]
    what = {"sd": "SD", "correlation": "Correlation"}[str(scale)]
    return f"{what} of {' and '.join(names)} by {group}" if names else f"{what} by {group}"


def _read(name: str) -> str:
    factors = _factors(name)
    shown = [_factor(code) for code in factors]
    return TIMES.join(filter(None, shown)) if all(shown) else name


def _factors(name: str) -> list[str]:
    """What stands between the colons of a product; colons in brackets and quotes are none of them."""
    found, depth, quote = [""], 0, ""
    for sign in name:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in _QUOTES and depth and "[" not in found[-1]:
            quote = sign
        else:
            depth += (sign in _OPENING) - (sign in _CLOSING)
            if sign == ":" and depth == 0:
                found.append("")
                continue
        found[-1] += sign
    return found if depth == 0 and not quote else [name]


def _factor(code: str) -> str | None:
    """One factor as it is read; None where that would not be clear."""
    compared = _COMPARED.fullmatch(code)
    written, level = (compared[1], compared[2]) if compared else (code, "")
    column = column_of(written) or (written if compared else None)
    if column is None:
        return _calculated(code)
    if _UNCLEAR.search(column + level):
        return None
    return f"{column}: {level}" if compared else column


def _calculated(code: str) -> str | None:
    """A power of one column as people write it, age²; any other calculation stays as it is written."""
    power = _POWER.fullmatch(code)
    column = column_of(power[1].strip()) if power else None
    if power is None or column is None:
        return code
    return None if _UNCLEAR.search(column) else f"{column}{power[2].translate(_RAISED)}"
