"""Replays one recording against a target and tells what was different.

Requests go out in their order and at their times. Where the recording polled, or waited for something, the target may
take its own time within limits: what counts is the order of the states and the last one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.nomad.compare import differences, in_order
from tests.conformance.nomad.deviations import Table
from tests.conformance.nomad.ids import Ids
from tests.conformance.nomad.normalise import normalised
from tests.conformance.nomad.stories import stories
from tests.conformance.nomad.target import Answer, Target
from tests.recordings_reader import Exchange, Recording

_MISSING = " never came"
_PATIENCE = 8.0  # seconds that the end of a story may take longer than the recording
_STEP = 0.1  # as the recorder polled
_RACE = 0.1  # seconds by which an event was heard of later than it happened, at most
_MOST_TURNS = 4  # calls that a poll asks in turn
_HEADERS = ("content-type", "x-nomad-index", "x-nomad-knownleader", "x-nomad-lastcontact", "x-nomad-nexttoken")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Fields that change by themselves with time: only they are worth another look.
_LIVE = re.compile(r"Status|State|Healthy|Events|Allocs|Running|Stable|recorded, \d+ came|Summary|Evals|Stop")


@dataclass(slots=True)
class Outcome:
    """What a replay found. `problems` are the differences that no entry of the table explains."""

    scenario: str
    compared: int = 0
    not_used: int = 0
    explained: int = 0
    problems: list[str] = field(default_factory=list)


async def replay(recording: Recording, target: Target, table: Table) -> Outcome:
    """Everything of one scenario: its exchanges, then the stories of its events."""
    outcome = Outcome(scenario=recording.name)
    run = _Run(recording=recording, target=target, table=table, outcome=outcome, ids=Ids())
    # At the recorded pace, every read stands for itself: none of them has to wait for anything.
    alone = ([[exchange]] for exchange in recording.exchanges)
    for groups in alone if target.paced else _turns(recording.exchanges):
        await run.turns(groups)
    end = target.now() + _PATIENCE
    while any(line.endswith(_MISSING) for line in run.stories()) and target.now() < end:
        await target.wait_until(target.now() + 1)
    run.compare_stories()
    return outcome


def label(exchange: Exchange, scenario: str) -> str:
    """An exchange as the table of deviations names it: `GET /v1/job/{job}/allocations`, a query behind a `?`."""
    parts = exchange.path.split("/")
    if parts[1:3] == ["v1", "job"] and parts[3].startswith(scenario):
        parts[3] = f"{{job}}{parts[3].removeprefix(scenario)}"
    path = _ID.sub("<id>", "/".join(parts))
    query = "&".join(f"{name}={value}" for name, value in sorted(exchange.query.items()))
    return f"{exchange.method} {path}{'?' if query else ''}{_ID.sub('<id>', query)}"


def own_evaluations(recording: Recording, exchange: Exchange) -> Any:
    """The recorded body; evaluations of earlier recordings of the same job, which Nomad remembers, left out."""
    registered = (e for e in recording.exchanges if e.path == "/v1/jobs" and e.method == "POST" and e.status == 200)
    first = next((e.body["JobModifyIndex"] for e in registered), 0)
    if not exchange.path.endswith("/evaluations") or not isinstance(exchange.body, list):
        return exchange.body
    return [evaluation for evaluation in exchange.body if evaluation["CreateIndex"] >= first]


def _turns(exchanges: Sequence[Exchange]) -> Iterator[list[list[Exchange]]]:
    """A poll is a run of the same GET, or of a few that take turns; every other exchange stands alone."""
    keys = [_asked(number, exchange) for number, exchange in enumerate(exchanges)]
    at = 0
    while at < len(exchanges):
        end, takers = _run_from(keys, at)
        yield [list(exchanges[at + turn : end : takers]) for turn in range(takers)]
        at = end


def _asked(number: int, exchange: Exchange) -> Any:
    if not _reads(exchange) or exchange.stream is not None:
        return number
    return (
        exchange.path,
        str(exchange.request),
        tuple(sorted((name, str(value)) for name, value in exchange.query.items())),
    )


def _reads(exchange: Exchange) -> bool:
    """The statuses are asked for with a body, and change nothing."""
    return exchange.method == "GET" or exchange.path == "/v1/jobs/statuses"


def _run_from(keys: Sequence[Any], at: int) -> tuple[int, int]:
    """Where the poll that begins here ends, and how many calls take turns in it."""
    for takers in range(1, _MOST_TURNS + 1):
        end = at + takers
        while end < len(keys) and keys[end] == keys[end - takers]:
            end += 1
        rounds = (end - at) // takers
        if rounds >= 2 and len(set(keys[at : at + takers])) == takers:
            return at + rounds * takers, takers
    return at + 1, 1


@dataclass(slots=True)
class _Watched:
    """One call of a poll, with the states that it went through."""

    group: list[Exchange]
    states: list[Any] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    answer: Answer | None = None

    @property
    def last(self) -> Exchange:
        return self.group[-1]

    def saw(self, answer: Answer, found: list[str]) -> None:
        state = _digest(answer.body)
        if not self.states or self.states[-1] != state:
            self.states.append(state)
        self.answer, self.found = answer, found

    def missing(self) -> Any:
        """The first recorded state that never came; the first answer of a poll may be older than the target's."""
        recorded = [_digest(exchange.body) for exchange in self.group]
        recorded = [state for place, state in enumerate(recorded) if place == 0 or state != recorded[place - 1]]
        at = in_order(recorded[1:-1], self.states)
        return None if at is None else recorded[1 + at]


@dataclass(slots=True)
class _Run:
    recording: Recording
    target: Target
    table: Table
    outcome: Outcome
    ids: Ids
    late: float = 0.0  # how much later than the recording the target is; never earlier
    before: float = 0.0  # the recorded time of the exchange before

    async def turns(self, groups: list[list[Exchange]]) -> None:
        """One call, a poll of one, or a poll of several that take turns: each of them has to come to its last state."""
        if len(groups) == 1:
            await self.group(groups[0])
            return
        first, last = groups[0][0], groups[-1][-1]
        self.before = last.t
        await self.target.wait_until(first.t + self.late)
        used = []
        for group in groups:
            name = label(group[0], self.recording.name)
            if self.table.unused(self.target.name, self.recording.name, name):
                self.outcome.not_used += len(group)
                await self._not_used(group[0], name)
            else:
                self.outcome.compared += len(group)
                used.append(group)
        found = await self._poll_in_turn(used, last.t - first.t)
        self.late = max(0.0, self.target.now() - last.t)
        for group, lines in zip(used, found, strict=True):
            self._judge(group[-1], label(group[0], self.recording.name), lines)

    async def group(self, group: list[Exchange]) -> None:
        first, last = group[0], group[-1]
        gap, self.before = first.t - self.before, last.t
        await self.target.wait_until(first.t + self.late)
        name = label(first, self.recording.name)
        if self.table.unused(self.target.name, self.recording.name, name):
            self.outcome.not_used += len(group)
            await self._not_used(first, name)
            return
        self.outcome.compared += len(group)
        if first.stream is not None:
            await self._stream(first, name)
            return
        found = await (self._poll(group) if len(group) > 1 else self._once(first, gap))
        blocked = last.took if len(group) == 1 and last.took > 0.5 else 0.0
        self.late = 0.0 if self.target.paced else max(0.0, self.target.now() - last.t - blocked)
        self._judge(first, name, found)

    async def _not_used(self, exchange: Exchange, name: str) -> None:
        """What the product does not use is not there, and says so; else the mark is out of date."""
        if self.target.name != "embedded":
            return
        answer = await self._send(exchange)
        if answer.status != 501:
            self.outcome.problems.append(f"#{exchange.number} {name} is marked as not used but answers {answer.status}")

    async def _send(self, exchange: Exchange) -> Answer:
        translate = self.ids.translate
        query = translate(dict(exchange.query))
        return await self.target.send(exchange.method, translate(exchange.path), query, translate(exchange.request))

    async def _once(self, exchange: Exchange, gap: float) -> list[str]:
        """A read that does not fit yet is looked at again for a while: the target may be a little slower."""
        limit = self.target.now() + (_RACE if self.target.paced else 1.5 + gap * 0.3)
        step = _RACE / 20 if self.target.paced else _STEP
        best: list[str] | None = None
        most_like: Any = None
        done = exchange.t + self.late + self._spent(exchange)
        if not _reads(exchange):
            # A write is done when it is answered.
            await self.target.wait_until(done)
        while True:
            answer = await self._send(exchange)
            found = self._differ(exchange, answer)
            if best is None or len(found) < len(best):
                # What is told is the read that was most like the recorded one: the last may be long past it.
                best, most_like = found, answer.body
            early = self.target.now() < done - 0.001
            again = _reads(exchange) and found and (early or any(_LIVE.search(line) for line in found))
            if not again or self.target.now() >= limit:
                self.ids.learn(exchange.body, most_like)
                return best
            await self.target.wait_until(done if early else self.target.now() + step)

    def _spent(self, exchange: Exchange) -> float:
        """The time that an answer took counts where all goes at the recorded pace."""
        return min(exchange.took, _STEP) if self.target.paced else 0.0

    async def _poll(self, group: list[Exchange]) -> list[str]:
        return (await self._poll_in_turn([group], group[-1].t - group[0].t))[0]

    async def _poll_in_turn(self, groups: list[list[Exchange]], took: float) -> list[list[str]]:
        """The last state of each has to come, the ones before it in their order; others may come between."""
        limit = max((group[-1].t for group in groups), default=0.0) + self.late + 3 + took * 0.3
        watched = [_Watched(group) for group in groups]
        while True:
            for one in watched:
                answer = await self._send(one.last)
                one.saw(answer, self._differ(one.last, answer))
            if not any(one.found for one in watched) or self.target.now() >= limit:
                break
            await self.target.wait_until(self.target.now() + _STEP)
        for one in watched:
            assert one.answer is not None
            self.ids.learn(one.last.body, one.answer.body)
            missing = one.missing()
            if missing is not None and not one.found:
                one.found = self._explain(one.last, [f"states: {missing} never came"])
        return [one.found for one in watched]

    def _differ(self, exchange: Exchange, answer: Answer) -> list[str]:
        lines = []
        if answer.status != exchange.status:
            lines.append(f"status: recorded {exchange.status}, came {answer.status} {str(answer.body)[:200]!r}")
        else:
            recorded, came = ({k.lower(): v for k, v in h.items()} for h in (exchange.headers, answer.headers))
            for header in _HEADERS:
                if (header in recorded) != (header in came):
                    lines.append(f"header {header}: {'missing' if header in recorded else 'not recorded'}")
            if recorded.get("content-type") != came.get("content-type"):
                lines.append(f"content type: recorded {recorded.get('content-type')}, came {came.get('content-type')}")
            body = own_evaluations(self.recording, exchange)
            lines += self._ahead(normalised(body), normalised(answer.body))
        return self._explain(exchange, lines)

    def _ahead(self, recorded: Any, came: Any) -> Iterator[str]:
        """On a real agent, an allocation that was read while it started may have started by now."""
        if self.target.name == "real" and isinstance(recorded, list) and isinstance(came, list):
            for place, (one, other) in enumerate(zip(recorded, came, strict=False)):
                early = isinstance(one, Mapping) and one.get("ClientStatus") == "pending"
                if early and isinstance(other, Mapping) and other.get("ClientStatus") not in ("pending", None):
                    recorded[place] = other
        yield from differences(recorded, came, "body")

    def _explain(self, exchange: Exchange, lines: list[str]) -> list[str]:
        name = label(exchange, self.recording.name)
        rest = self.table.unexplained(self.target.name, self.recording.name, [f"{name} {line}" for line in lines])
        self.outcome.explained += len(lines) - len(rest)
        return rest

    def _judge(self, exchange: Exchange, name: str, found: list[str]) -> None:
        self.outcome.problems += [f"#{exchange.number} {line}" for line in found]

    async def _stream(self, exchange: Exchange, name: str) -> None:
        answer = await self.target.read_stream(self.ids.translate(dict(exchange.query)), exchange.took)
        self.late = max(0.0, self.target.now() - exchange.t - exchange.took)
        stream: Mapping[str, Any] = exchange.stream or {}
        lines = []
        if answer.status != exchange.status:
            lines.append(f"status: recorded {exchange.status}, came {answer.status}")
        recorded, came = _kinds(stream["first"]), _kinds(answer.lines[: max(len(stream["first"]), 1)])
        if recorded != came:
            lines.append(f"lines: recorded {recorded}, came {came}")
        if (stream["end"] == "closed by the server") != answer.ended:
            lines.append(
                f"end: recorded {stream['end']}, came {'closed by the server' if answer.ended else 'still open'}"
            )
        self._judge(exchange, name, self._explain(exchange, lines))

    def compare_stories(self) -> None:
        """What happened to each thing has to begin as it was recorded; it may go on after the recording ended."""
        lines = self.stories()
        rest = self.table.unexplained(self.target.name, self.recording.name, lines)
        self.outcome.explained += len(lines) - len(rest)
        self.outcome.problems += rest

    def stories(self) -> list[str]:
        """Where they part so far."""
        told = (event for _, line in self.recording.events for event in line.get("Events") or ())
        recorded, came = (
            stories(event for event in events if _of(event, self.recording.name))
            for events in (told, self.target.events())
        )
        lines = []
        for name, story in recorded.items():
            if line := _parting(story, came.get(name, [])):
                lines.append(f"story of {name}: {line}")
        return [line.replace(self.recording.name, "{job}") for line in lines]


def _parting(recorded: list[Any], came: list[Any]) -> str:
    """Where two stories part; empty if what came begins as it was recorded."""
    for place, step in enumerate(recorded):
        if place >= len(came):
            return f"{step}{_MISSING}"
        if came[place] != step:
            return f"recorded {step}, came {came[place]}"
    return ""


def _of(event: Mapping[str, Any], scenario: str) -> bool:
    """As the recorder chose the scenario's own events."""
    if event["Topic"] == "Node":
        return False
    thing = event["Payload"].get(event["Topic"]) or {}
    return str(thing.get("ID") if event["Topic"] == "Job" else thing.get("JobID")).startswith(scenario)


def _digest(body: Any) -> Any:
    """The state that a poll waits for, without everything that only fills it."""
    if isinstance(body, list):
        return sorted((_digest(item) for item in body), key=repr)
    if not isinstance(body, Mapping):
        return body
    keys = ("Status", "ClientStatus", "DesiredStatus", "Stop", "JobVersion")
    digest = [body[key] for key in keys if key in body]
    for group in (body.get("TaskGroups") or {}).values() if isinstance(body.get("TaskGroups"), Mapping) else ():
        digest.append([group.get(key) for key in ("DesiredTotal", "PlacedAllocs", "HealthyAllocs", "UnhealthyAllocs")])
    return digest


def _kinds(lines: Sequence[str]) -> list[str]:
    """Lines of the raw stream: heartbeats, events, or a text; how many events there are does not count."""
    kinds = ["{}" if line == "{}" else "event" if line.startswith('{"') else str(normalised(line)) for line in lines]
    return [kind for place, kind in enumerate(kinds) if place == 0 or kind != kinds[place - 1]]
