"""patsy's coding of a formula as plain values and back, for patsy's own objects cannot be pickled or saved.

What a transform has learned (the mean of `center(x)`, the knots of `bs(x)`) is kept as numbers. The code of a
factor is kept as text: whoever reads it from a file that may be anybody's checks it first (`unsafe_code`).
"""

from __future__ import annotations

import importlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import patsy
from patsy.design_info import FactorInfo, SubtermInfo
from patsy.eval import EvalEnvironment, ast_names

from mixedcore.design_factors import Factor
from mixedcore.design_spec import Bar, Spec
from mixedcore.errors import DataError, FormulaError
from mixedcore.formula import check_formula
from mixedcore.terms import Floats

SAFE_MODULE = "numpy"  # the only one that the formula language has


@dataclass(frozen=True, slots=True, eq=False)
class KeptModule:
    """A module that formulas use, by name."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class KeptFactor:
    """One factor: its code, what it makes of data, and what its transforms have learned.

    columns    : of a numerical factor; None of a categorical one, which has `categories`
    transforms : state of each stateful transform, by patsy's name for it
    names      : variables of the caller that the code uses
    levels     : of numbers used as categories
    """

    code: str
    columns: int | None
    categories: tuple[Any, ...] | None
    transforms: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, Any]
    levels: Any


@dataclass(frozen=True, slots=True, eq=False)
class KeptSubterm:
    """Columns of a term: its factors by number, their coding matrices with suffixes, and how many columns."""

    factors: tuple[int, ...]
    matrices: Mapping[int, tuple[Floats, tuple[str, ...]]]
    columns: int


@dataclass(frozen=True, slots=True, eq=False)
class KeptCoding:
    """A patsy.DesignInfo: column names, factors, and each term's factors (by number) and subterms."""

    names: tuple[str, ...]
    factors: tuple[KeptFactor, ...]
    terms: tuple[tuple[tuple[int, ...], tuple[KeptSubterm, ...]], ...]

    @property
    def code(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The code of every factor, with the variables that it may use."""
        return [(factor.code, factor.names) for factor in self.factors]


KeptTerms = tuple[tuple[str, ...], ...]  # the code of each factor of each term


@dataclass(frozen=True, slots=True, eq=False)
class KeptSpec:
    """The formulas of a model as code, as in `Spec`; bars as covariates, keys and whether correlated.

    names : variables of the caller that the code uses
    """

    outcome: str
    fixed: KeptTerms
    group: KeptTerms | None
    components: Mapping[str, KeptTerms]
    bars: tuple[tuple[KeptTerms, tuple[str, ...], bool], ...]
    names: Mapping[str, Any]

    @property
    def code(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The code of every factor, with the variables that it may use."""
        parts = [self.fixed, self.group or (), *self.components.values(), *(bar[0] for bar in self.bars)]
        codes = [self.outcome, *(code for part in parts for term in part for code in term)]
        return [(code, {k: v for k, v in self.names.items() if k in _names_in(code)}) for code in codes]


def keep_spec(spec: Spec, env: EvalEnvironment, columns: Iterable[str]) -> KeptSpec:
    """Formulas as plain values; `columns` are the names that they find in the data."""
    codes = [factor.code for factor in spec.factors()]
    used = {name for code in codes for name in _names_in(code)} - set(columns)
    names = {name: env.namespace[name] for name in sorted(used) if name in env.namespace}
    return KeptSpec(
        spec.outcome.code,
        _codes(spec.fixed),
        None if spec.group is None else _codes(spec.group),
        {name: _codes(terms) for name, terms in spec.components.items()},
        tuple((_codes(bar.covariates), bar.keys, bar.correlated) for bar in spec.bars),
        _kept_names(names),
    )


def spec_of(kept: KeptSpec) -> tuple[Spec, EvalEnvironment]:
    """The formulas that these values were, and where they look for what is no column."""
    spec = Spec(
        Factor(kept.outcome),
        _terms(kept.fixed),
        None if kept.group is None else _terms(kept.group),
        {name: _terms(terms) for name, terms in kept.components.items()},
        tuple(Bar(_terms(covariates), keys, correlated) for covariates, keys, correlated in kept.bars),
    )
    return spec, EvalEnvironment([_given_names(kept.names)])


def _names_in(code: str) -> set[str]:
    return set(ast_names(code))


def _codes(terms: Sequence[patsy.Term]) -> KeptTerms:
    return tuple(tuple(factor.code for factor in term.factors) for term in terms)


def _terms(kept: KeptTerms) -> list[patsy.Term]:
    return [patsy.Term([Factor(code) for code in codes]) for codes in kept]


def _kept_names(names: Mapping[str, Any]) -> dict[str, Any]:
    """Variables of a caller, modules by their names."""
    return {
        name: KeptModule(value.__name__) if isinstance(value, ModuleType) else value
        for name, value in names.items()
    }


def _given_names(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that `_kept_names` kept."""
    return {
        name: importlib.import_module(v.name) if isinstance(v, KeptModule) else v for name, v in kept.items()
    }


def keep_coding(info: patsy.DesignInfo, columns: Iterable[str]) -> KeptCoding:
    """A coding as plain values; `columns` are the names that formulas find in the data."""
    number = {factor: i for i, factor in enumerate(info.factor_infos)}
    inside = set(columns)

    def subterm(part: SubtermInfo) -> KeptSubterm:
        matrices = {
            number[factor]: (coding.matrix, tuple(coding.column_suffixes))
            for factor, coding in part.contrast_matrices.items()
        }
        return KeptSubterm(tuple(number[f] for f in part.factors), matrices, part.num_columns)

    terms = tuple(
        (tuple(number[f] for f in term.factors), tuple(map(subterm, parts)))
        for term, parts in info.term_codings.items()
    )
    factors = tuple(_keep_factor(known, inside) for known in info.factor_infos.values())
    return KeptCoding(tuple(info.column_names), factors, terms)


def coding_of(kept: KeptCoding) -> patsy.DesignInfo:
    """The coding that these values were."""
    infos = [_factor_info(factor) for factor in kept.factors]
    factors = [info.factor for info in infos]

    def subterm(part: KeptSubterm) -> SubtermInfo:
        matrices = {
            factors[i]: patsy.ContrastMatrix(matrix, list(suffixes))
            for i, (matrix, suffixes) in part.matrices.items()
        }
        return SubtermInfo([factors[i] for i in part.factors], matrices, part.columns)

    terms = OrderedDict(
        (patsy.Term([factors[i] for i in own]), [subterm(part) for part in parts])
        for own, parts in kept.terms
    )
    return patsy.DesignInfo(list(kept.names), dict(zip(factors, infos, strict=True)), terms)


def unsafe_code(kept: KeptCoding | KeptSpec, columns: Sequence[str]) -> str | None:
    """Why code must not be evaluated if its file may be anybody's, in a sentence; None if it may.

    It may where every factor is of the formula language that strangers may use, see `check_formula`.
    """
    for code, names in kept.code:
        modules = [value.name for value in names.values() if isinstance(value, KeptModule)]
        if set(modules) - {SAFE_MODULE}:
            return f"{code!r} uses the module {modules[0]}."
        plain = [name for name, value in names.items() if not isinstance(value, KeptModule)]
        called = [name for name in plain if callable(names[name])]
        if called:
            return f"{code!r} calls {called[0]}, a function of the program that made the fit."
        try:
            check_formula(f"~ {code}", [*columns, *plain])
        except FormulaError as err:
            return f"{code!r}: {err}"
    return None


def _keep_factor(known: FactorInfo, columns: set[str]) -> KeptFactor:
    state = known.state
    names = {
        name: value
        for name, value in _flat(state["eval_env"].namespace).items()
        if name not in columns and getattr(patsy.builtins, name, None) is not value
    }
    transforms = {name: dict(vars(transform)) for name, transform in state["transforms"].items()}
    levels = state.get("levels")
    return KeptFactor(
        known.factor.code, known.num_columns, known.categories, transforms, _kept_names(names), levels
    )


def _flat(namespace: Any) -> dict[str, Any]:
    """The variables of a factor's environment, which patsy has made a flat one."""
    return {name: value for part in reversed(namespace._dicts) for name, value in part.items()}


def _factor_info(kept: KeptFactor) -> FactorInfo:
    factor, state = Factor(kept.code), dict[str, Any]()
    factor.memorize_passes_needed(state, EvalEnvironment([_given_names(kept.names)]))
    for name, learned in kept.transforms.items():
        if name not in state["transforms"]:
            raise DataError(f"The kept coding of {kept.code!r} has a transform that patsy does not know.")
        vars(state["transforms"][name]).update(learned)
    if kept.levels is not None:
        state["levels"] = kept.levels
    if kept.categories is None:
        return FactorInfo(factor, "numerical", state, num_columns=kept.columns)
    return FactorInfo(factor, "categorical", state, categories=kept.categories)
