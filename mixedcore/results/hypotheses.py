"""Tests of hypotheses about the fixed effects."""

from __future__ import annotations

import pandas as pd

from mixedcore.fixed_terms import fixed_terms
from mixedcore.inference.hypotheses import Ddf
from mixedcore.inference.term_hypotheses import AnovaType, anova_table
from mixedcore.results.fitted import Fitted


class FixedTests(Fitted):
    """Tests of the terms of the fixed part."""

    def anova(self, type: AnovaType = 3, *, ddf: Ddf = "satterthwaite") -> pd.DataFrame:  # noqa: A002 (as users know it)
        """F test of every term: `term, sum_sq, mean_sq, num_df, den_df, statistic, p_value`.

        type : 1, each term after those before it, main effects first; 2, after all that do not contain it;
               3, on means with equal weights for every cell, whatever the contrasts of the formula. A term
               contains another if it has the same numeric variables and more categories (SAS, lmerTest), so
               that the test of `a` in `a * x` is one at x = 0.
        ddf  : 'satterthwaite' (Fai & Cornelius), 'kenward-roger' (REML only), 'residual' (n − p), or
               'normal': num_df times the statistic is then a Wald chi-square, and den_df infinite

        Types 1 and 2 go by X'X, rows counting alike, as in lmerTest. For type 2 car goes by the covariance of
        β, which is the same for terms that no other contains, and for balanced designs.

        sum_sq and mean_sq are the statistic in units of σ², as in lmerTest. A model from arrays has one row a
        column of X. Where cells are empty, num_df counts what can still be tested of a term.
        """
        design = self.model.design
        terms = fixed_terms(design.fixed_info, design.fixed_terms, design.fe_names)
        return anova_table(self._information, terms, type_=type, ddf=ddf)
