"""The test command without a Chromium: one line that says what to do, and a failure, never a skip."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import __main__ as command
from tests.browser import chromium


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing installed, and nothing can be."""
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setattr(chromium, "_candidates", lambda: iter(()))
    monkeypatch.setattr(chromium, "_succeeds", lambda asked: False)
    return monkeypatch


def test_a_named_program_that_is_missing_is_named_in_the_message(bare_machine: pytest.MonkeyPatch) -> None:
    bare_machine.setenv(chromium.VARIABLE, "nowhere/chromium")
    with pytest.raises(chromium.NoChromiumError, match="nowhere/chromium"):
        chromium.find_or_install()


def test_a_program_that_does_not_start_is_passed_over(
    bare_machine: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("no program")
    # Python stands for a browser: it starts, and it prints its version.
    bare_machine.setattr(chromium, "_candidates", lambda: iter((broken, Path(sys.executable))))
    assert chromium.find() == Path(sys.executable)


@pytest.mark.usefixtures("bare_machine")
def test_the_command_fails_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert chromium.VARIABLE in said
    assert "--no-browser" in said


@pytest.mark.usefixtures("bare_machine")
def test_the_command_runs_the_other_tests_when_asked() -> None:
    """Pytest's own list of markers stands for a test run."""
    assert command.main(["--no-browser", "-n0", "--markers"]) == 0


def test_an_installation_is_tried_and_its_result_used(bare_machine: pytest.MonkeyPatch) -> None:
    installed: list[list[str]] = []

    def install(asked: list[str]) -> bool:
        installed.append(asked)
        return True

    def candidates() -> list[Path]:
        return [Path(sys.executable)] if installed else []

    bare_machine.setattr(chromium, "_succeeds", install)
    bare_machine.setattr(chromium, "_candidates", candidates)
    assert chromium.find_or_install() == Path(sys.executable)
