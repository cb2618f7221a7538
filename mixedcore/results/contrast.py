"""What tests of hypotheses return: the members that statsmodels' containers have, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd

from mixedcore.errors import ModelError
from mixedcore.inference.tails import check_level, upper_normal, upper_t
from mixedcore.inference.wald import JointTest, SingleTests
from mixedcore.summary import Summary, number, p_text
from mixedcore.terms import Floats

Distribution = Literal["norm", "t", "chi2", "F"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ContrastResults:
    """Tests of linear hypotheses: one a row ('norm', 't'), or of all together ('chi2', 'F').

    effect      (r,) estimates Rβ̂; None for a joint test
    sd          standard errors; None for a joint test
    statistic   z, t, Wald χ² or F statistic; also as `tvalue`, and an F as `fvalue`
    pvalue      two-sided for z and t, upper tail for χ² and F, from survival functions
    df_denom    degrees of freedom of t, of χ² (the number of hypotheses) or of F's denominator
    df_num      of F's numerator: the number of hypotheses
    distribution, dist, dist_args   'norm', 't', 'chi2' or 'F'; SciPy's distribution and its arguments

    Shapes are statsmodels': a single hypothesis has effect (1,), sd and statistic (1, 1), pvalue ().
    """

    distribution: Distribution
    statistic: Any
    pvalue: Any
    effect: Floats | None = None
    sd: Any = None
    df_denom: float | None = None
    df_num: float | None = None

    @classmethod
    def of_single(cls, tests: SingleTests, df: float | None) -> ContrastResults:
        """From one test a row; `df` None for the normal distribution."""
        shape = (1, 1) if tests.effect.size == 1 else tests.effect.shape
        sd, statistic = tests.sd.reshape(shape), tests.statistic.reshape(shape)
        distribution: Distribution = "norm" if df is None else "t"
        return cls(distribution, statistic, np.squeeze(tests.p), tests.effect, sd, df)

    @classmethod
    def of_joint(cls, test: JointTest, df: float | None, *, scalar: bool = True) -> ContrastResults:
        """From a joint test; `df` None for χ²; `scalar` False gives the statistic as (1, 1)."""
        value = test.statistic if df is None else test.statistic / test.rank
        statistic = value if scalar else np.array([[value]])
        p = np.float64(test.p)
        if df is None:
            return cls("chi2", statistic, p, df_denom=float(test.rank))
        return cls("F", statistic, p, df_denom=df, df_num=float(test.rank))

    @property
    def tvalue(self) -> Any:
        """The statistic, unless it is an F."""
        return self.statistic if self.distribution != "F" else _absent("tvalue", "an F test")

    @property
    def fvalue(self) -> Any:
        """The statistic of an F test."""
        return self.statistic if self.distribution == "F" else _absent("fvalue", "a test on another one")

    @property
    def c_names(self) -> list[str] | None:
        """c0, c1, … for the rows; None for a joint test."""
        return None if self.effect is None else [f"c{i}" for i in range(len(self.effect))]

    @property
    def dist(self) -> Any:
        """SciPy's distribution of the statistic."""
        from scipy import stats  # here, because it loads slowly

        return getattr(stats, self.distribution.lower())

    @property
    def dist_args(self) -> tuple[float, ...]:
        """Arguments of `dist`: degrees of freedom."""
        found = {"t": (self.df_denom,), "F": (self.df_num, self.df_denom), "chi2": (self.df_denom,)}
        return tuple(float(df) for df in found.get(self.distribution, ()) if df is not None)

    def conf_int(self, alpha: float = 0.05) -> Floats:
        """Interval of each effect, (r, 2); ModelError for a joint test, which has none."""
        effect, sd = self._rows("interval")
        level = check_level(alpha) / 2
        q = upper_normal(level) if self.df_denom is None else float(upper_t(level, np.asarray(self.df_denom)))
        return np.column_stack([effect - q * sd, effect + q * sd])

    def summary_frame(self, xname: Sequence[str] | None = None, alpha: float = 0.05) -> pd.DataFrame:
        """One row a hypothesis: `coef, std err, z, P>|z|, Conf. Int. Low, Conf. Int. Upp.`, or with t."""
        effect, sd = self._rows("table")
        letter, (low, high) = self._letter, self.conf_int(alpha).T
        return pd.DataFrame(
            {
                "coef": effect,
                "std err": sd,
                letter: np.ravel(self.statistic),
                f"P>|{letter}|": np.ravel(self.pvalue),
                "Conf. Int. Low": low,
                "Conf. Int. Upp.": high,
            },
            index=self._row_names(xname),
        )

    def summary(
        self, xname: Sequence[str] | None = None, alpha: float = 0.05, title: str | None = None
    ) -> Summary | str:
        """A table of the tests with significant digits; of a joint test one line of text."""
        if self.effect is None:
            return self._line()
        rows = [
            [number(e), number(s), f"{t:.3f}", p_text(p), number(a), number(b)]
            for e, s, t, p, a, b in self.summary_frame(alpha=alpha).to_numpy()
        ]
        columns = ["coef", "std err", self._letter, f"P>|{self._letter}|"]
        columns += [f"[{alpha / 2:g}", f"{1 - alpha / 2:g}]"]
        table = pd.DataFrame(rows, index=self._row_names(xname), columns=columns)
        return Summary("Test for Constraints" if title is None else title, (), table, ())

    @property
    def _letter(self) -> str:
        return "t" if self.distribution == "t" else "z"

    def _row_names(self, xname: Sequence[str] | None) -> list[str]:
        names = list(self.c_names or []) if xname is None else list(xname)
        if len(names) != len(self.c_names or []):
            raise ModelError(f"xname has {len(names)} names for {len(self.c_names or [])} hypotheses.")
        return names

    def _rows(self, what: str) -> tuple[Floats, Floats]:
        """Effect and standard error, (r,) each."""
        if self.effect is None:
            raise ModelError(f"A joint test has no {what} of each hypothesis; t_test has.")
        return self.effect, np.ravel(self.sd)

    def _line(self) -> str:
        if self.distribution == "F":
            return (
                f"<F test: F={self.statistic}, p={self.pvalue}, df_denom={self.df_denom:.6g}, "
                f"df_num={self.df_num:.3g}>"
            )
        return (
            f"<Wald test (chi2): statistic={self.statistic}, p-value={self.pvalue}, "
            f"df_denom={self.df_denom:.3g}>"
        )

    def __str__(self) -> str:
        return str(self.summary())

    def __repr__(self) -> str:
        return f"{type(self)}\n{self}"


def _absent(name: str, kind: str) -> NoReturn:
    raise AttributeError(f"{name} is not there for {kind}; `statistic` always is.")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WaldTestResults:
    """Joint tests of whole terms.

    table : one row a term: `statistic, pvalue, df_constraint`, and `df_denom` of an F test
    """

    table: pd.DataFrame
    distribution: Distribution

    @property
    def statistic(self) -> Any:
        """The statistics, one a term."""
        return self.table["statistic"].to_numpy()

    @property
    def pvalues(self) -> Any:
        """Upper-tail p-values, one a term."""
        return self.table["pvalue"].to_numpy()

    @property
    def df_constraints(self) -> Any:
        """Coefficients tested, one number a term."""
        return self.table["df_constraint"].to_numpy()

    @property
    def col_names(self) -> list[str]:
        """Column names of `summary_frame`."""
        names = [self.distribution, f"P>{self.distribution}", "df constraint", "df denom"]
        return names[: self.table.shape[1]]

    def summary_frame(self) -> pd.DataFrame:
        """The table under printed names: `chi2, P>chi2, df constraint`."""
        return self.table.set_axis(self.col_names, axis=1)

    def __str__(self) -> str:
        return self.summary_frame().to_string()

    def __repr__(self) -> str:
        return f"{type(self)}\n{self}"


@dataclass(frozen=True, slots=True, eq=False)
class MultiCompResult:
    """Pairwise comparisons of the levels of one factor.

    result_frame         one row a pair, as `ContrastResults.summary_frame`, with `pvalue-…` and `reject-…`
    contrasts            (pairs, P) coefficients on `params`
    term                 the term's name
    contrast_labels      'B-A', … for the rows
    term_encoding_matrix (levels, columns) the factor's coding
    """

    result_frame: pd.DataFrame
    contrasts: Floats
    term: str
    contrast_labels: list[str]
    term_encoding_matrix: Floats
