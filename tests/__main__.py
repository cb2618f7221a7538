"""Run every test: `python -m tests [--no-browser] [arguments of pytest]`.

Finds or installs a Chromium first, so that its absence is one line at the start and not an error a test.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import threads
from tests.browser import chromium

ROOT = Path(__file__).parents[1]
# Each worker may start an app and a browser: more than four would fill a laptop's memory.
WORKERS = min(os.cpu_count() or 1, 4)


def main(arguments: list[str]) -> int:
    """Run pytest with these arguments; its exit status, or 2 without a Chromium."""
    threads.limit()
    command = [sys.executable, "-m", "pytest"]
    if not _says_how_many_workers(arguments):
        # A file's tests stay together, so that a module's fixtures are made once.
        command += [f"--numprocesses={WORKERS}", "--dist=loadfile"]
    if "--no-browser" in arguments:
        arguments = [argument for argument in arguments if argument != "--no-browser"]
        command += ["-m", "not browser"]
    else:
        try:
            os.environ[chromium.VARIABLE] = str(chromium.find_or_install())
        except chromium.NoChromiumError as missing:
            print(missing, file=sys.stderr)
            return 2
    return subprocess.run([*command, *arguments], cwd=ROOT, check=False).returncode


def _says_how_many_workers(arguments: list[str]) -> bool:
    return any(argument.startswith(("-n", "--numprocesses")) for argument in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
