"""The doctor: what it finds where services answer, refuse, are too old, or are silent; and that it changes nothing."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desired.app import AppKey
from desired.errors import Forbidden, OperatorError, Unavailable
from desired.state import HclSource, JobBody
from nomad_operator.doctor import Doctor, Finding
from nomad_operator.sqlite_store import SqliteStore
from nomad_operator.supported import is_supported
from observers.nomad.stream_items import Connected, Disconnected
from observers.running import Agent, Fleet, Plan, RunningJob


class FakeNomad:
    """Answers everything unless told to raise; `log` holds the calls."""

    def __init__(self, version: str = "2.0.5", **raises: OperatorError) -> None:
        self._version = version
        self._raises = raises
        self.log: list[str] = []

    async def _answer(self, call: str) -> None:
        self.log.append(call)
        error = self._raises.get(call) or self._raises.get("everything")
        if error is not None:
            raise error

    async def agent(self) -> Agent:
        await self._answer("agent")
        return Agent(version=self._version, region="global")

    async def fleet(self, keys: Collection[AppKey]) -> Fleet:
        await self._answer("fleet")
        return Fleet(index=1, entries={})

    async def job(self, key: AppKey) -> RunningJob | None:
        await self._answer("job")
        return None

    async def namespaces(self) -> Sequence[str]:
        await self._answer("namespaces")
        return ("default", "web")

    async def parse(self, source: HclSource) -> JobBody:
        await self._answer("parse")
        return {"ID": "nomad-operator-doctor"}

    async def plan(self, key: AppKey, body: JobBody) -> Plan:
        await self._answer("plan")
        assert (body["ID"], body["Namespace"]) == (key.name, key.namespace)
        return Plan(index=0, diff_type="Added")


@pytest.fixture
def doctor() -> Doctor:
    ticks = itertools.count()
    return Doctor(timeout_seconds=5, clock=lambda: float(next(ticks)))


async def _nomad(doctor: Doctor, nomad: FakeNomad, *namespaces: str) -> dict[str, Finding]:
    findings = await doctor.nomad(nomad, address="http://nomad", namespaces=namespaces or ["web"], parsed_in="default")
    return {finding.name.removeprefix("nomad: "): finding for finding in findings}


async def test_where_everything_answers_everything_is_well(doctor: Doctor) -> None:
    findings = await _nomad(doctor, FakeNomad())
    assert not any(finding.failed for finding in findings.values())
    assert "2.0.5" in findings["nomad"].found


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("1.10.9", "Nomad 1.10.9, region global; jobs may not use: secret block (1.11.0)"),
        ("2.0.5", "Nomad 2.0.5, region global"),
        ("2.0.5+ent", "Nomad 2.0.5+ent, region global"),
    ],
)
async def test_what_the_version_lacks_is_named(doctor: Doctor, version: str, told: str) -> None:
    """What only Enterprise has is no news to who has not bought it."""
    assert (await _nomad(doctor, FakeNomad(version)))["nomad"].found == told


async def test_a_right_that_is_missing_is_the_only_thing_that_fails(doctor: Doctor) -> None:
    for call, name in (
        ("fleet", "list jobs"),
        ("job", "read jobs in web"),
        ("plan", "plan and register in web"),
    ):
        findings = await _nomad(doctor, FakeNomad(**{call: Forbidden("no", hint="give the token more")}))
        assert [one for one, finding in findings.items() if finding.failed] == [name]
        assert findings[name].hint == "give the token more"


async def test_a_token_that_may_not_parse_may_not_plan_either(doctor: Doctor) -> None:
    findings = await _nomad(doctor, FakeNomad(parse=Forbidden("no")))
    assert {name for name, finding in findings.items() if finding.failed} == {
        "parse jobs in default", "plan and register in web",
    }  # fmt: skip


async def test_where_nobody_answers_that_is_told_once(doctor: Doctor) -> None:
    findings = await _nomad(doctor, FakeNomad(everything=Unavailable("refused", hint="start it")))
    assert (findings["nomad"].ok, findings["nomad"].hint) == (False, "start it")
    assert {finding.ok for name, finding in findings.items() if name != "nomad"} == {None}
    assert all(finding.failed for finding in findings.values())


async def test_every_watched_namespace_is_tried_and_one_that_is_not_there_fails(doctor: Doctor) -> None:
    findings = await _nomad(doctor, FakeNomad(), "web", "nope")
    assert {name for name, finding in findings.items() if finding.failed} == {
        "read jobs in nope", "plan and register in nope",
    }  # fmt: skip
    told = findings["plan and register in nope"]
    assert "there is no namespace nope" in told.found and "NOMAD_OPERATOR_NAMESPACES" in told.hint
    assert findings["plan and register in web"].ok


async def test_where_namespaces_may_not_be_listed_the_rest_is_tried_all_the_same(doctor: Doctor) -> None:
    findings = await _nomad(doctor, FakeNomad(namespaces=Forbidden("no")))
    assert not any(finding.failed for finding in findings.values())


@pytest.mark.parametrize(("version", "ok"), [("1.7.9", False), ("1.8.0", True), ("2.0.5+ent", True), ("", True)])
async def test_a_nomad_that_is_too_old_is_refused(doctor: Doctor, version: str, ok: bool) -> None:
    assert (await _nomad(doctor, FakeNomad(version)))["nomad"].ok is ok


@pytest.mark.parametrize(
    ("version", "supported"),
    [("1.7.7", False), ("v1.8.0", True), ("1.10.0-beta.1", True), ("2.0.6-dev", True), ("", None), ("dev", None)],
)
def test_versions_are_compared_by_number(version: str, supported: bool | None) -> None:
    assert is_supported(version) is supported


async def test_a_service_that_is_silent_is_given_up_on() -> None:
    async def silent() -> str:
        await asyncio.Event().wait()
        return ""

    finding = await Doctor(timeout_seconds=0.02, clock=time.monotonic).probe("git", "somewhere", silent)
    assert (finding.ok, finding.found) == (False, "no answer in 0.02 s")


async def test_the_probes_run_beside_each_other(doctor: Doctor) -> None:
    waiting = asyncio.Barrier(5)

    class Slow(FakeNomad):
        async def _answer(self, call: str) -> None:
            if self.log.count(call) == 0:
                self.log.append(call)
                await waiting.wait()

        async def namespaces(self) -> Sequence[str]:
            return ["web"]

        async def plan(self, key: AppKey, body: JobBody) -> Plan:
            return Plan(index=0, diff_type="Added")

        async def parse(self, source: HclSource) -> JobBody:
            await waiting.wait()
            return {}

    findings = await _nomad(doctor, Slow())
    assert all(finding.ok for finding in findings.values())


class FakeStream:
    def __init__(self, *items: Any) -> None:
        self._items = items
        self.closed = False

    async def items(self) -> AsyncIterator[Any]:
        try:
            for item in self._items:
                yield item
        finally:
            self.closed = True


async def test_the_stream_stands_when_every_subscription_does(doctor: Doctor) -> None:
    stream = FakeStream(Connected("a", 0), Connected("b", 0))
    assert (await doctor.stream(stream, address="", subscriptions=2)).ok
    assert stream.closed


async def test_a_stream_that_is_refused_says_why(doctor: Doctor) -> None:
    refused = Forbidden("silence: the token may not listen", hint="read-job")
    stream = FakeStream(Connected("a", 0), Disconnected("b", refused, retry_in=None))  # type: ignore[arg-type]
    finding = await doctor.stream(stream, address="", subscriptions=2)
    assert (finding.ok, finding.found, finding.hint) == (False, refused.message, "read-job")
    assert stream.closed


class FakeRepository:
    def __init__(self, work: Callable[[], Awaitable[Any]]) -> None:
        self._work = work

    async def poll(self) -> Any:
        return await self._work()

    async def tree(self, revision: str) -> Any:
        return SimpleNamespace(files={"a.nomad.hcl": 1}, refused=())


async def test_git_tells_where_the_branch_stands(doctor: Doctor) -> None:
    async def poll() -> Any:
        return SimpleNamespace(revision="0123456789")

    finding = await doctor.git(FakeRepository(poll), address="https://git", ref="main")
    assert (finding.ok, finding.found) == (True, "main is at 01234567, files: 1")


async def test_git_that_cannot_be_read_tells_why(doctor: Doctor) -> None:
    async def poll() -> Any:
        raise Unavailable("no such host", hint="check the name")

    finding = await doctor.git(FakeRepository(poll), address="https://git", ref="main")
    assert (finding.failed, finding.found, finding.hint) == (True, "no such host", "check the name")


async def test_state_that_is_not_there_yet_is_well_and_stays_absent(doctor: Doctor, tmp_path: Path) -> None:
    finding = await doctor.state(tmp_path / "deep" / "state.db")
    assert finding.ok
    assert not any(os.scandir(tmp_path))


async def test_state_in_use_by_a_daemon_is_well(doctor: Doctor, tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "state.db")
    await store.put("n", {}, expected=0)
    finding = await doctor.state(tmp_path / "state.db")
    await store.close()
    assert (finding.ok, finding.found) == (True, "records: 1")


async def test_state_that_cannot_be_used_is_told(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"x" * 5000)
    assert "not a state file" in (await doctor.state(tmp_path / "state.db")).found
    assert (await doctor.state(tmp_path / "state.db" / "deeper")).failed
