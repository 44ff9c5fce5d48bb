"""What Nomad has given up starts again only when it is asked to, and only where the new version's policy allows it."""

from __future__ import annotations

from typing import Any

from desired.app import AppKey
from desired.state import JobBody
from observers.nomad.client import NomadClient
from tests.conformance.client.client_target import Target, parsed

_S = 1_000_000_000
_NEVER = {"Attempts": 0, "Unlimited": False, "Delay": 5 * _S, "DelayFunction": "constant", "MaxDelay": 5 * _S}


async def _hopeless(client: NomadClient, key: AppKey, reschedule: dict[str, Any], key_value: str) -> JobBody:
    """Its driver is told what it does not know: it fails at once, for good."""
    body = dict(await parsed(client, key, "healthy-service"))
    (group,) = body["TaskGroups"]
    task = {**group["Tasks"][0], "Config": {**group["Tasks"][0]["Config"], "nobody_knows_this": key_value}}
    update = {"HealthCheck": "task_states", "HealthyDeadline": 5 * _S, "ProgressDeadline": 6 * _S,
              "MinHealthyTime": _S, "AutoRevert": False}  # fmt: skip
    restart = {"Attempts": 0, "Interval": 30 * _S, "Delay": _S, "Mode": "fail"}
    made = {"RestartPolicy": restart, "ReschedulePolicy": reschedule, "Update": update, "Tasks": [task]}
    return body | {"TaskGroups": [{**group, **made}]}


async def test_what_was_given_up_is_placed_anew_when_asked_and_not_by_a_new_policy(
    target: Target, client: NomadClient
) -> None:
    key = target.key("given-up")

    async def given_up() -> bool:
        job = await client.job(key)
        return job is not None and job.status == "dead" and len(await client.allocations(key)) == 1

    await client.register(await _hopeless(client, key, _NEVER, "x"), index=0, submission=None)
    await target.until(given_up)
    await client.revive(key)
    before = await client.job(key)
    assert before is not None
    patient = await _hopeless(client, key, {**_NEVER, "Unlimited": True}, "x")
    plan = await client.plan(key, patient)
    assert plan.changes and set(plan.updates["web"].values()) == {0, 1} and plan.updates["web"]["Ignore"] == 1
    registered = await client.register(patient, index=before.job_modify_index, submission=None)
    await target.until(given_up)
    assert [one.job_version for one in await client.allocations(key)] == [0], "policies start nothing"

    await client.revive(key)

    async def anew() -> bool:
        return [one.job_version for one in await client.allocations(key)][:1] == [1]

    await target.until(anew)
    after = await client.job(key)
    assert after is not None and after.job_modify_index == registered.job_modify_index, "the job itself did not move"
    first = min(await client.allocations(key), key=lambda one: one.job_version)
    assert first.desired_status == "stop" and first.next_allocation
