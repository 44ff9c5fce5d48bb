"""What an evaluation said of an older version of a job says nothing of the one that is registered now."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from desired.app import AppKey
from observers.nomad.client import NomadClient
from observers.nomad.session import Connection
from tests.unit.observers.nomad_stub import Exchange, Stub, serve

JOB = {
    "ID": "web", "Namespace": "default", "Type": "service", "Status": "pending", "Version": 1,
    "JobModifyIndex": 9, "ModifyIndex": 9, "CreateIndex": 2, "TaskGroups": [{"Name": "web", "Count": 1}],
}  # fmt: skip
NO_ROOM = {"web": {"NodesEvaluated": 1, "NodesExhausted": 1, "DimensionExhausted": {"memory": 1}}}


def answers(evaluated_at: int) -> Callable[[Stub, Exchange], None]:
    evaluation = {"ID": "e", "Status": "blocked", "CreateIndex": evaluated_at, "FailedTGAllocs": NO_ROOM}

    def answer(stub: Stub, exchange: Exchange) -> None:
        part = urlsplit(exchange.asked.path).path.removeprefix("/v1/job/web").strip("/")
        told = {"": JOB, "evaluations": [evaluation], "allocations": [], "deployment": None}[part]
        exchange.say(200, json.dumps(told), X_Nomad_Index="20")

    return answer


@pytest.mark.parametrize(("evaluated_at", "groups"), [(9, {"web"}), (12, {"web"}), (8, set())])
async def test_only_what_was_said_since_the_register_counts(evaluated_at: int, groups: set[str]) -> None:
    with serve(answers(evaluated_at)) as stub:
        client = NomadClient(connection=Connection(address=stub.address))
        try:
            found = await client.running(AppKey("default", "web"))
        finally:
            await client.aclose()
    assert found.placement.keys() == groups
