"""What a server says about a job, against every recorded text and, for common mistakes, by table."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nomad_operator.embedded.canonical import server_canonical
from nomad_operator.embedded.validation import type_change, validate
from tests import recordings_reader
from tests.unit.embedded_pure.recorded_plans import FOLDERS

SECOND = 10**9
GROUP = ("TaskGroups", 0)
TASK = (*GROUP, "Tasks", 0)
NAMESPACES = ("default", "team-a")

JOB: dict[str, Any] = {
    "ID": "j",
    "TaskGroups": [
        {
            "Name": "web",
            "ShutdownDelay": SECOND,
            "Networks": [{"DynamicPorts": [{"Label": "http", "To": 80}]}],
            "Services": [
                {
                    "Name": "web",
                    "Provider": "nomad",
                    "PortLabel": "http",
                    "Checks": [{"Type": "http", "Path": "/", "Interval": 10 * SECOND, "Timeout": 2 * SECOND}],
                }
            ],
            "Tasks": [{"Name": "app", "Driver": "docker", "Config": {"image": "web:1"}}],
        }
    ],
}
CHECK = (*GROUP, "Services", 0, "Checks", 0)

MISTAKES: list[tuple[str, tuple[Any, ...], Any, str]] = [
    ("no groups", ("TaskGroups",), [], "Missing job task groups"),
    ("no tasks", (*GROUP, "Tasks"), [], "Missing tasks for task group"),
    ("no driver", (*TASK, "Driver"), "", "Missing task driver"),
    ("bad type", ("Type",), "servce", 'Invalid job type: "servce"'),
    ("negative count", (*GROUP, "Count"), -1, "Task group count can't be negative"),
    ("priority", ("Priority",), 101, "job priority must be between [1, 100]"),
    ("namespace", ("Namespace",), "nope", 'job "j" is in nonexistent namespace "nope"'),
    ("node pool", ("NodePool",), "gpus", 'job "j" is in nonexistent node pool "gpus"'),
    ("vault", (*TASK, "Vault"), {"Role": "r"}, 'Vault "default" not enabled but used in the job'),
    ("mount", (*TASK, "VolumeMounts"), [{"Volume": "d"}], "Volume Mount (0) references undefined volume d"),
    (
        "static port twice",
        (*GROUP, "Networks", 0, "ReservedPorts"),
        [{"Label": "a", "Value": 80}, {"Label": "b", "Value": 80}],
        "Static port 80 already reserved by taskgroup network:a",
    ),
    (
        "port label twice",
        (*GROUP, "Networks", 0, "ReservedPorts"),
        [{"Label": "http", "Value": 80}],
        "Port label http already in use by taskgroup network",
    ),
    (
        "port too high",
        (*GROUP, "Networks", 0, "ReservedPorts"),
        [{"Label": "a", "Value": 70000}],
        "Port a (70000) cannot be greater than 65535",
    ),
    (
        "task service's port",
        (*TASK, "Services"),
        [{"Name": "t", "Provider": "nomad", "PortLabel": "nope"}],
        'port label "nope" referenced by services t does not exist',
    ),
    ("check without path", (*CHECK, "Path"), "", "http type must have http path"),
    ("check without interval", (*CHECK, "Interval"), 0, "missing required value interval. Interval cannot be less"),
    ("check too often", (*CHECK, "Interval"), SECOND // 2, "interval (500ms) cannot be lower than 1s"),
    ("check without timeout", (*CHECK, "Timeout"), 0, "missing required value timeout. Timeout cannot be less than 1s"),
    ("check type", (*CHECK, "Type"), "htp", 'invalid check type ("htp"), must be one of tcp, http'),
    ("service name", (*GROUP, "Services", 0, "Name"), "a_b", "Service name must be valid per RFC 1123"),
    ("provider", (*GROUP, "Services", 0, "Provider"), "etcd", 'Service provider must be "consul", or "nomad"; not'),
    (
        "restart mode",
        (*GROUP, "RestartPolicy"),
        {"Mode": "delay", "Attempts": 0},
        'Restart policy "delay" with 0 attempts is ambiguous',
    ),
    (
        "restarts that do not fit",
        (*GROUP, "RestartPolicy"),
        {"Attempts": 10, "Interval": 30 * SECOND, "Delay": 15 * SECOND},
        "Nomad can't restart the TaskGroup 10 times in an interval of 30s with a delay of 15s",
    ),
    (
        "reschedules that do not fit",
        (*GROUP, "ReschedulePolicy"),
        {"Attempts": 5, "Interval": 60 * SECOND, "Delay": 30 * SECOND, "DelayFunction": "constant", "Unlimited": False},
        'Nomad can only make 2 attempts in 1m0s with initial delay 30s and delay function "constant"',
    ),
    (
        "deadlines",
        (*GROUP, "Update"),
        {"HealthyDeadline": 1200 * SECOND},
        "Healthy deadline must be less than progress deadline: 20m0s > 10m0s",
    ),
    ("auto promote", (*GROUP, "Update"), {"AutoPromote": True}, "Auto Promote requires a Canary count greater than"),
    ("constraint", ("Constraints",), [{"LTarget": "${attr.a}", "Operand": "~"}], 'Unknown constraint type "~"'),
    (
        "constraint attribute",
        ("Constraints",),
        [{"LTarget": "${os.name}", "Operand": "=", "RTarget": "x"}],
        'unsupported attribute "${os.name}"',
    ),
    (
        "logs",
        (*TASK, "LogConfig"),
        {"MaxFiles": 50, "MaxFileSizeMB": 10},
        "log storage (500 MB) must be less than requested disk capacity (300 MB)",
    ),
    ("memory", (*TASK, "Resources"), {"MemoryMB": 5}, "minimum MemoryMB value is 10; got 5"),
    (
        "template destination",
        (*TASK, "Templates"),
        [{"EmbeddedTmpl": "x", "DestPath": "../../../x"}],
        "destination escapes allocation directory",
    ),
    ("template twice", (*TASK, "Templates"), [{"DestPath": "a"}, {"DestPath": "a"}], "Template 2 has same destination"),
    ("periodic service", ("Periodic",), {"Specs": ["* * * * *"]}, 'Periodic can only be used with "batch" or'),
    (
        "scaling",
        (*GROUP, "Scaling"),
        {"Min": 2, "Max": 1},
        "Scaling policy invalid: maximum count must not be less than minimum count",
    ),
]


def edited(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    job = copy.deepcopy(JOB)
    at: Any = job
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return job


def test_a_job_without_mistakes_has_neither_errors_nor_warnings() -> None:
    validation = validate(server_canonical(JOB))
    assert (validation.error, validation.warning) == ("", "")


@pytest.mark.parametrize(("path", "value", "text"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_a_common_mistake_is_told_in_nomads_words(path: tuple[Any, ...], value: Any, text: str) -> None:
    assert text in validate(server_canonical(edited(path, value))).error


def test_names_are_not_used_twice() -> None:
    job = copy.deepcopy(JOB)
    job["TaskGroups"].append(copy.deepcopy(job["TaskGroups"][0]))
    job["TaskGroups"][0]["Tasks"] *= 2
    text = validate(server_canonical(job)).error
    assert "Job task group 2 redefines 'web' from group 1" in text
    assert "Task 2 redefines 'app' from task 1" in text


def test_a_system_job_runs_once_on_a_node() -> None:
    job = edited((*GROUP, "Count"), 2) | {"Type": "system"}
    assert "Count cannot exceed 1 with system scheduler" in validate(server_canonical(job)).error


def test_every_recorded_text_is_the_same() -> None:
    """Errors of refused plans and registers, items and warnings of validations."""
    compared = 0
    for folder, name in ((each, name) for each in FOLDERS for name in recordings_reader.names(each)):
        for exchange in recordings_reader.read(name, folder).exchanges if name != "acl" else ():
            request, body = exchange.request, exchange.body
            asked = exchange.path.endswith(("/plan", "/validate/job")) or exchange.path == "/v1/jobs"
            # What concerns the request and not the job is not looked at here.
            other = exchange.status == 400 or exchange.query or str(body).startswith(("Enforcing", "cannot update"))
            if not asked or other or not isinstance(request, dict) or not request.get("Job"):
                continue
            validation = validate(server_canonical(request["Job"]), namespaces=NAMESPACES)
            if exchange.path == "/v1/validate/job":
                assert validation.error == body["Error"], f"{name} #{exchange.number}"
                assert list(validation.errors) == (body["ValidationErrors"] or [])
            else:
                assert validation.error == (body if exchange.status == 500 else ""), f"{name} #{exchange.number}"
            if exchange.status == 200:
                assert validation.warning == body["Warnings"], f"{name} #{exchange.number}"
            compared += 1
    assert compared > 200


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ({"Type": "service"}, {"Type": "batch"}, 'cannot update job from type "service" to "batch"'),
        (
            {"Type": "batch", "Periodic": {"Specs": ["@daily"]}},
            {"Type": "batch"},
            "cannot update periodic job to being non-periodic",
        ),
        (
            {"Type": "batch"},
            {"Type": "batch", "ParameterizedJob": {}},
            "cannot update non-parameterized job to being parameterized",
        ),
        ({"Type": "batch"}, {"Type": "batch"}, None),
    ],
)
def test_a_job_stays_what_it_is(old: dict[str, Any], new: dict[str, Any], text: str | None) -> None:
    assert type_change(server_canonical(JOB | old), server_canonical(JOB | new)) == text
