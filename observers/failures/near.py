"""Which existing names a missing one may have meant. It only decides whether the job can be mended at all:
which of them it is, and whether any, is a rule's business."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_DIGITS = re.compile(r"\d+")


def near(name: str, existing: Iterable[str]) -> tuple[str, ...]:
    """Best first, at most three; () where `name` itself is there.

    Names whose numbers differ are siblings, not misspellings: `db1` is another thing than `db2`.
    """
    others = {one for one in existing if one}
    if not name or name in others:
        return ()
    like = [one for one in others if _DIGITS.findall(one) == _DIGITS.findall(name)]
    plain = {_plain(one): one for one in sorted(like, reverse=True)}
    same = plain.get(_plain(name))
    found = difflib.get_close_matches(name, sorted(like), n=3, cutoff=0.8)
    return tuple(dict.fromkeys(([same] if same else []) + found))


def _plain(name: str) -> str:
    return re.sub(r"[-_./ ]", "", name).lower()
