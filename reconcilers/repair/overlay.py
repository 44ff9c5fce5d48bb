"""What repairs make of the spec that git asks for. Pure.

Each operation of the overlay stands for as long as git says what it was made for. Where git says the new value already,
the repair has arrived there and is dropped; where git says something else, people have decided, and it is dropped too.
"""

from __future__ import annotations

from dataclasses import dataclass

from desired.operations.apply import apply, done, holds
from desired.operations.operation import Operation
from desired.operations.words import line
from desired.state import JobBody
from reconcilers.repair.episode import Kept
from reconcilers.spec import Spec


@dataclass(frozen=True, slots=True)
class Sorted:
    """The overlay against what git says now: what stands, what reached git, and what git contradicts."""

    standing: tuple[Kept, ...]
    arrived: tuple[Kept, ...] = ()
    contradicted: tuple[Kept, ...] = ()


def sort(overlay: tuple[Kept, ...], body: JobBody) -> Sorted:
    """Operations build on each other: each is judged on the job that the ones before it leave."""
    standing: list[Kept] = []
    arrived: list[Kept] = []
    contradicted: list[Kept] = []
    for kept in overlay:
        operation = kept.operation
        if holds(body, operation):
            body = apply(body, (operation,))
            standing.append(kept)
        elif done(body, operation):
            arrived.append(kept)
        else:
            contradicted.append(kept)
    return Sorted(tuple(standing), tuple(arrived), tuple(contradicted))


def overlaid(written: Spec, operations: tuple[Operation, ...]) -> Spec:
    """The spec with the operations applied; the same one where there are none.

    What a person wrote travels with it as it is: the difference stands in the record and in `status`, not in a text
    that nobody wrote. Raises PreconditionGone where the spec says something else by now.
    """
    if not operations:
        return written
    return Spec.of(
        apply(written.body, operations),
        text=written.text,
        format=written.format,
        variables=written.variables,
        revision=written.revision,
        path=written.path,
    )


def told(kept: tuple[Kept, ...]) -> str:
    return "; ".join(line(one.operation) for one in kept)
