"""Patterns over files that anybody may have written: no repeat of theirs goes on for ever.

An open-ended repeat inside a pattern makes a search take the square of the file's length, or worse, where a file is
made for it. People write no gap of more than a few dozen blanks into one expression, and no argument of pages.
"""

from __future__ import annotations

import re

_BLANKS, _WORD, _ANY = 80, 160, 400
_REPEAT = re.compile(r"(?P<what>\\[swdSWD]|\[\^?\]?(?:\\.|[^\]\\])*\])(?P<how>[*+])")


def bounded(text: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern, with each `*` and `+` of a class of characters limited: blanks to 80, words to 160, others 400."""
    return re.compile(_REPEAT.sub(_limited, text), flags)


def _limited(match: re.Match[str]) -> str:
    what = match["what"]
    most = _BLANKS if what == r"\s" else _WORD if what in (r"\w", r"[\w.]", r"[\w$]") else _ANY
    return f"{what}{{{0 if match['how'] == '*' else 1},{most}}}"
