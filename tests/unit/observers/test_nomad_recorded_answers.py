"""Every answer that a real Nomad gave, read by our decoding: nothing recorded may be unintelligible or misjudged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from desired.app import AppKey
from desired.errors import Conflict, Forbidden, OperatorError, RateLimited, Rejected, Unavailable
from observers.nomad import decode, diagnostics, endpoints
from observers.nomad.agent_answer import agent_of, lowest_server
from observers.nomad.decode_fleet import entries, with_statuses
from observers.nomad.errors import Attempt, refusal
from observers.nomad.plan_answer import plan
from observers.nomad.stream_items import events
from tests import recordings_reader
from tests.recordings_reader import Exchange

SCENARIOS = recordings_reader.names()
PLAN = Attempt("plan default/web", endpoints.PLAN, "http://nomad")


def exchanges(scenario: str, method: str, path: str, status: int = 200) -> Iterator[Exchange]:
    for exchange in recordings_reader.read(scenario).exchanges:
        if exchange.method == method and exchange.status == status and re.fullmatch(path, exchange.path):
            yield exchange


DECODERS: tuple[tuple[str, str, Callable[[Any], object]], ...] = (
    ("GET", "/v1/job/[^/]+", decode.job),
    ("GET", "/v1/job/[^/]+/allocations", decode.allocations),
    ("GET", "/v1/job/[^/]+/deployment", lambda body: decode.deployment(body or {})),
    ("GET", "/v1/job/[^/]+/evaluations", lambda body: [decode.evaluation(one) for one in body]),
    ("GET", "/v1/client/allocation/[^/]+/checks", lambda body: decode.checks("a", body or {})),
    ("POST", "/v1/job/[^/]+/plan", plan),
    ("GET", "/v1/jobs", entries),
    ("GET", "/v1/nodes", decode.nodes),
    ("GET", "/v1/agent/self", agent_of),
    ("GET", "/v1/agent/members", lowest_server),
    ("GET", "/v1/namespaces", decode.names),
)


@pytest.mark.parametrize(("method", "path", "decoder"), DECODERS, ids=[f"{one[0]} {one[1]}" for one in DECODERS])
def test_every_recorded_answer_can_be_read(method: str, path: str, decoder: Callable[[Any], object]) -> None:
    read = 0
    for scenario in SCENARIOS:
        for exchange in exchanges(scenario, method, path):
            decoder(exchange.body)
            read += 1
    assert read


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_recorded_event_belongs_to_a_job_of_its_scenario(scenario: str) -> None:
    recording = recordings_reader.read(scenario)
    for _, line in recording.events:
        for event in events(line):
            if event.topic in ("Job", "Allocation", "Deployment", "Evaluation"):
                assert event.key is not None and event.index
            if event.key and event.parent:
                assert event.key.name.startswith(event.parent.name + "/")


def test_every_recorded_refusal_of_a_job_is_the_jobs_fault() -> None:
    """What plan, register and validate say of a job that is wrong is never taken for a cluster that is."""
    seen = 0
    for scenario in SCENARIOS:
        for path in ("/v1/job/[^/]+/plan", "/v1/jobs", "/v1/job/[^/]+"):
            for status in (400, 500):
                for exchange in exchanges(scenario, "POST", path, status):
                    error = refusal(PLAN, status, str(exchange.body))
                    expected = Conflict if str(exchange.body).startswith("Enforcing") else Rejected
                    assert type(error) is expected, exchange.body
                    seen += 1
    assert seen > 30


def test_every_recorded_refusal_of_hcl_has_all_its_places() -> None:
    places = 0
    for exchange in exchanges("hcl-errors", "POST", "/v1/jobs/parse", 400):
        text = str(exchange.body)
        found = diagnostics.problems(text)
        if text.startswith("Failed to parse job: "):
            assert (
                len(found) == len(re.findall(r"(?m)^(?:Failed to parse job: )?input\.hcl:\d", text))
                or found[0].line == 0
            )
            assert all(problem.path == "input.hcl" and problem.message for problem in found)
            places += sum(1 for problem in found if problem.line)
    assert places > 15


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (403, "Permission denied", Forbidden),
        (500, "failed to parse signed token: go-jose/go-jose: compact JWS format must have three parts", Forbidden),
        (
            500,
            "ACL token not found or invalid workload identity: failed to parse signed token: go-jose: three parts",
            Forbidden,
        ),
        (500, "No path to region", Unavailable),
        (429, "Your IP is issuing too many concurrent connections, please rate limit your calls\n", RateLimited),
        (409, "attempting to modify locked variable", Conflict),
    ],
)
def test_what_was_recorded_of_tokens_and_limits_is_told_apart(
    status: int, text: str, kind: type[OperatorError]
) -> None:
    assert type(refusal(PLAN, status, text)) is kind


def test_the_forbidden_hint_names_the_capability_that_is_missing() -> None:
    hint = refusal(PLAN, 403, "Permission denied").hint
    assert "`submit-job`" in hint and "NOMAD_TOKEN" in hint


def test_a_nested_list_of_mistakes_reads_as_one_line_for_each() -> None:
    (exchange,) = exchanges("deadlines-inconsistent", "POST", "/v1/job/[^/]+/plan", 500)
    message = refusal(PLAN, 500, str(exchange.body)).message
    assert message.endswith("Task group web: Healthy deadline must be less than progress deadline: 20m0s > 5m0s")


def test_a_healthy_service_is_read_as_such() -> None:
    recording = "healthy-service"
    *_, last = exchanges(recording, "GET", "/v1/job/[^/]+/deployment")
    deployment = decode.deployment(last.body)
    assert deployment is not None and deployment.status == "successful" and not deployment.active
    assert {name: group.healthy for name, group in deployment.groups.items()} == {"web": 1}
    *_, last = exchanges(recording, "GET", "/v1/job/[^/]+/allocations")
    (allocation,) = decode.allocations(last.body)
    assert allocation.client_status == "running" and allocation.healthy is True and not allocation.canary
    assert allocation.created_at is not None and allocation.created_at.year == 2026
    (task,) = allocation.tasks.values()
    assert task.state == "running" and task.started_at is not None and task.finished_at is None
    assert [event.type for event in task.events][:2] == ["Received", "Task Setup"]
    *_, last = exchanges(recording, "GET", "/v1/client/allocation/[^/]+/checks")
    (check,) = decode.checks(allocation.id, last.body)
    assert (check.status, check.group, check.allocation) == ("success", "web", allocation.id)


def test_a_job_that_finds_no_room_says_why() -> None:
    *_, last = exchanges("cpu-exhausted", "GET", "/v1/job/[^/]+/evaluations")
    waiting = decode.waiting_placements(decode.evaluation(one) for one in last.body)
    assert waiting["web"].dimension_exhausted == {"cpu": 1} and waiting["web"].nodes_available == {"dc1": 1}


def test_room_that_was_found_is_no_longer_waited_for() -> None:
    *_, last = exchanges("placement-heals", "GET", "/v1/job/[^/]+/evaluations")
    assert decode.waiting_placements(decode.evaluation(one) for one in last.body) == {}


def test_canaries_that_wait_for_a_person_are_seen() -> None:
    waiting = [
        found
        for exchange in exchanges("canary", "GET", "/v1/job/[^/]+/deployment")
        if (found := decode.deployment(exchange.body or {})) and found.requires_promotion
    ]
    assert waiting and all(group.desired_canaries for group in waiting[-1].groups.values())


def test_statuses_tell_version_health_and_deployment() -> None:
    jobs = next(exchanges("lists", "GET", "/v1/jobs"))
    (statuses,) = exchanges("lists", "POST", "/v1/jobs/statuses")
    found = with_statuses(entries(jobs.body), statuses.body)
    entry = found[AppKey("default", "lists")]
    assert entry.deployment_status == "successful" and entry.counts == {"running": 1} and entry.unhealthy == 0
