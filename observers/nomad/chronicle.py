"""What Nomad forgets. Of a task's events it holds the last ten, and what came first is often the cause; why something
found no room it tells until the deployment has failed, and then no more; of a check the newest result alone.

Fed by the event stream and by every read. Bounded: of a task's events those in the middle are forgotten, of an app
the allocations that were heard of longest ago, of all apps the one that was heard of longest ago; of checks those of
the allocation that was read longest ago.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from desired.app import AppKey
from observers.nomad import decode
from observers.nomad.answers import Unintelligible, mapping
from observers.nomad.stream_items import Event
from observers.running import Allocation, Check, PlacementFailure, Running, TaskEvent

_FIRST_EVENTS = 20
_LAST_EVENTS = 40
_ALLOCATIONS_OF_AN_APP = 32
_ALLOCATIONS = 2000

# What makes a task event the same one when it is heard again: its time is in nanoseconds. Its words may be without
# secrets in one place and with them in another.
_Identity = tuple[str, datetime]
_Tasks = dict[str, dict[_Identity, TaskEvent]]


class Chronicle:
    """Keeps events, and why something found no room; no I/O."""

    def __init__(self, *, most_allocations: int = _ALLOCATIONS, most_of_an_app: int = _ALLOCATIONS_OF_AN_APP) -> None:
        self._most = most_allocations
        self._most_of_an_app = most_of_an_app
        # None: nobody has said yet whose they are.
        self._apps: OrderedDict[AppKey | None, OrderedDict[str, _Tasks]] = OrderedDict()
        self._app_of: dict[str, AppKey | None] = {}
        # With the JobModifyIndex that it was said of.
        self._unplaced: OrderedDict[AppKey, tuple[int, Mapping[str, PlacementFailure]]] = OrderedDict()
        # By allocation, and in it by task, service and name.
        self._passed: OrderedDict[str, dict[tuple[str, str, str], datetime]] = OrderedDict()

    def heard(self, event: Event) -> None:
        """An event of Nomad's stream; what is no allocation, or not to be understood, is passed over."""
        if event.topic != "Allocation" or event.payload is None:
            return
        try:
            self._keep(event.key, decode.allocation(mapping(event.payload.get("Allocation"), "Allocation")))
        except Unintelligible:
            return

    def read(self, running: Running) -> None:
        """All that Nomad holds of an app: allocations that are not among it are gone, and forgotten."""
        listed = {one.id for one in running.allocations}
        for gone in [one for one in self._apps.get(running.key, {}) if one not in listed]:
            self._forget(gone)
        # They come newest first, and what is kept last stays longest.
        for allocation in reversed(running.allocations):
            self._keep(running.key, allocation)
        self._keep_unplaced(running)
        self._keep_passed(running.checks or ())

    def unplaced(self, running: Running) -> Mapping[str, PlacementFailure]:
        """Why groups wait for room, or waited when their deployment failed."""
        index = running.job.job_modify_index if running.job is not None else 0
        said_of, why = self._unplaced.get(running.key, (0, {}))
        if running.placement or said_of != index or not _deployment_failed(running):
            return running.placement
        return why

    def _keep_unplaced(self, running: Running) -> None:
        if running.job is not None and running.placement:
            self._unplaced[running.key] = (running.job.job_modify_index, running.placement)
            self._unplaced.move_to_end(running.key)
        elif not _deployment_failed(running):
            # It has found room since, or is another job.
            self._unplaced.pop(running.key, None)
        while len(self._unplaced) > self._most:
            self._unplaced.popitem(last=False)

    def checks(self, checks: Iterable[Check]) -> tuple[Check, ...]:
        """The same results, with the first success of each that was seen."""
        return tuple(
            replace(one, first_success=self._passed.get(one.allocation, {}).get(_of_check(one))) for one in checks
        )

    def _keep_passed(self, checks: Iterable[Check]) -> None:
        for one in checks:
            if one.status == "success" and one.at is not None:
                self._passed.setdefault(one.allocation, {}).setdefault(_of_check(one), one.at)
                self._passed.move_to_end(one.allocation)
        while len(self._passed) > self._most:
            self._passed.popitem(last=False)

    def merged(self, allocations: Iterable[Allocation]) -> tuple[Allocation, ...]:
        """The same allocations with every event of their tasks that is held, oldest first."""
        return tuple(self._merged(one) for one in allocations)

    def events_of(self, allocation: str, task: str) -> tuple[TaskEvent, ...]:
        """Oldest first; empty where nothing was heard."""
        if allocation not in self._app_of:
            return ()
        tasks = self._apps[self._app_of[allocation]][allocation]
        return tuple(_by_time(tasks.get(task, {})).values())

    def __len__(self) -> int:
        """How many allocations are held."""
        return len(self._app_of)

    def _merged(self, allocation: Allocation) -> Allocation:
        self._keep(None, allocation)
        tasks = {
            name: replace(state, events=self.events_of(allocation.id, name) or state.events)
            for name, state in allocation.tasks.items()
        }
        return replace(allocation, tasks=tasks)

    def _keep(self, told: AppKey | None, allocation: Allocation) -> None:
        if not any(state.events for state in allocation.tasks.values()):
            return
        key = self._app_of.setdefault(allocation.id, told)
        of_app = self._apps.setdefault(key, OrderedDict())
        self._apps.move_to_end(key)
        tasks = of_app.setdefault(allocation.id, {})
        of_app.move_to_end(allocation.id)
        for name, state in allocation.tasks.items():
            held = tasks.get(name, {})
            tasks[name] = _bounded({**{(one.type, one.time): one for one in state.events}, **held})
        while len(of_app) > self._most_of_an_app:
            self._forget(next(iter(of_app)))
        while len(self._app_of) > self._most:
            self._forget(next(iter(next(iter(self._apps.values())))))

    def _forget(self, allocation: str) -> None:
        key = self._app_of.pop(allocation)
        del self._apps[key][allocation]
        if not self._apps[key]:
            del self._apps[key]


def _of_check(one: Check) -> tuple[str, str, str]:
    return (one.task, one.service, one.name)


def _deployment_failed(running: Running) -> bool:
    job, deployment = running.job, running.deployment
    return (
        job is not None
        and deployment is not None
        and deployment.job_version == job.version
        and deployment.status == "failed"
    )


def _bounded(events: dict[_Identity, TaskEvent]) -> dict[_Identity, TaskEvent]:
    """The first ones say why, the last ones how it stands."""
    if len(events) <= _FIRST_EVENTS + _LAST_EVENTS:
        return events
    kept = list(_by_time(events).items())
    return dict(kept[:_FIRST_EVENTS] + kept[-_LAST_EVENTS:])


def _by_time(events: dict[_Identity, TaskEvent]) -> dict[_Identity, TaskEvent]:
    return dict(sorted(events.items(), key=lambda event: event[0][1]))
