"""A fit as a file that may be opened without trusting it: JSON and NumPy arrays in a zip, nothing to execute.

    header.json   format and versions
    value.json    the value: a tree of plain values, with numbers for arrays and for objects met before
    arrays/k.npy  array k, never with Python objects in it

What is read back is only plain values, arrays, pandas objects made of them, and dataclasses of this package
filled field by field. patsy's codings are kept as values (`design.keep`), and the code of a formula must be
of the language that strangers may use, both when it is written and when it is read.
"""

from __future__ import annotations

import importlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from mixedcore.archive_values import MAKE, PLAIN_KINDS, to_parts
from mixedcore.design.design import Design
from mixedcore.design.evaluation import Namespace
from mixedcore.design.keep import KeptCoding, unsafe_code
from mixedcore.design.rowless import RowlessDesign
from mixedcore.design.stream import StreamDesign
from mixedcore.errors import DataError

FORMAT = 1
PACKAGE = "mixedcore"
FILLED = ("MixedLM", "MixedLMResults", "MixedLMParams")  # classes whose attributes are kept as they stand
_SEQUENCES: Mapping[str, Any] = {"list": list, "tuple": tuple, "frozenset": frozenset}
_UNREADABLE = (  # what a damaged file, or one made to do harm, may raise anywhere
    ArithmeticError, AttributeError, EOFError, ImportError, LookupError, RuntimeError, TypeError, ValueError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip

File = str | Path | IO[bytes]
Packed = Any  # what JSON can say


def write(file: File, value: Any) -> None:
    """Write a value; DataError, and no file, for one that holds what no file of this kind can."""
    packer = _Packer()
    tree = json.dumps(packer.pack(value), ensure_ascii=False)
    header = {"format": FORMAT, "package": PACKAGE, "numpy": np.__version__, "pandas": pd.__version__}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as into:
        into.writestr("header.json", json.dumps(header))
        into.writestr("value.json", tree)
        for number, array in enumerate(packer.arrays):
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            into.writestr(f"arrays/{number}.npy", buffer.getvalue())


def read(file: File) -> Any:
    """The value that `write` wrote; DataError for a file that is none of these, or of another version."""
    try:
        with zipfile.ZipFile(file) as found:
            header = json.loads(found.read("header.json"))
            if header["package"] != PACKAGE or header["format"] != FORMAT:
                raise DataError(
                    f"The file has format {header['format']} of {header['package']}; this version reads "
                    f"format {FORMAT} of {PACKAGE}."
                )
            return _Unpacker(found).unpack(json.loads(found.read("value.json")))
    except FileNotFoundError as err:
        raise DataError(f"There is no file {file}.") from err
    except DataError:
        raise
    except _UNREADABLE as err:
        raise DataError(
            f"The file cannot be read as a saved result ({type(err).__name__}: {err}). It is damaged, or was "
            "saved by something else or another version; pickled results are not read here."
        ) from err


@dataclass(eq=False)
class _Packer:
    """Values to what JSON can say."""

    arrays: list[Any] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    alive: list[Any] = field(default_factory=list)  # so that no other object takes the place of one in `seen`

    def pack(self, value: Any) -> Packed:
        """One value; an object met before by its number."""
        value = as_text(value)
        if value is None or isinstance(value, (bool, str)) or type(value) is int:
            return value
        if type(value) is float:
            return value if np.isfinite(value) else {"float": repr(value)}
        if id(value) in self.seen:
            return {"again": self.seen[id(value)]}
        packed = self._fresh(value)
        self.seen[id(value)] = len(self.alive)
        self.alive.append(value)
        return packed

    def _fresh(self, value: Any) -> Packed:
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, (list, tuple, frozenset)):
            kind = next(name for name, known in _SEQUENCES.items() if isinstance(value, known))
            return {kind: [self.pack(part) for part in value]}
        if isinstance(value, Mapping):
            return {"dict": [[self.pack(k), self.pack(v)] for k, v in value.items()]}
        if isinstance(value, slice):
            return {"slice": [self.pack(part) for part in (value.start, value.stop, value.step)]}
        if (parts := to_parts(value)) is not None:
            return {"made": parts[0], "of": [self.pack(part) for part in parts[1]]}
        found = {name: self.pack(part) for name, part in _content(value).items()}
        return {"object": f"{type(value).__module__}:{type(value).__qualname__}", "fields": found}

    def _array(self, array: Any) -> Packed:
        if array.dtype.kind in PLAIN_KINDS:
            self.arrays.append(array)
            return {"array": len(self.arrays) - 1}
        return {"objects": [self.pack(v) for v in array.ravel()], "shape": list(array.shape)}


def _content(value: Any) -> Mapping[str, Any]:
    """The fields of an object of this package; DataError for any other object."""
    if type(value).__module__.partition(".")[0] == PACKAGE:
        if isinstance(value, (Design, RowlessDesign)):
            plain = value.plain()
            _check_codings(plain)
            return plain
        if is_dataclass(value) and not isinstance(value, StreamDesign):
            return {f.name: getattr(value, f.name) for f in fields(value)}
        if type(value).__name__ in FILLED:
            return {name: part for name, part in vars(value).items() if not is_cached(value, name)}
    raise DataError(
        f"The result holds a {type(value).__module__}.{type(value).__qualname__}, which cannot be saved in a "
        "file that is safe to open. Leave it out of the model, or use pickle, for files of your own only."
    )


def as_text(value: Any) -> Any:
    """A formula of patsy's terms as text; anything else as it is."""
    is_formula = type(value).__module__.startswith("patsy.") and hasattr(value, "describe")
    return value.describe() if is_formula else value


def is_cached(value: Any, name: str) -> bool:
    """Whether an attribute is a cached property, which follows from the others."""
    return isinstance(getattr(type(value), name, None), cached_property)


def _check_codings(plain: Mapping[str, Any]) -> None:
    """DataError for a design whose formula is not of the language that strangers may use."""
    columns = list(plain["frame"].columns if plain.get("frame") is not None else plain.get("settled", ()))
    for code, names in _codes(plain):
        if (reason := unsafe_code(code, names, columns)) is not None:
            raise DataError(
                f"The formula cannot be kept in a file that is safe to open: {reason} Compute it as a column "
                "before the fit, or use pickle, for files of your own only."
            )


def _codes(plain: Mapping[str, Any]) -> Iterator[tuple[str, Namespace]]:
    """All code of a design that is evaluated, with the variables that it may use."""
    for coding in (plain.get("fixed_info"), plain.get("info"), *plain.get("re_infos", ())):
        if isinstance(coding, KeptCoding):
            yield from ((factor.code, factor.names) for factor in coding.factors)
    if plain.get("texts") is not None:
        yield from ((factor.code, plain["namespace"]) for factor in plain["texts"].spec().factors())


@dataclass(eq=False)
class _Unpacker:
    """What JSON says to values."""

    file: zipfile.ZipFile
    known: list[Any] = field(default_factory=list)

    def unpack(self, packed: Packed) -> Any:
        """One value."""
        if packed is None or isinstance(packed, (bool, str, int, float)):
            return packed
        if "float" in packed:
            return float(packed["float"])
        if "again" in packed:
            return self.known[packed["again"]]
        value = self._fresh(packed)
        self.known.append(value)
        return value

    def _fresh(self, packed: Mapping[str, Any]) -> Any:
        kind = next(iter(packed), "")
        if kind == "dict":
            return {self.unpack(k): self.unpack(v) for k, v in packed["dict"]}
        if kind == "object":
            return _object(packed["object"], {k: self.unpack(v) for k, v in packed["fields"].items()})
        if kind == "array":
            return self._array(packed["array"])
        if kind == "made":
            return MAKE[packed["made"]](*self._each(packed["of"]))
        if kind == "objects":
            out = np.empty(len(packed["objects"]), dtype=object)
            out[:] = self._each(packed["objects"])
            return out.reshape(packed["shape"])
        parts = self._each(packed[kind])
        return (
            slice(*parts)
            if kind == "slice"
            else {"list": list, "tuple": tuple, "frozenset": frozenset}[kind](parts)
        )

    def _each(self, packed: Sequence[Packed]) -> list[Any]:
        return [self.unpack(part) for part in packed]

    def _array(self, number: int) -> Any:
        return np.load(io.BytesIO(self.file.read(f"arrays/{int(number)}.npy")), allow_pickle=False)


def _object(path: str, found: dict[str, Any]) -> Any:
    """An object of this package from its fields."""
    module, _, name = path.partition(":")
    if module.partition(".")[0] != PACKAGE:
        raise DataError(f"The file holds a {path}, which is not of this package.")
    cls = getattr(importlib.import_module(module), name)
    if cls.__module__ != module or cls is StreamDesign:
        raise DataError(f"The file holds a {path}, which no saved result has.")
    if cls in (Design, RowlessDesign):
        _check_codings(found)
        return cls.of_plain(found)
    if name not in FILLED and set(found) != {f.name for f in fields(cls)}:
        raise DataError(f"The file was saved by another version: {name} has other fields there.")
    made = cls.__new__(cls)
    for attribute, part in found.items():
        object.__setattr__(made, attribute, part)
    return made
