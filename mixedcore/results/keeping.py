"""A fit on file, and a fit without its data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from mixedcore import archive
from mixedcore.design.rowless import RowlessDesign, without_rows
from mixedcore.design.stream import StreamDesign
from mixedcore.engine.rows import NoRows
from mixedcore.errors import DataError
from mixedcore.inference.information import VarianceInformation
from mixedcore.results.fitted import Fitted
from mixedcore.units import UserUnits

T = TypeVar("T")


class Keeping(Fitted):
    """Save, load, and let go of the rows. `pickle`, `joblib` and `copy.deepcopy` work too."""

    def save(self, fname: archive.File, remove_data: bool = False) -> None:
        """Write the fit to a file (a path, or an open binary file) that `load` reads: safe to open.

        remove_data : leave out whatever has an entry a row; so it is for a fit whose rows came in chunks

        A zip of JSON and NumPy arrays, where statsmodels writes a pickle, which runs whatever it holds. The
        fit is stored, not made again, and not changed, also with `remove_data`. Raises DataError for what no
        such file can hold: a formula that calls functions of your own, labels of unusual types.
        """
        archive.write(fname, self._without_rows() if remove_data or self._in_chunks else self)

    @classmethod
    def load(cls, fname: archive.File) -> Any:
        """The fit that `save` wrote; DataError for any other file, a pickle included, or another version."""
        found = archive.read(fname)
        user = getattr(found, "_user", None)
        if (
            not isinstance(found, cls)
            or not isinstance(user, UserUnits)
            or user.estimate is not found._estimate
        ):
            raise DataError(f"The file holds a {type(found).__name__} that is no whole result.")
        found._keep_products()
        return found

    def remove_data(self) -> None:
        """Let go of the rows of this result and of its model, to take less memory; works at any time.

        What has an entry a row (`resid`, `fittedvalues`, `augment`, …) is refused from then on; the rest
        stays, `predict` for new data and `model.fit` included. Other results of the model keep their rows.
        """
        self.__dict__ = self._without_rows().__dict__

    def _without_rows(self) -> Keeping:
        """The same fit of a model without rows."""
        estimate = self._user.estimate
        out = _uncached(self)
        out.model = _uncached(self.model)
        out.model._design = RowlessDesign.of(self.model.design)
        out._estimate = replace(estimate, terms=tuple(map(without_rows, estimate.terms)))
        out._user = UserUnits(out._estimate, NoRows())
        out._information = VarianceInformation(out._user)
        out._keep_products()
        return out

    def _keep_products(self) -> None:
        """Give the model the cross-products of the fit, so that it needs no rows to be fitted again."""
        point = self._estimate.evaluation
        self.model.__dict__["_products"] = (point.cp, point.factor.plan)

    @property
    def _in_chunks(self) -> bool:
        design = self.model.design
        return isinstance(design, StreamDesign) and not isinstance(design, RowlessDesign)

    def __getstate__(self) -> dict[str, Any]:
        """Rows that came in chunks stay behind: what reads them, a function maybe, need not be picklable."""
        kept = self._without_rows() if self._in_chunks else _uncached(self)
        kept.model = _uncached(kept.model)
        return vars(kept)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._keep_products()


def _uncached(value: T) -> T:
    """A copy without what follows from the rest, formulas of patsy's terms as text."""
    out = type(value).__new__(type(value))
    for name, part in vars(value).items():
        if isinstance(part, dict):
            part = {key: archive.as_text(text) for key, text in part.items()}
        if not archive.is_cached(value, name):
            vars(out)[name] = archive.as_text(part)
    return out
