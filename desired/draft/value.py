"""One value of a manifest to be, and where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from desired.question import Question

# Below this a value is no more than a suggestion: unattended, it is asked about and not used.
SURE = 0.6
BY_NAME = "name"
BY_PERSON = "answer"
BY_PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Value:
    """`at` leads to the place below `spec`, `data` is what YAML holds there.

    `source` is an extractor with its place, or one of the words above. `others` are the values that weighed less, as
    people read them.
    """

    at: tuple[str, ...]
    data: Any
    source: str
    confidence: float
    reason: str = ""
    others: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`env.DB_PASSWORD`, `resources.memory`."""
        return ".".join(self.at)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a manifest of this app says, as far as that is known.

    `values` stand in the order of a manifest. `questions` name what is still open, by the id of the value that would
    answer; their default, where there is one, is the suggestion. `notes` are what people should know besides.
    """

    name: str
    values: tuple[Value, ...] = ()
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    suggestions: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def spec(self) -> dict[str, Any]:
        """The values as one mapping, such as stands below `spec` in a manifest."""
        spec: dict[str, Any] = {}
        for value in self.values:
            inside = spec
            for step in value.at[:-1]:
                inside = inside.setdefault(step, {})
            inside[value.at[-1]] = value.data
        return spec
