"""patsy's coding of a formula as plain values and back, for patsy's own objects cannot be pickled or saved.

What a transform has learned (the mean of `center(x)`, the knots of `bs(x)`) is kept as numbers. The code of a
factor is kept as text: whoever reads it from a file that may be anybody's checks it first (`unsafe_code`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import patsy
from patsy.design_info import FactorInfo, SubtermInfo
from patsy.eval import EvalEnvironment

from mixedcore.design.evaluation import Namespace
from mixedcore.design.factors import Factor
from mixedcore.errors import DataError, FormulaError
from mixedcore.formula import check_formula
from mixedcore.terms import Floats

SAFE_MODULE = "numpy"  # the only one that the formula language has


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
    names: Namespace
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


def unsafe_code(code: str, names: Namespace, columns: Sequence[str]) -> str | None:
    """Why a factor must not be evaluated if its file may be anybody's, in a sentence; None if it may.

    It may if it is of the formula language that strangers may use, see `check_formula`.
    """
    if others := set(names.modules.values()) - {SAFE_MODULE}:
        return f"{code!r} uses the module {min(others)}."
    if called := [name for name, value in names.values.items() if callable(value)]:
        return f"{code!r} calls {called[0]}, a function of the program that made the fit."
    try:
        check_formula(f"~ {code}", [*columns, *names.values])
    except FormulaError as err:
        return f"{code!r}: {err}"
    return None


def _keep_factor(known: FactorInfo, columns: set[str]) -> KeptFactor:
    state = known.state
    env: EvalEnvironment = state["eval_env"]
    names = [
        name
        for name, value in _flat(env.namespace).items()
        if name not in columns and getattr(patsy.builtins, name, None) is not value
    ]
    transforms = {name: dict(vars(transform)) for name, transform in state["transforms"].items()}
    kept, levels = Namespace.of(env, names), state.get("levels")
    return KeptFactor(known.factor.code, known.num_columns, known.categories, transforms, kept, levels)


def _flat(namespace: Any) -> dict[str, Any]:
    """The variables of a factor's environment, which patsy has made a flat one."""
    return {name: value for part in reversed(namespace._dicts) for name, value in part.items()}


def _factor_info(kept: KeptFactor) -> FactorInfo:
    factor, state = Factor(kept.code), dict[str, Any]()
    factor.memorize_passes_needed(state, kept.names.environment())
    for name, learned in kept.transforms.items():
        if name not in state["transforms"]:
            raise DataError(f"The kept coding of {kept.code!r} has a transform that patsy does not know.")
        vars(state["transforms"][name]).update(learned)
    if kept.levels is not None:
        state["levels"] = kept.levels
    if kept.categories is None:
        return FactorInfo(factor, "numerical", state, num_columns=kept.columns)
    return FactorInfo(factor, "categorical", state, categories=kept.categories)
