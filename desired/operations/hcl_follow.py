"""Finds the block of a job file that a block of the job's JSON was read from.

Blocks that a `dynamic` block makes stand nowhere: NotLiteral says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desired.job.hcl_nodes import Block
from desired.job.spec import Group, Job, Port, Task
from desired.job.table import by_json, label_of
from desired.operations.hcl_file import HclFile
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Operation
from desired.operations.place import Step
from desired.state import JobBody


def follow(file: HclFile, operation: Operation, body: JobBody, steps: tuple[Step, ...]) -> Block:
    """`steps` lead through the JSON that was read from the file; raises NotLiteral."""
    block, value = file.job, body
    kind: type = Job
    position = 0
    while position < len(steps):
        key, number = str(steps[position]), steps[position + 1]
        assert isinstance(number, int)
        row = by_json(kind)[key]
        assert row.block is not None
        value = value[key][number]
        position += 2
        name = "port" if row.block is Port else row.hcl
        if row.block is Group and (alone := _alone(block, value)) is not None:
            # A task right in the job makes a group of its own.
            if steps[position : position + 1] != ("Tasks",):
                raise _at(file, operation, alone, "its group is not written: the task stands in the job itself")
            block, kind, value = alone, Task, value["Tasks"][0]
            position += 2
            continue
        block, kind = _child(file, operation, block, name, row.block, value, number), row.block
    return block


def single(file: HclFile, operation: Operation, block: Block, name: str) -> Block | None:
    """The block of a type, the first where there are several; None where there is none."""
    for each in block.body.blocks:
        if each.type == name:
            return each
        if each.type == "dynamic" and each.labels == [name]:
            raise _at(file, operation, each, f"a dynamic block makes the {name} block")
    return None


def _child(
    file: HclFile, operation: Operation, block: Block, name: str, kind: type, value: Mapping[str, Any], number: int
) -> Block:
    label = label_of(kind)
    if label is not None:
        same = [each for each in block.body.blocks if each.type == name and each.labels == [value[label.json]]]
        if same:
            # Of several of a label, an operation means the last.
            return same[-1]
    seen = 0
    for each in block.body.blocks:
        if each.type == "dynamic" and each.labels == [name]:
            raise _at(file, operation, each, f"a dynamic block makes the {name} block")
        if label is None and each.type == name:
            if seen == number:
                return each
            seen += 1
    raise _at(file, operation, block, f"no {name} block is written here that says it")


def _alone(job: Block, group: Mapping[str, Any]) -> Block | None:
    return next(
        (each for each in job.body.blocks if each.type == "task" and each.labels == [group.get("Name")]),
        None,
    )


def _at(file: HclFile, operation: Operation, block: Block, why: str) -> NotLiteral:
    line, column = file.source.position(block.place[0])
    return NotLiteral(operation, why, line=line, column=column)
