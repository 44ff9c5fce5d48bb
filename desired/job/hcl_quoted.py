"""Quoted text: labels, and what the escapes in a literal stand for."""

from __future__ import annotations

import re

from desired.job.hcl_cursor import Cursor
from desired.job.hcl_source import Range, quoted
from desired.job.hcl_tokens import Token

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{0,4}|U[0-9a-fA-F]{0,8}|.)|\$\$\{|%%\{", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def quoted_label(cursor: Cursor) -> tuple[str, Range]:
    """The label that begins here: a quoted string without interpolations."""
    opening = cursor.read()
    text: list[str] = []
    while True:
        token = cursor.read()
        if token.kind == "close quote":
            return "".join(text), (opening.start, token.end)
        if token.kind == "quoted literal":
            text.append(unescaped(cursor, token))
        elif token.kind in ("interp", "control"):
            sign = "$" if token.kind == "interp" else "%"
            detail = (
                "Template sequences are not allowed in this string. To include a literal "
                f'"{sign}", double it (as "{sign}{sign}") to escape it.'
            )
            cursor.error("Invalid string literal", detail, token.place)
            cursor.recover("end sequence")
        elif token.kind == "eof":
            detail = "Unable to find the closing quote mark before the end of the file."
            cursor.error("Unterminated string literal", detail, token.place)
            return "".join(text), (opening.start, token.end)
        else:
            cursor.error("Invalid string literal", "This item is not valid in a string literal.", token.place)
            cursor.recover("close quote")
            return "".join(text), (opening.start, token.end)


def unescaped(cursor: Cursor, token: Token) -> str:
    """The text that a literal piece stands for; wrong escapes are told."""
    if token.kind == "heredoc literal":
        return token.text.replace("$${", "${").replace("%%{", "%{")

    def replace(match: re.Match[str]) -> str:
        escape = match.group()
        if escape[0] in "$%":
            return escape[1:]
        place = (token.start + match.start(), token.start + match.end())
        selector = escape[1]
        if selector in _PLAIN:
            return _PLAIN[selector]
        if selector in "uU":
            return _character(cursor, escape, place)
        detail = f"The symbol {quoted(escape[1:])} is not a valid escape sequence selector."
        cursor.error("Invalid escape sequence", detail, place)
        return escape[1:]

    return _ESCAPE.sub(replace, token.text)


def _character(cursor: Cursor, escape: str, place: Range) -> str:
    wanted, count = ("four", 6) if escape[1] == "u" else ("eight", 10)
    if len(escape) != count:
        detail = f"The \\{escape[1]} escape sequence must be followed by {wanted} hexadecimal digits."
        cursor.error("Invalid escape sequence", detail, place)
        return escape
    code = int(escape[2:], 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        cursor.error("Invalid escape sequence", f"Cannot encode character U+{code:04x} in UTF-8.", place)
        return escape
    return chr(code)
