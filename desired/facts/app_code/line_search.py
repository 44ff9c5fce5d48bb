"""Where a name stands in a file whose parser keeps no lines: the first line that holds it as a word of its own."""

from __future__ import annotations

import bisect

from desired.facts.app_code.source_text import SourceText
from desired.facts.fact import Place


def first_line(source: SourceText, word: str, *, key: bool = False, after: int = 0) -> Place:
    """The place of a word, or with `key` of the key of that name; the file alone where it is written otherwise."""
    offsets = (source.keys if key else source.words).get(word, [])
    at = bisect.bisect_left(offsets, after)
    return Place(source.path) if at == len(offsets) else source.place(offsets[at])


def section(source: SourceText, key: str) -> int:
    """Where a key stands, to search from there on; 0 where it is not found."""
    return source.keys.get(key, [0])[0]
