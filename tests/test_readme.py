"""The README tells the truth: its Python runs, its commands and links exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_the_python_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    """In order and in one namespace, as somebody would paste them into a notebook."""
    namespace: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102 - our own text, that is the point
    assert "pretest" in capsys.readouterr().out


@pytest.mark.parametrize("command", blocks("sh"), ids=lambda text: text.split()[-1])
def test_a_command_names_files_that_exist(command: str) -> None:
    for file in re.findall(r"\S+\.(?:txt|py)\b", command):
        assert (ROOT / file).is_file()


def test_there_are_the_two_commands() -> None:
    app, tests = blocks("sh")[:2]
    assert app.count("\n") == tests.count("\n") == 1
    assert app.endswith("streamlit run app.py\n")
    assert tests.endswith("python -m tests\n")


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_a_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
