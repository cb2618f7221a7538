"""What a report is made of: a fit, its data, the choices, and the tables as the Estimates page has them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from mixedcore import MixedLMResults
from mixedcore.errors import MixedCoreError
from mixedcore.inference.hypotheses import Ddf
from pages.ui.compare.comparing import Comparison
from pages.ui.data.dataset import Dataset
from pages.ui.data.exclusions import Exclusion
from pages.ui.model.equations import Equations
from pages.ui.model.modelcall import ModelCall
from pages.ui.report.choices import ReportChoices
from pages.ui.results import computed
from pages.ui.results.computed import WALD, Intervals


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a report is made of.

    data, all_rows : in use, and before rows were left out
    kept : the models kept, fitted so that they can be compared, or None
    equations : the model in mathematics, or None where it has none
    ddf, intervals : as chosen on the Estimates page, so that report and page agree
    named : what the intervals of fixed effects and of the random part are called
    """

    choices: ReportChoices
    data: Dataset
    all_rows: Dataset
    exclusions: tuple[Exclusion, ...]
    call: ModelCall
    described: str
    result: MixedLMResults
    kept: Comparison | None = None
    equations: Equations | None = None
    ddf: Ddf = "satterthwaite"
    intervals: Intervals = WALD
    named: tuple[str, str] = ("Wald", "Wald")

    @property
    def fixed(self) -> pd.DataFrame:
        """`result.tidy(effects="fixed")` with the chosen degrees of freedom and intervals."""
        tidy = self.result.tidy(effects="fixed", ddf=self.ddf, level=self.choices.level)
        return computed.in_fixed(tidy, self.intervals)

    @property
    def random(self) -> pd.DataFrame:
        """`result.tidy(effects="random")` with the chosen intervals."""
        return computed.in_random(
            self.result.tidy(effects="random", level=self.choices.level), self.intervals
        )

    @property
    def tests(self) -> pd.DataFrame | str:
        """F tests of the terms; or why there are none."""
        try:
            return self.result.anova(ddf=self.ddf)
        except MixedCoreError as err:
            return str(err)
