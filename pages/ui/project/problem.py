"""What is wrong with a project file, in a sentence; and small checks that say it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


class ProjectError(ValueError):
    """The file is no project that this app can open; the message says why in a plain sentence."""


DAMAGED = "The project file is damaged or was changed: {what}."


def damaged(what: str) -> ProjectError:
    """A part of the file is not as this app writes it."""
    return ProjectError(DAMAGED.format(what=what))


def mapping(value: object, where: str, keys: Collection[str]) -> dict[str, Any]:
    """A JSON object with exactly these keys."""
    if not isinstance(value, dict) or set(value) != set(keys):
        raise damaged(f"{where} is not complete")
    return value


def listing(value: object, where: str, most: int) -> list[Any]:
    """A JSON list of at most `most` items."""
    if not isinstance(value, list) or len(value) > most:
        raise damaged(f"{where} is not a list, or too long a one")
    return value


def text(value: object, where: str, most: int = 20_000) -> str:
    """A text of bounded length."""
    if not isinstance(value, str) or len(value) > most:
        raise damaged(f"{where} is not a text, or too long a one")
    return value


def texts(value: object, where: str, most: int = 2_000) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(each, where) for each in listing(value, where, most))
