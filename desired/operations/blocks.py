"""Operations by which a whole block comes or goes: a port, a constraint, a `vault` block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from desired.job.api_json import empty_json
from desired.job.spec import Constraint, Network, Port, Task, Vault
from desired.operations.change import new_block, put, with_block, without
from desired.operations.operation import Kind, Operation
from desired.operations.place import Missing, Place, every, find, get
from desired.operations.precondition import PreconditionGone
from desired.operations.standing import constraint_words, found
from desired.operations.table import Row, row
from desired.state import JobBody


def _port_presence(body: JobBody, spec: Row, operation: Operation) -> JobBody:
    label = operation.at[-1] if operation.at else ""
    there = found(body, spec, operation.at, operation)
    if (operation.old is None) is (operation.new is None):
        raise PreconditionGone(operation, "neither a port to add nor one to take away")
    if type(there) is not type(operation.old) or there != operation.old:
        raise PreconditionGone(operation, f"a port {label}" if there is not None else f"no port {label}")
    group = find(body, row(Kind.NETWORK_MODE), operation.at[:1])
    assert isinstance(group, Place)
    if operation.new is not None:
        networks = list(get(group.block, "Networks") or []) or [empty_json(Network)]
        ports = [*(get(networks[0], "DynamicPorts") or []), {**empty_json(Port), "Label": label, "To": operation.new}]
        networks[0] = put(networks[0], Network, ("DynamicPorts",), ports)
        return with_block(body, group.steps, put(group.block, group.kind, ("Networks",), networks))
    port = find(body, spec, operation.at)
    assert isinstance(port, Place)
    bare = {**empty_json(Port), "Label": label, "To": operation.old}
    if any(value not in (None, bare.get(key)) for key, value in port.block.items()):
        raise PreconditionGone(operation, "a port that says more")
    return without(body, port.steps)


def _constraint_presence(body: JobBody, spec: Row, operation: Operation) -> JobBody:
    there = [place for place in every(body, spec, operation.at) if constraint_words(place.block) == operation.old]
    if operation.new is None:
        if not there:
            place = find(body, spec, operation.at)
            raise PreconditionGone(
                operation, place.words if isinstance(place, Missing) else constraint_words(place.block)
            )
        return without(body, there[0].steps)
    if operation.old is not None or any(
        constraint_words(place.block) == operation.new for place in every(body, spec, operation.at)
    ):
        raise PreconditionGone(operation, "that constraint there already")
    scope = (Kind.DATACENTERS, Kind.NETWORK_MODE, Kind.DRIVER)[len(operation.at) - 1]
    place = _place(body, row(scope), replace(operation, kind=scope, at=operation.at[:-1]))
    operand, _, value = str(operation.new).partition(" ")
    made = {**empty_json(Constraint), "LTarget": operation.at[-1], "Operand": operand, "RTarget": value}
    listed_now = [*(get(place.block, "Constraints") or []), made]
    return with_block(body, place.steps, put(place.block, place.kind, ("Constraints",), listed_now))


def _place(body: JobBody, spec: Row, operation: Operation) -> Place:
    place = find(body, spec, operation.at)
    if isinstance(place, Missing):
        raise PreconditionGone(operation, place.words)
    return place


def _vault_presence(body: JobBody, spec: Row, operation: Operation) -> JobBody:
    place = _place(body, spec, operation)
    block = get(place.block, "Vault")
    there = None if block is None else ""
    if there != operation.old:
        raise PreconditionGone(operation, "no vault block" if there is None else "a vault block")
    if operation.new is not None:
        if operation.new != "":
            raise PreconditionGone(operation, "more than an empty vault block to add")
        return with_block(body, place.steps, put(place.block, Task, ("Vault",), new_block(Vault)))
    if block is None:
        return body
    bare = new_block(Vault)
    if any(value not in (None, bare.get(key)) for key, value in block.items()):
        raise PreconditionGone(operation, "a vault block that says more")
    return with_block(body, place.steps, put(place.block, Task, ("Vault",), None))


PRESENCES: Mapping[Kind, Callable[[JobBody, Row, Operation], JobBody]] = {
    Kind.PORT_ADDED: _port_presence,
    Kind.CONSTRAINT_REMOVAL: _constraint_presence,
    Kind.VAULT_ADDED: _vault_presence,
}
