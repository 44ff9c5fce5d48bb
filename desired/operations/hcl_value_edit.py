"""Sets a value in a block of a job file: exchanges its literal, or puts in what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from desired.job.duration import format_duration
from desired.job.fields import Kind as FieldKind
from desired.job.fields import Shape
from desired.job.hcl_nodes import Block, Literal, Node, ObjectNode, Template, Traversal
from desired.job.hcl_text import IDENTIFIER, key_text, quoted_text, value
from desired.job.spec import Port
from desired.job.table import Row as Field
from desired.job.table import by_json
from desired.operations.hcl_file import HclFile
from desired.operations.hcl_follow import single
from desired.operations.hcl_layout import attribute_added, attribute_removed, block_added, block_removed
from desired.operations.hcl_literal import exchanged
from desired.operations.hcl_object import item_added, item_removed
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Operation
from desired.operations.place import get
from desired.operations.splice import Splice


def set_value(
    file: HclFile, operation: Operation, block: Block, kind: type, now: Any, path: tuple[str, ...], new: Any
) -> list[Splice]:
    """Set what stands at a path in a block, or take it away; `now` is the block's JSON."""
    field = by_json(kind)[path[0]]
    there = get(now, path[0]) if now is not None else None
    if len(path) == 1:
        like = _like(file, operation, block, kind)
        return set_attribute(
            file, operation, block, field.hcl, there, as_written(field, new), new=new, like=like, typed=True
        )
    if field.shape is Shape.MAP_BLOCK:
        held = there.get(path[1]) if isinstance(there, dict) else None
        return _entry(file, operation, block, field, path[1], held, new)
    assert field.block is not None
    first = (there[0] if there else None) if isinstance(there, list) else there
    inner = single(file, operation, block, field.hcl)
    if inner is not None:
        return set_value(file, operation, inner, field.block, first, path[1:], new)
    if new is None:
        return []
    lines = [f"{field.hcl} {{", f"{file.unit}{_line(by_json(field.block)[path[1]], new)}", "}"]
    return [block_added(file, block, lines)]


def _line(field: Field, new: Any) -> str:
    return f"{field.hcl} = {as_written(field, new)}"


def as_written(field: Field | None, new: Any) -> str | None:
    if new is None:
        return None
    if field is not None and field.kind is FieldKind.DURATION:
        return quoted_text(format_duration(new))
    return quoted_text(new) if isinstance(new, str) else value(new, 0)


def set_attribute(
    file: HclFile,
    operation: Operation,
    block: Block,
    name: str,
    old: Any,
    written: str | None,
    *,
    new: Any = None,
    like: Block | None = None,
    typed: bool = False,
) -> list[Splice]:
    attribute = block.body.attributes.get(name)
    if attribute is None:
        return [] if written is None else [attribute_added(file, block, name, written, like=like)]
    if written is None:
        exchanged(file, operation, attribute.value, old, new, "")
        return [attribute_removed(file, block, attribute)]
    return exchanged(file, operation, attribute.value, old, new, written, typed=typed)


def _like(file: HclFile, operation: Operation, block: Block, kind: type) -> Block | None:
    """Another port of the network, for how ports are written here."""
    if kind is not Port:
        return None
    ports = (each for each in _all(file.job) if each.type == "port" and each is not block and each.body.attributes)
    return next(ports, None)


def _all(block: Block) -> Iterator[Block]:
    for each in block.body.blocks:
        yield each
        yield from _all(each)


def _entry(
    file: HclFile, operation: Operation, block: Block, field: Field, name: str, old: Any, new: Any
) -> list[Splice]:
    """An entry of `env` or `config`, which people write as a block or, `env`, as an object."""
    written = as_written(None, new)
    attribute = block.body.attributes.get(field.hcl)
    if attribute is not None:
        node = attribute.value
        if not isinstance(node, ObjectNode):
            exchanged(file, operation, node, None, None, "")
            return []
        item = next((each for each in node.items if _key(each[0]) == name), None)
        if item is None:
            return [] if written is None else [item_added(file, node, f"{key_text(name)} = ", written)]
        spliced = exchanged(file, operation, item[1], old, new, written or "")
        return [item_removed(file, node, item)] if written is None else spliced
    inner = single(file, operation, block, field.hcl)
    if inner is not None:
        if written is not None and name not in inner.body.attributes:
            must_be_identifier(file, operation, inner, name)
        blocks = [each for each in inner.body.blocks if each.type == name]
        if blocks and written is None:
            return [block_removed(file, each) for each in blocks]
        return set_attribute(file, operation, inner, name, old, written, new=new)
    if written is None:
        return []
    if IDENTIFIER.fullmatch(name):
        return [block_added(file, block, [f"{field.hcl} {{", f"{file.unit}{name} = {written}", "}"])]
    lines = [f"{field.hcl} = {{", f"{file.unit}{key_text(name)} = {written}", "}"]
    return [block_added(file, block, lines)]


def must_be_identifier(file: HclFile, operation: Operation, block: Block, name: str) -> None:
    if IDENTIFIER.fullmatch(name) is None:
        line, column = file.source.position(block.place[0])
        raise NotLiteral(operation, f"a {block.type} block cannot hold this name", line=line, column=column)


def _key(node: Node) -> str | None:
    if isinstance(node, Traversal) and isinstance(node.source, str) and not node.steps:
        return node.source
    if isinstance(node, Template):
        return node.constant
    return str(node.value) if isinstance(node, Literal) else None
