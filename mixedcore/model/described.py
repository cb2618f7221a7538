"""What a model consists of: outcome, designs, groups and their sizes, under statsmodels' names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.design.design import Design
from mixedcore.design.stream import StreamDesign
from mixedcore.engine.component_columns import columns_of, matrices_by_group
from mixedcore.engine.crossproducts import CrossProducts, sum_rows
from mixedcore.engine.elimination import Plan, plan
from mixedcore.engine.rows import Rows, gather
from mixedcore.errors import rows_not_kept
from mixedcore.parameters import covariance_names, effect_names
from mixedcore.stream import sum_stream
from mixedcore.terms import Floats, Ints, RandomTerm


@dataclass(frozen=True, slots=True, eq=False)
class VCSpec:
    """Variance components as matrices, as statsmodels has them.

    names: component names; colnames[j][g]: column names of component j in group g; mats[j][g]: its matrix
    (n_g, k).
    """

    names: list[str]
    colnames: list[list[list[str]]]
    mats: list[list[Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class ModelData:
    """Names of a model's data, where statsmodels keeps them.

    xnames : of the fixed effects;  ynames : of the outcome;  param_names : as `result.params` has them
    exog_re_names : of the group term's effects;  exog_re_names_full : of its variances and covariances
    vcomp_names : of the components;  row_labels : of the rows in use, None where they were not kept
    frame : the columns used, None for arrays
    """

    xnames: list[str]
    ynames: str
    param_names: list[str]
    exog_re_names: list[str]
    exog_re_names_full: list[str]
    vcomp_names: list[str]
    row_labels: pd.Index | None
    frame: pd.DataFrame | None


class Described:
    """The numbers and names of a model; `MixedLM` lists its members."""

    _design: Design | StreamDesign
    labelled: bool

    @property
    def design(self) -> Design | StreamDesign:
        """Outcome, fixed design and random terms."""
        return self._design

    @property
    def endog(self) -> Floats:
        """Outcome (n,)."""
        return self._design.y

    @property
    def exog(self) -> Floats:
        """Fixed-effects design (n, p), aliased columns included."""
        return self._design.X

    @property
    def weights(self) -> Floats | None:
        """Prior weights (n,), or None."""
        return self._design.weights

    @property
    def offset(self) -> Floats | None:
        """Known part of the mean (n,), or None."""
        return self._design.offset

    @property
    def endog_names(self) -> str:
        """Name of the outcome."""
        return self._design.endog_name

    @property
    def exog_names(self) -> list[str]:
        """Names of all columns of `exog`, aliased ones included."""
        return list(self._design.fe_names)

    @property
    def exog_re_names(self) -> list[str]:
        """Names of the group term's effects; empty without one."""
        return [name for term in self._design.terms if term.role == "group" for name in effect_names(term)]

    @property
    def exog_re(self) -> Floats | None:
        """Covariates of the group term (n, q), or None."""
        if isinstance(self._design, StreamDesign):
            raise rows_not_kept("a row of exog_re")
        found = [term.blocks[0].basis for term in self._design.terms if term.role == "group"]
        return np.column_stack(found) if found else None

    @property
    def groups(self) -> Any:
        """Group label of each row in use, (n,)."""
        return np.asarray(self.group_labels, dtype=object)[self.group_codes]

    @property
    def group_name(self) -> str:
        """The grouping column, or 'Group'."""
        return self._design.group_name

    @property
    def group_labels(self) -> list[Any]:
        """Labels of the groups, sorted."""
        return self._design.group_labels

    @property
    def group_codes(self) -> Ints:
        """(n,) position of each row's group in `group_labels`."""
        return self._design.group_codes

    @property
    def row_index(self) -> pd.Index:
        """Labels of the rows in use."""
        return self._design.row_index

    @property
    def notes(self) -> tuple[str, ...]:
        """What was dropped or changed, in plain sentences."""
        return self._design.notes

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self._design.group_labels)

    @property
    def nobs(self) -> int:
        """Rows in use."""
        return self._design.n

    n_totobs = nobs

    @property
    def k_fe(self) -> int:
        """Columns of the fixed design."""
        return len(self._design.fe_names)

    @property
    def k_re(self) -> int:
        """Effects of the group term."""
        return len(self.exog_re_names)

    @property
    def k_re2(self) -> int:
        """Covariance parameters of the group term."""
        return len(covariance_names([term for term in self._design.terms if term.role == "group"]))

    @property
    def k_vc(self) -> int:
        """Variance components."""
        return sum(term.role == "component" for term in self._design.terms)

    def used_columns(self) -> pd.DataFrame:
        """The columns of the data that the model uses, rows in use, as they were given."""
        frame = self._design.frame
        if frame is None:
            table = pd.DataFrame({self.endog_names: self.endog}, index=self.row_index)
            return table.assign(**self._beside_columns())
        columns = {
            name: np.asarray(values) if np.ndim(values) == 1 else list(values)
            for name, values in frame.raw.items()
        }
        table = pd.DataFrame(columns, index=self.row_index)
        if self.group_name not in table:
            table[self.group_name] = self.groups
        return table.assign(**{name: v for name, v in self._beside_columns().items() if name not in table})

    def _beside_columns(self) -> dict[str, Floats]:
        """Weights and offset that were given beside the data, each under the name of its argument."""
        given = {"weights": self.weights, "offset": self.offset}
        columns = {"weights": self._design.weights_column, "offset": self._design.offset_column}
        return {k: v for k, v in given.items() if v is not None and columns[k] is None}

    # -- by group, as statsmodels has them -------------------------------------------------------------

    def group_list(self, array: Any) -> list[Any] | None:
        """An array (n,) or (n, k) cut into those of the groups, in the order of `group_labels`, or None."""
        if array is None:
            return None
        values = np.asarray(array)
        return [values[own] for own in self.row_indices.values()]

    @cached_property
    def row_indices(self) -> dict[Any, Ints]:
        """Group label → positions of its rows among those in use."""
        order = np.argsort(self.group_codes, kind="stable")
        ends = np.cumsum(np.bincount(self.group_codes, minlength=self.n_groups))[:-1]
        return dict(zip(self.group_labels, np.split(order, ends), strict=True))

    @cached_property
    def endog_li(self) -> list[Floats]:
        """Outcome of each group, (n_g,)."""
        return self.group_list(self.endog) or []

    @cached_property
    def exog_li(self) -> list[Floats]:
        """Fixed-effects design of each group, (n_g, p)."""
        return self.group_list(self.exog) or []

    @cached_property
    def exog_re_li(self) -> list[Floats] | None:
        """Covariates of the group term in each group, (n_g, q), or None."""
        return self.group_list(self.exog_re)

    @cached_property
    def exog_re2_li(self) -> list[Floats] | None:
        """Their products in each group, (q, q), or None."""
        found = self.exog_re_li
        return None if found is None else [Z.T @ Z for Z in found]

    @cached_property
    def exog_vc(self) -> VCSpec:
        """The variance components as one matrix a group, over the rows in use."""
        if isinstance(self._design, StreamDesign):
            raise rows_not_kept("a row of exog_vc")
        rows = list(self.row_indices.values())
        parts = [matrices_by_group(columns_of(term), term.name, rows) for term in self._components]
        names = [term.name for term in self._components]
        return VCSpec(names, [columns for columns, _ in parts], [matrices for _, matrices in parts])

    @property
    def _components(self) -> list[RandomTerm]:
        return [term for term in self._design.terms if term.role == "component"]

    @cached_property
    def data(self) -> ModelData:
        """Names of all parts, where programs for statsmodels look for them."""
        frame = self._design.frame
        return ModelData(
            xnames=self.exog_names,
            ynames=self.endog_names,
            param_names=[*self.exog_names, *covariance_names(self._design.terms)],
            exog_re_names=self.exog_re_names,
            exog_re_names_full=covariance_names([t for t in self._design.terms if t.role == "group"]),
            vcomp_names=[term.name for term in self._components],
            row_labels=None if isinstance(self._design, StreamDesign) else self.row_index,
            frame=None if frame is None else self.used_columns(),
        )

    # -- what is made of them once ---------------------------------------------------------------------

    @cached_property
    def _rows(self) -> Rows | StreamDesign:
        design, names = self._design, [*self.exog_names, self.endog_names]
        if isinstance(design, StreamDesign):
            return design
        return gather(design.response, design.X, design.terms, design.weights, names)

    @cached_property
    def _products(self) -> tuple[CrossProducts, Plan]:
        rows = self._rows
        cp = sum_rows(rows, self._design.terms) if isinstance(rows, Rows) else sum_stream(rows)
        return cp, plan(cp)
