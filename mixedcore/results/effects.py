"""What the model says of groups and levels: marginal means, trends, and contrasts of either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from mixedcore.design.grid import FixedGrid, Variable
from mixedcore.effects.johnson_neyman import regions
from mixedcore.effects.marginal_means import (
    Contrasting,
    Estimator,
    contrast_table,
    joint_table,
    mean_table,
)
from mixedcore.effects.reference_grid import Functions, Weights, means, slopes
from mixedcore.errors import ModelError
from mixedcore.inference.hypotheses import Ddf, Hypotheses
from mixedcore.inference.tails import check_level
from mixedcore.results.fitted import Fitted
from mixedcore.terms import Floats

ASKED = "mixedcore"  # under this name a table's attrs say how it was made


class Effects(Fitted):
    """Marginal means, trends and contrasts; the figures are those of the R package emmeans."""

    @cached_property
    def _fixed_grid(self) -> FixedGrid:
        return FixedGrid(self.model.design)

    @property
    def fixed_variables(self) -> Mapping[str, Variable]:
        """The variables of the fixed part by name: levels in the reference grid, range, whether a factor.

        Empty where the fixed part is an intercept alone. Raises ModelError for a model from arrays, or
        without fixed effects.
        """
        return dict(self._fixed_grid.variables)

    @cached_property
    def _estimators(self) -> dict[str, Estimator]:
        """Those used so far, by their degrees of freedom: Kenward and Roger's take a while to be made."""
        return {}

    def _estimator(self, ddf: Ddf) -> Estimator:
        if ddf not in self._estimators:
            self._estimators[ddf] = Estimator(Hypotheses(self._information, ddf))
        return self._estimators[ddf]

    def marginal_means(
        self,
        terms: str | Sequence[str],
        at: Mapping[str, Any] | None = None,
        *,
        ddf: Ddf = "satterthwaite",
        level: float = 0.95,
        weights: Weights = "equal",
    ) -> pd.DataFrame:
        """Estimated marginal means: a column a variable, `estimate, std_error, df, conf_low, conf_high`.

        One row for every combination of the levels of `terms`, the first changing fastest: the average of the
        fixed part (outcome's units, without an offset) over the reference grid, which has all levels of the
        factors (text, categories, booleans, C(number), numbers with two values) and covariates at their mean.

        terms   : names of variables, as a list, or 'a', 'a:b', 'a * b'; an empty list gives the overall mean
        at      : variable → value or values in place of those of the grid
        ddf     : 'satterthwaite', 'kenward-roger' (also adjusts std_error), 'residual' or 'normal'
        weights : how the cells averaged over count: 'equal', 'proportional' to the rows of each combination
                  of the factors averaged over, 'outer' to the product of their margins, 'cells' to the rows
                  of each cell itself; a row counts once whatever its prior weight

        Searle, Speed & Milliken (1980), Am. Stat. 34(4). A mean that the data do not determine (aliased
        columns, empty cells) is missing and has a `note`, a column that is there only then. Raises
        ModelError for unknown variables and options, DataError for levels that the fit has not seen.
        """
        asked = {"terms": self._variables(terms), "at": _plain(at), "weights": weights, "var": None}
        return self._means(asked, ddf, level)

    def trends(
        self,
        var: str,
        by: str | Sequence[str] = (),
        at: Mapping[str, Any] | None = None,
        *,
        ddf: Ddf = "satterthwaite",
        level: float = 0.95,
        weights: Weights = "equal",
    ) -> pd.DataFrame:
        """Slopes of the marginal means along a number, for every combination of the levels of `by`.

        Columns and arguments as in `marginal_means`, estimates in outcome's units over those of `var`. With
        levels of another number given by `at` these are simple slopes; `contrasts` of the table compares
        them. Derivatives are central differences over a ten-thousandth of the range of `var`, exact where X
        is at most quadratic in it.
        """
        asked = {"terms": self._variables(by), "at": _plain(at), "weights": weights, "var": var}
        return self._means(asked, ddf, level)

    def contrasts(
        self,
        terms: str | Sequence[str] | pd.DataFrame,
        method: Any = "pairwise",
        *,
        adjust: str | None = None,
        by: str | Sequence[str] = (),
        at: Mapping[str, Any] | None = None,
        reference: Any = None,
        ddf: Ddf = "satterthwaite",
        level: float = 0.95,
        weights: Weights = "equal",
    ) -> pd.DataFrame:
        """Contrasts of marginal means, or of trends.

        Columns: those of `by`, `contrast, estimate, std_error, df, statistic, p_value, conf_low, conf_high`.

        terms     : as in `marginal_means`, or a whole table that `marginal_means` or `trends` gave, whose
                    variables, values and weights then hold (at and weights are not looked at)
        method    : 'pairwise' (earlier − later), 'revpairwise', 'trt.vs.ctrl' (each − reference), 'poly'
                    (orthogonal polynomials for equal steps), or coefficients, one contrast a row: a
                    mapping of names to numbers, a DataFrame or a matrix
        adjust    : 'tukey', 'holm', 'bonferroni', 'sidak', 'scheffe', 'mvt' or 'none'; None is 'tukey' for
                    pairwise comparisons, 'mvt' (Dunnett's test) with a control and 'none' for others. It
                    holds for p-values and intervals (Holm's being Bonferroni's); one contrast alone needs
                    none, and Šidák's takes the place of Tukey's where contrasts are not pairwise
        by        : variables within whose levels contrasts are taken, each combination a family of its own
        reference : level of the control; None is the first
        ddf, level, weights, at : as in `marginal_means`

        A contrast of means that are not estimable may be so itself. References stand beside each adjustment
        in `mixedcore.effects.adjust`.
        """
        within = self._variables(by)
        functions = self._families(terms, within, at, weights)
        how = Contrasting(method, reference, _default(method) if adjust is None else adjust)
        return contrast_table(self._estimator(ddf), functions, within, how, check_level(level))

    def joint_tests(
        self,
        terms: str | Sequence[str] | pd.DataFrame,
        *,
        by: str | Sequence[str] = (),
        at: Mapping[str, Any] | None = None,
        ddf: Ddf = "satterthwaite",
        weights: Weights = "equal",
    ) -> pd.DataFrame:
        """F test that marginal means, or trends, are all equal, within each combination of `by`.

        With one variable and others as `by` these are its simple effects, as `joint_tests` of the R package
        emmeans has them. Columns: those of `by`, `num_df, den_df, statistic, p_value`; arguments as in
        `contrasts`. Missing where the data determine fewer than two of the means.
        """
        within = self._variables(by)
        return joint_table(self._estimator(ddf), self._families(terms, within, at, weights), within)

    def johnson_neyman(
        self,
        var: str,
        moderator: str,
        at: Mapping[str, Any] | None = None,
        *,
        ddf: Ddf = "satterthwaite",
        level: float = 0.95,
        weights: Weights = "equal",
    ) -> pd.DataFrame:
        """Where along a number, `moderator`, the slope of `var` differs from zero: `low, high, sign`.

        One row a stretch of the moderator, in its units; sign is 1 or −1 where the interval of the slope (as
        in `trends`) lies above or below zero, 0 where it holds zero. Exact (a quadratic), and over all
        numbers, where the slope changes linearly; else searched for between the ends of the data.

        Johnson & Neyman (1936); Bauer & Curran (2005), Multivariate Behav. Res. 40(3). Raises ModelError
        where the slope does not depend on the moderator, and for unknown variables and options.
        """
        found = self._fixed_grid.named(moderator)
        if found.low is None or found.high is None or found.low == found.high:
            raise ModelError(f"{moderator!r} is no number that varies, so there is nothing to go along.")
        given = _plain(at)

        def rows(values: Floats) -> Floats:
            there = {**given, moderator: values.tolist()}
            return slopes(self._fixed_grid, var, [moderator], there, weights).L

        return regions(self._estimator(ddf), rows, found.low, found.high, check_level(level))

    def _variables(self, terms: str | Sequence[str]) -> list[str]:
        """Names in 'a', 'a:b', 'a * b' or a list of them, each once; a variable may be called 'a:b'."""
        names: list[str] = []
        for term in [terms] if isinstance(terms, str) else terms:
            whole = term in self._fixed_grid.variables
            names += [term] if whole else [name.strip() for name in term.replace("*", ":").split(":")]
        return list(dict.fromkeys(name for name in names if name))

    def _families(
        self,
        terms: str | Sequence[str] | pd.DataFrame,
        within: Sequence[str],
        at: Mapping[str, Any] | None,
        weights: Weights,
    ) -> Functions:
        """The means or trends asked for, those of one combination of `within` beside each other."""
        if isinstance(terms, pd.DataFrame):
            asked = dict(terms.attrs.get(ASKED) or {})
            if not asked:
                raise ModelError("The table is none that marginal_means or trends gave; name the variables.")
        else:
            asked = {"terms": self._variables(terms), "at": _plain(at), "weights": weights, "var": None}
        own = [name for name in asked["terms"] if name not in within]
        return self._functions({**asked, "terms": [*own, *within]})

    def _means(self, asked: dict[str, Any], ddf: Ddf, level: float) -> pd.DataFrame:
        table = mean_table(self._estimator(ddf), self._functions(asked), check_level(level))
        table.attrs[ASKED] = asked
        return table

    def _functions(self, asked: dict[str, Any]) -> Functions:
        given = (self._fixed_grid, asked["terms"], asked["at"], asked["weights"])
        return means(*given) if asked["var"] is None else slopes(given[0], asked["var"], *given[1:])


def _plain(at: Mapping[str, Any] | None) -> dict[str, Any]:
    """Values in lists, not arrays: a table's attrs must be comparable."""
    return {name: v.tolist() if hasattr(v, "tolist") else v for name, v in (at or {}).items()}


def _default(method: Any) -> str:
    """The adjustment that a set of contrasts has unless told otherwise."""
    if not isinstance(method, str):
        return "none"
    return {"pairwise": "tukey", "revpairwise": "tukey", "trt.vs.ctrl": "mvt"}.get(method, "none")
