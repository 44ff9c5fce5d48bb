"""What Nomad makes of a job, against what a real one made of recorded jobs."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomad_operator.embedded.canonical import api_canonical, server_canonical
from tests import recordings_reader
from tests.unit.embedded_pure.recorded_plans import BOOKS, wide

SECOND = 10**9
MINIMAL: dict[str, Any] = {"ID": "m", "TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t", "Driver": "docker"}]}]}


def parsed_jobs() -> list[tuple[str, Any]]:
    return [
        (f"{name} #{exchange.number}", exchange.body)
        for name in recordings_reader.names()
        for exchange in recordings_reader.read(name).exchanges
        if exchange.path == "/v1/jobs/parse" and exchange.status == 200 and exchange.request["Canonicalize"]
    ]


def test_a_job_with_nearly_every_block_gets_the_defaults_that_nomad_gives_it() -> None:
    expected = wide("canonical")
    config = expected["TaskGroups"][0]["Tasks"][1]["Config"]
    for added in ("n", "m", "big", "sm", "i"):
        del config[added]
    assert api_canonical(wide("parsed")) == expected


def test_what_is_canonical_already_stays_as_it_is() -> None:
    for label, body in parsed_jobs():
        assert api_canonical(body) == body, label


def test_the_job_read_back_is_the_one_that_nomad_keeps() -> None:
    expected = wide("read-back")
    kept = server_canonical(wide("canonical"))
    for name in BOOKS:
        kept[name] = expected[name]
    for name in ("ID", "CreateIndex", "ModifyIndex"):
        kept["TaskGroups"][0]["Scaling"][name] = expected["TaskGroups"][0]["Scaling"][name]
    assert kept == expected


def test_every_recorded_job_is_read_back_as_it_was() -> None:
    compared = 0
    for name in recordings_reader.names():
        sent: dict[int, Any] = {}
        for exchange in recordings_reader.read(name).exchanges:
            if exchange.path == "/v1/jobs" and exchange.method == "POST" and exchange.status == 200:
                sent[exchange.body["JobModifyIndex"]] = exchange.request["Job"]
            body = exchange.body
            if not (exchange.method == "GET" and isinstance(body, dict) and body.get("JobModifyIndex") in sent):
                continue
            if exchange.path != f"/v1/job/{body.get('ID')}" or body["Stop"]:
                continue
            kept = server_canonical(sent[body["JobModifyIndex"]])
            if [group["Count"] for group in kept["TaskGroups"]] == [group["Count"] for group in body["TaskGroups"]]:
                assert kept | {book: body[book] for book in BOOKS} == body, f"{name} #{exchange.number}"
                compared += 1
    assert compared > 15


def test_what_the_server_keeps_is_kept_again_unchanged() -> None:
    for label, body in parsed_jobs():
        once = server_canonical(body)
        assert server_canonical(once) == once, label


def test_the_job_given_is_left_alone() -> None:
    body = wide("parsed")
    before = copy.deepcopy(body)
    server_canonical(body)
    assert body == before


@pytest.mark.parametrize(
    ("kind", "restart", "reschedule", "update", "migrate"),
    [
        ("service", (2, 1800 * SECOND), ("exponential", True), True, True),
        ("batch", (3, 86400 * SECOND), ("constant", False), False, False),
        ("system", (2, 1800 * SECOND), None, True, False),
        ("sysbatch", (3, 86400 * SECOND), None, False, False),
    ],
)
def test_the_type_of_a_job_decides_its_policies(
    kind: str, restart: tuple[int, int], reschedule: tuple[str, bool] | None, update: bool, migrate: bool
) -> None:
    (group,) = api_canonical({**MINIMAL, "Type": kind})["TaskGroups"]
    assert (group["RestartPolicy"]["Attempts"], group["RestartPolicy"]["Interval"]) == restart
    policy = group["ReschedulePolicy"]
    assert (policy and (policy["DelayFunction"], policy["Unlimited"])) == reschedule
    assert (group["Update"] is not None) is update
    assert (group["Migrate"] is not None) is migrate


def test_a_group_inherits_what_the_job_says_and_not_its_defaults() -> None:
    job = {**MINIMAL, "Update": {"MaxParallel": 3}, "Reschedule": {"Delay": 60 * SECOND}, "Type": "service"}
    job["TaskGroups"] = [{**MINIMAL["TaskGroups"][0], "Update": {"Canary": 1}}]
    (group,) = api_canonical(job)["TaskGroups"]
    assert (group["Update"]["MaxParallel"], group["Update"]["Canary"]) == (3, 1)
    assert group["ReschedulePolicy"]["Delay"] == 60 * SECOND
    assert group["ReschedulePolicy"]["Unlimited"] is True


def test_a_group_that_scales_starts_with_its_minimum() -> None:
    job = {**MINIMAL, "TaskGroups": [{**MINIMAL["TaskGroups"][0], "Scaling": {"Min": 3, "Max": 9}}]}
    assert server_canonical(job)["TaskGroups"][0]["Count"] == 3


def test_bridge_networking_asks_for_its_plugins() -> None:
    job = {**MINIMAL, "TaskGroups": [{**MINIMAL["TaskGroups"][0], "Networks": [{"Mode": "bridge"}]}]}
    targets = [constraint["LTarget"] for constraint in server_canonical(job)["TaskGroups"][0]["Constraints"]]
    assert "${attr.plugins.cni.version.bridge}" in targets


@given(st.sampled_from(["Datacenters", "NodePool", "Namespace", "Priority", "Type", "Update"]))
def test_an_unset_field_and_a_missing_one_are_the_same(field: str) -> None:
    assert server_canonical({**MINIMAL, field: None}) == server_canonical(MINIMAL)
