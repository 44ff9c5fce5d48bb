"""Port numbers: static ones that are taken, inner ones that are no ports, those that only root may listen on."""

from __future__ import annotations

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.job_words import Port
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.images import image_of
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_HIGHEST = 65535
# Below it a port is a promise to somebody outside: 22, 53, 80, 443 are looked for by number.
_WELL_KNOWN = 1024
_DOCKER = ("docker", "podman")


def _taken(case: Case) -> Answer:
    """A static port that is taken becomes a dynamic one, where nobody can know the number except through Nomad."""
    group = job_parts.group_of(case)
    if group is None:
        return None
    number = case.diagnosis.facts.get("port", "")
    label = case.diagnosis.facts.get("label") or case.diagnosis.port
    fitting = [
        port
        for port in job_parts.ports(group)
        if port.static and (not number or str(port.static) == number) and (not label or port.label == label)
    ]
    if len(fitting) != 1:
        return None
    (port,) = fitting
    reason = f"port {port.static} is taken"
    why = _meaningful(case, group, port)
    if why:
        return choose(
            f"{reason}, and the number matters: {why}",
            (f'a dynamic port "{port.label}"', f"another number than {port.static}", f"freeing {port.static}"),
        )
    edits = [Edit(Kind.STATIC_PORT, (job_parts.name(group), port.label), None, "Nomad chooses a free port")]
    if not port.to and not _follows(group, port.label):
        # Without `to` the port inside was the static one: it would move with the one outside.
        edits.append(
            Edit(Kind.PORT_TO, (job_parts.name(group), port.label), port.static, "the port inside stays what it was")
        )
    return fix(case, reason, edits)


def _meaningful(case: Case, group: Part, port: Port) -> str:
    """Why a static port's number is known to somebody outside Nomad; empty where nothing says so."""
    if port.static < _WELL_KNOWN:
        return f"{port.static} is a well-known port"
    if case.body.get("Type") in ("system", "sysbatch"):
        return "a system job is reached by the same port on every node"
    if not any(one.label == port.label for one in job_parts.services(group)):
        return "no service tells the port to whoever looks for it"
    if any(str(port.static) in text for one in job_parts.services(group) for text in one.part.get("Tags") or ()):
        return "a tag of its service names it"
    elsewhere = [other for other in job_parts.groups(case.body) if job_parts.name(other) != job_parts.name(group)]
    if any(f":{port.static}" in text for other in elsewhere for text in job_parts.texts(other)):
        return "another group of the job names it"
    docker = all(task.get("Driver") in _DOCKER for task in job_parts.tasks(group))
    own = any(job_parts.config(task).get("network_mode") == "host" for task in job_parts.tasks(group))
    if (not docker or own) and job_parts.mode(group) in ("", "host") and not _follows(group, port.label):
        return "the app listens on it, and nothing maps it"
    return ""


def _follows(group: Part, label: str) -> bool:
    """A task reads the port from Nomad."""
    return any(f"NOMAD_PORT_{label}" in text for task in job_parts.tasks(group) for text in job_parts.texts(task))


def _invalid(case: Case) -> Answer:
    """A port inside that is no port: the one that the image exposes."""
    for group in job_parts.groups(case.body):
        for port in job_parts.ports(group):
            if 0 <= port.to <= _HIGHEST:
                continue
            exposed = {
                number
                for task in job_parts.tasks(group)
                if (facts := image_of(case, task)) is not None
                for number in facts.ports
            }
            reason = f'port "{port.label}" leads to {port.to}, which is no port'
            if len(exposed) == 1:
                (number,) = exposed
                at = (job_parts.name(group), port.label)
                return fix(case, reason, (Edit(Kind.PORT_TO, at, number, f"the image exposes {number}"),))
            return choose(reason, [f"port {number}" for number in sorted(exposed)]) if exposed else None
    return None


def _privileged(case: Case) -> Answer:
    """An app that may not listen below 1024 listens where its image expects it, if the job tells it where by itself."""
    found = job_parts.task_of(case)
    number = case.diagnosis.facts.get("port", "")
    if found is None or not number.isdigit():
        return None
    group, task = found
    facts = image_of(case, task)
    above = sorted(port for port in (() if facts is None else facts.ports) if port >= _WELL_KNOWN)
    told = [key for key, value in job_parts.environment(task).items() if value == number]
    leading = [port.label for port in job_parts.ports(group) if str(port.inside) == number]
    if len(above) != 1 or len(told) != 1 or not leading:
        return None
    at = job_parts.address(group, task)
    ground = f"the image exposes {above[0]}"
    edits = [Edit(Kind.ENV, (*at, told[0]), str(above[0]), ground)]
    edits += [Edit(Kind.PORT_TO, (at[0], label), above[0], ground) for label in leading]
    return fix(case, f"{at[1]} may not listen on port {number}", edits)


RULES = (
    Rule(name="static-port", classes=(FailureClass.STATIC_PORT_TAKEN, FailureClass.HOST_PORT_IN_USE), propose=_taken),
    Rule(name="port-number", classes=(FailureClass.PORT_INVALID,), propose=_invalid),
    Rule(name="privileged-port", classes=(FailureClass.CRASH_PORT_PRIVILEGED,), propose=_privileged),
)
