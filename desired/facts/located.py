"""A part of a YAML file with the place it has there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from desired.facts.fact import Fact, Place
from desired.problem import Problem
from desired.yaml_document import Node
from desired.yaml_text import read_yaml

T = TypeVar("T")


# How many lines before a mistake are left out to understand what stands above.
_CUTS = (0, 1, 2, 4, 8, 16, 32)
_LONGEST_CUT = 100_000


@dataclass(frozen=True, slots=True)
class Located:
    """A value and where it stands."""

    node: Node
    path: str

    @property
    def value(self) -> Any:
        return self.node.value

    @property
    def tag(self) -> str:
        return self.node.tag

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


def read_located(text: str, path: str, *, tags: Collection[str] = ()) -> tuple[Located | None, tuple[Problem, ...]]:
    """The file's first document, and what is wrong with the file. Of a broken one what stands before the mistake.

    `tags` are those that the caller knows.
    """
    documents = read_yaml(text, path, tags=tags)
    problems = tuple(problem for document in documents for problem in document.problems)
    root = next((document.root for document in documents if document.root is not None), None)
    if problems and (root is None or not root.inside) and len(text) <= _LONGEST_CUT:
        root = _above(text, path, problems[0].line, tags) or root
    return (None if root is None else Located(root, path)), problems


def _above(text: str, path: str, line: int, tags: Collection[str]) -> Node | None:
    lines = text.split("\n")
    for left in _CUTS:
        documents = read_yaml("\n".join(lines[: max(line - 1 - left, 0)]), path, tags=tags)
        if documents and documents[0].root is not None and not documents[0].problems:
            return documents[0].root
    return None
