"""What a body holds, asked for by a schema: attributes and blocks, with `dynamic` blocks expanded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from desired.job.hcl_expression import Evaluator
from desired.job.hcl_loop import elements
from desired.job.hcl_nodes import (
    Attribute,
    Block,
    Body,
    Literal,
    Node,
    ObjectNode,
    Traversal,
    TupleNode,
)
from desired.job.hcl_source import Range, quoted, suggestion
from desired.job.hcl_value import STRING, UNKNOWN, ConvertError, convert, type_name


@dataclass(frozen=True, slots=True)
class Schema:
    """What may stand in a body: attributes by name, with whether they must; blocks by type, with their labels' names.

    The order is the order in which names are suggested.
    """

    attributes: dict[str, bool] = field(default_factory=dict)
    blocks: dict[str, tuple[str, ...]] = field(default_factory=dict)


EMPTY = Schema()
_DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True)
class Argument:
    """An attribute, and where its expression is evaluated."""

    name: str
    name_place: Range
    place: Range
    node: Node
    scope: Evaluator

    def value(self) -> Any:
        return self.scope.value(self.node)


@dataclass(frozen=True, slots=True)
class RawBlock:
    """A block as it is written."""

    type: str
    labels: tuple[str, ...]
    label_places: tuple[Range, ...]
    define_place: Range
    body: RawBody


class RawBody(Protocol):
    """A body as it is written, in HCL's own syntax or in JSON. Errors go to the scope."""

    def content(
        self, schema: Schema, scope: Evaluator, *, known: Schema, partial: bool
    ) -> tuple[dict[str, Attribute], list[RawBlock]]:
        """What the schema asks for. `known` may stand here too; anything else is an error unless `partial`."""
        ...

    def arguments(self, *, listed: bool) -> list[Attribute]:
        """Everything as attributes, for bodies whose names are free; `listed` as in HCL 1, with objects in lists."""
        ...

    @property
    def blocks(self) -> list[RawBlock]:
        """The blocks that `arguments` turned into attributes."""
        ...

    @property
    def missing_place(self) -> Range:
        """Where Nomad points when something is missing."""
        ...


@dataclass(frozen=True, slots=True)
class BoundBlock:
    """A block, expanded, and its body in its scope."""

    type: str
    labels: tuple[str, ...]
    define_place: Range
    body: View
    label_places: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A body, where its expressions are evaluated, and what of it was read before (`hidden`).

    `dynamic` is True for everything inside a job: there `dynamic` blocks are expanded.
    """

    raw: RawBody
    scope: Evaluator
    dynamic: bool = True
    hidden: Schema = EMPTY

    def hiding(self, schema: Schema) -> View:
        """The same, without what a schema took."""
        merged = Schema(
            {**self.hidden.attributes, **dict.fromkeys(schema.attributes, False)},
            {**self.hidden.blocks, **schema.blocks},
        )
        return replace(self, hidden=merged)

    def content(self, schema: Schema, *, partial: bool = False) -> tuple[dict[str, Argument], list[BoundBlock]]:
        """Attributes by name and blocks in order. With `partial`, other things may stand here too."""
        known = self.hidden
        if self.dynamic:
            known = Schema(known.attributes, {_DYNAMIC: ("type",), **known.blocks})
        attributes, blocks = self.raw.content(schema, self.scope, known=known, partial=partial)
        arguments = {
            name: self._argument(attribute)
            for name, attribute in attributes.items()
            if name not in self.hidden.attributes
        }
        bound: list[BoundBlock] = []
        for block in blocks:
            if block.type == _DYNAMIC and self.dynamic:
                bound += self._expanded(block, schema, partial=partial)
            elif block.type not in self.hidden.blocks:
                bound.append(self._bound(block, self.scope))
        return arguments, bound

    def arguments(self) -> list[Argument]:
        """Everything as attributes."""
        return [self._argument(each) for each in self.raw.arguments(listed=self.dynamic)]

    def _argument(self, attribute: Attribute) -> Argument:
        return Argument(attribute.name, attribute.name_place, attribute.place, attribute.value, self.scope)

    def error(self, summary: str, detail: str, place: Range) -> None:
        self.scope.error(summary, detail, place)

    def _bound(self, block: RawBlock, scope: Evaluator) -> BoundBlock:
        body = View(block.body, scope, self.dynamic)
        return BoundBlock(block.type, block.labels, block.define_place, body, block.label_places)

    def _expanded(self, block: RawBlock, schema: Schema, *, partial: bool) -> list[BoundBlock]:
        wanted = block.labels[0]
        if wanted in self.hidden.blocks:
            return []
        if wanted not in schema.blocks:
            if not partial:
                detail = f"Blocks of type {quoted(wanted)} are not expected here."
                self.error("Unsupported block type", detail, block.label_places[0])
            return []
        labels = schema.blocks[wanted]
        errors = len(self.scope.diagnostics)
        required = {"for_each": True, "iterator": False, **({"labels": True} if labels else {})}
        inner = View(block.body, self.scope, dynamic=False)
        arguments, contents = inner.content(Schema(required, {"content": ()}))
        if len(self.scope.diagnostics) > errors:
            return []
        iterator = self._iterator(arguments.get("iterator"), wanted)
        if iterator is None:
            return []
        collection = arguments["for_each"].value()
        if collection is UNKNOWN or not self._iterable(collection, arguments["for_each"].node):
            return []
        label_nodes = self._labels(arguments.get("labels"), wanted, labels)
        if label_nodes is None or not self._one_content(contents, inner):
            return []
        made: list[BoundBlock] = []
        for key, value in elements(collection):
            scope = self.scope.with_variables({iterator: {"key": key, "value": value}})
            scope.budget.step(block.define_place, 10)
            texts = [self._label(node, scope) for node in label_nodes]
            if all(text is not None for text in texts):
                places = tuple(node.place for node in label_nodes)
                body = View(contents[0].body.raw, scope, dynamic=True)
                made.append(BoundBlock(wanted, tuple(map(str, texts)), block.define_place, body, places))
        return made

    def _iterator(self, argument: Argument | None, default: str) -> str | None:
        if argument is None:
            return default
        node = argument.node
        if isinstance(node, Traversal) and isinstance(node.source, str):
            if not node.steps:
                return node.source
            detail = "Dynamic iterator must be a single variable name."
            self.error("Invalid dynamic iterator name", detail, node.place)
            return None
        detail = (
            "A single static variable reference is required: only attribute access and indexing with constant keys. No "
            "calculations, function calls, template expressions, etc are allowed here."
        )
        self.error("Invalid expression", detail, node.place)
        return None

    def _iterable(self, collection: Any, node: Node) -> bool:
        if isinstance(collection, list | dict):
            return True
        if collection is None:
            detail = "Cannot use a null value in for_each."
        else:
            detail = f"Cannot use a {type_name(collection)} value in for_each. An iterable collection is required."
        self.error("Invalid dynamic for_each value", detail, node.place)
        return False

    def _labels(self, argument: Argument | None, wanted: str, names: tuple[str, ...]) -> list[Node] | None:
        if argument is None:
            return []
        node = argument.node
        if not isinstance(node, TupleNode):
            self.error("Invalid expression", "A static list expression is required.", node.place)
            return None
        detail = f"Blocks of type {quoted(wanted)} require {len(names)} label(s)."
        if len(node.items) > len(names):
            self.error("Extraneous dynamic block label", detail, node.items[len(names)].place)
            return None
        if len(node.items) < len(names):
            self.error("Insufficient dynamic block labels", detail, node.place)
            return None
        return node.items

    def _one_content(self, contents: list[BoundBlock], inner: View) -> bool:
        if not contents:
            detail = (
                'A dynamic block must have a nested block of type "content" to describe the body of each generated '
                "block."
            )
            self.error("Missing dynamic content block", detail, inner.raw.missing_place)
            return False
        if len(contents) > 1:
            detail = "Only one nested content block is allowed for each dynamic block."
            self.error("Extraneous dynamic content block", detail, contents[1].define_place)
            return False
        return True

    def _label(self, node: Node, scope: Evaluator) -> str | None:
        value = scope.value(node)
        if value is UNKNOWN:
            return None
        try:
            text: str | None = convert(value, STRING)
        except ConvertError as error:
            detail = f"Cannot use this value as a dynamic block label: {error}."
            self.error("Invalid dynamic block label", detail, node.place)
            return None
        if text is None:
            detail = "Cannot use a null value as a dynamic block label."
            self.error("Invalid dynamic block label", detail, node.place)
        return text


@dataclass(frozen=True, slots=True)
class NativeBody:
    """A body in HCL's own syntax."""

    body: Body

    @property
    def missing_place(self) -> Range:
        return self.body.place[0], self.body.place[0]

    @property
    def blocks(self) -> list[RawBlock]:
        return [_raw(block) for block in self.body.blocks]

    def content(
        self, schema: Schema, scope: Evaluator, *, known: Schema, partial: bool
    ) -> tuple[dict[str, Attribute], list[RawBlock]]:
        written = self.body.attributes
        for name, required in schema.attributes.items():
            if required and (name not in written or name in known.attributes):
                detail = f"The argument {quoted(name)} is required, but no definition was found."
                scope.error("Missing required argument", detail, self.missing_place)
        attributes = {name: written[name] for name in schema.attributes if name in written}
        # What was taken before keeps its labels.
        labels = {**schema.blocks, **known.blocks}
        blocks = [
            _raw(block)
            for block in self.body.blocks
            if block.type in labels and _labels_fit(block, labels[block.type], scope)
        ]
        if not partial:
            self._unexpected(schema, known, scope)
        return attributes, blocks

    def _unexpected(self, schema: Schema, known: Schema, scope: Evaluator) -> None:
        allowed = [*schema.attributes, *known.attributes]
        types = [*schema.blocks, *known.blocks]
        for name, attribute in self.body.attributes.items():
            if name in allowed:
                continue
            near = suggestion(name, [each for each in allowed if each not in self.body.attributes])
            hint = f" Did you mean {quoted(near)}?" if near else ""
            if not near and name in types:
                hint = f" Did you mean to define a block of type {quoted(name)}?"
            detail = f"An argument named {quoted(name)} is not expected here.{hint}"
            scope.error("Unsupported argument", detail, attribute.name_place)
        for block in self.body.blocks:
            if block.type in types:
                continue
            near = suggestion(block.type, types)
            name = quoted(block.type)
            hint = f" Did you mean {quoted(near)}?" if near else ""
            if not near and block.type in allowed:
                hint = f" Did you mean to define argument {name}? If so, use the equals sign to assign it a value."
            detail = f"Blocks of type {name} are not expected here.{hint}"
            scope.error("Unsupported block type", detail, block.type_place)

    def arguments(self, *, listed: bool) -> list[Attribute]:
        """Attributes; `listed`, with an object in a list of one and blocks as lists of objects, as HCL 1 had them.

        Source: jobspec2/hclutil/blockattrs.go.
        """
        if not listed:
            return list(self.body.attributes.values())
        found = [replace(each, value=_listed(each.value)) for each in self.body.attributes.values()]
        for same in _by_type(self.body.blocks):
            first = same[0]
            found.append(Attribute(first.type, first.type_place, _as_tuple(same), first.body.place))
        return found


def _raw(block: Block) -> RawBlock:
    return RawBlock(
        block.type, tuple(block.labels), tuple(block.label_places), block.define_place, NativeBody(block.body)
    )


def _labels_fit(block: Block, names: tuple[str, ...], scope: Evaluator) -> bool:
    given, wanted = len(block.labels), len(names)
    if given > wanted:
        if wanted:
            detail = f"Only {wanted} labels ({', '.join(names)}) are expected for {block.type} blocks."
        else:
            detail = f"No labels are expected for {block.type} blocks."
        scope.error(f"Extraneous label for {block.type}", detail, block.label_places[wanted])
    elif given < wanted:
        detail = f"All {block.type} blocks must have {wanted} labels ({', '.join(names)})."
        scope.error(f"Missing {names[given]} for {block.type}", detail, block.open_place)
    return given == wanted


def _by_type(blocks: list[Block]) -> list[list[Block]]:
    grouped: dict[str, list[Block]] = {}
    for block in blocks:
        grouped.setdefault(block.type, []).append(block)
    return list(grouped.values())


def _listed(node: Node) -> Node:
    return TupleNode(node.place, [node], node.head) if isinstance(node, ObjectNode) else node


def _as_tuple(blocks: list[Block]) -> Node:
    place = (blocks[0].open_place[0], blocks[-1].place[1])
    return TupleNode(place, [_as_object(block) for block in blocks], blocks[0].open_place)


def _as_object(block: Block) -> Node:
    items: list[tuple[Node, Node]] = [
        (Literal(each.name_place, each.name), _listed(each.value)) for each in block.body.attributes.values()
    ]
    items += [(Literal(same[0].type_place, same[0].type), _as_tuple(same)) for same in _by_type(block.body.blocks)]
    node: Node = ObjectNode(block.place, items, block.open_place)
    for label, place in reversed(list(zip(block.labels, block.label_places, strict=True))):
        node = ObjectNode(block.place, [(Literal(place, label), TupleNode(place, [node], place))], place)
    return node
