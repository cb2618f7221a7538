"""For the tests of the formula check: a refusal, and the proof that nothing was evaluated before it.

The proof is Python's own audit events: `exec` is raised whenever code is executed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from mixedcore.errors import FormulaError
from mixedcore.formula import check_formula

COLUMNS = ["y", "x", "z", "w", "g", "h", "sex", "odd name", "a.b", "class", "µ", "Größe", "age"]

_executed: list[str] = []
EVENTS = ("exec", "import", "open", "os.system", "subprocess.Popen", "socket.connect")
_watching = 0  # the thread that is looked at: others, of earlier tests, may do as they like


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _watching == threading.get_ident() and event in EVENTS:
        _executed.append(event)


sys.addaudithook(_audit)  # a hook cannot be removed, so it looks only while `nothing_runs`


@contextmanager
def nothing_runs() -> Iterator[None]:
    """Fail if anything was executed, imported or opened inside."""
    global _watching
    _executed.clear()
    _watching = threading.get_ident()
    try:
        yield
    finally:
        _watching = 0
    assert _executed == []


def refusal(formula: str, columns: Iterable[str] = COLUMNS) -> str:
    """The sentence with which `formula` is refused, unevaluated."""
    with nothing_runs(), pytest.raises(FormulaError) as caught:
        check_formula(formula, columns)
    message = str(caught.value)
    assert message[-1] in ".?"
    assert "Traceback" not in message
    return message
