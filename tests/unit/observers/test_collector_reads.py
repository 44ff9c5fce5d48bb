"""What is read for which first diagnosis, and how often. What may not be read stays unknown; who is away raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest

from desired.cause import Cause
from desired.errors import Forbidden, OperatorError, Unavailable, Unsupported
from observers.evidence import Evidence, NodeRoom, Usage
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass as F
from observers.nomad.collect import Collector
from observers.running import Node
from tests.unit.observers.failures.failure_evidence import allocation, crashes, event, evidence, placed


class Counting:
    """A Nomad that counts what it is asked, and fails what `fails` names."""

    def __init__(self, fails: Mapping[str, OperatorError] | None = None, log: str = "a line\n") -> None:
        self.asked: list[str] = []
        self._fails = fails or {}
        self._log = log

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if what in self._fails:
            raise self._fails[what]

    async def logs(
        self, allocation: str, task: str, kind: Literal["stdout", "stderr"], *, limit: int = 0, namespace: str = ""
    ) -> str | None:
        self._note("logs")
        return self._log.encode()[-limit:].decode(errors="replace")

    async def rooms(self) -> tuple[NodeRoom, ...]:
        self._note("rooms")
        return (NodeRoom(Node("n", "n", "ready")),)

    async def node_pools(self) -> tuple[str, ...]:
        self._note("node_pools")
        return ("default",)

    async def usage(self, allocation: str, *, namespace: str = "") -> Mapping[str, Usage]:
        self._note("usage")
        return {"app": Usage(memory=9)}

    async def variable_paths(self, namespace: str) -> tuple[str, ...]:
        self._note("variable_paths")
        return ("nomad/jobs/web",)

    async def variable_keys(self, namespace: str, path: str) -> tuple[str, ...] | None:
        self._note("variable_keys")
        return ("user",)


def named(failure: F, **facts: str) -> tuple[Diagnosis, ...]:
    return (Diagnosis(failure, Cause.SPEC, "words", facts=facts),)


CRASHED = evidence(allocation(crashes(1)))
NEVER_STARTED = evidence(allocation([event("Received")], state="pending", client_status="pending"))
NOWHERE = placed("memory", exhausted=True)
TABLE = [
    ((), CRASHED, {"logs": 2}),
    (named(F.CRASH), CRASHED, {"logs": 2}),
    (named(F.IMAGE_TAG_MISSING), NEVER_STARTED, {}),
    (named(F.OOM_KILLED), CRASHED, {"logs": 2, "usage": 1}),
    (named(F.MEMORY_EXHAUSTED), NOWHERE, {"rooms": 1, "usage": 1}),
    (named(F.NODE_POOL_MISSING), NEVER_STARTED, {"rooms": 1, "node_pools": 1}),
    (named(F.VARIABLE_MISSING, path="nomad/jobs/web"), NEVER_STARTED, {"variable_paths": 1, "variable_keys": 1}),
    (named(F.VARIABLE_MISSING, path="not/listed"), NEVER_STARTED, {"variable_paths": 1}),
]


async def collected(reads: Counting, found: Evidence, first: tuple[Diagnosis, ...]) -> Evidence:
    running = [allocation([event("Started")], state="running", client_status="running")]
    return await Collector(reads=reads).collect(found, first, running=running)


@pytest.mark.parametrize(("first", "found", "asked"), TABLE)
async def test_no_more_is_read_than_the_first_diagnosis_needs(
    first: tuple[Diagnosis, ...], found: Evidence, asked: Mapping[str, int]
) -> None:
    reads = Counting()
    await collected(reads, found, first)
    told = {what: reads.asked.count(what) for what in set(reads.asked)}
    # A task that waits for room in a pool has its use looked at where there is one that runs.
    assert {what: number for what, number in told.items() if what != "usage" or what in asked} == dict(asked)


@pytest.mark.parametrize("error", [Forbidden("no"), Unsupported("no")])
async def test_what_may_not_be_read_stays_unknown_and_is_not_nothing(error: OperatorError) -> None:
    reads = Counting(dict.fromkeys(("rooms", "logs", "usage", "variable_paths", "node_pools"), error))
    found = await collected(reads, NOWHERE, (*named(F.NODE_POOL_MISSING), *named(F.VARIABLE_MISSING, path="x")))
    assert (found.cluster.nodes, found.cluster.node_pools, found.cluster.variables) == (None, None, None)
    assert found.logs == () and found.usage == {} and found.unread
    assert (await collected(reads, CRASHED, named(F.CRASH))).logs == ()


async def test_a_client_that_is_away_hides_its_logs_only() -> None:
    found = await collected(Counting({"logs": Unavailable("away")}), CRASHED, named(F.OOM_KILLED))
    assert found.logs == () and found.usage


@pytest.mark.parametrize("what", ["rooms", "variable_paths", "node_pools"])
async def test_a_nomad_that_is_away_raises(what: str) -> None:
    first = (*named(F.NODE_POOL_MISSING), *named(F.VARIABLE_MISSING, path="x"))
    with pytest.raises(Unavailable):
        await collected(Counting({what: Unavailable("away")}), NOWHERE, first)


@pytest.mark.parametrize(
    "log", ["password-" * 3000, "a" * 8185 + " behind", "first\n" + "x" * 9000, "s3cret" * 2000 + "\nlast"]
)
async def test_of_a_log_that_was_cut_nothing_that_may_be_half_a_word_is_kept(log: str) -> None:
    for tail in (await collected(Counting(log=log), CRASHED, ())).logs:
        cut = log.encode()[-8192:].decode()
        assert tail.truncated and not tail.text.startswith(cut[:5])
