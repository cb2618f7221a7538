"""The data of a session as a value, with a digest of its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A table ready for a model.

    name   : what people call it, plain text from a file name or an example's title
    frame  : one row an observation; typed columns
    digest : `digest_of(frame)`, the key of everything computed from it
    source : 'example:<name>' or 'upload:<file name>'
    notes  : what reading and typing changed, in plain sentences
    reader : Python lines that read `data` from the file, imports first; none for an example
    code   : Python lines that make `data` this table once it has been read (new columns, filters, exclusions)
    """

    name: str
    frame: pd.DataFrame
    digest: str
    source: str
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    reader: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        frame: pd.DataFrame,
        source: str,
        notes: tuple[str, ...] = (),
        code: tuple[str, ...] = (),
        reader: tuple[str, ...] = (),
    ) -> Dataset:
        """A Dataset with its digest computed, once."""
        return cls(name, frame, digest_of(frame), source, notes, code, reader)


def digest_of(frame: pd.DataFrame) -> str:
    """Hexadecimal digest of names, types, index and every single value of `frame`.

    Streamlit's own cache keys look at a sample of large frames; a changed cell must never be missed.
    """
    digest = hashlib.sha256(repr(frame.shape).encode())
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        digest.update(repr((name, str(column.dtype))).encode("utf-8", "surrogatepass"))
        if isinstance(column.dtype, pd.CategoricalDtype):
            # Hashes of values do not depend on the order of the levels; a model does.
            digest.update(
                repr((list(column.cat.categories), column.cat.ordered)).encode("utf-8", "surrogatepass")
            )
    digest.update(np.ascontiguousarray(pd.util.hash_pandas_object(frame).to_numpy()).tobytes())
    return digest.hexdigest()
