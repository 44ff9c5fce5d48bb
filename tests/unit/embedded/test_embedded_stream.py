"""The embedded Nomad's event stream has the real one's manners, good and bad."""

from __future__ import annotations

import json

from tests.unit.embedded.embedded_cluster import Cluster, job, told


def test_it_begins_with_a_heartbeat_and_beats_every_thirty_seconds() -> None:
    cluster = Cluster()
    stream = cluster.listen("Job")
    assert told(stream) == [{}]
    cluster.run(61)
    assert told(stream) == [{}, {}]


def test_one_line_is_one_index_and_allocations_come_without_their_job() -> None:
    cluster = Cluster()
    stream = cluster.listen("*")
    cluster.register(job())
    cluster.run(10)
    lines = [line for line in told(stream) if line]
    assert all({event["Index"] for event in line["Events"]} == {line["Index"]} for line in lines)
    allocations = [event for line in lines for event in line["Events"] if event["Topic"] == "Allocation"]
    assert allocations
    assert not any("Job" in event["Payload"]["Allocation"] for event in allocations)
    assert ("Job", "PlanResult") in {(event["Topic"], event["Type"]) for line in lines for event in line["Events"]}


def test_an_index_is_an_inclusive_start_and_one_of_the_future_repeats_the_last_line() -> None:
    cluster = Cluster()
    cluster.register(job())
    cluster.run(10)
    everything = [line["Index"] for line in told(cluster.listen("*")) if line]
    middle = everything[len(everything) // 2]
    assert told(cluster.listen("*", index=str(middle)))[1]["Index"] == middle
    assert [line["Index"] for line in told(cluster.listen("*", index="99999999")) if line] == everything[-1:]


def test_what_has_left_the_buffer_is_gone_without_a_word() -> None:
    cluster = Cluster(event_buffer_size=3)
    cluster.register(job())
    cluster.run(10)
    lines = told(cluster.listen("*", index="1"))
    assert len(lines) == 4
    assert lines[1]["Index"] > 100


def test_a_token_that_may_not_listen_gets_silence_and_no_heartbeat() -> None:
    tokens = [{"secret": "good", "namespaces": {"*": ["list-jobs", "read-job"]}}]
    cluster = Cluster(tokens=tokens)
    for refused in (cluster.listen("Job", token="bad"), cluster.listen("Node", token="good")):
        cluster.run(61)
        assert told(refused) == []
    assert told(cluster.listen("Job", token="good")) == [{}]
    assert cluster.ask("GET", "/v1/jobs", token="bad") == (403, "Permission denied")
    assert cluster.ask("GET", "/v1/jobs", token="good") == (200, [])


def test_a_purge_tells_that_the_job_is_deleted() -> None:
    cluster = Cluster()
    cluster.register(job())
    cluster.run(5)
    stream = cluster.listen("Job", index="99999999")
    told(stream)
    cluster.ask("DELETE", "/v1/job/web", purge="true")
    deleted = [event["Payload"] for line in told(stream) if line for event in line["Events"]]
    assert deleted[0]["Deleted"] is True
    json.dumps(deleted)
