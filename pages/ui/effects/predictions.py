"""Predicted means over values of chosen columns, for the average group or one group. No Streamlit.

A table of new rows is made from a row of the data, so that every column keeps its type, and handed to
`result.predict`. Outcomes written as logarithms or roots can be read in their own units.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pages.ui.charts.base import Floats

if TYPE_CHECKING:
    from mixedcore import MixedLMResults

Interval = Literal["confidence", "prediction"]
Inverse = Callable[[Floats], Floats]
E = 2.718281828459045


@dataclass(frozen=True, slots=True)
class Scale:
    """How an outcome was transformed, and the way back.

    column : what is inside, such as 'y' in np.log(y);  log : base of the logarithm, None for roots
    ratios : the base where a difference is the logarithm of a ratio of outcomes; None of roots and log(1 + y)
    """

    column: str
    back: Inverse
    log: float | None
    ratios: float | None = None


_INVERSES: dict[str, tuple[Inverse, float | None]] = {
    "log": (np.exp, E),
    "log2": (np.exp2, 2.0),
    "log10": (lambda values: np.power(10.0, values), 10.0),
    "log1p": (np.expm1, E),
    "sqrt": (np.square, None),
}


def scale_of(outcome: str) -> Scale | None:
    """The transformation that an outcome is written with; None for an outcome in its own units."""
    found = re.fullmatch(r"np\.(log|log2|log10|log1p|sqrt)\((.+)\)", outcome.strip())
    if found is None:
        return None
    inside = re.sub(r"""^Q\((['"])(.*)\1\)$""", r"\2", found[2].strip())
    back, log = _INVERSES[found[1]]
    return Scale(inside, back, log, None if found[1] == "log1p" else log)


def crossed(row: pd.DataFrame, at: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Copies of one row with every combination of the values `at`, the last changing fastest."""
    cells = list(product(*at.values()))
    new = row.iloc[np.zeros(len(cells), dtype=int)].reset_index(drop=True)
    for place, name in enumerate(at):
        new[name] = _like(row[name], [cell[place] for cell in cells])
    return new


def _like(column: pd.Series, values: list[Any]) -> pd.Series:
    """Values in the type of a column, where that type can hold them."""
    if pd.api.types.is_integer_dtype(column.dtype) and any(float(value) % 1 for value in values):
        return pd.Series(values, dtype=float)
    return pd.Series(values).astype(column.dtype)


def predicted(
    result: MixedLMResults,
    new: pd.DataFrame,
    terms: Sequence[str] = (),
    interval: Interval = "confidence",
    level: float = 0.95,
) -> pd.DataFrame:
    """`fit, std_error, df, conf_low, conf_high` of each new row; missing where a term has no finite value."""
    random = list(terms) if terms else "none"
    groups = _one_group(result, len(new)) if terms else None
    found = result.predict(
        new, random=random, interval=interval, level=level, ddf="satterthwaite", groups=groups
    )
    return pd.DataFrame(found).reindex(new.index)


def _one_group(result: MixedLMResults, n: int) -> np.ndarray | None:
    """The label of the whole data set as one group for n new rows; None where groups are a column."""
    labels = result.model.group_labels
    return np.full(n, labels[0]) if result.model.n_groups == 1 else None


def in_units(found: pd.DataFrame, scale: Scale | None) -> pd.DataFrame:
    """The same in the units of the outcome's own column; a quantile goes over to a quantile."""
    if scale is None:
        return found
    ends = found[["fit", "conf_low", "conf_high"]].to_numpy()
    if scale.log is None:
        ends = np.maximum(ends, 0.0)
    return found.assign(**dict(zip(("fit", "conf_low", "conf_high"), scale.back(ends).T, strict=True)))


def mean_factor(result: MixedLMResults, new: pd.DataFrame, terms: Sequence[str], scale: Scale) -> float:
    """What the median of a log-normal outcome is multiplied by for its mean: exp(s²/2), s² in natural logs.

    s² is the variance of a new observation about its predicted mean: residual, and of groups left out.
    """
    if scale.log is None:
        return float("nan")
    own, new_one = (predicted(result, new, terms, kind)["std_error"] for kind in ("confidence", "prediction"))
    variance = float((new_one**2 - own**2).iloc[0]) * np.log(scale.log) ** 2
    return float(np.exp(variance / 2))


def partial_residuals(
    result: MixedLMResults, rows: pd.DataFrame, held: Mapping[str, Any], terms: Sequence[str]
) -> Floats:
    """What each row would show with other columns held: predicted there, plus its own residual, (n,)."""
    new = rows.assign(
        **{name: _like(rows[name], [value] * len(rows)).to_numpy() for name, value in held.items()}
    )
    groups = _one_group(result, len(new)) if terms else None
    mean = result.predict(new, random=list(terms) if terms else "none", groups=groups)
    return np.asarray(pd.Series(mean).reindex(rows.index) + result.resid.to_numpy(), dtype=float)


def observed(result: MixedLMResults) -> Floats:
    """The outcome as the model has it, (n,)."""
    return np.asarray(result.fittedvalues + result.resid, dtype=float)


def unusual(rows: pd.DataFrame, numbers: Mapping[str, float], categories: Mapping[str, Any]) -> str:
    """Why a combination of values lies outside of the data, as a clause; '' when it does not.

    Categories: no row has this combination. Numbers: farther from the rows' centre, in their own spread and
    correlation (Mahalanobis 1936), than any row.
    """
    alike = np.ones(len(rows), dtype=bool)
    for name, value in categories.items():
        alike &= (rows[name] == value).to_numpy(dtype=bool)
    if not alike.any():
        return "no row has this combination of " + ", ".join(categories)
    for name, value in numbers.items():
        if not rows[name].min() <= value <= rows[name].max():
            return f"{name} is beyond every value in the data"
    if len(numbers) < 2:
        return ""
    X = rows[list(numbers)].to_numpy(dtype=float)
    centred = X - X.mean(axis=0)
    inverse = np.linalg.pinv(np.cov(centred.T))
    far = np.einsum("np,pq,nq->n", centred, inverse, centred).max()
    own = np.array(list(numbers.values())) - X.mean(axis=0)
    return f"no row has {', '.join(numbers)} like this together" if own @ inverse @ own > far else ""
