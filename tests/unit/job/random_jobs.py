"""Typed jobs made from a seed: every block of the table, with values that need care in HCL.

Plain randomness, not hypothesis strategies: a job has a thousand fields, and drawing each took seconds.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from random import Random
from typing import Any

from desired.job import spec
from desired.job.fields import Kind, Shape
from desired.job.spec_connect import SidecarTask
from desired.job.table import Row, rows

# Quotes, escapes, interpolation, several lines, marks, other scripts.
PIECES = [
    *(
        [
            "a",
            "Z",
            "0",
            '"',
            "\\",
            "$",
            "${",
            "$${",
            "%{",
            "%%{",
            "}",
            "{",
            "~",
            "#",
            "//",
            "-",
            ".",
            "=",
            "'",
            "é",
            "日",
        ]
    ),
    *(" ", "  ", "\n", "\t", "\r", "\x01", "\u2028", "EOT", "EOT\n", "<<EOF\n", "/* */", "{{ key }}"),
    *("${NOMAD_PORT_http}", "${attr.cpu.arch}", "${var.x}", "${ node.id }", "%{ if x }", "${a}}"),
]
# Maps that HCL also takes as an attribute may have any key.
_ANY_KEYS = {(spec.Job, "Meta"), (spec.Group, "Meta"), (spec.Task, "Meta"), (spec.Task, "Env")}


def random_job(seed: int) -> spec.Job:
    """The job of a seed."""
    job = _Maker(Random(seed)).block(spec.Job, 0)
    assert isinstance(job, spec.Job)
    return dataclasses.replace(job, id=job.id or "x")


class _Maker:
    def __init__(self, random: Random) -> None:
        self._random = random

    def text(self) -> str:
        return "".join(self._random.choices(PIECES, k=self._random.randrange(6)))

    def name(self) -> str:
        return self._random.choice("abz_") + "".join(self._random.choices("aZ09_-", k=self._random.randrange(5)))

    def free(self, depth: int) -> Any:
        made = self._random.randrange(8 if depth < 3 else 5)
        if made == 0:
            return None
        if made == 1:
            return self._random.random() < 0.5
        if made == 2:
            return self._random.randrange(-(2**53), 2**53)
        if made == 3:
            return self._random.uniform(-1e9, 1e9)
        if made == 4:
            return self.text()
        if made == 5:
            return [self.free(depth + 1) for _ in range(self._random.randrange(3))]
        if made == 6:
            return [{self.name(): self.free(depth + 1)} for _ in range(self._random.randrange(3))]
        return {
            self.name() if depth < 2 else self.text(): self.free(depth + 1) for _ in range(self._random.randrange(3))
        }

    def block(self, kind: type, depth: int) -> Any:
        values: dict[str, Any] = {}
        for row in rows(kind):
            wanted = row.shape is Shape.LABEL or row.required or self._random.random() < 0.5
            if row.shape is not Shape.API_ONLY and wanted:
                values[row.attribute] = self._field(kind, row, depth)
        return _possible(kind, kind(**values))

    def _many(self, make: Any) -> list[Any]:
        return [make() for _ in range(self._random.randrange(3))]

    def _field(self, kind: type, row: Row, depth: int) -> Any:
        if row.shape is Shape.LABEL:
            return self.text() or "label"
        if row.block is not None:
            block = row.block
            if row.shape is Shape.BLOCK:
                return self.block(block, depth + 1)
            made = self._many(lambda: self.block(block, depth + 1))
            return tuple({each.name: each for each in made}.values() if row.shape is Shape.BLOCK_MAP else made)
        match row.kind:
            case Kind.TEXT:
                return self.text()
            case Kind.FLAG:
                return self._random.random() < 0.5
            case Kind.INTEGER:
                return self._random.randint(*row.limits)
            case Kind.INTEGERS:
                return tuple(self._many(lambda: self._random.randint(*row.limits)))
            case Kind.DURATION:
                return timedelta(microseconds=self._random.randrange(1, 10 ** self._random.randrange(1, 12)))
            case Kind.TEXTS:
                return tuple(self._many(self.text))
            case Kind.TEXTS_MAP:
                return {self.name(): tuple(self._many(self.text)) for _ in range(2)}
            case Kind.TEXT_MAP:
                key = self.text if (kind, row.json) in _ANY_KEYS else self.name
                return {key() or "k": self.text() for _ in range(self._random.randrange(3))}
        # Nomad drops a key of the outermost map that is set to null.
        made = {self.name(): self.free(0) for _ in range(self._random.randrange(4))}
        return {key: value for key, value in made.items() if value is not None}


def _possible(kind: type, made: Any) -> Any:
    """The same block as HCL can say it."""
    if kind in (spec.Constraint, spec.Affinity):
        return dataclasses.replace(made, operator=made.operator or "=")
    if kind is SidecarTask and made.resources is not None:
        # Nomad does not tell static ports apart there, and HCL has one word for both kinds.
        return dataclasses.replace(made, resources=dataclasses.replace(made.resources, networks=()))
    if kind is spec.Network:
        dynamic = tuple(dataclasses.replace(port, static=0) for port in made.dynamic_ports)
        reserved = tuple(dataclasses.replace(port, static=abs(port.static) or 1) for port in made.reserved_ports)
        return dataclasses.replace(made, dynamic_ports=dynamic, reserved_ports=reserved)
    if kind is spec.Task:
        names = ("vertical_cpu", "vertical_mem")
        scaling = tuple(dataclasses.replace(each, type=name) for each, name in zip(made.scaling, names, strict=False))
        identities = tuple(dataclasses.replace(each, name=f"id-{each.name}") for each in made.identities)
        return dataclasses.replace(made, scaling=scaling, identities=identities)
    if kind is spec.Group and made.scaling is not None:
        scaling = dataclasses.replace(made.scaling, type="horizontal", max=made.scaling.max or 1)
        return dataclasses.replace(made, scaling=scaling)
    return made
