"""Frozen dataclasses of plain values ⇄ what JSON can hold, strictly checked on the way back. Pure.

The annotations of the fields are the schema: text, whole numbers, numbers, truth values, None, Literal,
tuples, unions of those, and further dataclasses, told apart by their `kind`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
LONGEST_TEXT = 10_000
MOST_ENTRIES = 100_000
NAMES: dict[Any, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", NoneType: "nothing",
}  # fmt: skip


class UnreadError(ValueError):
    """Content that does not have the form its class asks for; the message names the part."""


def written(value: Any) -> dict[str, Any]:
    """The fields of a dataclass as plain values."""
    return {field.name: _written(getattr(value, field.name)) for field in fields(value)}


def _written(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": getattr(value, "kind", ""), **written(value)}
    return [_written(each) for each in value] if isinstance(value, tuple) else value


def read(cls: type[T], content: object, where: str = "") -> T:
    """A value of the dataclass `cls`; raises UnreadError for anything absent, unknown or wrong."""
    if not isinstance(content, Mapping):
        raise UnreadError(f"{where or 'it'} must be a table of named parts.")
    kind = getattr(cls, "kind", "")
    if content.get("kind", kind) != kind:
        raise UnreadError(f"{where or 'it'} is not of the kind {kind!r}.")
    hints = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    unknown = [name for name in content if name not in known and name != "kind"]
    if unknown:
        raise UnreadError(f"{where or 'it'} has a part {str(unknown[0])[:40]!r} that is not known.")
    absent = [name for name, field in known.items() if name not in content and field.default is MISSING]
    if absent:
        raise UnreadError(f"its part {absent[0]!r} is missing.")
    parts = {name: _read(hints[name], content[name], name) for name in known if name in content}
    return cls(**parts)


def _read(hint: Any, value: object, where: str) -> Any:
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _one_of(options, value, where)
    if origin is Literal:
        if not any(value == each and type(value) is type(each) for each in options):
            raise UnreadError(f"its part {where!r} must be one of {', '.join(map(str, options))}.")
        return value
    if origin is tuple:
        return _tuple(options, value, where)
    if is_dataclass(hint):
        return read(hint, value, where)  # type: ignore[arg-type]
    if not _is(hint, value):
        raise UnreadError(f"its part {where!r} must be {NAMES[hint]}.")
    return float(value) if hint is float else value  # type: ignore[arg-type]


def _one_of(options: tuple[Any, ...], value: object, where: str) -> Any:
    """The first option that takes the value; of several dataclasses the one of its kind."""
    reasons = []
    if isinstance(value, Mapping):
        options = tuple(each for each in options if getattr(each, "kind", None) == value.get("kind"))
    for option in options:
        try:
            return _read(option, value, where)
        except UnreadError as err:
            reasons.append(str(err))
    raise UnreadError(
        reasons[0] if len(reasons) == 1 else f"its part {where!r} is not of a kind that is known."
    )


def _tuple(options: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or len(value) > MOST_ENTRIES:
        raise UnreadError(f"its part {where!r} must be a list.")
    if options[-1] is Ellipsis:
        return tuple(_read(options[0], each, where) for each in value)
    if len(value) != len(options):
        raise UnreadError(f"its part {where!r} must be a list of {len(options)}.")
    return tuple(_read(hint, each, where) for hint, each in zip(options, value, strict=True))


def _is(hint: Any, value: object) -> bool:
    if hint is str:
        return isinstance(value, str) and len(value) <= LONGEST_TEXT
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return hint in NAMES and isinstance(value, hint)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False
