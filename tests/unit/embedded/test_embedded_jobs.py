"""Registering, stopping and versions on the embedded Nomad: the traps that a reconciler meets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.embedded.embedded_cluster import Cluster, job


def test_a_service_with_a_check_becomes_healthy_and_its_version_stable() -> None:
    cluster = Cluster()
    cluster.register(job())
    cluster.run(10)
    assert cluster.deployment()["StatusDescription"] == "Deployment completed successfully"
    assert cluster.get("/v1/job/web")["Stable"] is True
    [allocation] = cluster.allocations()
    assert (allocation["ClientStatus"], allocation["DeploymentStatus"]["Healthy"]) == ("running", True)


def test_an_unchanged_register_makes_no_version_but_costs_an_evaluation_and_answers_a_misleading_index() -> None:
    cluster = Cluster()
    first = cluster.register(job())
    cluster.run(10)
    evaluations, written = len(cluster.get("/v1/job/web/evaluations")), cluster.nomad.raft_index
    again = cluster.register(job())
    cluster.run(1)
    read = cluster.get("/v1/job/web")
    assert (read["Version"], read["JobModifyIndex"]) == (0, first["JobModifyIndex"])
    assert again["JobModifyIndex"] == read["ModifyIndex"] != read["JobModifyIndex"]
    assert len(cluster.get("/v1/job/web/evaluations")) == evaluations + 1
    assert cluster.nomad.raft_index == written + 2


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (0, "Enforcing job modify index 0: job already exists"),
        (1, "Enforcing job modify index 1: job exists with conflicting job modify index: {}"),
    ],
)
def test_a_lost_compare_and_set_is_refused_in_nomads_words(index: int, text: str) -> None:
    cluster = Cluster()
    current = cluster.register(job())["JobModifyIndex"]
    refused = cluster.ask("POST", "/v1/jobs", {"Job": job(), "EnforceIndex": True, "JobModifyIndex": index})
    assert refused == (500, text.format(current))


def test_a_stopped_job_still_exists_for_compare_and_set() -> None:
    cluster = Cluster()
    cluster.register(job())
    cluster.ask("DELETE", "/v1/job/web")
    status, text = cluster.ask("POST", "/v1/jobs", {"Job": job(), "EnforceIndex": True, "JobModifyIndex": 0})
    assert (status, text) == (500, "Enforcing job modify index 0: job already exists")


def test_each_stop_is_a_version_and_a_purge_takes_everything_but_the_evaluations() -> None:
    cluster = Cluster()
    cluster.register(job())
    cluster.run(5)
    for _ in range(2):
        cluster.ask("DELETE", "/v1/job/web")
    cluster.run(5)
    read = cluster.get("/v1/job/web")
    assert (read["Version"], read["Stop"], read["Status"]) == (2, True, "dead")
    cluster.ask("DELETE", "/v1/job/web", purge="true")
    cluster.run(1)
    assert cluster.ask("GET", "/v1/job/web") == (404, "job not found")
    assert cluster.allocations() == []
    assert cluster.deployment() is None
    assert cluster.get("/v1/job/web/evaluations")


def test_six_versions_are_kept() -> None:
    cluster = Cluster()
    for priority in range(50, 60):
        cluster.register(job(Priority=priority))
    versions = cluster.get("/v1/job/web/versions")["Versions"]
    assert [version["Version"] for version in versions] == [9, 8, 7, 6, 5, 4]


def test_what_was_planned_is_settled_once_it_is_registered() -> None:
    cluster = Cluster()
    before = cluster.post("/v1/job/web/plan", {"Job": job(), "Diff": True})
    assert (before["Diff"]["Type"], before["JobModifyIndex"]) == ("Added", 0)
    written = cluster.nomad.raft_index
    cluster.register(job())
    cluster.run(10)
    after = cluster.post("/v1/job/web/plan", {"Job": job(), "Diff": True})
    counts = {name: count for name, count in after["Annotations"]["DesiredTGUpdates"]["web"].items() if count}
    assert (after["Diff"]["Type"], counts) == ("None", {"Ignore": 1})
    assert written < cluster.nomad.raft_index
    assert after["JobModifyIndex"] == cluster.get("/v1/job/web")["JobModifyIndex"]


def test_a_job_may_be_called_like_a_part_of_the_api() -> None:
    cluster = Cluster()
    cluster.register(job("scale"))
    assert cluster.get("/v1/job/scale")["ID"] == "scale"


def test_a_periodic_job_launches_when_it_is_due_and_not_beside_one_that_runs() -> None:
    cluster = Cluster(behaviours=[{"runs_for": "90s"}])
    task = {"Name": "app", "Driver": "docker", "Config": {"image": "x:1"}}
    periodic = {"Specs": ["* * * * *"], "ProhibitOverlap": True}
    answer = cluster.register(
        {"ID": "tick", "Type": "batch", "Periodic": periodic, "TaskGroups": [{"Name": "g", "Tasks": [task]}]}
    )
    assert answer["EvalID"] == ""
    cluster.run(200)
    children = [one["ID"] for one in cluster.get("/v1/jobs", prefix="tick/")]
    assert children == ["tick/periodic-1767225660", "tick/periodic-1767225780"]


def test_what_is_not_implemented_says_so_and_what_nomad_lacks_too_is_not_found() -> None:
    cluster = Cluster()
    status, text = cluster.ask("GET", "/v1/operator/scheduler/configuration")
    assert status == 501
    assert "does not implement" in text
    assert cluster.ask("GET", "/v1/nope") == (404, "")
    assert cluster.ask("PATCH", "/v1/jobs") == (405, "Invalid method")


def test_the_same_seed_makes_the_same_history() -> None:
    histories = []
    for _ in range(2):
        cluster = Cluster()
        cluster.register(job(count=3))
        cluster.run(30)
        histories.append((cluster.allocations(), cluster.get("/v1/job/web/evaluations")))
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"Type": 3}, "cannot unmarshal number into Go struct field Job.Job.Type of type string"),
        ({"Datacenters": "dc1"}, "cannot unmarshal string into Go struct field Job.Job.Datacenters of type []string"),
        ({"task": {"KillTimeout": "5s"}}, "field Task.Job.TaskGroups.Tasks.KillTimeout of type time.Duration"),
    ],
)
def test_a_body_that_cannot_be_decoded_is_refused_in_gos_words(changes: dict[str, Any], text: str) -> None:
    status, said = Cluster().ask("POST", "/v1/jobs", {"Job": job(**changes)})
    assert status == 400
    assert text in said


def test_a_misspelt_field_is_ignored_as_nomad_ignores_it() -> None:
    Cluster().register(job(Datacentres=["dc1"]))
