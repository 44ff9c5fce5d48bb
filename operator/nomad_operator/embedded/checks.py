"""Results of service checks, worked out from how the tasks behave at a moment.

Nothing runs between two questions: an app's answer only depends on how it behaves and on when it was started.
Source of the texts: recorded in check-failing, check-fails-later, healthy-service; client/serviceregistration/checks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from nomad_operator.embedded.instant import SECOND
from nomad_operator.embedded.task_run import TaskRun

Mapped = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an allocation. `task` is set for a service of a task."""

    id: str
    service: Mapped
    check: Mapped
    task: str


@dataclass(frozen=True, slots=True)
class Result:
    """`passed` None: it has not been made yet."""

    passed: bool | None
    output: str
    status_code: int = 0


# A check is known again by these, and by nothing of its service but whose it is.
_IDENTITY = (
    "Name", "Type", "PortLabel", "OnUpdate", "AddressMode", "Interval", "Timeout", "Protocol", "Path", "Method",
    "TLSSkipVerify",
)  # fmt: skip


def checks_of(allocation: Mapped, group: Mapped, before: Sequence[Check] = ()) -> list[Check]:
    """Every check that is made over the network; scripts are not. Those of `before` go on as they began.

    Source: nomad/structs/checks.go NomadCheckID; client/allocrunner/checks_hook.go observe: a check that is known goes
    on asking the port that its service had.
    """
    known = {one.id: one for one in before}
    found = []
    for task, service in services_of(group):
        for check in service["Checks"] or ():
            if check["Type"] in ("http", "tcp", "grpc"):
                parts = [allocation["ID"], task, service["Name"], *(str(check.get(name)) for name in _IDENTITY)]
                one = Check(hashlib.sha256("/".join(parts).encode()).hexdigest(), service, check, task)
                native = service["Provider"] == "nomad"
                found.append(known.get(one.id, one) if native else one)
    return found


def services_of(group: Mapped) -> Iterator[tuple[str, Mapped]]:
    """The services of a group and of its tasks, each with the task's name or nothing."""
    for service in group["Services"] or ():
        yield "", service
    for task in group["Tasks"] or ():
        for service in task["Services"] or ():
            yield task["Name"], service


def port_of(allocation: Mapped, label: str) -> tuple[str, int, int]:
    """Address, port outside and port inside; zeros where the label names none."""
    for port in allocation["AllocatedResources"]["Shared"]["Ports"] or ():
        if port["Label"] == label:
            return port["HostIP"], port["Value"], port["To"] or port["Value"]
    return ("127.0.0.1", int(label), int(label)) if label.isdigit() else ("127.0.0.1", 0, 0)


def judge(one: Check, allocation: Mapped, tasks: Sequence[TaskRun], now: int) -> Result:
    """What the check finds at that moment."""
    label = one.check["PortLabel"] or one.service["PortLabel"]
    address, outside, inside = port_of(allocation, label)
    mine = [task for task in tasks if one.task in ("", task.name)]
    if _unpublished(label, allocation, mine):
        mine = []
    listening = next((task for task in mine if task.listens_on(inside, now)), None)
    running = any(task.running for task in mine)
    url = f"{one.check['Protocol'] or 'http'}://{address}:{outside}{one.check['Path']}"
    if one.check["Type"] != "http":
        # Behind a mapped port Docker accepts for whatever runs in the container.
        passed = running and (listening is not None or inside != outside)
        refused = f"nomad: dial tcp {address}:{outside}: connect: connection refused"
        return Result(passed, "nomad: tcp ok" if passed else refused)
    if listening is None and running and inside != outside:
        reset = f"read tcp {address}:45000->{address}:{outside}: read: connection reset by peer"
        return Result(False, f'nomad: Get "{url}": {reset}')
    if listening is None:
        return Result(False, f'nomad: Get "{url}": dial tcp {address}:{outside}: connect: connection refused')
    secure = one.check["Protocol"] == "https"
    if (misheard := _misheard(listening.behaviour.speaks, url, secure=secure)) is not None:
        return misheard
    started = listening.started_at or now
    method = one.check["Method"] or "GET"
    for health in reversed(listening.behaviour.health):
        wanted = not health.methods or method in health.methods
        if wanted and fnmatchcase(one.check["Path"], health.path) and now >= started + health.after:
            good = 200 <= health.status < 300
            return Result(good, "nomad: http ok" if good else health.body, health.status)
    return Result(True, "nomad: http ok", 200)


def _unpublished(label: str, allocation: Mapped, tasks: Sequence[TaskRun]) -> bool:
    """Docker maps only the ports that its config names: without, nothing listens on the node's.

    Source: drivers/docker/driver.go createContainerConfig; a group's own network maps all of its ports.
    """
    group = next(one for one in allocation["Job"]["TaskGroups"] if one["Name"] == allocation["TaskGroup"])
    networks = group["Networks"] or ()
    if label.isdigit() or any(network.get("Mode") not in ("", "host", None) for network in networks):
        return False
    mapped = [task.task["Config"] or {} for task in tasks if task.task["Driver"] == "docker"]
    return len(mapped) == len(tasks) > 0 and not any(
        config.get("network_mode") == "host" or label in (config.get("ports") or ()) or config.get("port_map")
        for config in mapped
    )


def _misheard(speaks: str, url: str, *, secure: bool) -> Result | None:
    """The client's words where both ends speak something else; None where they understand each other.

    Source: Go's net/http: Transport's errors, and the 400 of a TLS server.
    """
    if speaks == "other" and secure:
        return Result(False, f'nomad: Get "{url}": tls: first record does not look like a TLS handshake')
    if speaks == "other":
        broken = 'net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x00"'
        return Result(False, f'nomad: Get "{url}": {broken}')
    if secure and speaks == "http":
        return Result(False, f'nomad: Get "{url}": http: server gave HTTP response to HTTPS client')
    if not secure and speaks == "https":
        return Result(False, "Client sent an HTTP request to an HTTPS server.\n", 400)
    return None


def shown(one: Check, allocation: Mapped, result: Result, at: int) -> dict[str, Any]:
    """The result as `/v1/client/allocation/:id/checks` tells it."""
    value: dict[str, Any] = {
        "ID": one.id,
        "Mode": "readiness" if one.check["OnUpdate"] == "ignore" else "healthiness",
        "Status": {None: "pending", True: "success", False: "failure"}[result.passed],
        "Output": result.output,
        "Timestamp": at // SECOND,
        "Group": allocation["Name"],
        "Service": one.service["Name"],
        "Check": one.check["Name"],
    }
    if one.task:
        value["Task"] = one.task
    if result.status_code:
        value["StatusCode"] = result.status_code
    return value


WAITING = Result(None, "nomad: waiting to run")
