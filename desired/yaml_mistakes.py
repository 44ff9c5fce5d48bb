"""What PyYAML says of a mistake, in words for people, and where it is. Never with a value: it may be a secret."""

from __future__ import annotations

import bisect
import re
from typing import Any

import yaml

# What PyYAML says, in words for people.
_WORDS = (
    ("found character that cannot start any token", "this character cannot stand here", "quote the value"),
    ("found a tab character", "a tab is used to indent", "indent with spaces"),
    ("mapping values are not allowed", "a `:` is not allowed here", "quote a value that holds `: `, or indent it"),
    ("could not find expected ':'", "a key without `:`", "write `key: value`, with a space after the colon"),
    ("did not find expected key", "a key is expected here", "look at the indentation, and at quotes and brackets"),
    ("did not find expected '-' indicator", "a `-` is expected here", "list items begin in the same column"),
    ("did not find expected ',' or", "a bracket or brace is not closed", "close it, or put a `,` between the items"),
    ("did not find expected node content", "a value is expected here", "quote it, or close what was opened before"),
    ("<document start>", "a new document is expected here", "begin it with `---`"),
    ("found unexpected end of stream", "a quote is not closed", ""),
    ("found undefined tag handle", "this tag is not known", "leave out what begins with `!`"),
    ("while scanning an anchor", "an anchor needs a name", "quote a value that begins with `&` or `*`"),
    (
        "did not find expected alphabetic",
        "an anchor or alias needs a name",
        "quote a value that begins with `&` or `*`",
    ),
)


def told(error: yaml.MarkedYAMLError, text: str, first_line: int) -> tuple[int, int, str, str]:
    """Line, column, message and hint; `text` begins in `first_line` of its file."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    said = f"{error.context or ''} {error.problem or ''}".strip()
    lines = text.split("\n")
    here = lines[line] if line < len(lines) else ""
    if here[column : column + 1] == "\t" or "\t" in here[: len(here) - len(here.lstrip())]:
        return first_line + line, column + 1, "a tab is used to indent", "indent with spaces"
    for words, message, hint in _WORDS:
        if words in said:
            return first_line + line, column + 1, message, hint
    return first_line + line, column + 1, f"is not YAML: {error.problem or 'cannot be read'}", ""


def first_unreadable(text: str) -> tuple[int, int]:
    """Lines before, and the column of, the first character that YAML forbids."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if found is None:
        return 0, 0
    breaks = [match.end() for match in re.finditer("\n", text[: found.start()])]
    line = bisect.bisect(breaks, found.start())
    return line, found.start() - (breaks[-1] if breaks else 0) + 1


def shown(character: Any) -> str:
    code = ord(character) if isinstance(character, str) and len(character) == 1 else character
    return f"U+{code:04X}" if isinstance(code, int) else "found"
