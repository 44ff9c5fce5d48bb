"""When a failure is named, when it is conclusive, and what must not be called one."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.cause import Cause
from observers.evidence import Cluster, Evidence, ImageFacts, Usage
from observers.failures.failure_class import FailureClass
from observers.failures.table import advice
from observers.running import PlacementFailure, TaskState
from tests.unit.observers.failures.failure_evidence import (
    JOB,
    NOW,
    START,
    allocation,
    check,
    cluster,
    crashes,
    deployment,
    driver_failure,
    ended,
    event,
    evidence,
    first,
    job,
    killing,
    log,
    placed,
    room,
    running,
    told,
)

F = FailureClass


def classes(found: Evidence) -> list[FailureClass]:
    return [one.failure for one in told(found)]


def waiting(message: str = "Missing: kv.block(app/url)") -> Evidence:
    return evidence(allocation([event("Template", message)], state="pending", client_status="pending"))


# early


@pytest.mark.parametrize(("seconds", "named"), [(5, False), (29, False), (31, True), (300, True)])
def test_a_missing_key_is_a_failure_after_thirty_seconds(seconds: int, named: bool) -> None:
    assert bool(told(waiting(), START + timedelta(seconds=seconds))) is named


def test_a_missing_key_waits_for_whoever_writes_it_unless_another_is_near() -> None:
    found = first(waiting())
    assert (found.cause, found.conclusive) == (Cause.EXTERNAL, False)


def test_the_wait_counts_from_the_first_word_although_nomad_repeats_it() -> None:
    happened = [event("Template", "Missing: kv.block(app/url)", after=turn * 10) for turn in range(5)]
    pending = evidence(allocation(happened, state="pending", client_status="pending"))
    assert told(pending, START + timedelta(seconds=45))[0].facts["waited_seconds"] == "45"


def test_a_pull_error_is_named_at_once_and_conclusive_the_second_time() -> None:
    said = "Failed to pull `r.io/app:1`: Error response from daemon: manifest unknown"
    once = first(evidence(allocation([driver_failure(said)], state="pending", client_status="pending")))
    twice = first(evidence(allocation([driver_failure(said), driver_failure(said, after=16)])))
    assert (once.failure, once.conclusive) == (F.IMAGE_TAG_MISSING, False)
    assert (twice.failure, twice.conclusive) == (F.IMAGE_TAG_MISSING, True)


def test_two_pull_errors_about_different_images_are_not_the_same_twice() -> None:
    said = "Failed to pull `r.io/app:%s`: Error response from daemon: manifest unknown"
    found = first(evidence(allocation([driver_failure(said % 1), driver_failure(said % 2, after=16)])))
    assert not found.conclusive


def test_an_unreachable_registry_is_waited_for_and_then_told() -> None:
    said = "Failed to pull `r.io/app:1`: Error response from daemon: dial tcp 1.2.3.4:443: connect: connection refused"
    found = evidence(allocation([driver_failure(said)]))
    assert told(found, START + timedelta(minutes=1))[0].cause is Cause.TIME
    assert told(found, START + timedelta(minutes=8))[0].cause is Cause.EXTERNAL


def test_a_second_crash_is_conclusive_only_where_the_evidence_says_why() -> None:
    blind = first(evidence(allocation(crashes(1))))
    told_why = first(evidence(allocation(crashes(1)), logs=(log("KeyError: 'DATABASE_URL'"),)))
    one_time = first(evidence(allocation(crashes(1, 1)), logs=(log("KeyError: 'DATABASE_URL'"),)))
    assert (blind.failure, blind.conclusive) == (F.CRASH, False)
    assert (told_why.failure, told_why.conclusive) == (F.CRASH_CONFIG_MISSING, True)
    assert not one_time.conclusive


def test_crashes_of_two_allocations_count_together() -> None:
    one = allocation(crashes(137, 1, oom=True), id="a1", next_allocation="a2", desired_status="stop")
    two = allocation(crashes(137, 1, oom=True), id="a2")
    found = first(evidence(one, two))
    assert (found.failure, found.conclusive, found.facts["kills"]) == (F.OOM_KILLED, True, "2")


@pytest.mark.parametrize(("seconds", "named"), [(1, False), (30, True)])
def test_a_check_is_believed_after_its_first_failures(seconds: int, named: bool) -> None:
    at = START + timedelta(seconds=seconds)
    failing = check("404 page not found", code=404)
    found = evidence(running(), checks=(failing.__class__("a1", "alive", "failure", failing.output, 404, at=at),))
    assert bool(told(found, at)) is named


# the cause is the event before the end


def test_the_cause_is_what_came_before_not_restarting() -> None:
    happened = [
        *crashes(137, oom=True),
        event(
            "Not Restarting", restart_reason='Exceeded allowed attempts 1 in interval 30s and mode is "fail"', after=9
        ),
        event("Killed", after=9),
        event("Alloc Unhealthy", "Unhealthy because of failed task", after=9),
    ]
    assert classes(
        evidence(allocation(happened), deployment=deployment("failed", "Failed due to unhealthy allocations"))
    ) == [F.OOM_KILLED]


def test_a_task_that_gave_up_without_its_events_is_not_guessed_at() -> None:
    gone = allocation(
        [event("Not Restarting", restart_reason='Exceeded allowed attempts 2 in interval 30m0s and mode is "fail"')]
    )
    found = first(evidence(gone))
    assert (found.failure, found.cause, found.conclusive) == (F.RESTARTS_EXHAUSTED, Cause.UNKNOWN, False)


def test_a_failed_task_is_judged_before_its_red_check() -> None:
    crashing = allocation(crashes(1), state="running", client_status="running")
    assert classes(evidence(crashing, checks=(check("connection refused"),))) == [F.CRASH]


def test_a_task_that_crashes_now_and_then_is_told_by_that_and_not_by_its_red_check() -> None:
    happened = [event("Started"), ended(1, after=60), event("Started", after=100)]
    found = evidence(allocation(happened, state="running", client_status="running"), checks=(check("EOF"),))
    assert classes(found) == [F.CRASH]


@pytest.mark.parametrize(("seconds", "named"), [(20, True), (600, False)])
def test_a_restart_by_a_check_is_history_when_the_task_runs_on(seconds: int, named: bool) -> None:
    signaled = event("Restart Signaled", restart_reason='healthcheck: check "alive" unhealthy', after=10)
    found = evidence(
        running(signaled, ended(137, after=15), event("Started", after=16)), checks=(check(status="success"),)
    )
    assert bool(told(found, START + timedelta(seconds=seconds))) is named


def test_a_check_of_a_pending_task_says_nothing() -> None:
    pending = allocation([event("Received")], state="pending", client_status="pending")
    assert not told(evidence(pending, checks=(check("connection refused"),)))


def test_a_failed_sibling_is_pointed_to_and_comes_last() -> None:
    tasks = {
        "side": TaskState(
            "dead",
            events=(event("Started"), event("Sibling Task Failed", failed_sibling="app", after=2), ended(137, after=7)),
        ),
        "app": TaskState("dead", failed=True, events=tuple(crashes(4))),
    }
    found = told(evidence(allocation(tasks=tasks)))
    assert [(one.failure, one.task) for one in found] == [(F.CRASH, "app"), (F.SIBLING_FAILED, "side")]
    assert found[1].facts == {"sibling": "app"}


def test_several_mistakes_in_one_config_are_told_apart() -> None:
    each = 'Invalid label: No argument or block type is named "%s".'
    said = f"3 errors occurred:\n\t* failed to parse config: \n\t* {each % 'comand'}\n\t* {each % 'mem'}\n\n"
    found = told(evidence(allocation([event("Failed Validation", validation_error=said)])))
    assert [one.facts["key"] for one in found] == ["comand", "mem"]


# Nomad's word comes before a log's


@pytest.mark.parametrize(
    ("end", "line", "failure"),
    [
        (ended(137, oom=True), "KeyError: 'DATABASE_URL'", F.OOM_KILLED),
        (ended(0), "FATAL: out of memory", F.EXITED_EARLY),
        (ended(139), "sh: 1: serve: not found", F.CRASH_SIGNAL),
        (ended(1), "java.lang.OutOfMemoryError: Java heap space", F.CRASH),
        (ended(1), "please set memory to 64 GB and disable the health check", F.CRASH),
        (ended(1), "WARN dial tcp 10.0.0.7:5432: connect: connection refused, retrying", F.CRASH),
        (ended(1), "info: environment variable API_KEY is not set, using the default", F.CRASH),
    ],
)
def test_a_misleading_line_does_not_override_what_nomad_says(end: object, line: str, failure: FailureClass) -> None:
    happened = [event("Started"), end, event("Started", after=3), end]
    assert classes(evidence(allocation(happened), logs=(log(line),))) == [failure]  # type: ignore[arg-type]


def test_an_earlier_line_is_not_the_cause_of_a_later_panic() -> None:
    text = "Error: connect ECONNREFUSED 10.0.0.7:5432\npanic: assignment to entry in nil map\n\tmain.go:7"
    assert first(evidence(allocation(crashes(2)), logs=(log(text),))).failure is F.CRASH


def test_the_line_above_a_stack_trace_is_the_cause() -> None:
    trace = "    at TCPConnectWrap.afterConnect\n  errno: -111,\n}\n\nNode.js v20.1.0"
    text = f"Error: connect ECONNREFUSED 10.0.0.7:5432\n{trace}"
    assert first(evidence(allocation(crashes(1)), logs=(log(text),))).failure is F.CRASH_DEPENDENCY


def test_a_variable_that_the_job_sets_is_not_missing_whatever_the_log_says() -> None:
    found = evidence(allocation(crashes(1)), body=job(Env={"API_KEY": "x"}), logs=(log("Error: API_KEY is not set"),))
    empty = evidence(allocation(crashes(1)), body=job(Env={"API_KEY": ""}), logs=(log("Error: API_KEY is not set"),))
    assert first(found).failure is F.CRASH
    assert first(empty).facts["set"] == "empty"


@pytest.mark.parametrize(
    "line",
    ["please listen on :9090 instead", "change the port to :9090", "proxying to :9090", "failed to listen on :9090"],
)
def test_a_line_that_does_not_say_that_the_app_listens_names_no_port(line: str) -> None:
    found = evidence(running(), checks=(check("connection refused"),), logs=(log(line, "stdout"),))
    assert first(found).failure is F.CHECK_FAILING


def test_a_port_is_not_wrong_where_the_app_says_it_listens_there() -> None:
    found = evidence(
        running(),
        checks=(check("EOF"),),
        logs=(log("listening on :8080", "stdout"),),
        images={"registry.example/team/app:1.0": ImageFacts("x", ports=(80,))},
    )
    assert first(found).failure is F.CHECK_FAILING


def test_two_ports_that_an_app_names_leave_the_choice_open() -> None:
    found = evidence(running(), checks=(check("EOF"),), logs=(log("listening on :9090\nlistening on :9191", "stdout"),))
    assert first(found).failure is F.CHECK_FAILING


def test_two_ports_that_the_job_declares_leave_the_choice_open() -> None:
    body = copy.deepcopy(JOB)
    body["TaskGroups"][0]["Networks"][0]["DynamicPorts"] += [{"Label": "a", "To": 9090}, {"Label": "b", "To": 9191}]
    lines = (log("listening on :9090\nlistening on :9191", "stdout"),)
    one = (log("listening on :9090\nlistening on :9999", "stdout"),)
    assert first(evidence(running(), body=body, checks=(check("EOF"),), logs=lines)).failure is F.CHECK_FAILING
    assert first(evidence(running(), body=body, checks=(check("EOF"),), logs=one)).facts["labels_there"] == "a"


def test_a_slow_app_behind_a_red_check_is_given_time() -> None:
    found = evidence(running(), checks=(check("EOF"),), logs=(log("loading model shards 3/10", "stdout"),))
    assert (first(found).failure, first(found).cause) == (F.CHECK_FAILING, Cause.TIME)


# never ours


def stopped(description: str, **other: object) -> Evidence:
    end = [
        event("Started"),
        event("Killing", "Sent interrupt. Waiting 5s before force killing", after=60),
        ended(137, after=65),
    ]
    return evidence(
        allocation(end, client_status="complete", desired_status="stop", desired_description=description),
        **other,  # type: ignore[arg-type]
    )


def test_what_an_update_or_a_stop_kills_is_no_failure() -> None:
    for description in ("alloc is being updated due to job update", "alloc not needed due to job update", ""):
        assert not told(stopped(description))


def test_a_drain_explains_a_missing_place_and_comes_before_it() -> None:
    full = {
        "web": PlacementFailure(
            nodes_evaluated=1, nodes_exhausted=1, nodes_available={"dc1": 1}, dimension_exhausted={"memory": 1}
        )
    }
    found = told(stopped("alloc is being migrated", placement=full))
    assert [one.failure for one in found] == [F.DRAINED, F.MEMORY_EXHAUSTED]
    assert found[0].cause is Cause.NONE


def test_a_drained_allocation_that_runs_elsewhere_is_history() -> None:
    old = stopped("alloc is being migrated").allocations[0]
    assert not told(evidence(old, running(id="a2")))


def test_a_lost_node_is_not_a_constraint_to_be_mended() -> None:
    body = {**JOB, "Constraints": [{"LTarget": "${meta.rack}", "Operand": "=", "RTarget": "r1"}]}
    away = cluster(room("node-1", status="down", meta={"rack": "r1"}), room("node-2", meta={"rack": "r2"}))
    found = first(placed("${meta.rack} = r1", body=body, cluster=away))
    assert (found.failure, found.cause, found.conclusive) == (F.CONSTRAINT_UNSATISFIED, Cause.CLUSTER, False)


def test_a_task_that_runs_well_after_a_crash_is_over_it() -> None:
    happened = [*crashes(1, 1), event("Restarting", after=1), event("Started", after=2)]
    assert not told(evidence(allocation(happened, state="running", client_status="running")))


def test_a_task_between_two_crashes_is_not() -> None:
    happened = [event("Started"), ended(1, after=60), event("Started", after=100)]
    assert classes(evidence(allocation(happened, state="running", client_status="running"))) == [F.CRASH]


def test_a_wrong_datacenter_is_told_with_the_node_list() -> None:
    body = {**JOB, "Datacenters": ["dc-1"]}
    nowhere = {"web": PlacementFailure()}
    found = first(evidence(body=body, placement=nowhere, cluster=cluster(room())))
    drained = first(evidence(placement=nowhere, cluster=cluster(room(eligible=False))))
    unread = first(evidence(body=body, placement=nowhere))
    assert (found.failure, found.facts["present"], found.conclusive) == (F.DATACENTER_UNKNOWN, "dc1", True)
    assert (drained.failure, drained.cause, drained.facts["state"]) == (F.NO_NODES, Cause.CLUSTER, "ineligible")
    assert (unread.failure, unread.cause) == (F.NO_NODES, Cause.UNKNOWN)


def test_a_repeated_reason_is_no_reason_beside_another() -> None:
    found = evidence(
        placement={
            "web": PlacementFailure(
                nodes_evaluated=9,
                nodes_filtered=9,
                nodes_available={"dc1": 9},
                constraint_filtered={"computed class ineligible": 8, "missing network": 1},
            )
        }
    )
    assert classes(found) == [F.NETWORK_MODE_UNKNOWN]


def test_a_prestart_task_may_end_and_a_batch_too() -> None:
    prestart = job(Lifecycle={"Hook": "prestart", "Sidecar": False})
    assert not told(evidence(allocation(crashes(0, 1), client_status="running"), body=prestart))
    assert not told(evidence(allocation(crashes(0, 1), client_status="complete"), body={**JOB, "Type": "batch"}))


def test_memory_is_told_by_use_where_the_app_blames_its_heap() -> None:
    line = (log("java.lang.OutOfMemoryError: Java heap space"),)
    full = evidence(allocation(crashes(1)), logs=line, usage={("web", "app"): Usage(memory=60)})
    assert (first(full).failure, first(full).facts["hint"]) == (F.OOM_SUSPECTED, "usage")


def test_vault_without_a_block_is_told_from_a_missing_secret() -> None:
    pending = allocation(
        [event("Template", "Missing: vault.read(secret/data/a)")], state="pending", client_status="pending"
    )
    assert first(evidence(pending)).failure is F.VAULT_BLOCK_MISSING
    assert first(evidence(pending, body=job(Vault={}))).failure is F.SECRET_MISSING
    known = Cluster(secret_paths=("secret/a",))
    assert first(evidence(pending, body=job(Vault={}), cluster=known)).failure is F.SECRET_FORBIDDEN


TWO_SECRETS = (
    'A={{ with secret "secret/data/web/db" }}{{ .Data.data.user | toJSON }}{{ end }}\n'
    'B={{ with secret "secret/data/web/app" }}{{ .Data.data.%s | toJSON }}{{ end }}\n'
)


@pytest.mark.parametrize(("field", "path"), [("kee", "secret/data/web/app"), ("user", "")])
def test_of_several_secrets_the_one_around_the_field_is_named_where_it_can_only_be_that_one(
    field: str, path: str
) -> None:
    at = f'Template failed: execute: template: :2:9: executing "" at <.Data.data.{field}>: '
    said = f'{at}map has no entry for key "{field}"'
    body = job(Vault={}, Templates=[{"DestPath": "secrets/app.env", "EmbeddedTmpl": TWO_SECRETS % field}])
    found = first(evidence(allocation([killing(said)]), body=body))
    assert (found.failure, found.facts.get("path", "")) == (F.SECRET_FIELD_MISSING, path)
    assert f"add it to {path or 'where it is read from'}, or" in advice(found)


# properties

_TEXT = st.text(max_size=200)
_EVENTS = st.sampled_from(
    ["Driver Failure", "Failed Validation", "Setup Failure", "Killing", "Template", "Terminated", "Restart Signaled",
     "Started", "Not Restarting", "Alloc Unhealthy", "Task hook failed", "Failed Artifact Download"]
)  # fmt: skip


@given(
    st.lists(st.tuples(_EVENTS, _TEXT), max_size=8),
    _TEXT,
    _TEXT,
    st.sampled_from(["pending", "running", "dead"]),
    _TEXT,
)
def test_whatever_is_said_the_answer_is_bounded_and_the_same_twice(
    happened: list[tuple[str, str]], line: str, output: str, state: str, refusal: str
) -> None:
    events = [event(name, said, after=place, fails_task="true") for place, (name, said) in enumerate(happened)]
    found = evidence(
        allocation(events, state=state, client_status="running"),
        logs=(log(line),),
        checks=(check(output),),
        refusal=refusal.strip(),
    )
    once = told(found)
    assert once == told(found)
    assert all(len(one.words) <= 300 and all(len(value) <= 320 for value in one.facts.values()) for one in once)


@given(st.lists(_TEXT, max_size=4), st.sampled_from(["stdout", "stderr"]))
def test_no_log_alone_makes_a_healthy_task_ill(lines: list[str], stream: str) -> None:
    found = evidence(running(healthy=True), checks=(check(status="success"),), logs=(log("\n".join(lines), stream),))
    assert not told(found)


def test_killing_words_of_a_template_end_a_task_at_once() -> None:
    found = first(evidence(allocation([killing('Template failed: (dynamic): parse: template: :1: unexpected "}"')])))
    assert (found.failure, found.conclusive) == (F.TEMPLATE_SYNTAX, True)


@pytest.mark.parametrize("text", ["connect ", "/", "listening on ", "vault.read(", "A_", "env ", "config /", "bind :1"])
def test_a_hostile_text_of_any_length_is_read_in_time(text: str) -> None:
    """Steps are not counted; a pattern that runs away would never come back."""
    long = text * (60_000 // len(text))
    found = evidence(
        allocation([killing(f"Template failed: {long}"), driver_failure(long, after=2), *crashes(1)]),
        logs=(log("\n".join([long] * 40)),),
    )
    assert told(found)


def test_nothing_is_wrong_with_what_runs() -> None:
    assert not told(evidence(running(healthy=True), checks=(check(status="success"),)), NOW)
