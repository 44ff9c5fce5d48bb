"""What somebody besides the code and the manifest answers: who is asked about words, and about what stays open.

The manifest always wins, and so does what the code surely says. An answer is a value with its source, like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from desired.app import AppKey
from desired.code_place import CodeWish
from desired.draft.value import Draft, Value
from desired.facts.analyze import Analyzed


def _none() -> Mapping[str, Value]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Wanting:
    """An app of which something is left open. `code` is equal exactly while its code is; `words` are what plain
    patterns left of its prompt, and `draft` holds the questions that nobody has answered without help.
    """

    key: AppKey
    wish: CodeWish
    code: str
    app: Analyzed
    draft: Draft
    words: str


@dataclass(frozen=True, slots=True)
class Helped:
    """`meant` is what the words mean, `values` answer questions; by the ids of values.

    `pending`: somebody is being asked for the first time, and nothing is to be made of the app before.
    """

    meant: Mapping[str, Value] = field(default_factory=_none)
    values: Mapping[str, Value] = field(default_factory=_none)
    pending: bool = False


class Help(Protocol):
    """Answers at once with what is known; what is not is found out beside, and told as news."""

    def version(self, key: AppKey) -> str:
        """Another one as soon as more is known of an app."""
        ...

    def helped(self, wanting: Wanting) -> Helped: ...
