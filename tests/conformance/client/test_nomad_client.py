"""What the client says of a Nomad that works: the world after each call, read back through the client itself."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from desired.app import AppKey
from desired.errors import Conflict, InvalidDesired, Rejected
from desired.state import HclSource
from observers.nomad.client import NomadClient
from observers.nomad.stream_items import Connected, Event
from tests.conformance.client.client_target import Target, parsed


@dataclass(frozen=True, slots=True)
class Written:
    source: str
    format: str = "hcl2"
    variables: str = ""
    variable_flags: tuple[tuple[str, str], ...] = (("revision", "abc"),)


async def running_and_healthy(client: NomadClient, key: AppKey) -> bool:
    found = await client.running(key, checks=True)
    return found.deployment is not None and found.deployment.status == "successful"


async def test_a_job_from_its_first_plan_to_its_purge(target: Target, client: NomadClient) -> None:
    key = target.key("life")
    body = await parsed(client, key, "healthy-service")
    assert (await client.running(key, checks=True)).job is None
    plan = await client.plan(key, body)
    assert (plan.index, plan.diff_type, plan.settled) == (0, "Added", False)
    assert plan.updates["web"]["Place"] == 1 and "Task Group" in plan.text and plan.failed == {}

    registration = await client.register(body, index=0, submission=Written("job {}"))
    assert registration.evaluation and registration.job_modify_index
    await target.until(lambda: running_and_healthy(client, key))
    found = await client.running(key, checks=True)
    assert found.job is not None and found.job.key == key and found.job.status == "running"
    assert found.job.job_modify_index == registration.job_modify_index and found.job.counts == {"web": 1}
    (allocation,) = found.allocations
    assert allocation.client_status == "running" and allocation.healthy is True and allocation.group == "web"
    assert [event.type for event in allocation.tasks["app"].events][:2] == ["Received", "Task Setup"]
    assert found.placement == {} and found.checks is not None
    assert [(check.status, check.group) for check in found.checks] == [("success", "web")]

    settled = await client.plan(key, body)
    assert settled.settled and settled.changes == () and settled.index == registration.job_modify_index
    bigger = await parsed(client, key, "healthy-service", **{"memory = 32": "memory = 40"})
    change = await client.plan(key, bigger)
    assert [(one.path, one.old, one.new) for one in change.changes] == [("web/app/Resources/MemoryMB", "32", "40")]
    assert '+/- MemoryMB: "32" => "40"' in change.text

    assert await client.stop(key)
    stopped = await client.job(key)
    assert stopped is not None and stopped.stop and stopped.job_modify_index > registration.job_modify_index
    assert await client.stop(key, purge=True)
    assert await client.job(key) is None


async def test_a_write_on_an_index_that_moved_is_a_conflict_and_changes_nothing(
    target: Target, client: NomadClient
) -> None:
    key = target.key("cas")
    body = await parsed(client, key, "healthy-service")
    with pytest.raises(Conflict):
        await client.register(body, index=7, submission=None)
    assert await client.job(key) is None
    await client.register(body, index=0, submission=None)
    before = await client.job(key)
    assert before is not None
    for index in (0, before.job_modify_index + 1000):
        with pytest.raises(Conflict):
            await client.register(body | {"Priority": 70}, index=index, submission=None)
    after = await client.job(key)
    assert after is not None and after.job_modify_index == before.job_modify_index


async def test_what_finds_no_room_says_so_before_and_after_it_is_registered(
    target: Target, client: NomadClient
) -> None:
    key = target.key("room")
    body = await parsed(client, key, "cpu-exhausted")
    plan = await client.plan(key, body)
    assert plan.failed["web"].dimension_exhausted
    await client.register(body, index=plan.index, submission=None)

    async def waits() -> bool:
        found = await client.running(key)
        return bool(found.placement)

    await target.until(waits)
    found = await client.running(key)
    assert (
        found.allocations == () and found.placement["web"].dimension_exhausted == plan.failed["web"].dimension_exhausted
    )


async def test_a_settled_job_is_read_with_three_requests_and_an_absent_one_with_one(
    target: Target, client: NomadClient
) -> None:
    key = target.key("cheap")
    await client.register(await parsed(client, key, "logs"), index=0, submission=None)
    await target.until(lambda: running_and_healthy(client, key))
    target.requests.clear()
    await client.running(key)
    assert sorted(target.requests) == [("job", "GET"), ("job/allocations", "GET"), ("job/deployment", "GET")]
    target.requests.clear()
    await client.running(AppKey("default", f"{target.prefix}-none"))
    assert target.requests == [("job", "GET")]


async def test_the_fleet_is_read_with_two_requests_however_many_keys(target: Target, client: NomadClient) -> None:
    key, absent = target.key("fleet"), AppKey("default", f"{target.prefix}-none")
    await client.register(await parsed(client, key, "logs"), index=0, submission=None)
    await target.until(lambda: running_and_healthy(client, key))
    target.requests.clear()
    fleet = await client.fleet([key, absent, *(AppKey("default", f"{target.prefix}-{n}") for n in range(1000))])
    assert target.requests == [("jobs", "GET"), ("jobs/statuses", "POST")]
    entry, job = fleet.entries[key], await client.job(key)
    assert job is not None and absent not in fleet.entries and fleet.hidden == frozenset() and fleet.index > 0
    assert (entry.job_modify_index, entry.version, entry.stop) == (job.job_modify_index, job.version, False)
    assert entry.counts == {"running": 1} and entry.deployment_status == "successful" and entry.unhealthy == 0


async def test_a_namespace_without_jobs_is_read_as_empty(target: Target, client: NomadClient) -> None:
    fleet = await client.fleet([AppKey("no-such-namespace", "web")])
    assert AppKey("no-such-namespace", "web") not in fleet.entries


@pytest.mark.parametrize("name", ["a/b", "caf\u00e9-\u00fc", "x;y#1?z=1&namespace=other", "%2e%2F", "a+b"])
async def test_any_job_id_that_nomad_takes_can_be_planned_read_and_purged(
    target: Target, client: NomadClient, name: str
) -> None:
    key = target.key(name)
    body = await parsed(client, key, "logs")
    await client.register(body, index=(await client.plan(key, body)).index, submission=None)
    found = await client.running(key)
    assert found.job is not None and found.job.key == key and found.job.body["ID"] == key.name
    assert (await client.fleet([key])).entries[key].version == 0
    assert await client.stop(key, purge=True) and await client.job(key) is None


async def test_every_mistake_in_a_job_file_has_its_place(target: Target, client: NomadClient) -> None:
    with pytest.raises(InvalidDesired) as raised:
        await client.parse(HclSource('job "x" {\n  nme = 1\n  group "g" {\n    cnt = 1\n  }\n}\n'))
    first = raised.value.problems[0]
    assert (first.path, first.line, first.column) == ("input.hcl", 2, 3) and "nme" in first.message
    with pytest.raises(InvalidDesired):
        await client.parse(HclSource(""))


async def test_variables_are_filled_in_by_the_parser(target: Target, client: NomadClient) -> None:
    text = 'variable "n" {\n  type = number\n}\njob "x" {\n  priority = var.n\n}\n'
    assert (await client.parse(HclSource(text, variables="n = 61\n")))["Priority"] == 61
    with pytest.raises(InvalidDesired, match="Unset variable"):
        await client.parse(HclSource(text))


async def test_what_nomad_refuses_is_told_with_every_mistake(target: Target, client: NomadClient) -> None:
    key = target.key("wrong")
    body = await parsed(client, key, "logs", **{"memory = 32": "memory = 1", "cpu    = 50": "cpu    = 0"})
    with pytest.raises(Rejected) as raised:
        await client.plan(key, body)
    errors, _ = await client.validate(body)
    assert len(errors) == 2 and all(error.startswith("Task group web: Task app: minimum ") for error in errors)
    assert all(error in raised.value.message for error in errors)
    good, warnings = await client.validate(await parsed(client, key, "logs"))
    assert good == () and isinstance(warnings, str)


async def test_refusals_that_only_a_register_or_a_namespace_shows(target: Target, client: NomadClient) -> None:
    key = target.key("type")
    body = await parsed(client, key, "logs")
    with pytest.raises(Rejected) as raised:
        await client.plan(AppKey("no-such-namespace", key.name), body | {"Namespace": "no-such-namespace"})
    assert "namespace" in raised.value.hint
    registration = await client.register(body, index=0, submission=None)
    groups = [group | {"Update": None} for group in body["TaskGroups"]]
    batch = body | {"Type": "batch", "TaskGroups": groups}
    with pytest.raises(Rejected) as raised:
        await client.register(batch, index=registration.job_modify_index, submission=None)
    assert "purge" in raised.value.hint


async def test_logs_are_the_end_of_what_a_task_wrote(target: Target, client: NomadClient) -> None:
    key = target.key("logs")
    await client.register(await parsed(client, key, "logs"), index=0, submission=None)
    await target.until(lambda: running_and_healthy(client, key))
    ((allocation,), name) = (await client.running(key)).allocations, "app"
    out = await client.logs(allocation.id, name, "stdout")
    assert out == "".join(f"out line {n}\n" for n in range(1, 6))
    assert await client.logs(allocation.id, name, "stderr", limit=11) == "err line 5\n"
    unknown = "00000000-0000-0000-0000-000000000000"
    assert await client.logs(unknown, name, "stdout") is None
    assert await client.checks([allocation.id, unknown]) == ()


async def test_who_answers_and_where_it_runs(target: Target, client: NomadClient) -> None:
    agent = await client.agent()
    assert agent.version.partition(".")[0].isdecimal() and agent.region and agent.datacenter
    assert "default" in await client.namespaces()
    nodes = await client.nodes()
    assert nodes and all(node.id and node.name and node.status == "ready" and node.drivers for node in nodes)


async def test_a_register_is_heard_on_the_event_stream_with_all_that_follows(
    target: Target, client: NomadClient
) -> None:
    key = target.key("heard")
    body = await parsed(client, key, "logs")
    topics: set[str] = set()
    async with asyncio.timeout(30), aclosing(target.stream().items()) as items:
        assert isinstance(await anext(items), Connected)
        await client.register(body, index=0, submission=None)
        async for item in items:
            if isinstance(item, Event) and item.key == key:
                assert item.index and item.payload
                topics.add(item.topic)
            if topics == {"Job", "Allocation", "Deployment", "Evaluation"}:
                break
