"""A repair as it can be made again, on another job: where by the role a part plays, and the value by where it is from.

`steps` takes a repair of one job apart; `edits` makes it again from another job and its own evidence. A value that is
only this app's stays with this app. Nothing that is remembered is a ground: the guard judges what comes out, like any
other proposal. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from desired.operations.apply import PreconditionGone, apply, current
from desired.operations.operation import Kind, Operation, Value
from desired.operations.table import Scope, Type, row
from desired.state import JobBody
from reconcilers.repair import roles, variable_origins
from reconcilers.repair.proposal import Case
from reconcilers.repair.rules.rule import Edit
from reconcilers.repair.settings_named import settings_named

# The guard allows one step no more.
_MOST_PERCENT = 200
# Words of Nomad, of a driver, or of the cluster that this memory is of: they mean the same for every app.
_TERMS = frozenset(
    {
        Kind.CHECK_TYPE, Kind.CHECK_PROTOCOL, Kind.CHECK_METHOD, Kind.SERVICE_PROVIDER, Kind.RESTART_MODE,
        Kind.NETWORK_MODE, Kind.TEMPLATE_DELIMITERS, Kind.TEMPLATE_ENV, Kind.RESCHEDULE_UNLIMITED, Kind.VAULT_ADDED,
        Kind.DRIVER_KEY, Kind.DATACENTERS, Kind.NODE_POOL, Kind.DRIVER, Kind.SECRET_ENGINE,
    }
)  # fmt: skip
_LABELS = frozenset({Kind.SERVICE_PORT, Kind.CHECK_PORT})
_PORTS = frozenset({Kind.PORT_TO, Kind.PORT_ADDED})
# What stands in a template or is one of several can only be named by the words of the job it stands in.
_OLD_MATTERS = frozenset(
    {Kind.TEMPLATE_SYNTAX, Kind.TEMPLATE_KEY, Kind.KV_SHAPE, Kind.SECRET_PATH, Kind.CONSTRAINT_VALUE,
     Kind.CONSTRAINT_REMOVAL}
)  # fmt: skip

# A repair's value may be one of these by chance.
_COUNTS = frozenset({"exit_code", "kills", "restarts", "crashes", "signal", "status", "limit", "used", "line"})


class From(StrEnum):
    """Where the new value is taken from. The names are stored: the list only grows."""

    TIMES = "times"  # so many percent of the old value
    USE = "use"  # so many percent of what the task was seen to use
    FACT = "fact"  # what the diagnosis found out, by the fact's name
    IMAGE_PORT = "image_port"  # the one port that the image exposes
    ONLY_LABEL = "only_label"  # the one port label that the group declares
    ALL_LABELS = "all_labels"  # every port label that the group declares
    VARIABLE = "variable"  # what another variable of the task holds, by that one's name
    REFERENCE = "reference"  # Nomad's reference to the one port that the group declares, by its word: PORT, ADDR, …
    PORT_TARGET = "port_target"  # the number that the one port of the group leads to
    LAST_GOOD = "last_good"  # what the last good version says there
    TERM = "term"  # the value itself: a word of Nomad, of the driver, or of this cluster
    OWN = "own"  # the value itself, and only for the app it was found for


@dataclass(frozen=True, slots=True)
class Step:
    """One operation in relative form. `at` are roles, or names in full where `source` is OWN; see `roles`.

    `value` is the percentage, the fact's name, or the value itself. `old` is only there where the place needs it.
    """

    kind: Kind
    at: tuple[str, ...]
    source: From
    value: Value = None
    old: Value = None


def own(steps: Iterable[Step]) -> bool:
    """Whether a repair means nothing for another app."""
    return any(one.source is From.OWN for one in steps)


def steps(case: Case, operations: Iterable[Operation]) -> tuple[Step, ...]:
    """Of a repair that can be applied to the case's job; each on top of those before it."""
    body, found = case.body, []
    for one in operations:
        found.append(_step(case, body, one))
        try:
            body = apply(body, (one,))
        except PreconditionGone:
            break
    return tuple(found)


def _step(case: Case, body: JobBody, one: Operation) -> Step:
    at = None if one.kind in _OLD_MATTERS else roles.of(one, case, body)
    if at is not None:
        for source, value in _sources(case, body, one):
            made = Step(one.kind, at, source, value)
            # It counts only if it leads back to where it came from.
            if _value(made, one.at, case, body) == (one.new, True):
                return made
    return Step(one.kind, one.at, From.OWN, one.new, one.old)


def _sources(case: Case, body: JobBody, one: Operation) -> Iterator[tuple[From, Value]]:
    """What may be meant, the most general first."""
    if one.new is None or one.kind in _TERMS:
        yield From.TERM, one.new
        return
    if one.kind is Kind.IMAGE:
        yield From.LAST_GOOD, None
    if one.kind in _LABELS:
        yield From.ONLY_LABEL, None
    if one.kind is Kind.DRIVER_PORTS:
        yield From.ALL_LABELS, None
    if one.kind is Kind.ENV and isinstance(one.new, str):
        yield from _of_variables(body, one, one.new)
    if one.kind in _PORTS or one.kind is Kind.ENV:
        yield From.IMAGE_PORT, None
    facts = [(From.FACT, name) for name in sorted(case.diagnosis.facts.keys() - _COUNTS)]
    if row(one.kind).type is not Type.WHOLE or one.kind in _PORTS or not isinstance(one.new, int):
        yield from facts
        return
    if one.new == 0:
        yield From.TERM, 0
    if case.evidence.refusal:
        # Nomad asks for an amount of its own, whatever the old value was.
        yield from facts
    for source, base in ((From.TIMES, one.old), (From.USE, _used(case, one.kind, one.at))):
        percent = _percent(base, one.new)
        if percent is not None:
            yield source, percent


def _of_variables(body: JobBody, one: Operation, text: str) -> Iterator[tuple[From, Value]]:
    twin = variable_origins.twin(body, one.at, text)
    if twin is not None:
        yield From.VARIABLE, twin
    word = variable_origins.reference(text, roles.labels(body, one.at[0]))
    if word is not None:
        yield From.REFERENCE, word
    yield From.PORT_TARGET, None


def _percent(base: Value, new: int) -> int | None:
    """Only up, and no further than a step may go: what was made smaller fitted that job's numbers alone."""
    if isinstance(base, bool) or not isinstance(base, int) or not 0 < base < new <= base * _MOST_PERCENT // 100:
        return None
    return -(-new * 100 // base)


def edits(case: Case, wanted: Iterable[Step]) -> tuple[Edit, ...] | None:
    """The same repair for this job; None where a part or a value of it cannot be found in this job's own evidence."""
    body, found = case.body, []
    for one in wanted:
        at = one.at if one.source is From.OWN else roles.found(one.kind, one.at, case, body)
        if at is None:
            return None
        value, known = _value(one, at, case, body)
        if not known:
            return None
        old = one.old if isinstance(one.old, str) and one.kind in _OLD_MATTERS else ""
        try:
            before = old or current(body, one.kind, at)
            if one.source is From.OWN and before != one.old:
                # What fitted this app fitted what it said then.
                return None
            body = apply(body, (Operation(one.kind, at, before, value),))
        except PreconditionGone:
            return None
        found.append(Edit(one.kind, at, value, ground(one), old))
    return tuple(found)


def ground(one: Step) -> str:
    """In a few words, for people."""
    return {
        From.TIMES: f"{one.value} % of the old value",
        From.USE: f"{one.value} % of what it was seen to use",
        From.FACT: f"what was found out: {one.value}",
        From.IMAGE_PORT: "the one port that the image exposes",
        From.ONLY_LABEL: "the one port of the group",
        From.ALL_LABELS: "the ports of the group",
        From.VARIABLE: f"what {one.value} holds",
        From.REFERENCE: f"Nomad's {one.value} of the one port of the group",
        From.PORT_TARGET: "the number that the one port of the group leads to",
        From.LAST_GOOD: "what the last good version said",
        From.TERM: "what helped before",
        From.OWN: "what helped this app before",
    }[one.source]


def _value(one: Step, at: tuple[str, ...], case: Case, body: JobBody) -> tuple[Value, bool]:
    """The value for this job, and whether there is one: None may be a value."""
    if one.source in (From.TERM, From.OWN):
        return one.value, True
    found = _derived(one, at, case, body)
    return found, found is not None


def _derived(one: Step, at: tuple[str, ...], case: Case, body: JobBody) -> Value:
    match one.source:
        case From.TIMES:
            return _grown(_current(body, one.kind, at), one.value)
        case From.USE:
            grown = _grown(_used(case, one.kind, at), one.value)
            old = _current(body, one.kind, at)
            return None if isinstance(grown, int) and isinstance(old, int) and grown <= old else grown
        case From.FACT:
            return _typed(one.kind, case.diagnosis.facts.get(str(one.value), ""))
        case From.IMAGE_PORT:
            ports = {port for facts in case.evidence.images.values() for port in facts.ports}
            return _typed(one.kind, str(ports.pop())) if len(ports) == 1 else None
        case From.LAST_GOOD:
            said = {change.old for change in case.evidence.changes if change.path == "/".join((*at, "Config", "image"))}
            return said.pop() if len(said) == 1 else None
        case From.VARIABLE:
            # What one variable holds is laid into another only where the app asks for that one.
            asked = at[-1] in {*settings_named(case.evidence), *case.diagnosis.facts.values()}
            return variable_origins.held(body, at, str(one.value)) if one.kind is Kind.ENV and asked else None
        case From.PORT_TARGET:
            return variable_origins.target(body, at) if one.kind is Kind.ENV else None
    labels = roles.labels(body, at[0])
    if one.source is From.REFERENCE:
        return variable_origins.referring(str(one.value), labels) if one.kind is Kind.ENV else None
    if one.source is From.ONLY_LABEL:
        return labels[0] if len(labels) == 1 else None
    return labels or None


def _grown(base: Value, percent: Value) -> Value:
    """None for what would be no step up, or more than one: a store may say anything."""
    if isinstance(base, bool) or not isinstance(base, int) or base <= 0:
        return None
    if isinstance(percent, bool) or not isinstance(percent, int) or not 100 < percent <= _MOST_PERCENT:
        return None
    return base * percent // 100


def _typed(kind: Kind, told: str) -> Value:
    """A fact is a text; None where it is none of the kind's values."""
    if not told:
        return None
    match row(kind).type:
        case Type.WHOLE:
            return int(told) if told.isdecimal() else None
        case Type.TEXT:
            return told
    return None


def _current(body: JobBody, kind: Kind, at: tuple[str, ...]) -> Value:
    try:
        return current(body, kind, at)
    except PreconditionGone:
        return None


def _used(case: Case, kind: Kind, at: tuple[str, ...]) -> int:
    used = case.evidence.usage.get((at[0], at[1])) if row(kind).scope is Scope.TASK else None
    if used is None:
        return 0
    return used.memory if kind in (Kind.MEMORY, Kind.MEMORY_MAX) else used.cpu if kind is Kind.CPU else 0
