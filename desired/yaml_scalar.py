"""Plain scalars as YAML 1.2 means them: `on` and `yes` are texts, numbers remember how they were written."""

from __future__ import annotations

import re
from typing import Any

_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})|0x[0-9a-fA-F]{1,16}|0o[0-7]{1,22}")
_REAL = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")


class WholeNumber(int):
    """An integer that remembers how it was written."""

    written: str = ""


class RealNumber(float):
    """A number with a fraction that remembers how it was written."""

    written: str = ""


def plain_value(text: str) -> Any:
    """Source: YAML 1.2.2, chapter 10.3.2, the core schema; a leading zero makes a text, for it meant octal in 1.1."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text):
        whole = WholeNumber(int(text, 0) if text[:2] in ("0x", "0o") else int(text))
        whole.written = text
        return whole
    if len(text) < 64 and _REAL.fullmatch(text):
        real = RealNumber(text)
        real.written = text
        return real
    return text
