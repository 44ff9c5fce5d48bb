"""Which prompts the code asks with, and the variables that it fills in each of them.

Whoever asks with a prompt adds its line here and its file `NAME.json` beside this module; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

USES: Mapping[str, frozenset[str]] = MappingProxyType({
    "draft": frozenset({"app", "questions", "there", "recalled", "files"}),
    "explain": frozenset({"app", "story"}),
    "facts": frozenset({"app", "wanted", "known", "files"}),
    "intent": frozenset({"app", "ids", "words"}),
    "repair": frozenset({
        "app", "failure", "facts", "evidence", "changes", "job", "places", "cluster", "recalled", "tried",
    }),
})  # fmt: skip
