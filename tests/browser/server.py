"""The app as a person starts it: `streamlit run app.py` in a process of its own, on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0  # a loaded two-core machine with cold file caches needs about ten


@dataclass(frozen=True, slots=True)
class Server:
    """A running app.

    url : where it listens, without a trailing slash
    log : file with everything that it printed
    pid : number of its process
    """

    url: str
    log: Path
    pid: int

    def health(self) -> str:
        """The body of the health endpoint, 'ok' when the server is up. Raises URLError."""
        with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as answer:
            return str(answer.read().decode())

    def printed(self) -> str:
        """What the server wrote to its console so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(app: Path = ROOT / "app.py") -> Iterator[Server]:
    """Start the app with the repository's own configuration, wait until it answers, stop it at the end."""
    port = _free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "server.log"
        with file.open("wb") as log:
            process = subprocess.Popen(
                _command(app, port),
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            server = Server(f"http://localhost:{port}", file, process.pid)
            try:
                _wait_until_it_answers(server, process)
                yield server
            finally:
                process.terminate()
                process.wait(timeout=20)


def _command(app: Path, port: int) -> list[str]:
    options = {"server.port": port, "server.headless": "true", "server.fileWatcherType": "none"}
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(app), *flags]


def _environment() -> dict[str, str]:
    # PYTHONPATH of the caller could stand in for what `streamlit run` itself puts on the path.
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(server: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            if server.health() == "ok":
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The app did not start:\n{server.printed()}")
