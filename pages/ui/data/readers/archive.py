"""What is inside a zip, a workbook or one packed file, and whether it is safe to unpack. Pure."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Literal

from pages.ui.data.readers.base import MAX_BYTES, MAX_CELLS, ReadError

Inside = Literal["xlsx", "ods", "other"]
MOST_UNPACKED = 2 * 2**30
"""Bytes of XML that a workbook may unpack to: a million rows of six columns take 300 MB."""
CHUNK = 1 << 20
# What the library raises over a damaged archive: RuntimeError over passwords, ValueError over wild offsets.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    OSError,
    EOFError,
    RuntimeError,
    KeyError,
    ValueError,
)
_DAMAGED = "The file is a damaged or cut-short zip archive. Save it again, or download it once more."
_REFUSED = (
    ("xl/workbook.bin", "This is a binary Excel workbook (.xlsb). In Excel, save it as .xlsx."),
    ("word/document.xml", "This is a Word document. Copy its table into the box for pasting."),
    ("ppt/presentation.xml", "This is a PowerPoint presentation. A table is needed."),
    ("Index/Document.iwa", "This is a Numbers document. In Numbers, export it to Excel or CSV."),
    ("Index.zip", "This is an Apple document. Export it to Excel or CSV."),
)
# Positions in a sheet's XML: `r="12"` of a row, `r="AB12"` of a cell.
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br\s*=\s*["'](\d+)""")
_WIDE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{2,})(\d+)""")
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384


def opened(content: bytes) -> zipfile.ZipFile:
    """The archive. Raises ReadError when it is none, or needs a password."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except BROKEN as err:
        raise ReadError(_DAMAGED) from err
    if any(member.flag_bits & 1 for member in archive.infolist()):
        raise ReadError("The zip archive is protected by a password. Unpack it first.")
    return archive


def inside(archive: zipfile.ZipFile) -> Inside:
    """What kind of document the archive is. Raises ReadError for one that holds no table."""
    names = set(archive.namelist())
    for member, sentence in _REFUSED:
        if member in names:
            raise ReadError(sentence)
    if "xl/workbook.xml" in names or {"[Content_Types].xml", "_rels/.rels"} <= names:
        return "xlsx"
    if "content.xml" not in names:
        return "other"
    kind = unpacked(archive, "mimetype", 200) if "mimetype" in names else b""
    if kind and b"spreadsheet" not in kind:
        raise ReadError("This is an OpenDocument file, but no spreadsheet. A table is needed.")
    if b"manifest:encryption-data" in (
        unpacked(archive, "META-INF/manifest.xml", 2**24) if "META-INF/manifest.xml" in names else b""
    ):
        raise ReadError("The spreadsheet is protected by a password. Save it without one.")
    return "ods"


def only_file(archive: zipfile.ZipFile) -> tuple[str, bytes]:
    """Name and content of the one file in an archive. Raises ReadError when there are more, or none."""
    members = [
        member.filename
        for member in archive.infolist()
        if not member.filename.endswith("/")
        and not member.filename.startswith(("__MACOSX/", "."))
        and member.file_size
    ]
    if not members:
        raise ReadError("The zip archive is empty.")
    if len(members) > 1:
        names = ", ".join(f"“{PurePosixPath(name).name}”" for name in members[:4])
        raise ReadError(
            f"The zip archive holds {len(members)} files: {names}{', …' if len(members) > 4 else ''}. Unpack "
            "it and open one of them."
        )
    return PurePosixPath(members[0]).name, unpacked(archive, members[0], MAX_BYTES)


def unpacked(archive: zipfile.ZipFile, member: str, most: int) -> bytes:
    """The content of one member; never more than `most` bytes, whatever the archive claims."""
    try:
        with archive.open(member) as file:
            content = file.read(most + 1)
    except BROKEN as err:
        raise ReadError(_DAMAGED) from err
    if len(content) > most:
        raise ReadError(
            f"Unpacked, the file has more than {most // 2**20:,} MB, which is too much here. Leave out "
            "columns that you do not need."
        )
    return content


def gunzipped(content: bytes) -> bytes:
    """The content of a gzip file; never more than the limit of a file."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        inner = unpacker.decompress(content, MAX_BYTES + 1)
    except zlib.error as err:
        raise ReadError("The file is a damaged gzip archive. Download it once more.") from err
    if len(inner) > MAX_BYTES:
        raise ReadError(f"Unpacked, the file has more than {MAX_BYTES // 2**20} MB. Leave out some columns.")
    if not unpacker.eof:
        raise ReadError("The gzip archive was cut short. Download it once more.")
    return inner


def check_workbook(archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that would fill the memory. Raises ReadError.

    The library lays a sheet out as one rectangle from its first cell to its last, so that two cells in
    opposite corners, 200 bytes of XML, would claim 400 GB and end the server for everybody.
    """
    left = MOST_UNPACKED
    for member in archive.infolist():
        if not member.filename.lower().endswith((".xml", ".rels")):
            continue
        content = unpacked(archive, member.filename, left)
        left -= len(content)
        if "worksheets/" in member.filename.lower():
            _check_corners(content)


def _check_corners(xml: bytes) -> None:
    rows = max((int(found) for found in _ROW.findall(xml)), default=0)
    columns = 26  # every column of one letter
    for letters, row in _WIDE.findall(xml):
        columns = max(columns, _column(letters))
        rows = max(rows, int(row))
    # A cell may claim another row than the one it stands in; only rows that would be too many matter.
    limit = min(MAX_CELLS // columns, MOST_ROWS)
    far = re.compile(rb"""\br\s*=\s*["'][A-Za-z](\d{%d,})""" % len(str(limit)))
    rows = max(rows, max((int(found[1]) for found in far.finditer(xml)), default=0))
    if rows > limit or columns > MOST_COLUMNS:
        raise ReadError(
            f"A sheet of this workbook reaches to row {rows:,} and column {columns:,}: a stray cell far away "
            "from the table, perhaps. Delete the rows below and the columns to the right of the table, or "
            "save the sheet as CSV.",
            "workbook",
        )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:4]:
        number = number * 26 + letter - 64
    return number
