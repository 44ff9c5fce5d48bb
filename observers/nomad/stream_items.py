"""What the event stream tells its consumer, as values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from desired.app import DEFAULT_NAMESPACE, AppKey
from desired.errors import OperatorError
from observers.nomad.answers import Json, mapping, number, sequence, text

# Children of a parameterized or periodic job. Source: nomad/structs/job.go DispatchedID, periodic.go derivedJobID.
_CHILD = re.compile(r"(?s)(?P<parent>.+)/(dispatch|periodic)-[^/]+")


@dataclass(frozen=True, slots=True)
class Connected:
    """Nomad has accepted a subscription to `namespace` (or `*`). The consumer lists now: the stream has no past.

    `index` is the newest that was seen on this subscription before, 0 at first. Events follow from there, some twice.
    """

    namespace: str
    index: int


@dataclass(frozen=True, slots=True)
class Event:
    """One change. It wakes keys and carries evidence; its type is a hint, its payload may be out of date already.

    `key` is the job it belongs to, None where it belongs to none; `parent` the job that this one was dispatched or
    launched by.
    """

    topic: str
    type: str
    index: int
    key: AppKey | None
    parent: AppKey | None = None
    payload: Mapping[str, Any] | None = None

    @property
    def happened_at(self) -> datetime | None:
        """When the server wrote it, by its clock; None where the payload does not say (a job's never does)."""
        values = [value for value in (self.payload or {}).values() if isinstance(value, Mapping)]
        nanoseconds = next((value["ModifyTime"] for value in values if value.get("ModifyTime")), None)
        return None if nanoseconds is None else datetime.fromtimestamp(nanoseconds / 1e9, UTC)

    @property
    def keys(self) -> tuple[AppKey, ...]:
        """Every key to wake."""
        return tuple(key for key in (self.key, self.parent) if key is not None)


@dataclass(frozen=True, slots=True)
class Missed:
    """Events were lost while connected, or may have been: the consumer lists again."""

    namespace: str
    reason: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The subscription ended; it is tried again after `retry_in`."""

    namespace: str
    error: OperatorError
    retry_in: timedelta


StreamItem = Connected | Event | Missed | Disconnected


def events(line: Json) -> Iterator[Event]:
    """The events of one line of the stream, in their order. Raises Unintelligible."""
    for value in sequence(line.get("Events"), "Events"):
        yield _event(mapping(value, "an event"))


def _event(answer: Json) -> Event:
    topic = text(answer, "Topic")
    payload = mapping(answer.get("Payload"), "Payload")
    thing = mapping(payload.get(topic), topic)
    name = text(answer, "Key") if topic == "Job" else text(thing, "JobID")
    namespace = text(answer, "Namespace") or text(thing, "Namespace") or DEFAULT_NAMESPACE
    child = _CHILD.fullmatch(name)
    parent = text(thing, "ParentID") or (child["parent"] if child else "")
    return Event(
        topic=topic,
        type=text(answer, "Type"),
        index=number(answer, "Index"),
        key=AppKey(namespace, name) if name else None,
        parent=AppKey(namespace, parent) if parent else None,
        payload=payload,
    )


def identity(answer: Json) -> tuple[int, str, str, str]:
    """What makes an event the same one when it is delivered again."""
    return number(answer, "Index"), text(answer, "Topic"), text(answer, "Type"), text(answer, "Key")
