"""Tables of the report beside those of the Estimates page: F tests and ICC. Pure."""

from __future__ import annotations

import pandas as pd

from pages.ui.numbers import number, numbers, p_value, share
from pages.ui.tables import Table


def f_tests(anova: pd.DataFrame) -> Table:
    """`result.anova()`: one row a term."""
    values = pd.DataFrame(
        {
            "Term": anova["term"].map(str),
            "df": anova["num_df"].astype(float),
            "Error df": anova["den_df"].astype(float),
            "F": anova["statistic"].astype(float),
            "p": anova["p_value"].astype(float),
        }
    )
    shown = values.assign(
        **{
            "df": [number(value, 3) for value in values["df"]],
            "Error df": [number(value, 3) for value in values["Error df"]],
            "F": numbers(values["F"], 3),
            "p": [p_value(value) for value in values["p"]],
        }
    )
    return Table(shown, values, anova, "F tests of the terms", "f-tests")


def shares(icc: pd.DataFrame) -> Table:
    """`result.icc()`: of the variance that the predictors leave, the share at each level."""
    values = pd.DataFrame({"Level": icc["group"].map(str), "Share": icc["icc"].astype(float)})
    shown = values.assign(Share=[share(value) for value in values["Share"]])
    return Table(shown, values, icc, "Intraclass correlations", "icc")
