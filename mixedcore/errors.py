"""Every error that a user of mixedcore may want to catch, in one tree.

    MixedCoreError (ValueError)
    ├── FormulaError             a formula that cannot be read, is not allowed, or names no column
    ├── DataError                data that cannot be used as asked
    │   └── MissingValuesError   missing or infinite values where none are allowed
    ├── ModelError               a model that cannot be fitted to these data
    └── NotPositiveDefiniteError a system without a Cholesky factor (never numpy's LinAlgError)

A message says what was found, where, and what to do.
"""

from __future__ import annotations


class MixedCoreError(ValueError):
    """Base of every error of this library; a `ValueError`, as statsmodels raises."""


class FormulaError(MixedCoreError):
    """A formula that cannot be read, uses what is not allowed, or names an unknown column."""


class DataError(MixedCoreError):
    """Data that cannot be used as asked: wrong type, length, alignment or content."""


class MissingValuesError(DataError):
    """Missing or infinite values where the model allows none."""


class ModelError(MixedCoreError):
    """A model that these data cannot support, or an argument that does not fit the model."""


class NotPositiveDefiniteError(MixedCoreError):
    """A matrix that must be positive definite is not; the message says which and why."""


def rows_not_kept(what: str) -> DataError:
    """For what has one entry a row, asked of a fit whose rows were read in chunks, or removed."""
    return DataError(
        f"The rows of this fit were not kept (read in chunks, or removed), and there is {what} for every "
        "row. Work on one chunk at a time: result.predict(chunk) gives its fixed part; or fit to a table in "
        "memory."
    )
