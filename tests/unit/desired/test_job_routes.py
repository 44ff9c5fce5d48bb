"""The routes of a job are read from its services, and a tag that harms others is an error of the job."""

from __future__ import annotations

from typing import Any

import pytest

from desired.fabio_tag import Severity
from desired.job_routes import job_claims, route_problems, routed_services
from desired.route_conflicts import Kind, conflicts

CHECK = [{"Type": "tcp"}]


def _job(*services: dict[str, Any], task: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    group = {"Name": "web", "Services": list(services), "Tasks": [{"Name": "main", "Services": list(task)}]}
    return {"ID": "web", "TaskGroups": [group]}


def _service(*tags: str, **more: Any) -> dict[str, Any]:
    return {"Name": "web", "Provider": "consul", "Tags": list(tags), "Checks": CHECK, **more}


def test_routes_of_groups_and_tasks_are_claimed() -> None:
    body = _job(
        _service("v1", "urlprefix-web.cluster/"),
        _service("plain", Name="other"),
        task=(_service("urlprefix-/admin", CanaryTags=["urlprefix-canary.cluster/"], Name="admin"),),
    )
    assert [(one.where, one.name) for one in routed_services(body)] == [("web", "web"), ("web/main", "admin")]
    claims = job_claims(body, "default/web")
    assert [(one.service, one.route.source) for one in claims] == [
        ("web", "web.cluster/"), ("admin", "/admin"), ("admin", "canary.cluster/"),
    ]  # fmt: skip
    assert {one.owner for one in claims} == {"default/web"}


def test_two_jobs_that_claim_the_same_route_are_in_conflict() -> None:
    one = job_claims(_job(_service("urlprefix-web.cluster/x")), "default/one")
    two = job_claims(_job(_service("urlprefix-web.cluster/x", Name="two")), "default/two")
    assert [found.kind for found in conflicts(one, [*one, *two])] == [Kind.EXACT_MATCH]


@pytest.mark.parametrize(
    ("service", "severity", "words"),
    [
        (_service("urlprefix-"), Severity.ERROR, "names no route"),
        (_service("urlprefix-web.cluster/", 'a "b"'), Severity.ERROR, "quotation mark"),
        (_service("urlprefix-web.cluster/", Provider="nomad"), Severity.WARNING, "does not look"),
        (_service("urlprefix-web.cluster/", Checks=None), Severity.WARNING, "no check"),
        (_service("urlprefix-web.cluster/", CanaryTags=["urlprefix-x/ weight=x"]), Severity.ERROR, "weight=x"),
    ],
)
def test_what_is_wrong_with_a_route_is_told(service: dict[str, Any], severity: Severity, words: str) -> None:
    ((found, problem),) = route_problems(_job(service))
    assert (found.name, problem.severity) == ("web", severity) and words in problem.message and problem.hint


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"TaskGroups": [None, {"Services": None, "Tasks": [{}, 3]}]},
        _job(_service(Tags=None)),
        _job(_service("http")),
    ],
)
def test_a_job_without_routes_has_none(body: dict[str, Any]) -> None:
    assert job_claims(body, "x") == () and route_problems(body) == ()
