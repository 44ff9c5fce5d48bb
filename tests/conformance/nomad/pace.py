"""The pace at which a recording went: what clients did and told, and when evaluations were done.

What happens is not told here, only how soon: an allocation is known by its job, its name and how many of that name came
before it, an evaluation by its job and its cause. What was not recorded goes at the usual pace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.recordings_reader import Recording

Mapped = Mapping[str, Any]
_PER_NODE = ("system", "sysbatch")
_SECOND = 1_000_000_000


@dataclass(slots=True)
class _Life:
    """Of one recorded allocation, in nanoseconds since 1970: its tasks' events by kind, and its client's updates."""

    steps: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    seen: set[tuple[str, int]] = field(default_factory=set)
    updates: list[tuple[int, int, bool]] = field(default_factory=list)
    healthy: bool = False


class Recorded:
    """A pace that keeps count of what it was asked: for one replay."""

    def __init__(self, recording: Recording) -> None:
        self._zero = _zero(recording)
        self._types: dict[str, str] = {}
        self._lives: dict[tuple[str, ...], list[_Life]] = defaultdict(list)
        self._evaluations: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
        self._known: dict[str, _Life | None] = {}
        self._asked: dict[tuple[str, str, str], int] = defaultdict(int)
        self._told: dict[str, int] = {}
        self._numbers: dict[tuple[str, ...], int] = defaultdict(int)
        self._read(recording)

    @property
    def start(self) -> datetime:
        """When the recording's clock was zero."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self._zero // 1000)

    def step(self, allocation: Mapped, task: str, kind: str, *, now: int, usual: int) -> int:
        life = self._life(allocation)
        place = self._asked[allocation["ID"], task, kind]
        self._asked[allocation["ID"], task, kind] += 1
        times = sorted(life.steps.get((task, kind), ())) if life is not None else []
        return max(0, times[place] - now) if place < len(times) else usual

    def told(self, allocation: Mapped, *, events: int, judged: bool, now: int, usual: int) -> int:
        life, last = self._life(allocation), self._told.get(allocation["ID"], 0)
        for at, count, decided in life.updates if life is not None else ():
            if count >= events and (decided or not judged) and (at > last or at == last > now):
                self._told[allocation["ID"]] = at
                return max(0, at - now)
        return usual

    def evaluated(self, evaluation: Mapped, *, now: int, usual: int) -> int:
        key = (evaluation["JobID"], evaluation["TriggeredBy"])
        place = self._numbers[key]
        self._numbers[key] += 1
        recorded = self._evaluations[key]
        # One that waits for its time is asked for too early.
        at = next(iter(recorded[place]), now + _SECOND) if place < len(recorded) else now + _SECOND
        return max(0, at - now) if at < now + _SECOND else usual

    def _life(self, allocation: Mapped) -> _Life | None:
        if allocation["ID"] not in self._known:
            key = self._key(allocation, allocation["Job"]["Type"])
            place = self._numbers[key]
            self._numbers[key] += 1
            lives = self._lives.get(key, [])
            self._known[allocation["ID"]] = lives[place] if place < len(lives) else None
        return self._known[allocation["ID"]]

    @staticmethod
    def _key(allocation: Mapped, type_: str) -> tuple[str, ...]:
        node = allocation["NodeName"] if type_ in _PER_NODE else ""
        return (allocation["JobID"], allocation["Name"], node)

    def _read(self, recording: Recording) -> None:
        lives: dict[str, _Life] = {}
        made: dict[str, list[int]] = {}
        for t, line in recording.events:
            at = self._zero + round(t * _SECOND)
            for event in line.get("Events") or ():
                thing = event["Payload"].get(event["Topic"]) or {}
                if event["Topic"] == "Job":
                    self._types[thing["ID"]] = thing["Type"]
                elif event["Topic"] == "Evaluation" and thing["ID"] not in made:
                    made[thing["ID"]] = times = []
                    if thing["Status"] == "pending":
                        self._evaluations[thing["JobID"], thing["TriggeredBy"]].append(times)
                elif event["Topic"] == "Evaluation":
                    made[thing["ID"]].append(at)
                elif event["Topic"] == "Allocation":
                    if thing["ID"] not in lives:
                        lives[thing["ID"]] = life = _Life()
                        self._lives[self._key(thing, self._types.get(thing["JobID"], ""))].append(life)
                    if event["Type"] == "PlanResult" and not thing.get("DeploymentStatus"):
                        # Moved to another deployment in place: its health is decided anew.
                        lives[thing["ID"]].healthy = False
                    if event["Type"] == "AllocationUpdated":
                        _read_update(lives[thing["ID"]], thing, at)


def _read_update(life: _Life, thing: Mapped, at: int) -> None:
    for task, state in (thing.get("TaskStates") or {}).items():
        before = ""
        for one in state.get("Events") or ():
            asked = one["Type"] == "Terminated" and before in ("Killing", "Restart Signaled")
            kind, before = "Stopped" if asked else one["Type"], one["Type"]
            if (task, one["Time"]) not in life.seen:
                life.seen.add((task, one["Time"]))
                life.steps[task, kind].append(one["Time"])
    healthy = (thing.get("DeploymentStatus") or {}).get("Healthy")
    judged = healthy is not None
    if healthy and not life.healthy:
        life.steps["", "Healthy"].append(at)
    life.healthy = bool(healthy)
    life.updates.append((at, len(life.seen), judged))


def _zero(recording: Recording) -> int:
    """The recording's zero in nanoseconds since 1970: no event is heard of before it happened."""
    things = (
        (t, event["Payload"].get(event["Topic"]) or {})
        for t, line in recording.events
        for event in line.get("Events") or ()
    )
    return max(
        thing["ModifyTime"] - round(t * _SECOND) for t, thing in things if isinstance(thing.get("ModifyTime"), int)
    )
