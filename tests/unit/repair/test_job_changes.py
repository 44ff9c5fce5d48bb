"""What differs between two jobs reads as the leaves of a plan's diff."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.job.hcl_read import read_job
from observers.running import FieldChange
from reconcilers.repair.job_changes import job_changes

JOB = """job "web" {
  group "app" {
    network {
      port "http" { to = 8080 }
    }
    service {
      name = "web"
      port = "http"
      check {
        name     = "alive"
        type     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "2s"
      }
    }
    task "app" {
      driver = "docker"
      config {
        image = "app:1"
        args  = ["a", "b"]
      }
      env {
        LEVEL = "info"
      }
      resources {
        memory = 64
      }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("old", "new", "path", "values"),
    [
        ("memory = 64", "memory = 32", "app/app/Resources/MemoryMB", ("64", "32")),
        ("app:1", "app:2", "app/app/Config/image", ("app:1", "app:2")),
        ('"info"', '"debug"', "app/app/Env[LEVEL]", ("info", "debug")),
        ('["a", "b"]', '["a"]', "app/app/Config/args", ('["a", "b"]', '["a"]')),
        ("/health", "/healthz", "app/Services[web]/Checks[alive]/Path", ("/health", "/healthz")),
        ("to = 8080", "to = 80", "app/Networks[0]/DynamicPorts[http]/To", ("8080", "80")),
    ],
)
def test_one_change_is_one_leaf_with_its_names(old: str, new: str, path: str, values: tuple[str, str]) -> None:
    assert old in JOB
    assert job_changes(read_job(JOB), read_job(JOB.replace(old, new))) == (FieldChange(path, *values),)


def test_a_task_that_is_gone_is_told_by_its_fields() -> None:
    after = read_job(JOB.replace('task "app"', 'task "other"'))
    paths = {change.path.split("/")[1] for change in job_changes(read_job(JOB), after)}
    assert paths == {"app", "other"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Name", "TaskGroups", "Tasks", "Env", "X", "Count"]), inner, max_size=4)
    ),
    max_leaves=20,
)
JOBS = st.dictionaries(st.sampled_from(["ID", "TaskGroups", "Meta", "Priority"]), VALUES, max_size=4)


@given(JOBS, JOBS)
def test_it_is_bounded_says_nothing_of_equal_jobs_and_something_of_others(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert job_changes(before, before) == ()
    found = job_changes(before, after)
    assert len(found) <= 60 and all(len(one.old) <= 400 and len(one.new) <= 400 for one in found)
    back = job_changes(after, before)
    assert {(one.path, one.new, one.old) for one in back} == {(one.path, one.old, one.new) for one in found}
    if json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True):
        assert not found
