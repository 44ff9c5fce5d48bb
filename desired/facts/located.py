"""A part of a YAML file with the place it has there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from desired.facts.fact import Fact, Place
from desired.yaml_document import Node

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Located:
    """A value and where it stands."""

    node: Node
    path: str

    @property
    def value(self) -> Any:
        return self.node.value

    @property
    def line(self) -> int:
        return self.node.line

    def items(self) -> Iterator[tuple[str, Located]]:
        """The entries of a mapping; of a list with its index as name; of anything else none."""
        inside = self.node.inside
        pairs = inside.items() if isinstance(inside, Mapping) else enumerate(inside)
        for name, node in pairs:
            yield str(name), Located(node, self.path)

    def get(self, name: str) -> Located | None:
        inside = self.node.inside
        found = inside.get(name) if isinstance(inside, Mapping) else None
        return None if found is None or found.value is None else Located(found, self.path)

    @property
    def text(self) -> str:
        """A scalar as it was written; booleans as YAML has them, "" for null and for what is no scalar."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return (
            ""
            if self.value is None or isinstance(self.value, list | Mapping)
            else str(getattr(self.value, "written", self.value))
        )

    def as_list(self) -> tuple[Located, ...]:
        """The entries of a list; of anything else itself alone."""
        return tuple(part for _, part in self.items()) if isinstance(self.value, list) else (self,)

    def fact(self, value: T, extractor: str, confidence: float, reason: str = "") -> Fact[T]:
        return Fact(value, extractor, confidence, Place(self.path, self.line), reason)
