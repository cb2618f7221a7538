"""What the model expects of rows: the fitted ones or new ones."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mixedcore.results.fitted import Fitted
from mixedcore.terms import Floats


class Predictions(Fitted):
    """Predicted means."""

    def predict(self, exog: Any = None, transform: bool = True) -> pd.Series | Floats:
        """Fixed part Xβ + offset for the fitted rows, or for new data.

        New data need the offset's column if the offset was given as one; otherwise their prediction is Xβ.
        exog: a table with the formula's columns (rows with missing values are left out), or with
        `transform=False`, and for a model from arrays, the columns of X themselves.
        """
        if exog is None:
            return pd.Series(self._fixed_part, index=self.model.row_index)
        return self.model.predict(self.fe_params, exog, transform=transform)
