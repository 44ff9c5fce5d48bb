"""How things go wrong on the embedded Nomad: in Nomad's words, order and time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.embedded.embedded_cluster import SECOND, Cluster, job, said, types

CRASH = {"image": "*:crash", "runs_for": "50ms", "exit_code": 1, "stderr": "boom\n"}


def test_a_crash_is_restarted_by_its_policy_and_then_fails_the_deployment() -> None:
    cluster = Cluster(behaviours=[CRASH])
    cluster.register(job(image="app:crash"))
    cluster.run(10)
    [allocation] = cluster.allocations()
    start = ["Started", "Terminated"]
    assert types(allocation) == ["Received", "Task Setup", *start, "Restarting", *start, "Not Restarting"]
    assert 'Exceeded allowed attempts 1 in interval 30s and mode is "fail"' in said(allocation)[-1]
    assert cluster.deployment()["StatusDescription"] == "Failed due to unhealthy allocations"
    assert cluster.get("/v1/job/web")["Status"] == "dead"
    query = {"task": "app", "type": "stderr", "plain": "true"}
    assert cluster.ask("GET", f"/v1/client/fs/logs/{allocation['ID']}", **query) == (200, "boom\nboom\n")


def test_a_bad_version_is_rolled_back_as_a_new_version_that_is_stable_at_once() -> None:
    cluster = Cluster(behaviours=[CRASH])
    reverts = {"Update": {"AutoRevert": True}}
    cluster.register(job(group=reverts))
    cluster.run(10)
    cluster.register(job(image="app:crash", group=reverts))
    cluster.run(20)
    read = cluster.get("/v1/job/web")
    assert (read["Version"], read["Stable"]) == (2, True)
    assert read["TaskGroups"][0]["Tasks"][0]["Config"]["image"] == "app:1"
    descriptions = [one["StatusDescription"] for one in cluster.get("/v1/job/web/deployments")]
    assert "Failed due to unhealthy allocations - rolling back to job version 0" in descriptions
    planned = cluster.post("/v1/job/web/plan", {"Job": job(image="app:crash", group=reverts), "Diff": True})
    assert planned["Diff"]["Type"] == "Edited"


def test_a_failed_allocation_is_replaced_after_its_reschedule_delay() -> None:
    cluster = Cluster(behaviours=[{**CRASH, "runs_for": "20s"}])
    policy = {"Unlimited": True, "Delay": 30 * SECOND, "DelayFunction": "constant", "MaxDelay": 60 * SECOND}
    never = {"Attempts": 0, "Delay": SECOND, "Interval": 30 * SECOND, "Mode": "fail"}
    cluster.register(job(image="app:crash", group={"ReschedulePolicy": policy, "RestartPolicy": never}))
    cluster.run(25)
    assert cluster.get("/v1/job/web")["Status"] == "pending"
    cluster.run(35)
    first, second = cluster.allocations()
    assert (first["DesiredStatus"], first["NextAllocation"]) == ("stop", second["ID"])
    assert second["RescheduleTracker"]["Events"][0]["PrevAllocID"] == first["ID"]


def test_a_deployment_in_which_nothing_could_be_placed_never_fails_and_heals_when_there_is_room() -> None:
    cluster = Cluster(nodes=[{"name": "n", "meta": {"zone": "a"}}])
    cluster.register(job(Constraints=[{"LTarget": "${meta.zone}", "RTarget": "b", "Operand": "="}]))
    cluster.run(120)
    assert cluster.allocations() == []
    assert cluster.deployment()["Status"] == "running"
    [failed] = [one for one in cluster.get("/v1/job/web/evaluations") if one["Status"] == "blocked"]
    metric = failed["FailedTGAllocs"]["web"]
    assert metric["ConstraintFiltered"] == {"${meta.zone} = b": 1}
    assert cluster.get("/v1/job/web/summary")["Summary"]["web"]["Queued"] == 1
    cluster.post("/v1/client/metadata", {"Meta": {"zone": "b"}})
    cluster.run(10)
    assert cluster.deployment()["Status"] == "successful"


def test_an_update_without_room_leaves_the_old_allocation_running() -> None:
    cluster = Cluster()
    cluster.register(job())
    cluster.run(10)
    cluster.register(job(task={"Resources": {"CPU": 100, "MemoryMB": 900_000}}))
    cluster.run(30)
    [allocation] = cluster.allocations()
    assert (allocation["DesiredStatus"], allocation["JobVersion"]) == ("run", 0)


def test_a_static_port_fits_once_for_each_address_of_a_node() -> None:
    cluster = Cluster(nodes=[{"name": "n", "addresses": ["10.0.0.1", "::1"]}])
    network = [{"ReservedPorts": [{"Label": "http", "Value": 9000, "To": 8080}]}]
    cluster.register(job(count=3, group={"Networks": network, "Count": 3}))
    cluster.run(10)
    assert len(cluster.allocations()) == 2
    [blocked] = [one for one in cluster.get("/v1/job/web/evaluations") if one["Status"] == "blocked"]
    assert blocked["FailedTGAllocs"]["web"]["DimensionExhausted"] == {"network: reserved port collision http=9000": 1}


def test_a_missing_variable_is_silence_until_it_appears() -> None:
    cluster = Cluster()
    templates = [{"EmbeddedTmpl": '{{ with nomadVar "nomad/jobs/web" }}A={{ .a }}{{ end }}', "DestPath": "local/e"}]
    cluster.register(job(task={"Templates": templates}))
    cluster.run(5)
    [allocation] = cluster.allocations()
    assert said(allocation)[-1] == "Missing: nomad.var.block(nomad/jobs/web@default.global)"
    assert allocation["ClientStatus"] == "pending"
    cluster.ask("PUT", "/v1/var/nomad/jobs/web", {"Items": {"a": "1"}})
    cluster.run(2)
    assert cluster.allocations()[0]["ClientStatus"] == "running"


def test_only_the_newest_ten_events_of_a_task_are_kept() -> None:
    cluster = Cluster(behaviours=[CRASH])
    often = {"Attempts": 8, "Delay": SECOND, "Interval": 600 * SECOND, "Mode": "fail"}
    cluster.register(job(image="app:crash", group={"RestartPolicy": often}))
    cluster.run(60)
    [allocation] = cluster.allocations()
    events = allocation["TaskStates"]["app"]["Events"]
    assert len(events) == 10
    assert len({event["Time"] for event in events}) == 10
    assert types(allocation)[-1] == "Not Restarting"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"Config": {"image": "app:1", "comand": "x"}}, 'No argument or block type is named "comand"'),
        ({"Config": {"image": "app:1", "privileged": True}}, "Docker privileged mode is disabled"),
        ({"Config": {"image": "team/app:gone"}}, "Error response from daemon: manifest unknown"),
        ({"Config": {"image": "app:1", "ports": ["nope"]}}, 'Port "nope" not found, check network block'),
    ],
)
def test_what_no_server_sees_fails_on_the_node(changes: dict[str, Any], says: str) -> None:
    cluster = Cluster(registries=[{"images": "*:gone", "fault": "tag missing"}])
    assert cluster.post("/v1/validate/job", {"Job": job(task=changes)})["Error"] == ""
    cluster.register(job(task=changes))
    cluster.run(20)
    [allocation] = cluster.allocations()
    assert allocation["ClientStatus"] == "failed"
    assert any(says in text for text in said(allocation))


def test_too_little_memory_ends_in_an_out_of_memory_kill() -> None:
    cluster = Cluster(behaviours=[{"needs_memory": 512}])
    cluster.register(job())
    cluster.run(10)
    [allocation] = cluster.allocations()
    [event] = [one for one in allocation["TaskStates"]["app"]["Events"] if one["Type"] == "Terminated"][:1]
    assert (event["Details"]["oom_killed"], event["DisplayMessage"]) == (
        "true",
        'Exit Code: 137, Exit Message: "OOM Killed"',
    )


def test_a_check_on_the_wrong_port_shows_as_a_reset_and_fails_at_the_healthy_deadline() -> None:
    cluster = Cluster(behaviours=[{"listens": [9090]}])
    cluster.register(job())
    cluster.run(2)
    [allocation] = cluster.allocations()
    [result] = cluster.get(f"/v1/client/allocation/{allocation['ID']}/checks").values()
    assert result["Status"] == "failure"
    assert "connection reset by peer" in result["Output"]
    cluster.run(12)
    [allocation] = cluster.allocations()
    text = "Task not running for min_healthy_time of 1s by healthy_deadline of 10s"
    assert said(allocation)[-1] == text
    assert cluster.deployment()["Status"] == "failed"


def test_a_rolling_update_replaces_one_allocation_after_the_other() -> None:
    cluster = Cluster()
    cluster.register(job(count=2))
    cluster.run(10)
    cluster.register(job(count=2, image="app:2"))
    versions = set()
    for _ in range(40):
        cluster.run(0.5)
        live = [one for one in cluster.allocations() if one["ClientStatus"] == "running"]
        versions.add(tuple(sorted(one["JobVersion"] for one in live)))
    assert (0, 1) in versions
    assert cluster.deployment()["Status"] == "successful"
    assert [one["JobVersion"] for one in cluster.allocations() if one["DesiredStatus"] == "run"] == [1, 1]


def test_a_canary_waits_for_its_promotion() -> None:
    cluster = Cluster()
    canary = {"Update": {"Canary": 1}}
    cluster.register(job(group=canary))
    cluster.run(10)
    cluster.register(job(image="app:2", group=canary))
    cluster.run(1)
    deployment = cluster.deployment()
    assert deployment["StatusDescription"] == "Deployment is running but requires manual promotion"
    early = cluster.ask("POST", f"/v1/deployment/promote/{deployment['ID']}", {"All": True})
    assert early == (500, '1 error occurred:\n\t* Task group "web" has 0/1 healthy allocations\n\n')
    cluster.run(60)
    assert cluster.deployment()["Status"] == "running"
    cluster.post(f"/v1/deployment/promote/{deployment['ID']}", {"All": True})
    cluster.run(5)
    assert cluster.deployment()["Status"] == "successful"
    assert [one["JobVersion"] for one in cluster.allocations() if one["DesiredStatus"] == "run"] == [1]


def test_an_evaluation_in_the_middle_of_a_rolling_update_replaces_nothing_more() -> None:
    cluster = Cluster()
    cluster.register(job(count=3))
    cluster.run(10)
    cluster.register(job(count=3, image="app:2"))
    cluster.run(0.5)
    cluster.register(job(count=3, image="app:2"))
    cluster.run(0.5)
    assert [one["DesiredStatus"] for one in cluster.allocations()].count("stop") == 1


def test_a_template_that_cannot_be_rendered_fails_the_deployment_while_the_task_is_still_pending() -> None:
    error = '(dynamic): parse: template: :1: function "nope" not defined'
    cluster = Cluster(templates=[{"contains": "{{ nope", "error": error}])
    templates = [{"EmbeddedTmpl": "{{ nope }}", "DestPath": "local/x"}]
    cluster.register(job(task={"Templates": templates}))
    cluster.run(1)
    [allocation] = cluster.allocations()
    assert said(allocation)[-2:] == [f"Template failed: {error}", "Unhealthy because of failed task"]
    assert types(allocation)[-2:] == ["Killing", "Alloc Unhealthy"]
    assert allocation["ClientStatus"] == "pending"
    assert cluster.deployment()["StatusDescription"] == "Failed due to unhealthy allocations"
