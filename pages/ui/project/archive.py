"""A session as one .zip and back. Pure: nothing is unpacked to disk, nothing in a file is ever run."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from datetime import UTC, datetime
from typing import Any

from pages.ui.project import session
from pages.ui.project.problem import ProjectError, damaged
from pages.ui.project.session import Session

FORMAT = "mixed-models-project"
VERSION = 2
"""Raised when an older app could no longer read what is written; `load` reads every version up to it."""
APP = "1"
MOST_FILES = 128
MOST_UNPACKED = 2**30
MOST_JSON = 64 * 2**20
_MANIFEST, _SESSION = "manifest.json", "session.json"


def save(saved: Session) -> bytes:
    """The project file."""
    content, files = session.write(saved)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "app": APP,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(_MANIFEST, json.dumps(manifest, indent=1))
        packed.writestr(_SESSION, json.dumps(content))
        for name, each in files.items():
            packed.writestr(name, each)
    return file.getvalue()


def load(content: bytes) -> Session:
    """The session of a project file, every part checked. Raises ProjectError with a plain sentence."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ProjectError("This is not a project file: it is not a .zip that this app saved.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            files = _unpacked(packed)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as err:
        raise damaged("its parts cannot be unpacked") from err
    _check_manifest(_json(files.pop(_MANIFEST, b""), _MANIFEST))
    if _SESSION not in files:
        raise damaged("the description of the session is missing")
    return session.read(_json(files.pop(_SESSION), _SESSION), files)


def _unpacked(packed: zipfile.ZipFile) -> dict[str, bytes]:
    """Every part, when there are not too many and they are not too large."""
    parts = packed.infolist()
    if _MANIFEST not in {part.filename for part in parts}:
        raise ProjectError("This .zip is not a project file: save one on the Report page.")
    if len(parts) > MOST_FILES or len({part.filename for part in parts}) != len(parts):
        raise damaged("it has parts that no project has")
    if sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise ProjectError("The project file would take more than 1 GB of memory; it was not opened.")
    found, left = {}, MOST_UNPACKED
    for part in parts:
        # The declared size may be a lie; what is read is counted.
        with packed.open(part) as stream:
            found[part.filename] = stream.read(left + 1)
        left -= len(found[part.filename])
        if left < 0:
            raise ProjectError("The project file would take more than 1 GB of memory; it was not opened.")
    return found


def _json(content: bytes, name: str) -> Any:
    try:
        if len(content) > MOST_JSON:
            raise damaged(f"{name} is too long")
        return json.loads(content)
    except (ValueError, RecursionError) as err:
        if isinstance(err, ProjectError):
            raise
        raise damaged(f"{name} cannot be read") from err


def _check_manifest(manifest: object) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ProjectError("This .zip is not a project file: save one on the Report page.")
    version = manifest.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise damaged("it does not say its version")
    if version > VERSION:
        raise ProjectError(
            f"The project was saved by a newer version of the app (format {version}; this one reads up to "
            f"{VERSION}). Open it with that version."
        )
