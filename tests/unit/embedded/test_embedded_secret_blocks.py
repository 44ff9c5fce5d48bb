"""The `secret` block on the embedded Nomad: taken and refused as by a real one, waited for, and lost without a word.

Source: tried on Nomad 2.0.5 with OpenBao 2.6.2; the answers to registering are compared where NOMAD_TEST_ADDR has one.
"""

from __future__ import annotations

import os
import uuid
from typing import Any

import httpx
import pytest

from tests.unit.embedded.embedded_cluster import Cluster

DB = {"Name": "db", "Provider": "vault", "Path": "secret/data/web/db", "Config": {"engine": "kv_v2"}}
VARIABLE = {"Name": "v", "Provider": "nomad", "Path": "nomad/jobs/web"}


def job(*secrets: dict[str, Any], env: dict[str, str] | None = None, vault: bool = True, id: str = "web") -> Any:
    task = {
        "Name": "app", "Driver": "docker", "Config": {"image": "example/good:1"}, "Env": env or {},
        "Secrets": list(secrets), "Vault": {} if vault else None, "Resources": {"CPU": 50, "MemoryMB": 32},
        "RestartPolicy": {"Attempts": 0, "Mode": "fail"},
    }  # fmt: skip
    return {"ID": id, "Name": id, "Datacenters": ["*"], "TaskGroups": [{"Name": "app", "Tasks": [task]}]}


def state_of(cluster: Cluster) -> dict[str, Any]:
    state: dict[str, Any] = cluster.allocations()[0]["TaskStates"]["app"]
    return state


def test_a_path_that_is_not_there_is_waited_for_until_it_fails() -> None:
    cluster = Cluster(vault=True)
    cluster.register(job(DB))
    cluster.run(5)
    assert state_of(cluster)["State"] == "pending"
    assert "Missing: vault.read(secret/data/web/db)" in [one["DisplayMessage"] for one in state_of(cluster)["Events"]]
    cluster.run(310)
    assert state_of(cluster)["Failed"] is True


def test_a_variable_is_waited_for_and_the_task_starts_once_it_is_there() -> None:
    cluster = Cluster(vault=True)
    cluster.register(job(VARIABLE, vault=False))
    cluster.run(5)
    assert state_of(cluster)["State"] == "pending"
    cluster.ask("PUT", "/v1/var/nomad/jobs/web", {"Items": {"token": "x"}})
    cluster.run(5)
    assert state_of(cluster)["State"] == "running"


def test_a_field_that_is_no_name_of_a_variable_fails_the_task() -> None:
    cluster = Cluster(vault=True, vault_paths={"secret/data/web/db": {"a": "x", "my-key": "y"}})
    cluster.register(job(DB))
    cluster.run(5)
    told = [one["DisplayMessage"] for one in state_of(cluster)["Events"] if one["Type"] == "Task hook failed"]
    assert told == ["secrets: error on line 6: key characters must be [A-Za-z0-9/_.] but found '-'"]
    assert state_of(cluster)["State"] == "dead"


@pytest.mark.parametrize(("field", "runs"), [("a", True), ("nope", False)])
def test_a_field_that_is_not_there_leaves_the_very_text(field: str, runs: bool) -> None:
    cluster = Cluster(
        vault=True, vault_paths={"secret/data/web/db": {"a": "x"}},
        behaviours=[{"image": "example/good:1", "needs_env": ["A"]}],
    )  # fmt: skip
    cluster.register(job(DB, env={"A": f"${{secret.db.{field}}}"}))
    cluster.run(5)
    assert (state_of(cluster)["State"] == "running") is runs


CASES = [
    job(DB),
    job(VARIABLE, vault=False),
    job(DB, vault=False),
    job({**DB, "Name": "my-db"}),
    job({**DB, "Env": {"A": "x"}}),
    job(DB, DB),
    job({**DB, "Path": ""}),
    job({**DB, "Provider": ""}),
    job({**DB, "Provider": "mine"}),
    job({**VARIABLE, "Env": {"A": "x"}}),
]


@pytest.mark.real
@pytest.mark.parametrize("body", CASES, ids=[str(number) for number in range(len(CASES))])
def test_a_real_nomad_says_the_same(body: Any) -> None:
    address = os.environ.get("NOMAD_TEST_ADDR", "")
    if not address:
        pytest.skip("NOMAD_TEST_ADDR is not set: no real Nomad to ask")
    name = f"h51-{uuid.uuid4().hex[:8]}"
    body = {**body, "ID": name, "Name": name}
    agent = httpx.get(f"{address}/v1/nodes", params={"prefix": ""}, timeout=15).json()[0]["ID"]
    with_vault = "vault.accessible" in httpx.get(f"{address}/v1/node/{agent}", timeout=15).json()["Attributes"]
    if body["TaskGroups"][0]["Tasks"][0]["Vault"] is not None and not with_vault:
        pytest.skip("the Nomad of NOMAD_TEST_ADDR has no Vault")
    ours = Cluster(vault=with_vault).ask("PUT", "/v1/validate/job", {"Job": body})
    answer = httpx.put(f"{address}/v1/validate/job", json={"Job": body}, timeout=15)
    assert ours[0] == answer.status_code
    theirs = answer.json()
    for field in ("ValidationErrors", "Error", "Warnings"):
        assert ours[1][field] == theirs[field], field
