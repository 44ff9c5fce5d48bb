"""Labels that nobody declares, ports that the app does not listen on, checks that look the wrong way or too early."""

from __future__ import annotations

from typing import Any

from desired.operations.operation import Kind
from observers.evidence import Evidence, ImageFacts
from observers.failures.failure_class import FailureClass as F
from tests.unit.observers.failures.failure_evidence import (
    allocation,
    check,
    crashes,
    ended,
    event,
    evidence,
    log,
    running,
)
from tests.unit.repair.rules.rule_cases import (
    ALIVE,
    APP,
    CHOICE,
    NOTHING,
    SECOND,
    RuleCase,
    changed,
    op,
    unrecoverable,
)

IMAGE = "registry.example/team/app:1.0"
_WEB = ("web", "web")
_HTTP = ("web", "http")


def _images(*ports: int) -> dict[str, ImageFacts]:
    return {IMAGE: ImageFacts(IMAGE, ports=ports)}


def _setup(label: str, body: dict[str, Any], **other: Any) -> Evidence:
    said = (
        'failed to setup alloc: pre-run hook "group_services" failed: 1 error occurred:\n\t* unable to get address for '
        f'service "web": invalid port "{label}": port label not found\n\n'
    )
    return evidence(unrecoverable("Setup Failure", said, setup_error=said), body=body, **other)


def _service(label: str, *ports: dict[str, Any]) -> dict[str, Any]:
    declared = list(ports) or [{"Label": "http", "To": 8080}]
    return changed("group.Services.0.PortLabel", label, "group.Networks", [{"DynamicPorts": declared}])


_NO_CHECK_PORT = (
    "1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* Service[0] web validation "
    'failed: 1 error occurred:\n\t* Check alive invalid: check requires a port but neither check nor service "web" '
    "have a port\n"
)


_NOT_FOUND = 'Failed to create container configuration for image "x": Port "{}" not found, check network block'


def _twice(words: str, network: dict[str, Any], *services: dict[str, Any]) -> Evidence:
    refusal = (
        "1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* Task group network validation "
        f"failed: 1 error occurred:\n\t* {words}\n\n"
    )
    told = [{"Name": "web", "PortLabel": "http"}, *services]
    return evidence(body=changed("group.Networks", [network], "group.Services", told), refusal=refusal)


def _published(label: str) -> Evidence:
    said = _NOT_FOUND.format(label)
    return evidence(
        unrecoverable("Driver Failure", said, driver_error=said), body=changed("task.Config.ports", [label])
    )


def _port_map(**mapped: int) -> Evidence:
    said = "Failed to create container configuration: 'port_map' cannot map group network ports, use 'ports' instead"
    body = changed(
        "task.Config.ports", None, "task.Config.port_map", [mapped], "group.Networks.0.DynamicPorts.0.To", None
    )
    return evidence(unrecoverable("Driver Failure", said, driver_error=said), body=body)


_NOBODY = check('nomad: Get "http://10.0.0.1:23455/health": EOF')
_TWO = [{"Label": "http", "To": 8080}, {"Label": "admin", "To": 3000}]
_LISTENS = (log("listening on 0.0.0.0:3000"),)


def _answers(code: int, *, says: str = "", body: dict[str, Any] | None = None) -> Evidence:
    return evidence(running(), body=body, checks=(check("nope", code=code),), logs=(log(says),) if says else ())


def _speaks(output: str, **of_check: Any) -> Evidence:
    pairs = [one for key, value in of_check.items() for one in (f"group.Services.0.Checks.0.{key}", value)]
    return evidence(running(), body=changed(*pairs), checks=(check(output),))


def _killed_by_check(says: str, **of_check: Any) -> Evidence:
    pairs = [one for key, value in of_check.items() for one in (f"group.Services.0.Checks.0.{key}", value)]
    words = 'healthcheck: check "alive" unhealthy'
    events = []
    for turn in (0, 1):
        at = turn * 20.0
        events += [
            event("Started", after=at),
            event("Restart Signaled", words, after=at + 11, restart_reason=words),
            ended(137, after=at + 12),
        ]
    return evidence(allocation(events), body=changed(*pairs), logs=(log(says),))


def _late(seconds: int, **update: int) -> Evidence:
    pairs = [one for key, value in update.items() for one in (f"group.Update.{key}", value * SECOND)]
    words = f"Task not running for min_healthy_time of 10s by healthy_deadline of {update.get('HealthyDeadline', 300)}s"
    unhealthy = event("Alloc Unhealthy", words, after=seconds - 5)
    return evidence(
        running(unhealthy, healthy=False),
        body=changed(*pairs),
        checks=(check(status="success"),),
        logs=(log(f"started in {seconds}.0 seconds"),),
    )


def _order(words: str, **update: int) -> Evidence:
    pairs = [one for key, value in update.items() for one in (f"group.Update.{key}", value * SECOND)]
    refusal = (
        "1 error occurred:\n\t* Task group web validation failed: 1 error occurred:\n\t* Update strategy validation "
        f"failed: 1 error occurred:\n\t* {words}\n\n"
    )
    return evidence(body=changed(*pairs), refusal=refusal)


CASES = (
    RuleCase(
        "label-misspelt",
        F.SERVICE_PORT_UNDEFINED,
        _setup("htpp", _service("htpp", *_TWO)),
        (op(Kind.SERVICE_PORT, _WEB, "htpp", "http"),),
        "port-label",
    ),
    RuleCase(
        "label-that-is-not-there-while-the-only-one-is-unused",
        F.SERVICE_PORT_UNDEFINED,
        _setup("web", _service("web")),
        (op(Kind.SERVICE_PORT, _WEB, "web", "http"),),
        "port-label",
    ),
    RuleCase(
        "label-that-is-not-there-while-others-are-used",
        F.SERVICE_PORT_UNDEFINED,
        _setup(
            "web",
            changed(
                "group.Services",
                [{"Name": "web", "PortLabel": "web"}, {"Name": "api", "PortLabel": "http"}],
            ),
        ),
        CHOICE,
        "port-label",
    ),
    RuleCase(
        "label-for-the-port-that-the-image-names",
        F.SERVICE_PORT_UNDEFINED,
        _setup(
            "metrics",
            changed(
                "group.Services",
                [{"Name": "web", "PortLabel": "metrics"}, {"Name": "api", "PortLabel": "http"}],
            ),
            images=_images(8080, 9100),
        ),
        (
            op(Kind.PORT_ADDED, ("web", "metrics"), None, 9100),
            op(Kind.DRIVER_PORTS, APP, ("http",), ("http", "metrics")),
        ),
        "port-label",
    ),
    RuleCase(
        "check-without-a-port",
        F.CHECK_PORT_MISSING,
        evidence(body=changed("group.Services.0.PortLabel", None), refusal=_NO_CHECK_PORT),
        (op(Kind.SERVICE_PORT, _WEB, None, "http"),),
        "port-for-check",
    ),
    RuleCase(
        "check-without-a-port-while-there-are-two",
        F.CHECK_PORT_MISSING,
        evidence(
            body=changed("group.Services.0.PortLabel", None, "group.Networks", [{"DynamicPorts": _TWO}]),
            refusal=_NO_CHECK_PORT,
        ),
        CHOICE,
        "port-for-check",
    ),
    RuleCase(
        "published-label-misspelt",
        F.DRIVER_PORT_UNDEFINED,
        _published("htttp"),
        (op(Kind.DRIVER_PORTS, APP, ("htttp",), ("http",)),),
        "driver-port-label",
    ),
    RuleCase(
        "published-as-docker-writes-it",
        F.DRIVER_PORT_UNDEFINED,
        _published("80:8080"),
        (op(Kind.DRIVER_PORTS, APP, ("80:8080",), ("http",)),),
        "driver-port-label",
    ),
    RuleCase(
        "port-map-of-before-group-networks",
        F.DRIVER_PORT_UNDEFINED,
        _port_map(http=80),
        (
            op(Kind.PORT_TO, _HTTP, None, 80),
            op(Kind.DRIVER_KEY, (*APP, "port_map"), "port_map", None),
            op(Kind.DRIVER_PORTS, APP, None, ("http",)),
        ),
        "driver-port-label",
    ),
    RuleCase("port-map-of-other-labels", F.DRIVER_PORT_UNDEFINED, _port_map(db=80), CHOICE, "driver-port-label"),
    RuleCase(
        "published-label-for-the-port-that-the-image-names",
        F.DRIVER_PORT_UNDEFINED,
        evidence(
            unrecoverable("Driver Failure", _NOT_FOUND.format("http"), driver_error=_NOT_FOUND.format("http")),
            body=changed("group.Networks", [{"Mode": ""}]),
            images=_images(8080),
        ),
        (op(Kind.PORT_ADDED, _HTTP, None, 8080),),
        "driver-port-label",
    ),
    RuleCase(
        "label-twice-while-another-is-missing",
        F.PORT_DUPLICATE,
        _twice(
            "Port label http already in use by taskgroup network:web",
            {"DynamicPorts": [{"Label": "http", "To": 8080}, {"Label": "http", "To": 3000}]},
            {"Name": "admin", "PortLabel": "admin"},
        ),
        (op(Kind.PORT_LABEL, _HTTP, "http", "admin"),),
        "port-twice",
    ),
    RuleCase(
        "label-twice",
        F.PORT_DUPLICATE,
        _twice(
            "Port label http already in use by taskgroup network:web",
            {"DynamicPorts": [{"Label": "http", "To": 8080}, {"Label": "http", "To": 3000}]},
        ),
        CHOICE,
        "port-twice",
    ),
    RuleCase(
        "static-port-twice-and-one-of-them-unused",
        F.PORT_DUPLICATE,
        _twice(
            "Static port 8080 already reserved by taskgroup network:http",
            {"ReservedPorts": [{"Label": "http", "Value": 8080}, {"Label": "old", "Value": 8080}]},
        ),
        (op(Kind.STATIC_PORT, ("web", "old"), 8080, None),),
        "port-twice",
    ),
    RuleCase(
        "static-port-twice-and-both-used",
        F.PORT_DUPLICATE,
        _twice(
            "Static port 8080 already reserved by taskgroup network:http",
            {"ReservedPorts": [{"Label": "http", "Value": 8080}, {"Label": "admin", "Value": 8080}]},
            {"Name": "admin", "PortLabel": "admin"},
        ),
        CHOICE,
        "port-twice",
    ),
    RuleCase(
        "app-listens-elsewhere-as-its-log-says",
        F.CHECK_WRONG_PORT,
        evidence(running(), checks=(_NOBODY,), logs=_LISTENS),
        (op(Kind.PORT_TO, _HTTP, 8080, 3000),),
        "check-port",
    ),
    RuleCase(
        "to-missing-where-the-image-says-its-port",
        F.CHECK_WRONG_PORT,
        evidence(
            running(),
            body=changed("group.Networks.0.DynamicPorts.0.To", None),
            checks=(_NOBODY,),
            images=_images(5000),
        ),
        (op(Kind.PORT_TO, _HTTP, None, 5000),),
        "check-port",
    ),
    RuleCase(
        "app-listens-where-another-label-leads",
        F.CHECK_WRONG_PORT,
        evidence(running(), body=changed("group.Networks", [{"DynamicPorts": _TWO}]), checks=(_NOBODY,), logs=_LISTENS),
        # Nomad's own check is known again by what stands in it: without a port of its own it would ask the old one.
        (op(Kind.CHECK_PORT, ALIVE, "http", "admin"), op(Kind.SERVICE_PORT, _WEB, "http", "admin")),
        "check-port",
    ),
    RuleCase(
        "app-listens-where-two-other-labels-lead",
        F.CHECK_WRONG_PORT,
        evidence(
            running(),
            body=changed("group.Networks", [{"DynamicPorts": [*_TWO, {"Label": "api", "To": 3000}]}]),
            checks=(_NOBODY,),
            logs=_LISTENS,
        ),
        CHOICE,
        "check-port",
    ),
    RuleCase(
        "check-with-a-port-of-its-own-that-is-wrong",
        F.CHECK_WRONG_PORT,
        evidence(
            running(),
            body=changed(
                "group.Networks",
                [{"DynamicPorts": _TWO}],
                "group.Services.0.PortLabel",
                "admin",
                "group.Services.0.Checks.0.PortLabel",
                "http",
            ),
            checks=(_NOBODY,),
            logs=_LISTENS,
        ),
        (op(Kind.CHECK_PORT, ALIVE, "http", "admin"),),
        "check-port",
    ),
    RuleCase(
        "app-listens-elsewhere-while-another-check-of-the-port-is-green",
        F.CHECK_WRONG_PORT,
        evidence(
            running(),
            body=changed(
                "group.Services.0.Checks",
                [
                    {"Name": "alive", "Type": "http", "Path": "/health", "Interval": 2 * SECOND},
                    {"Name": "open", "Type": "tcp", "Interval": 2 * SECOND},
                ],
            ),
            checks=(_NOBODY, check(status="success", name="open")),
            logs=_LISTENS,
        ),
        NOTHING,
    ),
    RuleCase(
        "app-listens-elsewhere-and-nothing-maps-it",
        F.CHECK_WRONG_PORT,
        evidence(
            running(),
            body=changed("task.Driver", "raw_exec", "task.Config", {"command": "/bin/app"}),
            checks=(_NOBODY,),
            logs=_LISTENS,
        ),
        CHOICE,
        "check-port",
    ),
    RuleCase(
        "port-that-docker-does-not-publish",
        F.CHECK_WRONG_PORT,
        evidence(
            running(),
            body=changed("task.Config.ports", None),
            checks=(
                check("nomad: Get http://10.0.0.1:2345/health: dial tcp 10.0.0.1:2345: connect: connection refused"),
            ),
        ),
        (op(Kind.DRIVER_PORTS, APP, None, ("http",)),),
        "check-unpublished-port",
    ),
    RuleCase(
        "check-on-the-wrong-path",
        F.CHECK_WRONG_PATH,
        _answers(404, says="route GET /healthz"),
        (op(Kind.CHECK_PATH, ALIVE, "/health", "/healthz"),),
        "check-path",
    ),
    RuleCase(
        "check-on-another-path-than-the-job's-own-variable",
        F.CHECK_WRONG_PATH,
        _answers(404, body=changed("task.Env", {"HEALTH_PATH": "/ping"})),
        (op(Kind.CHECK_PATH, ALIVE, "/health", "/ping"),),
        "check-path",
    ),
    RuleCase("check-on-a-path-that-nobody-names", F.CHECK_WRONG_PATH, _answers(404), NOTHING),
    RuleCase(
        "check-while-the-log-names-two-paths",
        F.CHECK_WRONG_PATH,
        _answers(404, says="GET /ready\nGET /status"),
        CHOICE,
        "check-path",
    ),
    RuleCase(
        "check-while-the-log-names-a-path-that-may-do-harm",
        F.CHECK_WRONG_PATH,
        _answers(404, says="health endpoint: /admin/status/reset-all"),
        CHOICE,
        "check-path",
    ),
    RuleCase(
        "check-with-a-method-that-the-app-refuses",
        F.CHECK_WRONG_PATH,
        _answers(405, body=changed("group.Services.0.Checks.0.Method", "POST")),
        (op(Kind.CHECK_METHOD, ALIVE, "POST", "GET"),),
        "check-path",
    ),
    RuleCase(
        "check-speaks-http-to-https",
        F.CHECK_WRONG_PROTOCOL,
        _speaks("Client sent an HTTP request to an HTTPS server."),
        (op(Kind.CHECK_PROTOCOL, ALIVE, "http", "https"),),
        "check-protocol",
    ),
    RuleCase(
        "check-speaks-https-to-http",
        F.CHECK_WRONG_PROTOCOL,
        _speaks('nomad: Get "https://x/": http: server gave HTTP response to HTTPS client', Protocol="https"),
        (op(Kind.CHECK_PROTOCOL, ALIVE, "https", "http"),),
        "check-protocol",
    ),
    RuleCase(
        "check-speaks-http-to-something-else",
        F.CHECK_WRONG_PROTOCOL,
        _speaks('nomad: Get "http://x/": malformed HTTP response "-ERR unknown command"'),
        (op(Kind.CHECK_TYPE, ALIVE, "http", "tcp"),),
        "check-protocol",
    ),
    RuleCase(
        "check-restarts-a-slow-start",
        F.CHECK_TOO_EARLY,
        _killed_by_check("Application started in 42.0 seconds"),
        (op(Kind.CHECK_GRACE, ALIVE, 5 * SECOND, 84 * SECOND),),
        "check-grace",
    ),
    RuleCase(
        "check-restarts-an-app-that-is-up",
        F.CHECK_RESTARTS,
        _killed_by_check("bye"),
        NOTHING,
    ),
    RuleCase(
        "healthy-deadline-too-short",
        F.DEADLINE_TOO_SHORT,
        _late(40, HealthyDeadline=30, MinHealthyTime=10),
        (op(Kind.HEALTHY_DEADLINE, ("web",), 30 * SECOND, 60 * SECOND),),
        "deadline",
    ),
    RuleCase(
        "healthy-deadline-too-short-and-the-progress-deadline-close-behind",
        F.DEADLINE_TOO_SHORT,
        _late(40, HealthyDeadline=30, ProgressDeadline=50, MinHealthyTime=10),
        (
            op(Kind.PROGRESS_DEADLINE, ("web",), 50 * SECOND, 90 * SECOND),
            op(Kind.HEALTHY_DEADLINE, ("web",), 30 * SECOND, 60 * SECOND),
        ),
        "deadline",
    ),
    RuleCase(
        "healthy-deadline-of-a-start-that-no-step-reaches",
        F.DEADLINE_TOO_SHORT,
        _late(700, HealthyDeadline=30, MinHealthyTime=10),
        CHOICE,
        "deadline",
    ),
    RuleCase(
        "healthy-deadline-behind-the-progress-deadline",
        F.DEADLINES_INCONSISTENT,
        _order(
            "Healthy deadline must be less than progress deadline: 10m0s > 8m0s",
            HealthyDeadline=600,
            ProgressDeadline=480,
        ),
        (op(Kind.PROGRESS_DEADLINE, ("web",), 480 * SECOND, 900 * SECOND),),
        "deadline-order",
    ),
    RuleCase(
        "healthy-deadline-far-behind-a-progress-deadline-that-nobody-chose",
        F.DEADLINES_INCONSISTENT,
        _order("Healthy deadline must be less than progress deadline: 20m0s > 10m0s", HealthyDeadline=1200),
        (op(Kind.PROGRESS_DEADLINE, ("web",), 600 * SECOND, 1800 * SECOND),),
        "deadline-order",
    ),
    RuleCase(
        "healthy-deadline-far-behind-the-progress-deadline",
        F.DEADLINES_INCONSISTENT,
        _order(
            "Healthy deadline must be less than progress deadline: 1h0m0s > 1m0s",
            HealthyDeadline=3600,
            ProgressDeadline=60,
        ),
        CHOICE,
        "deadline-order",
    ),
    RuleCase(
        "min-healthy-time-behind-the-healthy-deadline",
        F.DEADLINES_INCONSISTENT,
        _order(
            "Minimum healthy time must be less than healthy deadline: 1m0s > 50s",
            HealthyDeadline=50,
            MinHealthyTime=60,
        ),
        (op(Kind.HEALTHY_DEADLINE, ("web",), 50 * SECOND, 90 * SECOND),),
        "deadline-order",
    ),
    RuleCase(
        "privileged-port-while-the-image-names-another",
        F.CRASH_PORT_PRIVILEGED,
        evidence(
            allocation(crashes(1)),
            body=changed("task.Env", {"PORT": "80"}, "group.Networks.0.DynamicPorts.0.To", 80),
            logs=(log("bind: 0.0.0.0:80: permission denied"),),
            images=_images(8080),
        ),
        (op(Kind.ENV, (*APP, "PORT"), "80", "8080"), op(Kind.PORT_TO, _HTTP, 80, 8080)),
        "privileged-port",
    ),
    RuleCase(
        "privileged-port-that-the-job-does-not-tell-the-app",
        F.CRASH_PORT_PRIVILEGED,
        evidence(
            allocation(crashes(1)),
            logs=(log("bind: 0.0.0.0:80: permission denied"),),
            images=_images(8080),
        ),
        NOTHING,
    ),
)
