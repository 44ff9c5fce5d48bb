"""Whether what a person says in their own words tells a secret: `the password is hunter2`. Pure, never returns it."""

from __future__ import annotations

import re

from desired.secret_literals import secret_kind

_NAMED = re.compile(
    r"(?i)(?<![\w-])(?:password|passwd|passphrase|passcode|pwd|pass|pw|pin|secret|token|api[ _-]?key|access[ _-]?key"
    r"|key|credentials?|login|auth)(?![\w-])[ \t]{0,3}(?:is|are|of|:=|=|:|,)?[ \t]{0,3}[\"'`(]?"
    r"(?P<word>[^\s\"'`),;]{4,200})"
)
# A word that nobody uses for anything else: letters and digits mixed, or signs within.
_MIXED = re.compile(r"(?=.*[A-Za-z])(?=.*[\d!$%&*+?^~#])[^/{}<>]{4,}|(?=[^/{}<>]*[!$%&*+?^~#])[^/{}<>]{6,}")
# Where a secret is kept is no secret: a path, a host, a name of a variable, an amount.
_PLACE = re.compile(
    r"[\w.-]*/[\w./#-]*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|(?:[a-z0-9-]+\.)+[a-z]{2,}|\d+(?:\.\d+)?\s?(?:[kmgKMG]i?[bB]?|s|h|d)?"
    r"|v\d+(?:\.\d+)*|\$.*|(?i:(?:sha|md|rs|hs|es|aes|base|oauth|bcrypt|argon|kv)\d{1,4})"
)


def says_a_secret(text: str) -> bool:
    """By its form, or as the word behind one that names secrets."""
    if secret_kind(text) is not None:
        return True
    words = (match["word"].rstrip(".") for match in _NAMED.finditer(text))
    return any(_MIXED.fullmatch(word) is not None and _PLACE.fullmatch(word) is None for word in words)
