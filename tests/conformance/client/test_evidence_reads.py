"""What is read for evidence, on a Nomad that works: nodes and their room, what tasks use, names of variables."""

from __future__ import annotations

import uuid

import httpx
import pytest

from observers.nomad.client import NomadClient
from tests.conformance.client.client_target import Target, parsed
from tests.conformance.client.test_nomad_client import Written, running_and_healthy


def asked(target: Target) -> list[str]:
    """What was asked since the last time."""
    found = [endpoint for endpoint, _ in target.requests]
    target.requests.clear()
    return found


async def test_every_node_is_told_with_its_room_and_what_a_job_takes_of_it(target: Target, client: NomadClient) -> None:
    before = {one.node.id: one for one in await client.rooms()}
    assert before and sorted(asked(target)) == sorted(["allocations", "nodes", *["node"] * len(before)])
    key = target.key("room")
    body = await parsed(client, key, "healthy-service")
    await client.register(body, index=0, submission=Written("job {}"))
    await target.until(lambda: running_and_healthy(client, key))
    (allocation,) = await client.allocations(key)
    at = {one.node.id: one for one in await client.rooms()}[allocation.node_id]
    was = before[allocation.node_id]
    assert at.node.status == "ready" and at.node.drivers["docker"] and at.node.datacenter
    assert at.attributes["kernel.name"] == "linux"
    assert 0 < at.memory <= at.memory_total and 0 < at.cpu <= at.cpu_total and at.disk > 0
    assert (at.memory_total, at.cpu_total) == (was.memory_total, was.cpu_total)
    if len(await _all_jobs(client)) == 1:
        # Others may come and go on a shared agent.
        taken = body["TaskGroups"][0]["Tasks"][0]["Resources"]
        assert (was.memory - at.memory, was.cpu - at.cpu) == (taken["MemoryMB"], taken["CPU"])
        assert at.static_ports > was.static_ports


async def _all_jobs(client: NomadClient) -> list[object]:
    return list((await client.fleet([])).entries)


async def test_what_a_task_uses_is_told_by_task_or_not_at_all_and_of_an_unknown_allocation_nothing(
    target: Target, client: NomadClient
) -> None:
    """A client that cannot measure answers without tasks (recorded on an agent without cgroups)."""
    key = target.key("usage")
    await client.register(await parsed(client, key, "healthy-service"), index=0, submission=Written("job {}"))
    await target.until(lambda: running_and_healthy(client, key))
    (allocation,) = await client.allocations(key)
    asked(target)
    used = await client.usage(allocation.id)
    assert asked(target) == ["client/allocation/stats"]
    assert used.keys() <= {"app"} and all(0 < one.memory < 512 and one.cpu >= 0 for one in used.values())
    assert await client.usage(str(uuid.uuid4())) == {}


async def test_of_variables_only_the_names_are_told(target: Target, client: NomadClient) -> None:
    path = f"{target.prefix}/db"
    address = f"{target.connection.base_url}/v1/var/{path}"
    headers = {"X-Nomad-Token": target.connection.token} if target.connection.token else {}
    async with httpx.AsyncClient(headers=headers) as by_hand:
        items = {"password": "hunter2-hunter2", "user": "app"}
        answer = await by_hand.put(address, json={"Namespace": "default", "Path": path, "Items": items})
        assert answer.status_code == 200, answer.text
        try:
            assert path in await client.variable_paths("default")
            assert await client.variable_keys("default", path) == ("password", "user")
            assert await client.variable_keys("default", f"{path}/none") is None
            assert asked(target) == ["vars", "var", "var"]
        finally:
            await by_hand.delete(address)


@pytest.mark.parametrize("kind", ["stdout", "stderr"])
async def test_logs_of_what_is_not_there_are_none(target: Target, client: NomadClient, kind: str) -> None:
    assert await client.logs(str(uuid.uuid4()), "app", "stdout" if kind == "stdout" else "stderr") is None
