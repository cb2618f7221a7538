"""Tests of linear hypotheses on `params`, as statsmodels' results have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mixedcore.errors import ModelError
from mixedcore.inference.hypothesis_text import Linear, read_hypotheses
from mixedcore.inference.multiplicity import adjusted_p
from mixedcore.inference.tails import check_level
from mixedcore.inference.wald import joint_test, single_tests
from mixedcore.parameters import covariance_names
from mixedcore.results.contrast import ContrastResults, MultiCompResult, WaldTestResults
from mixedcore.results.fitted import Fitted
from mixedcore.terms import Floats


class LinearTests(Fitted):
    """Wald tests.

    They are those of statsmodels: the variances count as known, and t and F have n − p degrees of freedom.
    With few groups that is too optimistic; `tidy` and `anova` have Satterthwaite's. Hypotheses are text
    ('age = pretest', 'age = 0, pretest = 1'), lists of it, mappings {'age': 1}, arrays of coefficients
    ((p,) or (r, p)), pandas objects with the parameters' names, or pairs (R, q). Unlike there, text and
    one-dimensional arrays work in `t_test`, `wald_test` takes arrays on the fixed effects alone, and an
    aliased coefficient is named, not counted as zero.
    """

    @property
    def use_t(self) -> bool:
        """False: normal and χ² distributions are the default of the tests here."""
        return False

    def t_test(self, r_matrix: Any, use_t: bool | None = None) -> ContrastResults:
        """A test of each hypothesis on the fixed effects: z, or with `use_t` t on n − p degrees."""
        if not len(self._user.beta) and not isinstance(r_matrix, str):
            raise ModelError("This model has no fixed effects, so there is no hypothesis on them to test.")
        linear = self._on_fixed(read_hypotheses(r_matrix, self._names_and_aliased))
        df = self.df_resid if self._choice(use_t, "use_t") else None
        tests = single_tests(linear, self._user.beta, self._user.cov_beta, np.inf if df is None else df)
        return ContrastResults.of_single(tests, df)

    def f_test(self, r_matrix: Any, cov_p: Any = None, invcov: Any = None) -> ContrastResults:
        """An F test of all hypotheses together on n − p degrees of freedom; otherwise as `wald_test`."""
        return self.wald_test(r_matrix, cov_p=cov_p, invcov=invcov, use_f=True)

    def wald_test(
        self,
        r_matrix: Any,
        cov_p: Any = None,
        invcov: Any = None,
        use_f: bool | None = None,
        df_constraints: int | None = None,
        scalar: bool = True,
    ) -> ContrastResults:
        """A test of all hypotheses together, from χ², or with `use_f` from F on n − p degrees of freedom.

        r_matrix : hypotheses on the fixed effects (p columns) or on all `params` (p + k columns); a variance
                   near zero is not normally distributed: `compare` has the test for it
        cov_p    : (p, p) or (p + k, p + k), taken for the covariance of the parameters
        invcov   : (r, r), taken for the inverse covariance of the hypotheses
        df_constraints : taken for their number; by default the rank of their covariance
        scalar   : False gives the statistic as an array (1, 1)
        """
        linear = self._on_params(read_hypotheses(r_matrix, self._names_and_aliased))
        cov = self._covariance(cov_p, linear.R.shape[1])
        df = self.df_resid if self._choice(use_f, "use_f") else None
        test = joint_test(
            linear,
            self._packed[: linear.R.shape[1]],
            cov,
            df=np.inf if df is None else df,
            inverse=invcov,
            rank=df_constraints,
        )
        return ContrastResults.of_joint(test, df, scalar=scalar)

    def wald_test_terms(
        self,
        skip_single: bool = False,
        extra_constraints: Sequence[tuple[str, Any]] | None = None,
        combine_terms: Sequence[str] | None = None,
        scalar: bool = True,
    ) -> WaldTestResults:
        """A Wald test of each term of the formula: that all its coefficients are zero.

        skip_single       : leave out terms of one column
        extra_constraints : further (name, hypotheses)
        combine_terms     : texts; of each, the terms whose name holds it are tested together

        A term of which every column is aliased has no test and no row. From arrays, a column is a term.
        """
        terms, identity = self._term_columns(), np.eye(len(self._user.beta))
        tests = [(name, identity[at]) for name, at in terms if len(at) > 1 or not skip_single]
        for text in combine_terms or ():
            found = [j for name, at in terms if text in name for j in at]
            if not found:
                names = ", ".join(name for name, _ in terms)
                raise ModelError(f"combine_terms: no term has {text!r} in its name; there are {names}.")
            tests.append((text, identity[found]))
        tests += list(extra_constraints or ())
        done = [(name, self.wald_test(hypotheses, scalar=scalar)) for name, hypotheses in tests]
        rows = [(test.statistic, test.pvalue, int(test.df_denom or 0)) for _, test in done]
        columns = ["statistic", "pvalue", "df_constraint"]
        return WaldTestResults(pd.DataFrame(rows, index=[name for name, _ in done], columns=columns), "chi2")

    def t_test_pairwise(
        self,
        term_name: str,
        method: str | Sequence[str] = "hs",
        alpha: float = 0.05,
        factor_labels: Sequence[str] | None = None,
    ) -> MultiCompResult:
        """Differences between the levels of a factor, pair by pair, with p-values adjusted for their number.

        term_name : the factor as a term of the formula: 'recipe', 'C(school)'
        method    : one or several of `adjusted_p`: 'hs' (Holm–Sidak), 'bonferroni', 'fdr_bh', …

        Where the factor also stands in an interaction the differences are those at zero of the others;
        `marginal_means` averages over them.
        """
        names, coding, at = self._factor_coding(term_name)
        if factor_labels is not None:
            if len(factor_labels) != len(names):
                raise ModelError(
                    f"factor_labels has the wrong length: {len(factor_labels)}, should be {len(names)}."
                )
            names = list(factor_labels)
        low, high = np.triu_indices(len(names), 1)
        contrasts = np.zeros((low.size, len(self._user.beta)))
        contrasts[:, at] = coding[high] - coding[low]
        labels = [f"{names[b]}-{names[a]}" for a, b in zip(low, high, strict=True)]
        test = self.t_test(contrasts)
        table = test.summary_frame(xname=labels, alpha=check_level(alpha))
        for name in [method] if isinstance(method, str) else list(method):
            table[f"pvalue-{name}"] = adjusted_p(np.ravel(test.pvalue), name)
            table[f"reject-{name}"] = table[f"pvalue-{name}"] <= alpha
        width = len(self._packed) - contrasts.shape[1]
        return MultiCompResult(table, np.pad(contrasts, ((0, 0), (0, width))), term_name, labels, coding)

    # -- which parameters a hypothesis is about ---------------------------------------------------------

    @property
    def _names_and_aliased(self) -> list[str]:
        return [*self._param_names, *self.aliased]

    @property
    def _packed(self) -> Floats:
        return np.asarray(self.params, dtype=np.float64)

    def _choice(self, given: bool | None, name: str) -> bool:
        if given is not None and not isinstance(given, (bool, np.bool_)):
            raise ModelError(f"{name} is True, False or None, not {given!r}.")
        return self.use_t if given is None else bool(given)

    def _on_fixed(self, linear: Linear) -> Linear:
        """On the p fixed effects alone."""
        p, k_fe = len(self._user.beta), self.model.k_fe
        if not linear.named:
            if linear.R.shape[1] not in (p, k_fe):
                raise ModelError(
                    f"r_matrix for t-test should have {p} columns, one a fixed effect; it has "
                    f"{linear.R.shape[1]}."
                )
            return linear if linear.R.shape[1] == p else self._less_aliased(linear)
        on_all = self._on_params(linear)
        if on_all.R[:, p:].any():
            variance = covariance_names(self._estimate.terms)[int(on_all.R[:, p:].any(axis=0).argmax())]
            raise ModelError(
                f"{variance!r} is no fixed effect, and an estimate of it is far from normally distributed: "
                "for a variance see confint() and compare()."
            )
        return Linear(on_all.R[:, :p], on_all.q)

    def _on_params(self, linear: Linear) -> Linear:
        """On the p fixed effects, or on all p + k parameters."""
        R, q = linear.R, linear.q
        p, k_fe, P = len(self._user.beta), self.model.k_fe, len(self._packed)
        if linear.named:
            self._refuse_aliased(R[:, P:], self.aliased)
            return Linear(R[:, :P], q)
        if R.shape[1] in (p, P):
            return linear
        if R.shape[1] in (k_fe, k_fe + P - p):
            return self._less_aliased(linear)
        raise ModelError(
            f"r_matrix has {R.shape[1]} columns; give {p}, one a fixed effect, or {P}, one a parameter."
        )

    def _less_aliased(self, linear: Linear) -> Linear:
        """From coefficients on all columns of X (and more parameters behind them) to those in the fit."""
        lost = np.setdiff1d(np.arange(self.model.k_fe), self._user.kept)
        self._refuse_aliased(linear.R[:, lost], self.aliased)
        return Linear(np.delete(linear.R, lost, axis=1), linear.q)

    @staticmethod
    def _refuse_aliased(R: Floats, names: Sequence[str]) -> None:
        if R.any():
            name = names[int(R.any(axis=0).argmax())]
            raise ModelError(
                f"{name!r} was left out of the fit because other columns determine it, so no hypothesis on "
                "it can be tested. Write the hypothesis with the columns that stayed."
            )

    def _covariance(self, cov_p: Any, width: int) -> Floats:
        if cov_p is None:
            return np.asarray(self._cov_params)[:width, :width]
        cov = np.asarray(cov_p, dtype=np.float64)
        if cov.shape != (width, width):
            raise ModelError(f"cov_p is {cov.shape}; the hypotheses need ({width}, {width}).")
        return cov

    # -- terms of the fixed part -------------------------------------------------------------------------

    def _term_columns(self) -> list[tuple[str, list[int]]]:
        """Name of each term and its places among the p fixed effects; from arrays, each column by itself."""
        info = self.model.design.fixed_info
        if info is None:
            return [(name, [j]) for j, name in enumerate(self._fe_names)]
        place = {int(column): j for j, column in enumerate(self._user.kept)}

        def own() -> Iterator[tuple[str, list[int]]]:
            for name, columns in info.term_name_slices.items():
                at = [place[j] for j in range(columns.start, columns.stop) if j in place]
                if at:
                    yield name, at

        return list(own())

    def _factor_coding(self, term_name: str) -> tuple[list[Any], Floats, list[int]]:
        """Levels of a categorical main effect, its coding (levels, columns), and its places in β."""
        info: Any = self.model.design.fixed_info
        factors = {} if info is None else _main_factors(info)
        if term_name not in factors:
            known = ", ".join(map(repr, factors)) or "none"
            raise ModelError(f"{term_name!r} is no categorical main effect of the model; there are: {known}.")
        levels, coding = factors[term_name]
        columns = info.term_name_slices[term_name]
        kept = self._user.kept.tolist()
        lost = [self.model.exog_names[j] for j in range(columns.start, columns.stop) if j not in kept]
        self._refuse_aliased(np.ones((1, len(lost))), lost)
        return levels, coding, [kept.index(j) for j in range(columns.start, columns.stop)]


def _main_factors(info: Any) -> dict[str, tuple[list[Any], Floats]]:
    """Levels and coding of each categorical main effect of a patsy design, by its term's name."""
    found = {}
    for term, subterms in info.term_codings.items():
        if len(term.factors) != 1 or info.factor_infos[term.factors[0]].type != "categorical":
            continue
        (factor,) = term.factors
        parts = [part.contrast_matrices[factor].matrix for part in subterms]
        coding = np.hstack([np.asarray(part, dtype=np.float64) for part in parts])
        found[term.name()] = (list(info.factor_infos[factor].categories), coding)
    return found
