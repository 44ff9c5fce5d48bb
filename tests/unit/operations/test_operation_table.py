"""The table of operations: it covers every kind, and what it says of Nomad is so."""

from __future__ import annotations

import inspect
import re

import pytest

from desired.job.fields import Kind as FieldKind
from desired.job.fields import Shape
from desired.job.spec import Check, Constraint, Group, Job, Port, Secret, Service, Task, Template
from desired.job.table import by_json
from desired.operations import operation
from desired.operations.operation import Kind
from desired.operations.table import LENGTHS, ROWS, How, Scope, Tier, Type, Unit, fits, row

CLASSES: dict[Scope, type] = {
    Scope.JOB: Job,
    Scope.GROUP: Group,
    Scope.TASK: Task,
    Scope.ENTRY: Task,
    Scope.PORT: Port,
    Scope.SERVICE: Service,
    Scope.CHECK: Check,
    Scope.CONSTRAINT: Constraint,
    Scope.TEMPLATE: Template,
    Scope.SECRET: Secret,
}
TYPES = {
    FieldKind.INTEGER: Type.WHOLE,
    FieldKind.DURATION: Type.WHOLE,
    FieldKind.FLAG: Type.FLAG,
    FieldKind.TEXT: Type.TEXT,
    FieldKind.TEXTS: Type.TEXTS,
}
# Design, "Repair ladder", 5: these wait for a person unless REPAIR_AUTO says otherwise.
APPROVED = {
    Kind.STATIC_PORT,
    Kind.SECRET_PATH,
    Kind.TEMPLATE_KEY,
    Kind.TEMPLATE_ENV,
    Kind.VAULT_ROLE,
    Kind.VAULT_ADDED,
    Kind.IMAGE,
    Kind.COMMAND,
    Kind.ARGS,
    Kind.ENTRYPOINT,
    Kind.WORK_DIR,
    Kind.DRIVER,
    Kind.DRIVER_VALUE,
    Kind.ENV,
    Kind.NETWORK_MODE,
    Kind.CONSTRAINT_REMOVAL,
    Kind.SERVICE_PROVIDER,
}


def test_every_kind_has_a_row() -> None:
    assert set(ROWS) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_a_value_stands_where_the_spec_has_such_a_value(kind: Kind) -> None:
    """Every path leads through the job's own table, to a field of the type that the row promises."""
    spec = row(kind)
    for path, start in ((spec.path, CLASSES[spec.scope]), (spec.inherited, Job)):
        block: type | None = start
        for number, key in enumerate(path):
            if spec.how is How.DELIMITERS:
                block = Template
            assert block is not None, f"{kind}: nothing inside of {path[number - 1]}"
            field = by_json(block)[key]
            if field.shape is Shape.MAP_BLOCK:
                break
            if number == len(path) - 1 and spec.how is not How.PRESENCE:
                assert TYPES[field.kind] is spec.type
                assert (field.kind is FieldKind.DURATION) is (spec.unit is Unit.NANOSECONDS)
            block = field.block


@pytest.mark.parametrize("kind", Kind)
def test_an_address_has_the_parts_that_the_vocabulary_tells(kind: Kind) -> None:
    told = re.search(rf"{kind.name} = .*?# (\S+)", inspect.getsource(operation))
    assert told is not None
    address = told[1].rstrip(",:")
    parts = 0 if address == "-" else address.count("/") + 1
    lengths = LENGTHS[row(kind).scope]
    assert max(lengths) == parts
    assert min(lengths) == parts - address.count("[")


@pytest.mark.parametrize("kind", Kind)
def test_what_may_cost_somebody_something_waits_for_a_person(kind: Kind) -> None:
    assert row(kind).tier is (Tier.APPROVE if kind in APPROVED else Tier.AUTO)


@pytest.mark.parametrize(
    ("kind", "value", "may"),
    [
        (Kind.MEMORY, 64, True),
        (Kind.MEMORY, True, False),
        (Kind.MEMORY, "64", False),
        (Kind.TEMPLATE_ENV, True, True),
        (Kind.TEMPLATE_ENV, 1, False),
        (Kind.ARGS, ("a",), True),
        (Kind.ARGS, "a", False),
        (Kind.DRIVER_VALUE, ("a",), True),
        (Kind.DRIVER_VALUE, 5, True),
        (Kind.IMAGE, None, True),
    ],
)
def test_a_value_is_of_its_kinds_type(kind: Kind, value: object, may: bool) -> None:
    assert fits(row(kind), value) is may  # type: ignore[arg-type]
