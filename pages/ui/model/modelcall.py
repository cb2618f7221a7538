"""One call of `mixedlm` as a value: what the Model page writes and every other page reads.

A `ModelCall` is hashable (it is the key under which a fit is cached), survives JSON (links, project
files); `scripts` writes it as programs that give the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from mixedcore.errors import FormulaError, ModelError
from mixedcore.formula import split

WHOLE_DATA = ""
"""The value of `groups` that makes the whole data set one group, as crossed components need."""

MISSING = ("drop", "raise")


@dataclass(frozen=True, slots=True)
class ModelCall:
    """The arguments of `mixedcore.mixedlm(...).fit(...)` as typed or chosen; not yet checked.

    formula    : 'outcome ~ fixed effects', or with random effects in bars as lme4 writes them; then `groups`
                 is '', `re_formula` None and `vc_formula` empty
    groups     : name of the grouping column; '' makes the whole data set one group
    re_formula : random coefficients of each group; None leaves it to `mixedlm` (a random intercept
                 without components, no group term beside them)
    vc_formula : pairs (name, one-sided formula), in the order shown; names may still repeat here
    reml       : restricted (True) or full maximum likelihood
    missing    : 'drop' or 'raise'
    weights    : column of prior weights, offset : column of a known part of the mean; '' is none
    subset     : condition on the rows in use, such as 'age > 3'; '' uses all
    """

    formula: str
    groups: str
    re_formula: str | None = None
    vc_formula: tuple[tuple[str, str], ...] = ()
    reml: bool = True
    missing: str = "drop"
    weights: str = ""
    offset: str = ""
    subset: str = ""

    @property
    def in_bars(self) -> bool:
        """Whether the formula has random effects in bars, (1 + x | g), which name their own groups."""
        return has_bars(self.formula)

    @property
    def one_group(self) -> bool:
        """Whether the whole data set is one group."""
        return self.groups == WHOLE_DATA and not self.in_bars

    def parts(self) -> Iterator[tuple[str, str]]:
        """Every formula with the field it belongs to: 'formula', 're_formula', 'vc_formula.0', …"""
        yield "formula", self.formula
        if self.re_formula is not None:
            yield "re_formula", self.re_formula
        for position, (_, text) in enumerate(self.vc_formula):
            yield f"vc_formula.{position}", text

    def to_json(self) -> str:
        """JSON text; `from_json` gives the same value back."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCall:
        """Read `to_json` text, which may come from a link or a file and so is checked.

        Raises ModelError when it is not the description of a model.
        """
        try:
            content = json.loads(text)
        except ValueError as err:
            raise ModelError("This is not the description of a model: it is not valid JSON.") from err
        return cls.from_mapping(content)

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any]) -> ModelCall:
        """Build from a mapping of the field names; `vc_formula` may be a mapping or pairs.

        Raises ModelError naming the first field that is missing, unknown or of the wrong kind.
        """
        if not isinstance(content, Mapping):
            raise ModelError("This is not the description of a model: a table of named parts is needed.")
        known = {field.name for field in fields(cls)}
        for name in content:
            if name not in known:
                raise ModelError(
                    f"A model has no part named {name!r}; its parts are {', '.join(sorted(known))}."
                )
        for name in ("formula", "groups"):
            if name not in content:
                raise ModelError(f"The model has no {name!r}.")
        values = dict(content)
        values["vc_formula"] = _pairs(values.get("vc_formula"))
        return cls(**_checked(values))


def has_bars(formula: str) -> bool:
    """Whether a formula has random effects in bars; of one that cannot be read, whether it looks so."""
    if "|" not in formula:
        return False
    try:
        return bool(split(formula).bars)
    except FormulaError:
        return True


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    """Variance components from a mapping, a sequence of pairs, or None."""
    items = value.items() if isinstance(value, Mapping) else value or ()
    try:
        pairs = tuple((name, text) for name, text in items)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as err:
        raise ModelError("The variance components must be pairs of a name and a formula.") from err
    if not all(isinstance(part, str) for pair in pairs for part in pair):
        raise ModelError("The variance components must be pairs of a name and a formula, both text.")
    return pairs


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """The values, when each is of the kind its field needs."""
    for name in ("formula", "groups"):
        if not isinstance(values[name], str):
            raise ModelError(f"The model's {name!r} must be text.")
    for name in ("weights", "offset", "subset"):
        if not isinstance(values.get(name, ""), str):
            raise ModelError(f"The model's {name!r} must be text.")
    if not isinstance(values.get("re_formula"), str | None):
        raise ModelError("The model's 're_formula' must be text, or absent.")
    if not isinstance(values.get("reml", True), bool):
        raise ModelError("The model's 'reml' must be true or false.")
    if values.get("missing", "drop") not in MISSING:
        raise ModelError(f"The model's 'missing' must be one of {', '.join(MISSING)}.")
    return values
