"""Edited files on a real server: its own parser reads them as ours does, and it plans the changed job."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from desired.job.hcl_read import read_job
from desired.operations.apply import apply, current
from desired.operations.edit_hcl import edit
from desired.operations.operation import Kind, Operation, Value
from desired.operations.table import ROWS, How, Row, Scope, Type

pytestmark = pytest.mark.real

S = 10**9
TEXT = """\
job "NAME" {
  type        = "batch"
  datacenters = ["dc1", "dc9"] # the second is a typo

  group "g" {
    count = 1
    network {
      port "http" { static = 29001 }
    }
    service {
      provider = "nomad"
      port     = "http"
      check {
        type     = "http"
        path     = "/"
        interval = "10s"
        timeout  = "2s"
      }
    }
    task "t" {
      driver = "mock_driver"
      config {
        run_for = "1ms" # short
      }
      template {
        data = <<-EOT
          A={{ env "NOMAD_TASK_NAMEX" }}
          B=${NOMAD_ALLOC_ID}
        EOT
        destination = "local/a"
      }
      resources {
        cpu    = 20
        memory = 20
      }
    }
  }
}
"""


@pytest.fixture
def nomad() -> Iterator[httpx.Client]:
    address = os.environ.get("NOMAD_TEST_ADDR")
    if not address:
        pytest.skip("NOMAD_TEST_ADDR is not set: no real Nomad to ask")
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


def parsed(nomad: httpx.Client, text: str) -> Any:
    answer = nomad.post("/v1/jobs/parse", json={"JobHCL": text, "Canonicalize": False})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("operation", "shown"),
    [
        (Operation(Kind.MEMORY, ("g", "t"), 20, 30), "MemoryMB"),
        (Operation(Kind.DISK, ("g",), 300, 150), "SizeMB"),
        (Operation(Kind.DATACENTERS, (), ("dc1", "dc9"), ("dc1",)), "Datacenters"),
        (Operation(Kind.STATIC_PORT, ("g", "http"), 29001, None), "Static Port"),
        (Operation(Kind.PORT_TO, ("g", "http"), None, 80), "To"),
        (Operation(Kind.CHECK_TIMEOUT, ("g", "NAME-g", 'service: "NAME-g" check'), 2 * S, 4 * S), "Timeout"),
        (Operation(Kind.RESTART_DELAY, ("g",), 15 * S, 20 * S), "Delay"),
        (Operation(Kind.RESTART_ATTEMPTS, ("g",), 3, 4), "Attempts"),
        (Operation(Kind.ENV, ("g", "t", "X"), None, 'a "b" ${NOMAD_JOB_ID}'), "Env[X]"),
        (Operation(Kind.DRIVER_VALUE, ("g", "t", "run_for"), "1ms", "2ms"), "run_for"),
        (Operation(Kind.TEMPLATE_KEY, ("g", "t", "local/a"), "NAMEX", "NAME"), "EmbeddedTmpl"),
        (Operation(Kind.TEMPLATE_DELIMITERS, ("g", "t", "local/a"), "{{ }}", "[[ ]]"), "LeftDelim"),
        (Operation(Kind.VAULT_ADDED, ("g", "t"), None, ""), "Vault"),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Operation) else "",
)
def test_a_server_reads_the_edit_as_we_do_and_plans_the_change(
    nomad: httpx.Client, operation: Operation, shown: str
) -> None:
    name = f"ops-{uuid.uuid4().hex[:8]}"
    text = TEXT.replace('NAME"', f'{name}"')
    at = tuple(part.replace("NAME", name) for part in operation.at)
    operation = Operation(operation.kind, at, operation.old, operation.new)
    made = edit(text, (operation,))
    before, after = parsed(nomad, text), parsed(nomad, made)
    assert after == read_job(made)
    assert after == apply(before, (operation,))
    try:
        registered = nomad.put("/v1/jobs", json={"Job": before})
        assert registered.status_code == 200, registered.text
        planned = nomad.post(f"/v1/job/{name}/plan", json={"Job": after, "Diff": True})
        if operation.kind is Kind.VAULT_ADDED:
            # Not every server has Vault.
            assert planned.status_code in (200, 500)
            return
        assert planned.status_code == 200, planned.text
        assert planned.json()["Diff"]["Type"] == "Edited"
        assert shown in _changed(planned.json()["Diff"])
    finally:
        nomad.delete(f"/v1/job/{name}", params={"purge": "true"})


BARE = """\
job "NAME" {
  type = "TYPE"
  group "g" {
    count = 0
    service {
      provider = "nomad"
      check {
        type     = "http"
        path     = "/"
        port     = "8000"
        interval = "10s"
        timeout  = "2s"
        check_restart { limit = 1 }
      }
    }
    task "t" {
      driver = "mock_driver"
      template {
        data        = "x"
        destination = "d"
      }
    }
  }
}
"""
# Nomad itself leaves these open, and its drivers and checks take what the table says.
_OPEN = {Kind.CHECK_PROTOCOL, Kind.CHECK_METHOD, Kind.SERVICE_PROVIDER, Kind.VAULT_ROLE}


@pytest.mark.parametrize("job_type", ["service", "batch", "system"])
def test_what_we_take_for_nomads_default_is_its_default(nomad: httpx.Client, job_type: str) -> None:
    """To say it changes nothing: the plan of a job that says a default is empty."""
    name = f"ops-{uuid.uuid4().hex[:8]}"
    body = parsed(nomad, BARE.replace("NAME", name).replace("TYPE", job_type))
    if job_type == "system":
        body["TaskGroups"][0]["Count"] = 1
        body["Constraints"] = [{"LTarget": "${attr.kernel.name}", "Operand": "=", "RTarget": "none"}]
    said: set[Kind] = set()
    try:
        registered = nomad.put("/v1/jobs", json={"Job": body})
        assert registered.status_code == 200, registered.text
        for spec in ROWS.values():
            at = _address(spec, name)
            if at is None or spec.kind in _OPEN or (default := current(body, spec.kind, at)) is None:
                continue
            if job_type != "service" and spec.path[0] in _WITHOUT[job_type]:
                continue
            # What is set already has to say something else first.
            other = apply(body, (Operation(spec.kind, at, default, _other(spec, default)),))
            planned = nomad.post(
                f"/v1/job/{name}/plan",
                json={"Job": apply(other, (Operation(spec.kind, at, _other(spec, default), default),)), "Diff": True},
            )
            assert planned.status_code == 200, (spec.kind, planned.text)
            assert planned.json()["Diff"]["Type"] == "None", (spec.kind, default, planned.json()["Diff"])
            said.add(spec.kind)
    finally:
        nomad.delete(f"/v1/job/{name}", params={"purge": "true"})
    assert len(said) > 12


# What a server keeps of these blocks for such jobs is not what it does.
_WITHOUT = {"batch": ("Update",), "system": ("Update", "ReschedulePolicy")}


def _address(spec: Row, name: str) -> tuple[str, ...] | None:
    check = f'service: "{name}-g" check'
    return (
        {
            Scope.JOB: (),
            Scope.GROUP: ("g",),
            Scope.TASK: ("g", "t"),
            Scope.SERVICE: ("g", f"{name}-g"),
            Scope.CHECK: ("g", f"{name}-g", check),
            Scope.TEMPLATE: ("g", "t", "d") if spec.how is not How.FRAGMENT else None,
        }.get(spec.scope)
        if spec.how in (How.VALUE, How.DELIMITERS)
        else None
    )


def _other(spec: Row, value: Value) -> Value:
    if spec.how is How.DELIMITERS:
        return "[[ ]]"
    if isinstance(value, bool):
        return not value
    return {Type.WHOLE: 7, Type.TEXTS: ("x",)}.get(spec.type, "x")


def _changed(diff: Any) -> set[str]:
    """The names of all fields that a plan tells as changed."""
    if isinstance(diff, list):
        return set().union(*(_changed(each) for each in diff))
    if not isinstance(diff, dict) or diff.get("Type") == "None":
        return set()
    own = {diff["Name"]} if isinstance(diff.get("Name"), str) else set()
    return own.union(*(_changed(each) for each in diff.values() if isinstance(each, dict | list)))
