"""What one operation changes in the text of a job file, by its kind."""

from __future__ import annotations

from collections.abc import Callable

from desired.job.hcl_text import quoted_text
from desired.operations.hcl_file import HclFile
from desired.operations.hcl_follow import follow, single
from desired.operations.hcl_layout import attribute_removed, block_added, block_removed, key_renamed
from desired.operations.hcl_value_edit import as_written, must_be_identifier, set_attribute, set_value
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Kind, Operation
from desired.operations.place import Place, every, find, get
from desired.operations.splice import Splice
from desired.operations.standing import constraint_words, owner_of, same
from desired.operations.table import How, row
from desired.state import JobBody


def splices(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    """The pieces of text that make the change; raises NotLiteral."""
    spec = row(operation.kind)
    special = _SPECIAL.get(operation.kind)
    if special is not None:
        return special(file, body, operation)
    place = place_of(body, operation)
    owner, path = owner_of(body, spec, operation.at, place)
    block = follow(file, operation, body, owner.steps)
    new = list(operation.new) if isinstance(operation.new, tuple) else operation.new
    return set_value(file, operation, block, owner.kind, owner.block, path, new)


def place_of(body: JobBody, operation: Operation) -> Place:
    """The operation applies to this job, so that it is there."""
    spec = row(operation.kind)
    places = list(every(body, spec, operation.at))
    if operation.kind is Kind.CONSTRAINT_VALUE:
        meant = (each for each in places if same(spec, get(each.block, "RTarget") or None, operation.old))
        return next(meant, places[0])
    return places[-1] if spec.how is How.RENAME else places[0]


def _constraint_value(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    place = place_of(body, operation)
    block = follow(file, operation, body, place.steps)
    operand = str(get(place.block, "Operand") or "")
    # Of `distinct_property = …`, the property is the attribute, and the value is its own.
    short = operand in block.body.attributes and operand != "distinct_property"
    name = operand if short else "value"
    return set_attribute(file, operation, block, name, operation.old, as_written(None, operation.new))


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
    block = follow(file, operation, body, place_of(body, operation).steps)
    return [Splice(*block.label_places[0], quoted_text(str(operation.new), label=True))]


def _port(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    spec = row(operation.kind)
    if operation.new is None:
        place = find(body, spec, operation.at)
        assert isinstance(place, Place)
        return [block_removed(file, follow(file, operation, body, place.steps))]
    group = find(body, row(Kind.NETWORK_MODE), operation.at[:1])
    assert isinstance(group, Place)
    block = follow(file, operation, body, group.steps)
    name = quoted_text(operation.at[-1], label=True)
    lines = [f"port {name} {{", f"{file.unit}to = {operation.new}", "}"] if operation.new else [f"port {name} {{}}"]
    network = single(file, operation, block, "network")
    if network is not None:
        return [block_added(file, network, lines)]
    return [block_added(file, block, ["network {", *(file.unit + line for line in lines), "}"])]


def _vault(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    block = follow(file, operation, body, place_of(body, operation).steps)
    if operation.new is not None:
        return [block_added(file, block, ["vault {}"])]
    vault = single(file, operation, block, "vault")
    if vault is None:
        raise NotLiteral(operation, "the vault block is not the task's own")
    return [block_removed(file, vault)]


def _driver_key(file: HclFile, body: JobBody, operation: Operation) -> list[Splice]:
    place = place_of(body, operation)
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
    must_be_identifier(file, operation, config, str(new))
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
