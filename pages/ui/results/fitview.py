"""What the result pages must know of a fit beyond its frames: names, terms, columns to group or plot by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mixedcore.formula import formula_columns
from pages.ui import terms
from pages.ui.model import notation

if TYPE_CHECKING:
    from mixedcore import MixedLMResults

COMPUTED = ("fitted", "fitted_fixed", "resid", "resid_std", "leverage", "cooks_distance", "studentised")
"""What `result.augment()` adds to the columns of the data, and the Residuals page to that."""
NESTED = " / "
"""Between the labels of a group and of a unit inside it, as in `result.tidy(effects="blups")`."""


@dataclass(frozen=True, slots=True)
class RandomEffect:
    """One random coefficient: the term it belongs to and the covariate it multiplies."""

    group: str
    term: str

    @property
    def name(self) -> str:
        """'Intercept by Subject', 'Slope of Days by Subject'."""
        what = "Intercept" if self.term == "Intercept" else f"Slope of {terms.one(self.term)}"
        return f"{what} by {self.group}"


@dataclass(frozen=True, slots=True)
class Grouping:
    """A way to tell groups apart: by one column, or by a unit within its group."""

    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The columns' names, joined as their labels are."""
        return NESTED.join(self.columns)

    def labels(self, augmented: pd.DataFrame) -> pd.Series:
        """The label of each row's group; missing where a column is."""
        first, *rest = (augmented[column] for column in self.columns)
        if not rest:
            return first
        joined = first.astype(str)
        for other in rest:
            joined = joined + NESTED + other.astype(str)
        return joined


def outcome_name(result: MixedLMResults) -> str:
    """The outcome as its column is named, without the marks that quote it in a formula."""
    written = result.model.endog_names
    try:
        outcome = notation.read(f"{written} ~ 1").outcome
    except notation.UnreadError:
        return written
    return outcome.column if outcome and outcome == notation.Factor(outcome.column) else written


def random_effects(blups: pd.DataFrame) -> list[RandomEffect]:
    """The random coefficients of `result.tidy(effects="blups")`, in its order."""
    pairs = blups[["group", "term"]].drop_duplicates()
    return [RandomEffect(str(group), str(term)) for group, term in pairs.itertuples(index=False)]


def of_effect(blups: pd.DataFrame, effect: RandomEffect) -> pd.DataFrame:
    """The rows of one random coefficient."""
    return blups[(blups["group"] == effect.group) & (blups["term"] == effect.term)]


def labels_by_effect(blups: pd.DataFrame) -> list[str]:
    """Group labels from the smallest effect to the largest."""
    return [str(label) for label in blups.sort_values("estimate", kind="stable")["level"]]


def own_columns(augmented: pd.DataFrame) -> list[str]:
    """The columns of `result.augment()` that came from the data."""
    return [str(name) for name in augmented.columns if name not in COMPUTED]


def groupings(result: MixedLMResults, augmented: pd.DataFrame, *, factors: bool = False) -> list[Grouping]:
    """Ways to group the rows: the model's groups, units within them, and `factors` among the predictors."""
    groups = result.model.group_name
    top = [groups] if groups in augmented and result.model.n_groups > 1 else []
    found = [Grouping((groups,))] if top else []
    others = []
    for name in own_columns(augmented):
        if name == groups or name in _outcome_columns(result) or _measured(augmented[name]):
            continue
        if _in_components(result, name):
            found.append(Grouping((*top, name)))
        elif augmented[name].nunique() > 1:
            others.append(Grouping((name,)))
    return found + others if factors else found


def numeric_predictors(result: MixedLMResults, augmented: pd.DataFrame) -> list[str]:
    """Numeric columns to draw lines over, those with a random slope first: neither the outcome nor groups."""
    found = [
        name
        for name in own_columns(augmented)
        if pd.api.types.is_numeric_dtype(augmented[name].dtype)
        and not pd.api.types.is_bool_dtype(augmented[name].dtype)
        and name != result.model.group_name
        and name not in _outcome_columns(result)
        and (name in _right_side(result) or not _in_components(result, name))
        and augmented[name].nunique() > 1
    ]
    slopes = _columns(result.model.re_formula)
    return sorted(found, key=lambda name: name not in slopes)


def line_slopes(result: MixedLMResults, blups: pd.DataFrame, x: str) -> tuple[float, dict[str, float]] | None:
    """Slope over `x` of the average group, and what each group's slope differs by.

    None unless `x` enters the model as itself alone: not transformed, in a product or in a component.
    """
    terms = [*result.fe_params.index, *map(str, blups["term"].unique())]
    if _in_any_component(result, x) or x not in result.fe_params:
        return None
    if {name for name in terms if _named_in(x, name)} != {x}:
        return None
    own = blups[(blups["group"] == result.model.group_name) & (blups["term"] == x)]
    return float(result.fe_params[x]), dict(zip(own["level"], own["estimate"], strict=True))


def moved_by_more(result: MixedLMResults, augmented: pd.DataFrame, x: str, grouping: Grouping) -> bool:
    """Whether other columns than `x` move the fitted values within the groups of `grouping`."""
    labels = grouping.labels(augmented)
    rows = augmented.groupby(labels, observed=True)
    return any(int(rows[name].nunique().max()) > 1 for name in _others(result, augmented, x, grouping))


def moved_between(result: MixedLMResults, augmented: pd.DataFrame, x: str, grouping: Grouping) -> bool:
    """Whether other columns than `x` differ between rows at all, be it between groups alone."""
    return bool(_others(result, augmented, x, grouping))


def _others(result: MixedLMResults, augmented: pd.DataFrame, x: str, grouping: Grouping) -> list[str]:
    known = {x, grouping.name, *grouping.columns} | _outcome_columns(result)
    return [name for name in own_columns(augmented) if name not in known]


def _measured(column: pd.Series) -> bool:
    """Whether a column holds measurements rather than labels."""
    kind = column.dtype
    if pd.api.types.is_float_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind):
        return True
    return pd.api.types.is_integer_dtype(kind) and column.nunique() > max(12, len(column) // 20)


def _named_in(name: str, term: str) -> bool:
    """Whether the name of a coefficient mentions the column."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", term) is not None


def _columns(formula: object) -> frozenset[str]:
    """The columns that a formula uses, found by reading it: quoted, a name may be written otherwise."""
    return frozenset(formula_columns(str(formula))) if formula else frozenset()


def _outcome_columns(result: MixedLMResults) -> frozenset[str]:
    return _columns(result.model.endog_names)


def _right_side(result: MixedLMResults) -> frozenset[str]:
    """The columns of the fixed effects, of terms in bars and of the random part."""
    return _columns(str(result.model.formula).partition("~")[2]) | _columns(result.model.re_formula)


def _in_any_component(result: MixedLMResults, name: str) -> bool:
    return any(name in _columns(formula) for formula in (result.model.vc_formula or {}).values())


def _in_components(result: MixedLMResults, name: str) -> bool:
    """Whether a variance component's formula uses the column and the rest of the model does not."""
    return _in_any_component(result, name) and name not in _right_side(result)


def same_groups(one: str, other: str) -> bool:
    """Whether two names of a grouping mean the same groups: 'classroom' and 'school / classroom' do.

    '' is not known to be another.
    """
    return not one or not other or _innermost(one) == _innermost(other)


def _innermost(name: str) -> str:
    return re.split(r" / |:", name)[-1]


def find_label(chosen: str | None, labels: Sequence[str], of: str = "", here: str = "") -> str | None:
    """The chosen group among these labels, or the group that contains it; None when it is not here.

    of : the factor of the chosen group, here : that of the labels; two factors may have a label in common
    """
    if chosen is None or (chosen in labels and same_groups(of, here)):
        return chosen
    outer = chosen.partition(NESTED)[0]
    return outer if outer != chosen and outer in labels else None


def in_order(labels: pd.Series, ranking: Sequence[str] = ()) -> list[str]:
    """The distinct labels, in the order of the ranking when it is about them, else sorted as pandas does."""
    present = [str(label) for label in pd.factorize(labels, sort=True)[1]]
    return list(ranking) if set(ranking) == set(present) else present


def is_chosen(augmented: pd.DataFrame, group: str | None, chosen: str | None) -> np.ndarray:
    """Which rows belong to the chosen group, (n,)."""
    if group is None or chosen is None:
        return np.zeros(len(augmented), dtype=bool)
    return (augmented[group].astype(str) == chosen).to_numpy()
