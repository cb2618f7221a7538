"""A model as a short text for an address, and back. Pure; what comes back may have been written by anyone."""

from __future__ import annotations

import base64
import binascii
import zlib

from mixedcore.errors import ModelError
from pages.ui.model.modelcall import ModelCall

LONGEST = 4_000
"""Characters: beyond about this, programs cut addresses off."""
_UNPACKED = 40_000
_BROKEN = "The link is broken: the model in it cannot be read."


def encode(call: ModelCall) -> str:
    """The model as letters, digits, - and _; '' when it is too long for an address."""
    packed = zlib.compress(call.to_json().encode("utf-8", "replace"), 9)
    written = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return written if len(written) <= LONGEST else ""


def decode(written: str) -> ModelCall:
    """The model of a link. Raises ModelError with a sentence; its formulas are not checked here."""
    if len(written) > LONGEST:
        raise ModelError("The link is broken: it is longer than any that this app makes.")
    try:
        packed = base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(packed, _UNPACKED)
        if not unpacking.eof:
            raise ModelError(_BROKEN)
        return ModelCall.from_json(content.decode())
    except (binascii.Error, zlib.error, ValueError, RecursionError) as err:
        raise ModelError(_BROKEN) from err
