"""One meaning of "a typo of": every rule that corrects a name asks here.

Words whose digits differ are siblings, not typos: `rack2` is another rack than `rack1`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 2
_SHORT = 3
_SEPARATORS = re.compile(r"[-_. /]")
_DIGITS = re.compile(r"\d+")


def near_miss(word: str, choices: Iterable[str]) -> str | None:
    """The one choice that `word` is a misspelling of; None where there is none or more than one.

    What differs only in case and separators wins over edits. At most two edits (an exchange of neighbours is one), and
    fewer than half of the word; of a word of three letters only an exchange: `api` is no misspelt `app`.
    """
    close = near_misses(word, choices)
    return close[0] if len(close) == 1 else None


def near_misses(word: str, choices: Iterable[str]) -> tuple[str, ...]:
    """All choices that are equally near, sorted; empty where `word` is one of them already."""
    others = sorted({choice for choice in choices if choice})
    if not word or word in others:
        return ()
    same = tuple(choice for choice in others if _plain(choice) == _plain(word))
    if same:
        return same
    measured = [(edits(word.lower(), choice.lower()), choice) for choice in others if _siblings(word, choice)]
    near = [(far, choice) for far, choice in measured if far <= _LONGEST and far * 2 < _letters(word, choice)]
    least = min((far for far, _ in near), default=0)
    return tuple(choice for far, choice in near if far == least)


def edits(one: str, other: str) -> int:
    """Insertions, deletions, replacements and exchanges of neighbours from one to the other.

    Counted no further than two more than the bound: lengths alone can tell that.
    """
    if abs(len(one) - len(other)) > _LONGEST:
        return _LONGEST + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if older and j > 1 and left == other[j - 2] and one[i - 2] == right:
                least = min(least, older[j - 2] + 1)
            row.append(least)
    return row[-1]


def _letters(word: str, choice: str) -> int:
    """How many letters the edits are measured against."""
    least = min(len(word), len(choice))
    return least if least > _SHORT or sorted(word.lower()) == sorted(choice.lower()) else 0


def _plain(word: str) -> str:
    return _SEPARATORS.sub("", word).lower()


def _siblings(word: str, choice: str) -> bool:
    """False where they differ by number."""
    return _DIGITS.findall(word) == _DIGITS.findall(choice)
