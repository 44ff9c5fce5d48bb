"""Task events as they stream: Nomad holds the last ten of a task, and what came first is often the cause.

Bounded: the oldest events of a task, and the allocations that were heard of longest ago, are forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from observers.nomad import decode
from observers.nomad.answers import Unintelligible, mapping
from observers.nomad.stream_items import Event
from observers.running import Allocation, TaskEvent

_EVENTS_OF_A_TASK = 60
_ALLOCATIONS = 4000

# What makes a task event the same one when it is heard again: its time is in nanoseconds. Its words may be without
# secrets in one place and with them in another.
_Identity = tuple[str, datetime]


class Chronicle:
    """Keeps nothing but events; no I/O."""

    def __init__(self, *, most_allocations: int = _ALLOCATIONS) -> None:
        self._most = most_allocations
        self._seen: OrderedDict[str, dict[str, OrderedDict[_Identity, TaskEvent]]] = OrderedDict()

    def heard(self, event: Event) -> None:
        """An event of Nomad's stream; what is no allocation, or not to be understood, is passed over."""
        if event.topic != "Allocation" or event.payload is None:
            return
        try:
            self._keep(decode.allocation(mapping(event.payload.get("Allocation"), "Allocation")))
        except Unintelligible:
            return

    def merged(self, allocations: Iterable[Allocation]) -> tuple[Allocation, ...]:
        """The same allocations with every event of their tasks that was ever seen, oldest first."""
        return tuple(self._merged(one) for one in allocations)

    def _merged(self, allocation: Allocation) -> Allocation:
        self._keep(allocation)
        seen = self._seen.get(allocation.id, {})
        tasks = {
            name: replace(state, events=tuple(sorted(seen[name].values(), key=lambda event: event.time)))
            if name in seen
            else state
            for name, state in allocation.tasks.items()
        }
        return replace(allocation, tasks=tasks)

    def _keep(self, allocation: Allocation) -> None:
        if not any(state.events for state in allocation.tasks.values()):
            return
        tasks = self._seen.setdefault(allocation.id, {})
        self._seen.move_to_end(allocation.id)
        for name, state in allocation.tasks.items():
            events = tasks.setdefault(name, OrderedDict())
            for event in state.events:
                events.setdefault((event.type, event.time), event)
            while len(events) > _EVENTS_OF_A_TASK:
                events.popitem(last=False)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
