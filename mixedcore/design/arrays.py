"""The design of a model given as arrays: outcome, covariates, groups and matrices of variance components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.data.columns import Mask
from mixedcore.data.frame import Frame, drop_rows, make_frame
from mixedcore.data.tables import Table
from mixedcore.design.by_group import assemble, rows_of_groups
from mixedcore.design.components import check_not_residual
from mixedcore.design.design import Design
from mixedcore.design.groups import Grouping, group_term, make_grouping
from mixedcore.design.outcome import check_rows, numbers_beside, varying
from mixedcore.errors import DataError, ModelError
from mixedcore.terms import Floats, Ints, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class _Matrices:
    """One variance component: rows as given, column names and matrix of every group, sorted by label."""

    name: str
    rows: Sequence[Ints]
    columns: Sequence[Sequence[str]]
    matrices: Sequence[Floats]


def from_arrays(
    endog: Any,
    exog: Any,
    groups: Any,
    exog_re: Any = None,
    exog_vc: Any = None,
    missing: str = "none",
    weights: Any = None,
    offset: Any = None,
) -> Design:
    """The design of `MixedLM(endog, exog, groups, exog_re, exog_vc, weights=…, offset=…)`.

    endog (n,), exog (n, p) or (n,), groups (n,) labels, exog_re (n, q) or (n,); None gives a random
    intercept unless there are components. exog_vc holds `names`, `colnames` and `mats` (component →
    group, sorted → matrix (n_g, k)), or is a dict of dicts, component → group label → matrix.
    weights (n,) > 0, offset (n,), or None. pandas objects give names; plain arrays give 'const' or x1, x2, …
    and x_re1, …

    Raises DataError for shapes or indexes that do not match, MissingValuesError, ModelError.
    """
    table, names = _table(endog, exog, exog_re)
    if groups is None:
        raise ModelError("`groups` says which rows belong together: one label a row.")
    beside = {"weights": weights, "offset": offset}
    frame = make_frame(table, tuple(table.names or ()), groups=groups, beside=beside, missing=missing)
    vc = _components(exog_vc, *_all_groups(table, groups))
    bad = _unfinished(vc, frame)
    if bad.any():
        frame = drop_rows(frame, bad, "exog_vc", missing)
    return _assemble(frame, names, vc)


def _assemble(frame: Frame, names: Mapping[str, list[str]], vc: Sequence[_Matrices]) -> Design:
    y = _floats(frame, "endog")[:, 0]
    X = _floats(frame, "exog") if "exog" in frame.columns else np.empty((frame.n, 0))
    check_rows(frame.n, X.shape[1])
    grouping = make_grouping(frame.group_labels(), "Group")
    terms: list[RandomTerm] = []
    if "exog_re" in frame.columns:
        components = [part.name for part in vc]
        terms.append(group_term(_floats(frame, "exog_re"), names["exog_re"], grouping, components))
    elif not vc:
        terms.append(group_term(np.ones((frame.n, 1)), ["Intercept"], grouping))
    terms += [_term(part, frame) for part in vc]
    beside = numbers_beside(frame)
    return Design(
        y=varying(y, beside.offset, names["endog"][0]),
        X=X,
        fe_names=names["exog"],
        endog_name=names["endog"][0],
        terms=tuple(terms),
        group_name="Group",
        group_labels=grouping.labels,
        group_codes=grouping.codes,
        row_index=frame.index,
        rows=frame.rows,
        notes=(*frame.notes, *beside.notes),
        weights=beside.weights,
        offset=beside.offset,
    )


def _term(part: _Matrices, frame: Frame) -> RandomTerm:
    """The component on the rows in use: matrices hold all rows, groups that lost every row are left out."""
    in_use = np.full(frame.n_given, -1, dtype=np.intp)
    in_use[frame.rows] = np.arange(frame.n)
    rows, matrices, labels = [], [], []
    for own, Z, columns in zip(part.rows, part.matrices, part.columns, strict=True):
        kept = in_use[own] >= 0
        if kept.any():
            rows.append(in_use[own][kept])
            matrices.append(Z[kept])
            labels.append([f"{part.name}[{column}]" for column in columns])
    blocks = assemble(rows, matrices, labels)
    if not blocks:
        raise ModelError(f"The variance component {part.name!r} is zero in every row; leave it out.")
    check_not_residual(part.name, blocks, frame.n)
    return RandomTerm(part.name, "component", "isotropic", (), blocks)


def _table(endog: Any, exog: Any, exog_re: Any) -> tuple[Table, dict[str, list[str]]]:
    """The arrays as columns of one table, and the names of their columns."""
    given = {"endog": endog, "exog": exog, "exog_re": exog_re}
    index = _common_index(given)
    arrays = {key: _matrix(value, key) for key, value in given.items() if value is not None}
    if "endog" not in arrays or arrays["endog"].shape[1] != 1:
        raise DataError("endog must be one number a row.")
    names = {
        "endog": _names(endog, ["y"]),
        "exog": _names(exog, _fixed_names(arrays.get("exog"))),
        "exog_re": _names(exog_re, [f"x_re{j + 1}" for j in range(_width(arrays.get("exog_re")))]),
    }
    arrays = {key: array for key, array in arrays.items() if array.shape[1]}
    return Table(arrays, tuple(arrays), index, series=False), names


def _all_groups(table: Table, groups: Any) -> tuple[Grouping, Sequence[Ints]]:
    """The groups of the data as given and their rows, whatever is missing elsewhere: those of `exog_vc`."""
    nothing_missing = Table(
        {k: np.zeros(len(v)) for k, v in table.source.items()}, table.names, table.index, False
    )
    frame = make_frame(nothing_missing, tuple(table.names or ()), groups=groups, missing="drop")
    grouping = make_grouping(frame.group_labels(), "Group")
    return grouping, [frame.rows[own] for own in rows_of_groups(grouping.codes, grouping.m)]


def _matrix(value: Any, what: str) -> Floats:
    """A Series, frame, list or array as floats (n, k)."""
    try:
        if isinstance(value, (pd.DataFrame, pd.Series)):
            array = value.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as err:
        raise DataError(
            f"{what} holds values that are not numbers; code them first, or use a formula."
        ) from err
    if array.ndim not in (1, 2):
        raise DataError(f"{what} must have one or two dimensions, not {array.ndim}.")
    return array[:, None] if array.ndim == 1 else array


def _floats(frame: Frame, key: str) -> Floats:
    array = np.asarray(frame.columns[key].values, dtype=np.float64)
    return np.ascontiguousarray(array[:, None] if array.ndim == 1 else array)


def _common_index(given: Mapping[str, Any]) -> pd.Index | None:
    indexed = [(key, v.index) for key, v in given.items() if isinstance(v, (pd.DataFrame, pd.Series))]
    for key, index in indexed[1:]:
        if not index.equals(indexed[0][1]):
            raise DataError(
                f"The indexes of {indexed[0][0]} and {key} differ, so their rows cannot be paired."
            )
    return indexed[0][1] if indexed else None


def _names(value: Any, default: list[str]) -> list[str]:
    if isinstance(value, pd.DataFrame):
        return [str(name) for name in value.columns]
    if isinstance(value, pd.Series) and value.name is not None:
        return [str(value.name)]
    return default


def _fixed_names(X: Floats | None) -> list[str]:
    """x1, x2, …, with 'const' for the first constant column, as statsmodels names them."""
    names: list[str] = []
    for column in np.empty((0, 0)) if X is None else X.T:
        constant = bool(len(column)) and np.ptp(column) == 0 and column[0] != 0
        names.append(
            "const" if constant and "const" not in names else f"x{len(names) + 1 - ('const' in names)}"
        )
    return names


def _width(array: Floats | None) -> int:
    return 0 if array is None else array.shape[1]


def _components(exog_vc: Any, grouping: Grouping, rows: Sequence[Ints]) -> list[_Matrices]:
    """Every component's matrices, sorted by name, checked against the groups."""
    if exog_vc is None:
        return []
    if isinstance(exog_vc, Mapping):
        parts = [_from_dict(str(name), by_group, grouping, rows) for name, by_group in exog_vc.items()]
    elif all(hasattr(exog_vc, key) for key in ("names", "colnames", "mats")):
        parts = [
            _Matrices(str(name), rows, columns, [_dense(Z) for Z in matrices])
            for name, columns, matrices in zip(exog_vc.names, exog_vc.colnames, exog_vc.mats, strict=True)
        ]
    else:
        raise ModelError("exog_vc must be a VCSpec (names, colnames, mats) or a dict of dicts of matrices.")
    for part in parts:
        _check_shapes(part, grouping.labels)
    return sorted(parts, key=lambda part: part.name)


def _from_dict(name: str, by_group: Mapping[Any, Any], grouping: Grouping, rows: Sequence[Ints]) -> _Matrices:
    absent = [label for label in grouping.labels if label not in by_group]
    if absent:
        raise DataError(f"exog_vc[{name!r}] has no matrix for the group {absent[0]!r}.")
    given = [by_group[label] for label in grouping.labels]
    columns = [_names(Z, [str(j) for j in range(np.shape(Z)[1])]) for Z in given]
    return _Matrices(name, rows, columns, [_dense(Z) for Z in given])


def _dense(Z: Any) -> Floats:
    return _matrix(Z.toarray() if hasattr(Z, "toarray") else Z, "exog_vc")


def _check_shapes(part: _Matrices, labels: Sequence[Any]) -> None:
    if len(part.matrices) != len(labels) or len(part.columns) != len(labels):
        raise DataError(
            f"The component {part.name!r} has {len(part.matrices)} matrices for {len(labels)} groups; give "
            "one for each group, in the sorted order of the labels."
        )
    for label, own, Z, columns in zip(labels, part.rows, part.matrices, part.columns, strict=True):
        if Z.shape != (len(own), len(columns)):
            raise DataError(
                f"The component {part.name!r} has a matrix of shape {Z.shape} and {len(columns)} column "
                f"names for the group {label!r}, which has {len(own)} rows."
            )


def _unfinished(vc: Sequence[_Matrices], frame: Frame) -> Mask:
    """Rows of the frame in which some matrix of a component is not finite."""
    bad = np.zeros(frame.n_given, dtype=bool)
    for part in vc:
        for own, Z in zip(part.rows, part.matrices, strict=True):
            bad[own] |= ~np.isfinite(Z).all(axis=1)
    return bad[frame.rows]
