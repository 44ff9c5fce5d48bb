"""The built-in embedding: words and pieces of words, hashed into a vector. No model, no download, the same everywhere.

It knows no meaning: two texts are alike as far as they share words. That is what the words of a cluster and of failing
apps are like, once names and numbers are out of them.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Iterator

DIMENSIONS = 384
_WORD = re.compile(r"[^\W_]+")
_PIECE = 4
# A pair says more than each word alone; pieces find `connecting` by `connection`.
_WEIGHTS = {"word": 1.0, "pair": 1.2, "piece": 0.25}


class Hashing:
    """Implements `prompts.memory.mem0_notes.Embedding`."""

    name = f"hashing-{DIMENSIONS}"

    def vector(self, text: str) -> list[float]:
        """Of length one; a text without a word has a vector of its own."""
        found = [0.0] * DIMENSIONS
        for kind, feature in _features(text):
            digest = hashlib.blake2b(f"{kind}:{feature}".encode(), digest_size=8).digest()
            number = int.from_bytes(digest, "big")
            # With a sign of its own, features that fall together cancel out as often as they add up.
            found[number % DIMENSIONS] += _WEIGHTS[kind] * (1 if number >> 63 else -1)
        size = math.sqrt(sum(value * value for value in found))
        if size == 0:
            return [1.0, *found[1:]]
        return [value / size for value in found]


def _features(text: str) -> Iterator[tuple[str, str]]:
    words = [word.lower() for word in _WORD.findall(text)]
    for word in words:
        yield "word", word
        for at in range(len(word) - _PIECE + 1 if len(word) > _PIECE else 0):
            yield "piece", word[at : at + _PIECE]
    for first, second in itertools.pairwise(words):
        yield "pair", f"{first} {second}"
