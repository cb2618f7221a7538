"""Find a Chromium for the browser tests, or get one; standard library only, so that it starts anywhere.

Order: the one that MIXEDCORE_CHROMIUM names; one that is installed; Playwright's own; then, only by
`find_or_install`, Debian's package (as root) and Playwright's download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "MIXEDCORE_CHROMIUM"
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PROGRAMS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
REMEDY = (
    f"No Chromium for the browser tests: install Chromium or Chrome, or set {VARIABLE} to one, "
    "or run `python -m playwright install --with-deps chromium`; `--no-browser` leaves these tests out."
)
_PLAYWRIGHT_PATH = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as p: print(p.chromium.executable_path)"
)


class NoChromiumError(Exception):
    """There is no Chromium that starts; the message is one line that says what to do."""


def find() -> Path:
    """The first Chromium that starts, without installing anything. Raises NoChromiumError."""
    named = os.environ.get(VARIABLE)
    if named:
        if _starts(Path(named)):
            return Path(named)
        raise NoChromiumError(f"{VARIABLE} names {named!r}, which is not a Chromium that starts here.")
    for program in _candidates():
        if _starts(program):
            return program
    raise NoChromiumError(REMEDY)


def find_or_install() -> Path:
    """As `find`, after trying Debian's package and Playwright's download. Raises NoChromiumError."""
    try:
        return find()
    except NoChromiumError:
        if VARIABLE in os.environ:
            raise
    for commands in _installers():
        if all(_succeeds(command) for command in commands):
            try:
                return find()
            except NoChromiumError:
                continue
    raise NoChromiumError(REMEDY)


def _candidates() -> Iterator[Path]:
    for command in COMMANDS:
        if found := shutil.which(command):
            yield Path(found)
    yield from (Path(program) for program in PROGRAMS)
    # Asked last and in a process of its own: starting Playwright takes half a second.
    question = [sys.executable, "-c", _PLAYWRIGHT_PATH]
    asked = subprocess.run(question, capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        yield Path(asked.stdout.strip())


def _installers() -> Iterator[list[list[str]]]:
    """Each a list of commands that together put a Chromium on this machine."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root and shutil.which("apt-get"):
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
        yield [["apt-get", "update"], install]
    download = [sys.executable, "-m", "playwright", "install"]
    yield [[*download, *(["--with-deps"] if is_root else []), "chromium"]]


def _succeeds(command: list[str]) -> bool:
    print("Getting a Chromium:", " ".join(command), flush=True)  # noqa: T201 - it can take minutes
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=600, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _starts(program: Path) -> bool:
    """Whether the program exists and has its libraries; Chrome on Windows does not print its version."""
    if not program.is_file():
        return False
    if os.name == "nt":
        return True
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and bool(asked.stdout.strip())
