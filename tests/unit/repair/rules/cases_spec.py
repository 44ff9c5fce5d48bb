"""What the servers refuse, and restart policies."""

from __future__ import annotations

from typing import Any

from desired.operations.operation import Kind
from observers.evidence import Evidence
from observers.failures.failure_class import FailureClass as F
from tests.unit.observers.failures.failure_evidence import allocation, ended, event, evidence, log
from tests.unit.repair.rules.rule_cases import ALIVE, CHOICE, NOTHING, SECOND, RuleCase, changed, op

_WEB = ("web",)
_GAVE_UP = 'Exceeded allowed attempts 2 in interval 30m0s and mode is "fail"'
_CHECK = "group.Services.0.Checks.0."


def _refused(words: str, *pairs: Any) -> Evidence:
    refusal = (
        "1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* Task group service validation "
        f"failed: 1 error occurred:\n\t* Service[0] web validation failed: 1 error occurred:\n\t* {words}\n\n"
    )
    return evidence(body=changed(*pairs), refusal=refusal)


def _policy(words: str, *pairs: Any) -> Evidence:
    refusal = (
        "1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* Restart policy validation "
        f"failed: 1 error occurred:\n\t* {words}\n\n"
    )
    return evidence(body=changed(*pairs), refusal=refusal)


def _given_up(*pairs: Any, says: str = "dial tcp 10.0.0.9:5432: connect: connection refused") -> Evidence:
    events = [
        event("Started"),
        ended(1, after=1),
        event("Started", after=3),
        ended(1, after=4),
        event("Not Restarting", _GAVE_UP, after=5, restart_reason=_GAVE_UP),
    ]
    return evidence(allocation(events), body=changed(*pairs), logs=(log(says),))


_LIMITED = {"Attempts": 1, "Interval": 60 * SECOND, "Delay": 1 * SECOND, "Unlimited": False, "MaxDelay": 60 * SECOND}
_TWICE = [{"Name": "alive", "Type": "tcp"}, {"Name": "alive", "Type": "http", "Path": "/"}]

CASES = (
    RuleCase(
        "check-type-in-capitals",
        F.SPEC_INVALID,
        _refused('Check alive invalid: invalid check type ("HTTP"), must be one of tcp, http', f"{_CHECK}Type", "HTTP"),
        (op(Kind.CHECK_TYPE, ALIVE, "HTTP", "http"),),
        "check-value",
    ),
    RuleCase(
        "check-type-of-nobody",
        F.SPEC_INVALID,
        _refused('Check alive invalid: invalid check type ("ping"), must be one of tcp, http', f"{_CHECK}Type", "ping"),
        CHOICE,
        "check-value",
    ),
    RuleCase(
        "check-path-as-an-address",
        F.SPEC_INVALID,
        _refused(
            "Check alive invalid: http type must have relative http path", f"{_CHECK}Path", "http://localhost/health"
        ),
        (op(Kind.CHECK_PATH, ALIVE, "http://localhost/health", "/health"),),
        "check-value",
    ),
    RuleCase(
        "check-without-a-path",
        F.SPEC_INVALID,
        _refused("Check alive invalid: http type must have http path", f"{_CHECK}Path", None),
        CHOICE,
        "check-value",
    ),
    RuleCase(
        "check-interval-too-short",
        F.SPEC_INVALID,
        _refused("Check alive invalid: interval (500ms) cannot be lower than 1s", f"{_CHECK}Interval", SECOND // 2),
        (op(Kind.CHECK_INTERVAL, ALIVE, SECOND // 2, SECOND),),
        "check-value",
    ),
    RuleCase(
        "check-without-a-timeout",
        F.SPEC_INVALID,
        _refused(
            "Check alive invalid: missing required value timeout. Timeout cannot be less than 1s",
            f"{_CHECK}Timeout",
            0,
        ),
        (op(Kind.CHECK_TIMEOUT, ALIVE, None, 2 * SECOND),),
        "check-value",
    ),
    RuleCase(
        "check-method-in-small-letters",
        F.SPEC_INVALID,
        _refused('Check alive invalid: method type "get" not supported in Nomad http check', f"{_CHECK}Method", "get"),
        (op(Kind.CHECK_METHOD, ALIVE, "get", "GET"),),
        "check-value",
    ),
    RuleCase(
        "check-type-that-only-consul-knows",
        F.SPEC_INVALID,
        _refused('Check alive invalid: invalid check type ("grpc"), must be one of tcp, http', f"{_CHECK}Type", "grpc"),
        CHOICE,
        "check-value",
    ),
    RuleCase(
        "cpu-and-cores",
        F.SPEC_INVALID,
        evidence(
            body=changed("task.Resources", {"CPU": 500, "Cores": 2}),
            refusal="1 error occurred:\n\t* Task can only ask for 'cpu' or 'cores' resource, not both.\n\n",
        ),
        CHOICE,
        "cpu-or-cores",
    ),
    RuleCase(
        "job-file-that-does-not-parse",
        F.HCL_INVALID,
        evidence(
            body={},
            refusal='Failed to parse job: input.hcl:3,3-8: Unsupported block type; Blocks of type "gruop" are not '
            'expected here. Did you mean "group"?',
        ),
        CHOICE,
        "job-file",
    ),
    RuleCase(
        "job-type-of-nobody",
        F.SPEC_INVALID,
        evidence(
            body=changed("Type", "services"),
            refusal='1 error occurred:\n\t* Invalid job type: "services"\n\n',
        ),
        NOTHING,
    ),
    RuleCase(
        "check-twice",
        F.NAME_DUPLICATE,
        _refused('check "alive" is duplicate', "group.Services.0.Checks", _TWICE),
        (op(Kind.CHECK_NAME, ALIVE, "alive", "alive-2"),),
        "duplicate-name",
    ),
    RuleCase(
        "check-twice-in-the-second-service",
        F.NAME_DUPLICATE,
        _refused(
            'check "alive" is duplicate',
            "group.Services",
            [{"Name": "api", "Checks": _TWICE[:1]}, {"Name": "web", "Checks": _TWICE}],
        ),
        (op(Kind.CHECK_NAME, ALIVE, "alive", "alive-2"),),
        "duplicate-name",
    ),
    RuleCase(
        "task-twice",
        F.NAME_DUPLICATE,
        evidence(
            body=changed("group.Tasks", [{"Name": "app", "Driver": "docker"}, {"Name": "app", "Driver": "docker"}]),
            refusal="1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* Task 2 redefines "
            "'app' from task 1\n\n",
        ),
        CHOICE,
        "duplicate-name",
    ),
    RuleCase(
        "restarts-that-do-not-fit-their-interval",
        F.RESTART_POLICY_INVALID,
        _policy(
            "Nomad can't restart the TaskGroup 10 times in an interval of 1m0s with a delay of 15s",
            "group.RestartPolicy",
            {"Attempts": 10, "Interval": 60 * SECOND, "Delay": 15 * SECOND, "Mode": "fail"},
        ),
        (op(Kind.RESTART_INTERVAL, _WEB, 60 * SECOND, 150 * SECOND),),
        "restart-policy",
    ),
    RuleCase(
        "restart-interval-too-short",
        F.RESTART_POLICY_INVALID,
        _policy(
            "Interval can not be less than 5s (got 1s)",
            "group.RestartPolicy",
            {"Attempts": 0, "Interval": SECOND, "Delay": SECOND, "Mode": "fail"},
        ),
        (op(Kind.RESTART_INTERVAL, _WEB, SECOND, 5 * SECOND),),
        "restart-policy",
    ),
    RuleCase(
        "restart-mode-misspelt",
        F.RESTART_POLICY_INVALID,
        _policy('Unsupported restart mode: "dealy"', "group.RestartPolicy.Mode", "dealy"),
        (op(Kind.RESTART_MODE, _WEB, "dealy", "delay"),),
        "restart-policy",
    ),
    RuleCase(
        "restart-mode-of-docker",
        F.RESTART_POLICY_INVALID,
        _policy('Unsupported restart mode: "always"', "group.RestartPolicy.Mode", "always"),
        CHOICE,
        "restart-policy",
    ),
    RuleCase(
        "restart-policy-that-contradicts-itself",
        F.RESTART_POLICY_INVALID,
        _policy(
            'Restart policy "delay" with 0 attempts is ambiguous',
            "group.RestartPolicy",
            {"Attempts": 0, "Mode": "delay"},
        ),
        CHOICE,
        "restart-policy",
    ),
    RuleCase(
        "reschedule-interval-too-short",
        F.RESTART_POLICY_INVALID,
        _policy(
            "Set the interval to at least 10m0s to accommodate 3 attempts",
            "group.ReschedulePolicy",
            {"Attempts": 3, "Interval": 60 * SECOND, "Delay": 30 * SECOND, "MaxDelay": 3600 * SECOND},
        ),
        (op(Kind.RESCHEDULE_INTERVAL, _WEB, 60 * SECOND, 600 * SECOND),),
        "restart-policy",
    ),
    RuleCase(
        "reschedule-delay-too-short",
        F.RESTART_POLICY_INVALID,
        _policy(
            "Delay cannot be less than 5s (got 1s)",
            "group.ReschedulePolicy",
            {"Unlimited": True, "Delay": SECOND, "MaxDelay": 3600 * SECOND},
        ),
        (op(Kind.RESCHEDULE_DELAY, _WEB, SECOND, 5 * SECOND),),
        "restart-policy",
    ),
    RuleCase(
        "reschedule-both-limited-and-not",
        F.RESTART_POLICY_INVALID,
        _policy(
            "If Attempts >0, Unlimited cannot also be set to true",
            "group.ReschedulePolicy",
            {"Attempts": 3, "Unlimited": True},
        ),
        CHOICE,
        "restart-policy",
    ),
    RuleCase(
        "given-up-before-the-database-was-there",
        F.RESTARTS_EXHAUSTED,
        _given_up("group.ReschedulePolicy", _LIMITED),
        (
            op(Kind.RESTART_MODE, _WEB, "fail", "delay"),
            op(Kind.RESCHEDULE_ATTEMPTS, _WEB, 1, 0),
            op(Kind.RESCHEDULE_UNLIMITED, _WEB, False, True),
            op(Kind.RESCHEDULE_DELAY, _WEB, SECOND, 5 * SECOND),
        ),
        "restarts-exhausted",
    ),
    RuleCase(
        "given-up-for-nobody-knows-what",
        F.RESTARTS_EXHAUSTED,
        evidence(
            allocation([event("Not Restarting", _GAVE_UP, after=5, restart_reason=_GAVE_UP)]),
            body=changed("group.ReschedulePolicy", _LIMITED),
        ),
        NOTHING,
    ),
)
