"""Writes operations into a job file that a person wrote: only the changed literals, comments and layout stay.

An edited text always reads as the job with the operations applied; where no edit does, NotLiteral says why, and the
text is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from desired.errors import InvalidDesired
from desired.job.duration import format_duration
from desired.job.fields import Kind as FieldKind
from desired.job.fields import Shape
from desired.job.hcl_json import is_json
from desired.job.hcl_nodes import Block, Literal, Node, ObjectNode, Template, Traversal
from desired.job.hcl_read import read_job
from desired.job.hcl_text import IDENTIFIER, key_text, quoted_text, value
from desired.job.spec import Port
from desired.job.table import Row as Field
from desired.job.table import by_json
from desired.operations import words
from desired.operations.apply import apply
from desired.operations.edit_json import edit_json
from desired.operations.hcl_file import HclFile
from desired.operations.hcl_follow import follow, single
from desired.operations.hcl_fragment import fragment_candidates, refused_fragment
from desired.operations.hcl_layout import attribute_added, attribute_removed, block_added, block_removed, key_renamed
from desired.operations.hcl_literal import exchanged
from desired.operations.hcl_object import item_added, item_removed
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Kind, Operation
from desired.operations.place import Missing, Place, every, find, get
from desired.operations.same_job import same_job
from desired.operations.splice import Splice
from desired.operations.standing import constraint_words, owner_of, same
from desired.operations.table import How, row
from desired.state import JobBody


def edit(text: str, operations: Iterable[Operation], *, variables: str = "") -> str:
    """The job file with the operations written into it, one after the other; `variables` are those beside it.

    Raises NotLiteral, PreconditionGone, and InvalidDesired for a text that is no job.
    """
    for operation in operations:
        text = edit_json(text, operation) if is_json(text) else _edited(text, operation, variables)
    return text


def patch(text: str, operations: Iterable[Operation], *, variables: str = "") -> str:
    """What the operations come to, as a diff of the job as HCL without secrets: for a person to write by hand."""
    return words.diff(read_job(text, variables), tuple(operations))


def _edited(text: str, operation: Operation, variables: str) -> str:
    body = read_job(text, variables)
    wanted = apply(body, (operation,))
    for candidate in _candidates(text, body, operation):
        try:
            if same_job(read_job(candidate, variables), wanted):
                return candidate
        except InvalidDesired:
            continue
    if row(operation.kind).how is How.FRAGMENT:
        file = HclFile.of(text)
        block = follow(file, operation, body, _place(body, operation).steps)
        raise refused_fragment(file, operation, block)
    raise NotLiteral(operation, "what is written around it makes something else of the change")


def _candidates(text: str, body: JobBody, operation: Operation) -> Iterator[str]:
    file = HclFile.of(text)
    if row(operation.kind).how is How.FRAGMENT:
        for place in every(body, row(operation.kind), operation.at):
            block = follow(file, operation, body, place.steps)
            for splices in fragment_candidates(file, operation, block):
                yield file.spliced(splices)
    elif operation.kind is Kind.TEMPLATE_DELIMITERS:
        block = follow(file, operation, body, _place(body, operation).steps)
        left, _, right = str(operation.new).partition(" ")
        once = HclFile.of(file.spliced(_attribute(file, operation, block, "left_delimiter", None, quoted_text(left))))
        block = follow(once, operation, body, _place(body, operation).steps)
        yield once.spliced(_attribute(once, operation, block, "right_delimiter", None, quoted_text(right)))
    else:
        yield file.spliced(_splices(file, body, operation))


def _splices(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    spec = row(operation.kind)
    special = _SPECIAL.get(operation.kind)
    if special is not None:
        return special(file, body, operation)
    place = _place(body, operation)
    owner, path = owner_of(body, spec, operation.at, place)
    block = follow(file, operation, body, owner.steps)
    new = list(operation.new) if isinstance(operation.new, tuple) else operation.new
    return _set(file, operation, block, owner.kind, owner.block, path, new)


def _place(body: JobBody, operation: Operation) -> Place:
    """The operation applies to this job, so that it is there."""
    spec = row(operation.kind)
    places = list(every(body, spec, operation.at))
    if operation.kind is Kind.CONSTRAINT_VALUE:
        meant = (each for each in places if same(spec, get(each.block, "RTarget") or None, operation.old))
        return next(meant, places[0])
    return places[-1] if spec.how is How.RENAME else places[0]


# ---- values


def _set(
    file: HclFile, operation: Operation, block: Block, kind: type, now: Any, path: tuple[str, ...], new: Any
) -> list[Splice]:
    """Set what stands at a path in a block, or take it away; `now` is the block's JSON."""
    field = by_json(kind)[path[0]]
    there = get(now, path[0]) if now is not None else None
    if len(path) == 1:
        like = _like(file, operation, block, kind)
        return _attribute(
            file, operation, block, field.hcl, there, _written(field, new), new=new, like=like, typed=True
        )
    if field.shape is Shape.MAP_BLOCK:
        held = there.get(path[1]) if isinstance(there, dict) else None
        return _entry(file, operation, block, field, path[1], held, new)
    assert field.block is not None
    first = (there[0] if there else None) if isinstance(there, list) else there
    inner = single(file, operation, block, field.hcl)
    if inner is not None:
        return _set(file, operation, inner, field.block, first, path[1:], new)
    if new is None:
        return []
    lines = [f"{field.hcl} {{", f"{file.unit}{_line(by_json(field.block)[path[1]], new)}", "}"]
    return [block_added(file, block, lines)]


def _line(field: Field, new: Any) -> str:
    return f"{field.hcl} = {_written(field, new)}"


def _written(field: Field | None, new: Any) -> str | None:
    if new is None:
        return None
    if field is not None and field.kind is FieldKind.DURATION:
        return quoted_text(format_duration(new))
    return quoted_text(new) if isinstance(new, str) else value(new, 0)


def _attribute(
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
    written = _written(None, new)
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
            _must_be_identifier(file, operation, inner, name)
        blocks = [each for each in inner.body.blocks if each.type == name]
        if blocks and written is None:
            return [block_removed(file, each) for each in blocks]
        return _attribute(file, operation, inner, name, old, written, new=new)
    if written is None:
        return []
    if IDENTIFIER.fullmatch(name):
        return [block_added(file, block, [f"{field.hcl} {{", f"{file.unit}{name} = {written}", "}"])]
    lines = [f"{field.hcl} = {{", f"{file.unit}{key_text(name)} = {written}", "}"]
    return [block_added(file, block, lines)]


def _must_be_identifier(file: HclFile, operation: Operation, block: Block, name: str) -> None:
    if IDENTIFIER.fullmatch(name) is None:
        line, column = file.source.position(block.place[0])
        raise NotLiteral(operation, f"a {block.type} block cannot hold this name", line=line, column=column)


def _key(node: Node) -> str | None:
    if isinstance(node, Traversal) and isinstance(node.source, str) and not node.steps:
        return node.source
    if isinstance(node, Template):
        return node.constant
    return str(node.value) if isinstance(node, Literal) else None


# ---- kinds of their own


def _constraint_value(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    place = _place(body, operation)
    block = follow(file, operation, body, place.steps)
    operand = str(get(place.block, "Operand") or "")
    # Of `distinct_property = …`, the property is the attribute, and the value is its own.
    short = operand in block.body.attributes and operand != "distinct_property"
    name = operand if short else "value"
    return _attribute(file, operation, block, name, operation.old, _written(None, operation.new))


def _constraint(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    spec = row(operation.kind)
    if operation.new is None:
        place = next(each for each in every(body, spec, operation.at) if constraint_words(each.block) == operation.old)
        return [block_removed(file, follow(file, operation, body, place.steps))]
    scope = (Kind.DATACENTERS, Kind.NETWORK_MODE, Kind.DRIVER)[len(operation.at) - 1]
    owner = find(body, row(scope), operation.at[:-1])
    assert isinstance(owner, Place)
    operand, _, told = str(operation.new).partition(" ")
    pairs = {"attribute": operation.at[-1], "operator": operand, "value": told}
    lines = [f"{file.unit}{name} = {quoted_text(text)}" for name, text in pairs.items() if text]
    return [block_added(file, follow(file, operation, body, owner.steps), ["constraint {", *lines, "}"])]


def _port_label(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    block = follow(file, operation, body, _place(body, operation).steps)
    return [Splice(*block.label_places[0], quoted_text(str(operation.new), label=True))]


def _port(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    spec = row(operation.kind)
    if operation.new is None:
        place = find(body, spec, operation.at)
        assert isinstance(place, Place)
        return [block_removed(file, follow(file, operation, body, place.steps))]
    group = find(body, row(Kind.NETWORK_MODE), operation.at[:1])
    assert not isinstance(group, Missing)
    block = follow(file, operation, body, group.steps)
    name = quoted_text(operation.at[-1], label=True)
    lines = [f"port {name} {{", f"{file.unit}to = {operation.new}", "}"] if operation.new else [f"port {name} {{}}"]
    network = single(file, operation, block, "network")
    if network is not None:
        return [block_added(file, network, lines)]
    return [block_added(file, block, ["network {", *(file.unit + line for line in lines), "}"])]


def _vault(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    block = follow(file, operation, body, _place(body, operation).steps)
    if operation.new is not None:
        return [block_added(file, block, ["vault {}"])]
    vault = single(file, operation, block, "vault")
    if vault is None:
        raise NotLiteral(operation, "the vault block is not the task's own")
    return [block_removed(file, vault)]


def _driver_key(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    place = _place(body, operation)
    block = follow(file, operation, body, place.steps)
    config = single(file, operation, block, "config")
    name, new = operation.at[-1], operation.new
    if config is None:
        raise NotLiteral(operation, "the task has no config block of its own")
    attribute = config.body.attributes.get(name)
    blocks = [each for each in config.body.blocks if each.type == name]
    if attribute is None and not blocks:
        raise NotLiteral(operation, "a dynamic block makes it")
    if new is None:
        found = [attribute_removed(file, config, attribute)] if attribute is not None else []
        return [*found, *(block_removed(file, each) for each in blocks)]
    _must_be_identifier(file, operation, config, str(new))
    splices = [Splice(*each.type_place, str(new)) for each in blocks]
    return [*splices, key_renamed(file, attribute, str(new))] if attribute is not None else splices


_SPECIAL: dict[Kind, Callable[[HclFile, JobBody, Operation], list[Splice]]] = {
    Kind.CONSTRAINT_VALUE: _constraint_value,
    Kind.CONSTRAINT_REMOVAL: _constraint,
    Kind.PORT_LABEL: _port_label,
    Kind.PORT_ADDED: _port,
    Kind.VAULT_ADDED: _vault,
    Kind.DRIVER_KEY: _driver_key,
}
