"""A job written as HCL: what people see, and that it stays the same job."""

from __future__ import annotations

import copy
import os
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.errors import InvalidDesired
from desired.job import api_json, spec
from desired.job.duration import format_duration, parse_duration
from desired.job.hcl_job_complete import complete
from desired.job.hcl_read import read_job
from desired.job.hcl_write import to_hcl
from tests.unit.job.random_jobs import PIECES, random_job

seeds = st.integers(0, 2**32)
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


def parsed(job: spec.Job) -> Any:
    """What a parser makes of a typed job: its JSON, with what Nomad completes while it parses."""
    body = dict(api_json.to_json(job))
    for group in body["TaskGroups"] or []:
        networks = [*(group["Networks"] or [])]
        for task in group["Tasks"] or []:
            networks += (task["Resources"] or {}).get("Networks") or []
        for network in networks:
            ports = [*(network["DynamicPorts"] or []), *(network["ReservedPorts"] or [])]
            network["DynamicPorts"], network["ReservedPorts"] = ports or None, None
    return plain(complete(body))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_a_typed_job_reads_back_as_itself_after_it_was_written(seed: int) -> None:
    job = random_job(seed)
    assert read_job(to_hcl(api_json.to_json(job))) == parsed(job)


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_a_complete_job_is_complete_however_often_that_is_asked(seed: int) -> None:
    typed = dict(api_json.to_json(random_job(seed)))
    for body in (read_job(to_hcl(typed)), copy.deepcopy(complete(plain(typed)))):
        again = complete(copy.deepcopy(dict(body)))
        assert again == body


@given(texts)
@settings(max_examples=300, deadline=None)
def test_any_text_survives_in_any_place(text: str) -> None:
    task = spec.Task(
        name="t", config={"a": [text, {"b": text}], "c": {"d": text}}, templates=(spec.Template(data=text),)
    )
    job = spec.Job(id="x", region=text, groups=(spec.Group(name=text, tasks=(task,)),))
    assert read_job(to_hcl(api_json.to_json(job))) == parsed(job)


@pytest.mark.real
@given(seeds)
@settings(max_examples=60, deadline=None)
def test_a_real_server_reads_a_written_job_as_the_typed_one(seed: int) -> None:
    job = random_job(seed)
    address = os.environ.get("NOMAD_TEST_ADDR")
    if not address:
        pytest.skip("NOMAD_TEST_ADDR is not set: no real Nomad to ask")
    text = to_hcl(api_json.to_json(job))
    answer = httpx.post(f"{address}/v1/jobs/parse", json={"JobHCL": text, "Canonicalize": False}, timeout=30)
    assert answer.status_code == 200, f"{answer.text}\n{text}"
    assert answer.json() == parsed(job)


def test_a_job_is_written_as_people_write_it() -> None:
    task = spec.Task(
        name="server",
        driver="docker",
        config={"image": "web:1", "ports": ["http"], "mount": [{"type": "bind", "source": "a"}]},
        env={"PORT": "${NOMAD_PORT_http}", "SHELL_VAR": "${HOME:-x}"},
        templates=(spec.Template(data="A=1\n{{ key }}\n", destination="local/env", env=True),),
        resources=spec.Resources(cpu=500, memory=256),
    )
    group = spec.Group(
        name="app",
        count=2,
        networks=(spec.Network(dynamic_ports=(spec.Port(label="http", to=8080),)),),
        tasks=(task,),
    )
    job = spec.Job(id="web", datacenters=("dc1",), groups=(group,))
    assert (
        to_hcl(api_json.to_json(job))
        == """job "web" {
  datacenters = ["dc1"]

  group "app" {
    count = 2

    network {
      port "http" {
        to = 8080
      }
    }

    task "server" {
      driver = "docker"

      config {
        image = "web:1"
        ports = ["http"]

        mount {
          type   = "bind"
          source = "a"
        }
      }

      env {
        PORT      = "${NOMAD_PORT_http}"
        SHELL_VAR = "$${HOME:-x}"
      }

      template {
        data = <<-EOT
          A=1
          {{ key }}
        EOT
        destination = "local/env"
        env         = true
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
"""
    )


def test_a_name_that_a_block_cannot_hold_is_refused_by_name() -> None:
    service = spec.Service(name="s", meta={"a.b": "c"})
    job = spec.Job(id="x", groups=(spec.Group(name="g", services=(service,)),))
    with pytest.raises(InvalidDesired, match=r"'a\.b'"):
        to_hcl(api_json.to_json(job))


def test_environment_names_with_dots_are_written_as_an_attribute() -> None:
    task = spec.Task(name="t", env={"a.b": "c"})
    job = spec.Job(id="x", groups=(spec.Group(name="g", tasks=(task,)),))
    assert 'env = {\n        "a.b" = "c"\n      }' in to_hcl(api_json.to_json(job))


@given(st.integers(-(2**62), 2**62))
def test_durations_are_read_as_they_were_written(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(("nanoseconds", "text"), [(90_000_000_000, "90s"), (60_000_000_000, "1m"), (0, "0s")])
def test_durations_are_written_in_their_largest_whole_unit(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text
