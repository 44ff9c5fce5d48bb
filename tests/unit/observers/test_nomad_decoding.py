"""Decoding: what is absent, what is odd, and what must not be guessed."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from observers.nomad import decode
from observers.nomad.agent_answer import agent_of, lowest_server
from observers.nomad.answers import Unintelligible, instant
from observers.nomad.decode_fleet import entries, with_statuses
from observers.nomad.multierror import items, warnings
from observers.nomad.needs import has_native_checks, may_wait_for_room
from observers.nomad.plan_answer import plan
from observers.running import Allocation, Deployment, RunningJob

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        *(
            "ID",
            "Namespace",
            "Name",
            "Type",
            "TaskGroups",
            "Fields",
            "Objects",
            "TaskStates",
            "Events",
            "Diff",
            "Tasks",
        ),
        *("Time", "JobModifyIndex", "DeploymentStatus", "CreateTime", "FailedTGAllocs", "JobSummary", "Summary", "Job"),
        *(
            "Allocs",
            "Payload",
            "Annotations",
            "DesiredTGUpdates",
            "config",
            "member",
            "Tags",
            "Members",
            "Topic",
            "Key",
        ),
        *("Index", "Timestamp"),
    ]
)
NOMAD_LIKE = st.recursive(
    ANY_JSON, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=20
)


@given(NOMAD_LIKE)
def test_no_answer_whatsoever_breaks_the_decoding_otherwise_than_by_saying_so(answer: Any) -> None:
    holder = answer if isinstance(answer, dict) else {"ID": answer}
    listed = answer if isinstance(answer, list) else [answer]
    for decoder, given_ in (
        (decode.job, holder),
        (decode.allocations, listed),
        (decode.deployment, holder),
        (decode.evaluation, holder),
        (lambda value: decode.checks("a", value), holder),
        (plan, holder),
        (entries, listed),
        (lambda value: with_statuses({}, value), listed),
        (decode.nodes, listed),
        (decode.names, listed),
        (agent_of, holder),
        (lowest_server, holder),
    ):
        with suppress(Unintelligible):
            decoder(given_)  # type: ignore[operator]


def test_what_nomad_leaves_out_is_zero() -> None:
    allocation = decode.allocation({"ID": "a", "TaskStates": None, "DeploymentStatus": None})
    assert allocation.tasks == {} and allocation.healthy is None and allocation.created_at is None
    job = decode.job({"ID": "web", "TaskGroups": None, "Periodic": None, "ParameterizedJob": None})
    assert job.key == AppKey("default", "web") and not job.periodic and not job.parameterized and job.counts == {}


def test_a_job_without_its_name_is_half_an_answer() -> None:
    with pytest.raises(Unintelligible):
        decode.job({"Status": "running"})


@pytest.mark.parametrize("answer", [{}, {"Diff": None, "JobModifyIndex": 1}, {"Diff": {"Type": "None"}}])
def test_a_plan_without_its_diff_is_never_a_settled_one(answer: dict[str, Any]) -> None:
    with pytest.raises(Unintelligible):
        plan(answer)


def test_a_difference_without_a_changed_field_is_still_one() -> None:
    found = plan({"Diff": {"Type": "Edited", "TaskGroups": [{"Type": "Added", "Name": "g"}]}, "JobModifyIndex": 3})
    assert not found.settled and found.changes


def test_changes_are_named_by_the_path_to_them_and_read_like_nomads_own() -> None:
    field = {"Type": "Edited", "Name": "MemoryMB", "Old": "32", "New": "40", "Annotations": None}
    same = {"Type": "None", "Name": "CPU", "Old": "50", "New": "50"}
    resources = {"Type": "Edited", "Name": "Resources", "Fields": [same, field], "Objects": None}
    task = {"Type": "Edited", "Name": "app", "Annotations": ["forces create/destroy update"], "Objects": [resources]}
    group = {"Type": "Edited", "Name": "web", "Tasks": [task], "Updates": {"ignore": 1, "create/destroy update": 2}}
    count = {"Type": "Edited", "Name": "Priority", "Old": "50", "New": "60"}
    meta = {"Type": "Added", "Name": "Meta[a]", "Old": "", "New": 'say "1"'}
    diff = {"Type": "Edited", "ID": "shop", "Fields": [count, meta], "TaskGroups": [group]}
    found = plan({"Diff": diff, "JobModifyIndex": 12, "Warnings": ""})
    assert found.index == 12
    assert [(change.path, change.old, change.new) for change in found.changes] == [
        ("Priority", "50", "60"),
        ("Meta[a]", "", 'say "1"'),
        ("web/app/Resources/MemoryMB", "32", "40"),
    ]
    assert found.text == "\n".join(
        [
            '+/- Job: "shop"',
            '  +/- Priority: "50" => "60"',
            '  +   Meta[a]:  "say \\"1\\""',
            '+/- Task Group: "web" (2 create/destroy update, 1 ignore)',
            '  +/- Task: "app" (forces create/destroy update)',
            "    +/- Resources {",
            '      +/- MemoryMB: "32" => "40"',
            "        }",
        ]
    )


def test_times_come_as_nanoseconds_or_as_text_and_zero_is_never() -> None:
    expected = datetime(2026, 11, 22, 23, 24, 56, 160590, tzinfo=UTC)
    assert instant("2026-11-22T23:24:56.160590164Z") == expected == instant(1795389896160590164)
    assert instant("2026-11-23T00:24:56.160590+01:00") == expected
    for odd in ("yesterday", 10**40, "2026-13-01T00:00:00Z"):
        with pytest.raises(Unintelligible):
            instant(odd)
    assert instant("0001-01-01T00:00:00Z") is instant(None) is instant(0) is instant("") is None


@given(st.lists(st.text(alphabet="abc", min_size=1), min_size=1, max_size=4), st.integers(0, 3))
def test_a_list_of_mistakes_is_told_with_all_of_them_however_deep(mistakes: list[str], depth: int) -> None:
    def nested(text: str, level: int) -> str:
        return (
            text
            if not level
            else nested(f"level {level} validation failed: 1 error occurred:\n\t* {text}\n\n", level - 1)
        )

    bullets = "".join(f"\n\t* {nested(mistake, depth)}" for mistake in mistakes)
    plural = "error" if len(mistakes) == 1 else "errors"
    path = "".join(f"level {level}: " for level in range(1, depth + 1))
    assert items(f"{len(mistakes)} {plural} occurred:{bullets}\n\n") == tuple(path + mistake for mistake in mistakes)


def test_each_mistake_is_told_with_the_part_of_the_job_that_it_is_about() -> None:
    told = (
        "2 errors occurred:\n\t* Task group web validation failed: 2 errors occurred:\n\t* Task app validation failed: "
        "2 errors occurred:\n\t* no driver\n\t* no memory\n\n\n\t* no tasks\n\n\n\t* Missing job name\n\n"
    )
    assert items(told) == (
        "Task group web: Task app: no driver",
        "Task group web: Task app: no memory",
        "Task group web: no tasks",
        "Missing job name",
    )


def status(**fields: Any) -> dict[str, Any]:
    return {"ID": "web", "Namespace": "default", **fields}


def test_what_ended_under_an_older_version_says_nothing_of_today() -> None:
    found = entries([status(Type="service", JobModifyIndex=7, ModifyIndex=9)])
    old = {"ClientStatus": "failed", "JobVersion": 1, "DeploymentStatus": {"Healthy": False}}
    still = {"ClientStatus": "running", "JobVersion": 1}
    new = {"ClientStatus": "failed", "JobVersion": 2, "DeploymentStatus": {"Healthy": False}}
    (entry,) = with_statuses(found, [status(Version=2, Allocs=[old, still, new], LatestDeployment=None)]).values()
    assert entry.counts == {"running": 1, "failed": 1} and entry.unhealthy == 1 and entry.version == 2


def test_children_and_jobs_that_came_between_the_lists_are_left_out() -> None:
    found = entries([status(), status(ID="web/dispatch-1", ParentID="web")])
    assert list(with_statuses(found, [status(ID="late")])) == [AppKey("default", "web")]


def test_without_statuses_the_summary_counts() -> None:
    summary = {"Summary": {"a": {"Running": 2, "Starting": 1, "Queued": 4}, "b": {"Running": 1, "Lost": 0}}}
    (entry,) = entries([status(JobSummary=summary)]).values()
    assert entry.counts == {"running": 3, "pending": 1}


def job(kind: str = "service", **fields: Any) -> RunningJob:
    counts = fields.pop("counts", {"web": 2})
    return RunningJob(AppKey("default", "web"), kind, "running", 3, 7, 9, 1, counts=counts, **fields)


def allocation(**fields: Any) -> Allocation:
    return Allocation(**{"id": "a", "group": "web", "job_version": 3, "client_status": "running", **fields})


@pytest.mark.parametrize(
    ("found", "allocations", "deployment", "waits"),
    [
        (job(), [allocation(), allocation()], None, False),
        (job(), [allocation()], None, True),
        (job(), [allocation(), allocation(job_version=2)], None, True),
        (job(), [allocation(), allocation(client_status="failed")], None, True),
        (job(), [allocation(), allocation(desired_status="stop")], None, True),
        (job("batch"), [allocation(client_status="complete"), allocation()], None, False),
        (job("service"), [allocation(client_status="complete"), allocation()], None, True),
        (job(counts={"web": 0}), [], None, False),
        (job(stop=True), [], None, False),
        (job(periodic=True), [], None, False),
        (job(parameterized=True), [], None, False),
        (job("system"), [allocation()], Deployment("d", 3, "successful"), False),
        (job("system"), [allocation()], Deployment("d", 3, "running"), True),
        (job("sysbatch"), [], None, True),
    ],
)
def test_evaluations_are_read_only_where_allocations_may_be_missing(
    found: RunningJob, allocations: list[Allocation], deployment: Deployment | None, waits: bool
) -> None:
    assert may_wait_for_room(found, allocations, deployment) is waits


def test_native_checks_are_found_in_groups_and_tasks_and_those_of_consul_are_not_ours() -> None:
    check = [{"Type": "http"}]
    native, consul = {"Provider": "nomad", "Checks": check}, {"Provider": "consul", "Checks": check}
    assert has_native_checks({"TaskGroups": [{"Services": [consul, native]}]})
    assert has_native_checks({"TaskGroups": [{"Tasks": [{"Services": [native]}]}]})
    assert not has_native_checks({"TaskGroups": [{"Services": [consul, {"Provider": "nomad", "Checks": None}]}]})
    assert not has_native_checks({"TaskGroups": None})


def test_the_oldest_living_server_says_what_the_cluster_can() -> None:
    def member(build: str, alive: str = "alive") -> dict[str, Any]:
        return {"Status": alive, "Tags": {"build": build}}

    members = [member("1.10.0"), member("1.9.4"), member("1.8.0", "left")]
    assert lowest_server({"Members": members, "ServerRegion": "eu"}).version == "1.9.4"


@pytest.mark.slow
def test_a_thousand_jobs_are_decoded_in_tens_of_milliseconds() -> None:
    names = [f"app-{n}" for n in range(1000)]
    summary = {"Summary": {"web": {"Running": 2, "Starting": 0}}}
    stubs = [status(ID=name, Type="service", JobModifyIndex=7, JobSummary=summary) for name in names]
    one = {"ClientStatus": "running", "JobVersion": 1, "DeploymentStatus": {"Healthy": True, "Canary": False}}
    statuses = [
        status(ID=name, Version=1, Allocs=[one, one], LatestDeployment={"Status": "successful"}) for name in names
    ]
    best = 1.0
    for _ in range(5):
        began = time.process_time()
        found = with_statuses(entries(stubs), statuses)
        best = min(best, time.process_time() - began)
    assert len(found) == 1000 and best < 0.1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ()),
        ("deprecated,\nand so on", ("deprecated, and so on",)),
        ('1 warning:\n\n* group "g" defines services', ('group "g" defines services',)),
        (
            '2 warnings:\n\n* Group "g" has warnings: 1 error occurred:\n\t* Task "t" has warnings: 2 errors occurred:'
            '\n\t* no IOPS\n\t* no networks\n* group "g" defines services',
            ('Group "g": Task "t": no IOPS', 'Group "g": Task "t": no networks', 'group "g" defines services'),
        ),
    ],
)
def test_each_warning_is_told_by_itself(text: str, told: tuple[str, ...]) -> None:
    assert warnings(text) == told
