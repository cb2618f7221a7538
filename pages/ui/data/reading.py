"""Any file → a table: what it is, told by its content and not by its name, and the reader for that. Pure.

Readers other than that of text are imported when first needed: their libraries load slowly.
"""

from __future__ import annotations

from pages.ui.data.readers import archive, base, sniffing, text
from pages.ui.data.readers.base import PASSWORD, FileKind, ReadError, ReadOptions, ReadResult

__all__ = ["ReadError", "ReadOptions", "ReadResult", "is_brittle", "kind_of", "read"]

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SAS = bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c\x18\x1f\x10\x11"
_TRANSPORT = (b"HEADER RECORD*******LIBRARY HEADER", b"HEADER RECORD*******LIBV8")
_OLD_STATA = {104, 105, 108, 110, 111, 113, 114, 115}
_SPREADSHEET_XML = b'progid="Excel.Sheet"'


def kind_of(content: bytes) -> FileKind:
    """What a file is by its first bytes; 'text' for all that has no mark of its own."""
    if content.startswith((b"$FL2@", b"$FL3@")):
        return "spss"
    if b"SPSSPORT" in content[:700]:
        return "portable"
    if content.startswith(b"<stata_dta>") or _is_old_stata(content[:4]):
        return "stata"
    if content.startswith(_SAS):
        return "sas"
    if content.startswith(_TRANSPORT):
        return "transport"
    if content.startswith(b"PAR1") and (content.endswith(b"PAR1") or sniffing.is_binary(content)):
        return "parquet"
    return "workbook" if content.startswith(_COMPOUND) else "text"


def is_brittle(content: bytes) -> bool:
    """Whether a file is read by a library that a damaged one can bring down."""
    return content.startswith(b"PK\x03\x04") or kind_of(content) != "text"


def _is_old_stata(head: bytes) -> bool:
    """Release, byte order, 1, 0: how a file of Stata 4 to 12 begins."""
    return len(head) == 4 and head[0] in _OLD_STATA and head[1] in (1, 2) and head[2:] == b"\x01\x00"


def read(name: str, content: bytes, asked: ReadOptions | None = None) -> ReadResult:
    """The table in a file.

    name : for the lines that read the same, and to say when the file is not what its name says
    Raises ReadError when there is none, or none within the limits.
    """
    asked = asked or ReadOptions()
    base.check_size(content)
    if content.startswith(b"PK\x03\x04"):
        return _zipped(name, content, asked)
    if content.startswith(b"\x1f\x8b"):
        return _packed(name, archive.gunzipped(content), asked)
    return _plain(name, content, asked)


def _zipped(name: str, content: bytes, asked: ReadOptions) -> ReadResult:
    """A workbook, or one packed file."""
    with archive.opened(content) as opened:
        if archive.inside(opened) == "other":
            return _packed(name, archive.only_file(opened)[1], asked)
        archive.check_workbook(opened)
    return _workbook(content, asked)


def _packed(name: str, content: bytes, asked: ReadOptions) -> ReadResult:
    """The text inside an archive; scripts can read that where it is, but nothing else."""
    base.check_size(content)
    if kind_of(content) != "text" or content.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        raise ReadError("The archive holds no text. Unpack it and open the file inside.")
    return _plain(name, content, asked)


def _plain(name: str, content: bytes, asked: ReadOptions) -> ReadResult:
    kind = kind_of(content)
    if kind == "text":
        if _SPREADSHEET_XML in content[:500]:
            raise ReadError("This is a workbook saved as XML. In Excel, save it as .xlsx.")
        return text.read(content, asked)
    if kind == "parquet":
        from pages.ui.data.readers import parquet

        return parquet.read(content, asked)
    if kind == "workbook":
        if _ENCRYPTED in content:
            raise ReadError(PASSWORD, "workbook")
        return _workbook(content, asked)
    from pages.ui.data.readers import statfile

    return statfile.read(content, name, kind, asked)


def _workbook(content: bytes, asked: ReadOptions) -> ReadResult:
    from pages.ui.data.readers import workbook

    return workbook.read(content, asked)
