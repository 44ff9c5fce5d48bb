"""A document of a file as values with their places, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desired.problem import Problem


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place. Where the value is a mapping, `keys` has the place of each key and `inside` the nodes.

    `tag` is that of the file, of those that whoever reads it knows.
    """

    value: Any
    line: int
    column: int
    size: int
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    inside: Mapping[str, Node] | Sequence[Node] = ()
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One document: what was understood of it, and what was not. `root` is None where nothing was."""

    root: Node | None
    problems: tuple[Problem, ...]
    text: str
    line: int

    def place(self, steps: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Line and column of a value, or of its key; of what is around it where it is not there itself."""
        node = self.root
        if node is None:
            return self.line, 0
        for number, step in enumerate(steps):
            last = number == len(steps) - 1
            if isinstance(node.inside, Mapping) and isinstance(step, str) and step in node.inside:
                if key and last:
                    return node.keys[step]
                if last and node.inside[step].value is None:
                    return node.keys[step]
                node = node.inside[step]
            elif isinstance(node.inside, Sequence) and isinstance(step, int) and step < len(node.inside):
                node = node.inside[step]
            elif number and isinstance(node.inside, Mapping):
                return self.place(steps[:number], key=True)
            else:
                break
        return node.line, node.column
