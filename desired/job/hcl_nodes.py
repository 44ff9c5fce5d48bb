"""The syntax tree of HCL. Every node knows its range; `head` is what Nomad points at when a value is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from desired.job.hcl_source import Range, Source


@dataclass(slots=True)
class Node:
    """An expression."""

    place: Range

    @property
    def head(self) -> Range:
        return self.place


@dataclass(slots=True)
class Literal(Node):
    """A number, boolean, null, or a piece of text between interpolations. A number is an int or a Decimal."""

    value: Any


@dataclass(slots=True)
class Step:
    """One step of a traversal: `.name`, or `[key]` with a constant key."""

    attribute: bool
    key: Any
    place: Range


@dataclass(slots=True)
class Traversal(Node):
    """A path. `source` is a name, the item of a splat (None), or an expression that is not itself a path."""

    source: str | Node | None
    steps: list[Step]


@dataclass(slots=True)
class Template(Node):
    """A quoted string or heredoc; each part gives text."""

    parts: list[Node]

    @property
    def head(self) -> Range:
        return self.parts[0].head

    @property
    def constant(self) -> str | None:
        """The text, if it is just that."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Literal):
            text: str = self.parts[0].value
            return text
        return None


@dataclass(slots=True)
class TemplateWrap(Node):
    """`"${x}"`: just what `x` is, not text."""

    inner: Node


@dataclass(slots=True)
class TemplateJoin(Node):
    """The texts of a `%{ for }`, one after the other."""

    items: Node

    @property
    def head(self) -> Range:
        return self.items.head


@dataclass(slots=True)
class Parentheses(Node):
    inner: Node

    @property
    def head(self) -> Range:
        return self.inner.head


@dataclass(slots=True)
class Call(Node):
    name: str
    name_place: Range
    head_place: Range
    close_place: Range
    arguments: list[Node]
    expand: bool

    @property
    def head(self) -> Range:
        return self.head_place


@dataclass(slots=True)
class Conditional(Node):
    condition: Node
    true: Node
    false: Node

    @property
    def head(self) -> Range:
        return self.condition.head


@dataclass(slots=True)
class Binary(Node):
    operator: str
    left: Node
    right: Node

    @property
    def head(self) -> Range:
        return self.left.head


@dataclass(slots=True)
class Unary(Node):
    operator: str
    operand: Node
    head_place: Range

    @property
    def head(self) -> Range:
        return self.head_place


@dataclass(slots=True)
class Index(Node):
    collection: Node
    key: Node
    head_place: Range
    bracket: Range

    @property
    def head(self) -> Range:
        return self.head_place


@dataclass(slots=True)
class TupleNode(Node):
    items: list[Node]
    head_place: Range

    @property
    def head(self) -> Range:
        return self.head_place


@dataclass(slots=True)
class ObjectNode(Node):
    """Keys are expressions; a bare name stands for itself unless it is in parentheses."""

    items: list[tuple[Node, Node]]
    head_place: Range

    @property
    def head(self) -> Range:
        return self.head_place


@dataclass(slots=True)
class For(Node):
    key_name: str
    value_name: str
    collection: Node
    key: Node | None
    value: Node
    condition: Node | None
    group: bool
    head_place: Range

    @property
    def head(self) -> Range:
        return self.head_place


@dataclass(slots=True)
class Splat(Node):
    source: Node
    each: Node
    head_place: Range

    @property
    def head(self) -> Range:
        return self.head_place


@dataclass(slots=True)
class Embedded(Node):
    """An expression of a text inside the text: a template in a JSON string."""

    inner: Node
    source: Source


@dataclass(slots=True)
class Broken(Node):
    """Where no expression could be read; its value is not known."""


@dataclass(slots=True)
class Attribute:
    """`name = expression`."""

    name: str
    name_place: Range
    value: Node
    place: Range


@dataclass(slots=True)
class Block:
    """`type "label" { … }`. `define_place` is the header without its brace."""

    type: str
    type_place: Range
    labels: list[str]
    label_places: list[Range]
    open_place: Range
    body: Body
    place: Range

    @property
    def define_place(self) -> Range:
        return self.type_place[0], (self.label_places[-1] if self.label_places else self.type_place)[1]


@dataclass(slots=True)
class Body:
    """Attributes by name and blocks in order. `place` starts at the opening brace."""

    place: Range
    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
