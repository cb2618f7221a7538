"""The formulas of a model, read into patsy's terms; no data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import patsy

from mixedcore.design.evaluation import Formula, parse
from mixedcore.design.factors import factors_of
from mixedcore.errors import FormulaError, ModelError
from mixedcore.formula import BarTerm, split

Terms = Sequence[patsy.Term]


@dataclass(frozen=True, slots=True, eq=False)
class Bar:
    """`(covariates | keys)`; correlated is False for `||`."""

    covariates: Terms
    keys: tuple[str, ...]
    correlated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """A model's formulas. `group` is None without a group term; there are bars or the rest, never both."""

    outcome: Any
    fixed: Terms
    group: Terms | None
    components: Mapping[str, Terms]
    bars: tuple[Bar, ...]

    def factors(self) -> list[Any]:
        """Every factor, the outcome first."""
        parts = [self.fixed, self.group or [], *self.components.values(), *(b.covariates for b in self.bars)]
        return [self.outcome, *factors_of(term for part in parts for term in part)]

    def key_columns(self) -> tuple[str, ...]:
        """The columns that bar terms group by."""
        return tuple(dict.fromkeys(key for bar in self.bars for key in bar.keys))


@dataclass(frozen=True, slots=True)
class Texts:
    """A model's formulas as text, from which its `Spec` is read anew; grouped: whether it has `groups`."""

    formula: str
    re_formula: str | None
    components: tuple[tuple[str, str], ...]
    grouped: bool

    @classmethod
    def of(
        cls,
        formula: Formula,
        groups: Any,
        re_formula: Formula | None,
        vc_formula: Mapping[str, Any] | None,
    ) -> Texts:
        """The formulas as given, those of patsy's own kind described."""
        components = tuple((name, _text(part)) for name, part in (vc_formula or {}).items())
        own = None if re_formula is None else _text(re_formula)
        return cls(_text(formula), own, components, groups is not None)

    def spec(self) -> Spec:
        """The formulas, read."""
        return _spec_of(self)


@lru_cache(maxsize=64)
def _spec_of(texts: Texts) -> Spec:
    return _read(texts.formula, texts.grouped, texts.re_formula, dict(texts.components) or None)


def _text(formula: Formula) -> str:
    return formula if isinstance(formula, str) else str(formula.describe())


def read_spec(
    formula: Formula, groups: Any, re_formula: Formula | None, vc_formula: Mapping[str, Any] | None
) -> Spec:
    """Read the formulas of a model; FormulaError or ModelError for what is no model."""
    if isinstance(formula, str) and isinstance(re_formula, str | None) and vc_formula is None:
        return _spec_of(Texts(formula, re_formula, (), groups is not None))  # read before, it may be
    return _read(formula, groups is not None, re_formula, vc_formula)


def _read(
    formula: Formula, grouped: bool, re_formula: Formula | None, vc_formula: Mapping[str, Any] | None
) -> Spec:
    parts = split(formula) if isinstance(formula, str) and "|" in formula else None
    desc = parse(formula if parts is None else f"{parts.response} ~ {parts.fixed}")
    bars = () if parts is None else tuple(_bar(bar) for bar in parts.bars)
    components = _components(vc_formula)
    if bars and (grouped or re_formula is not None or components):
        raise ModelError(
            "The formula has random terms in bars, which name their own groups; leave out groups, re_formula "
            "and vc_formula, or write every random effect with them."
        )
    if not bars and not grouped:
        raise ModelError(
            "Say which rows belong together: groups='column', or a term such as (1 | column) in the formula."
        )
    group = None if bars else _group(re_formula, bool(components))
    spec = Spec(_outcome(desc), list(desc.rhs_termlist), group, components, bars)
    if spec.outcome in spec.factors()[1:]:
        raise ModelError(
            f"{spec.outcome.name()} is the outcome and also a predictor; take it out on the right."
        )
    return spec


def _outcome(desc: patsy.ModelDesc) -> Any:
    if not desc.lhs_termlist:
        raise FormulaError("The formula has no outcome: write it left of '~', as in 'score ~ age'.")
    if len(desc.lhs_termlist) != 1 or len(desc.lhs_termlist[0].factors) != 1:
        raise FormulaError("The formula must have one outcome left of '~'; for a sum write I(a + b).")
    return desc.lhs_termlist[0].factors[0]


def _bar(bar: BarTerm) -> Bar:
    terms = parse(bar.covariates, one_sided=True, what="random term").rhs_termlist
    if not terms:
        raise ModelError(f"({bar.covariates} | {bar.group}) has no coefficients; write (1 | {bar.group}).")
    return Bar(list(terms), bar.group_columns(), bar.correlated)


def _components(vc_formula: Mapping[str, Any] | None) -> dict[str, Terms]:
    """The components in sorted order."""
    if vc_formula is None:
        return {}
    if not isinstance(vc_formula, Mapping) or not all(isinstance(name, str) for name in vc_formula):
        raise ModelError("vc_formula is a mapping of names to formulas: {'classroom': '0 + C(classroom)'}.")
    found: dict[str, Terms] = {}
    for name, text in sorted(vc_formula.items()):
        found[name] = list(parse(text, one_sided=True, what=f"formula of component {name!r}").rhs_termlist)
        if not found[name]:
            raise ModelError(f"The component {name!r} has no columns; write for example '0 + C(classroom)'.")
    return found


def _group(re_formula: Formula | None, has_components: bool) -> Terms | None:
    """Terms of the group term: a random intercept by default, none beside components unless asked for."""
    if re_formula is None:
        return None if has_components else [patsy.Term([])]
    terms = list(parse(re_formula, one_sided=True, what="re_formula").rhs_termlist)
    if not terms and not has_components:
        raise ModelError("re_formula='0' leaves no random effects; give a vc_formula, or re_formula='1'.")
    return terms or None
