"""Checks pointed right: the port where the app listens, the path it answers, the protocol it speaks; never weakened."""

from __future__ import annotations

import re

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import CheckPart, Part
from reconcilers.repair.rules.native_checks import asked_anew
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_HEALTH = re.compile(r"(?i)health|ready|live|ping|status")
# What a log names is asked only if its own name says that asking does no harm.
_HARMLESS = re.compile(r"(?i)/[\w.-]*(?:health|ready|readiness|live|liveness|alive|ping|status|heartbeat)[\w.-]*/?$")
_HOST_MODES = frozenset({"", "host"})


def _port(case: Case) -> Answer:
    """Where another label leads to the port on which the app listens, that one; otherwise the label is led there."""
    found = job_parts.check_of(case)
    facts = case.diagnosis.facts
    if found is None or not facts.get("listens_on", "").isdigit():
        return None
    group, check = found
    listens = int(facts["listens_on"])
    declared = {port.label: port for port in job_parts.ports(group)}
    if check.label not in declared or not 0 < listens < 65536:
        return None
    said_by = {"log": "the app's own log", "image": "the image", "job": "the job's own command or environment"}.get(
        facts.get("said_by", ""), "the evidence"
    )
    reason = f"check {check.name} asks a port where nothing listens; the app listens on {listens}"
    there = [label for label, port in declared.items() if label != check.label and port.inside == listens]
    if len(there) > 1:
        return choose(reason, [f"port {label}" for label in there])
    if there:
        ground = f"leads to {listens}, where {said_by} says it listens"
        return fix(case, reason, _relabelled(group, check, there[0], ground))
    if not _mapped(group):
        return choose(
            f"{reason}, and nothing maps the node's port to it",
            (f'a static port {listens} for "{check.label}"', f"an app that listens on $NOMAD_PORT_{check.label}"),
        )
    if _another_answers(case, group, check):
        return None
    at = (job_parts.name(group), check.label)
    edit = Edit(Kind.PORT_TO, at, listens, f"{said_by} says that it listens on {listens}")
    return fix(case, reason, (edit,))


def _relabelled(group: Part, check: CheckPart, label: str, ground: str) -> list[Edit]:
    """The check where it names a port itself; the service too where it names the same wrong one."""
    edits = []
    if check.service.label == check.label:
        edits += asked_anew(group, check.service, label)
        edits.append(Edit(Kind.SERVICE_PORT, check.service.at, label, ground))
    if check.part.get("PortLabel"):
        edits.append(Edit(Kind.CHECK_PORT, check.at, label, ground))
    return edits


def _mapped(group: Part) -> bool:
    """A port inside differs from the node's only behind a mapping: Docker's own, or that of a network of the group."""
    return job_parts.mode(group) not in _HOST_MODES or any(
        task.get("Driver") in ("docker", "podman") and job_parts.config(task).get("network_mode") != "host"
        for task in job_parts.tasks(group)
    )


def _another_answers(case: Case, group: Part, check: CheckPart) -> bool:
    """Some other check asks the same label and is green: then the port is right."""
    green = {
        one.name for one in case.evidence.checks or () if one.status == "success" and one.group in ("", group["Name"])
    }
    return any(job_parts.name(one.part) in green for one in job_parts.checks(group) if one.label == check.label)


def _unpublished(case: Case) -> Answer:
    """Docker publishes only the labels of its `ports`, unless the group has a network of its own."""
    found = job_parts.check_of(case)
    task = job_parts.task_of(case)
    if found is None or task is None or case.diagnosis.facts.get("unpublished") != "true":
        return None
    _, check = found
    published = job_parts.driver_ports(task[1])
    if check.label in published:
        return None
    reason = f'the driver does not publish port "{check.label}", which check {check.name} asks'
    ground = f"the label that the check asks: {check.label}"
    edit = Edit(Kind.DRIVER_PORTS, job_parts.address(*task), (*published, check.label), ground)
    return fix(case, reason, (edit,))


def _path(case: Case) -> Answer:
    """The one path that the job itself names as its health path, or that the app's log does."""
    found = job_parts.check_of(case)
    facts = case.diagnosis.facts
    if found is None:
        return None
    group, check = found
    asked = str(check.part.get("Path") or "")
    if facts.get("status") == "405":
        return _method(case, check)
    if facts.get("status", "") not in ("404", "410"):
        return None
    reason = f"the app answers {facts['status']} to {asked}"
    configured = {
        value
        for task in job_parts.tasks(group)
        for key, value in job_parts.environment(task).items()
        if _HEALTH.search(key) and re.fullmatch(r"/[\w./-]*", value)
    } - {asked}
    if len(configured) == 1:
        (path,) = configured
        return fix(case, reason, (Edit(Kind.CHECK_PATH, check.at, path, "the job's own environment names it"),))
    named = (path.strip() for path in facts.get("candidates", "").split(","))
    told = [path for path in named if path.startswith("/") and path != asked]
    meant = told[0] if len(told) == 1 else near_miss(asked, told)
    if meant is not None and (_HARMLESS.search(meant) or near_miss(asked, (meant,))):
        return fix(case, reason, (Edit(Kind.CHECK_PATH, check.at, meant, "the app's own log names it"),))
    several = sorted({*told, *configured})
    return choose(reason, [f"path {path}" for path in several]) if several else None


def _method(case: Case, check: CheckPart) -> Answer:
    method = str(check.part.get("Method") or "GET").upper()
    if method == "GET":
        return None
    reason = f"the app refuses the method {method} for {check.part.get('Path') or '/'}"
    return fix(case, reason, (Edit(Kind.CHECK_METHOD, check.at, "GET", "Nomad's default for a check"),))


def _protocol(case: Case) -> Answer:
    """http for https and the reverse. tcp only where the app demonstrably speaks no http at all."""
    found = job_parts.check_of(case)
    if found is None:
        return None
    _, check = found
    if str(check.part.get("Type") or "") != "http":
        return None
    speaks = case.diagnosis.facts.get("speaks", "").lower()
    asked = str(check.part.get("Protocol") or "http").lower()
    reason = f"the check speaks {asked}, the app {speaks if speaks != 'other' else 'no http at all'}"
    if speaks in ("http", "https") and speaks != asked:
        return fix(case, reason, (Edit(Kind.CHECK_PROTOCOL, check.at, speaks, f"the check's own result: {speaks}"),))
    if speaks == "other" and asked == "http":
        return fix(case, reason, (Edit(Kind.CHECK_TYPE, check.at, "tcp", "the check's own result: no http answer"),))
    return None


_PORT = (FailureClass.CHECK_WRONG_PORT,)
RULES = (
    Rule(name="check-unpublished-port", classes=_PORT, propose=_unpublished),
    Rule(name="check-port", classes=_PORT, propose=_port),
    Rule(name="check-path", classes=(FailureClass.CHECK_WRONG_PATH,), propose=_path),
    Rule(name="check-protocol", classes=(FailureClass.CHECK_WRONG_PROTOCOL,), propose=_protocol),
)
