"""The text of a file of any encoding that people use; None for what is no text."""

from __future__ import annotations

import codecs

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# As git tells them apart: what has a NUL early on is binary.
_LOOKED_AT = 8000


def text_of(data: bytes) -> str | None:
    """With line breaks as `\\n`. What is not UTF-8 is read as Latin-1: names and numbers are the same in both."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:_LOOKED_AT]:
        return None
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding is not None:
            return None
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
