"""Port labels: those that services, checks and drivers use and nobody declares."""

from __future__ import annotations

import re
from collections.abc import Mapping

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from observers.failures.job_words import Port
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.images import image_of
from reconcilers.repair.rules.job_parts import Part
from reconcilers.repair.rules.native_checks import asked_anew
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.port_map import mapping, port_map_edits
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

# Source: nomad/structs/network.go, what a port label may be made of.
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_DOCKER = ("docker", "podman")


def _undefined(case: Case) -> Answer:
    """A label that services or checks use and nobody declares: the one it resembles, the one unused, or a new one."""
    group = job_parts.group_of(case)
    wanted = case.diagnosis.facts.get("label") or case.diagnosis.port
    if group is None or not wanted:
        return None
    declared = job_parts.ports(group)
    if any(port.label == wanted for port in declared):
        return None
    users = _label_users(group, wanted)
    if not users:
        return None
    reason = f'port "{wanted}" is used and no network block declares it'
    meant = near_miss(wanted, [port.label for port in declared])
    if meant is not None:
        return fix(case, reason, _led(case, group, users, meant, f"the label that is spelt almost so: {meant}"))
    unused = [port.label for port in declared if not _label_users(group, port.label)]
    if len(declared) == 1 and unused:
        return fix(case, reason, _led(case, group, users, unused[0], "the only port there is, which nobody uses"))
    added = _added(case, group, wanted, declared)
    if added is not None:
        return fix(case, reason, added)
    return choose(reason, [*(f"port {port.label}" for port in declared), f'a new port "{wanted}"'])


def _label_users(group: Part, label: str) -> list[tuple[Kind, tuple[str, ...]]]:
    found = [(Kind.SERVICE_PORT, one.at) for one in job_parts.services(group) if one.label == label]
    found += [(Kind.CHECK_PORT, one.at) for one in job_parts.checks(group) if one.part.get("PortLabel") == label]
    return found


def _led(case: Case, group: Part, users: list[tuple[Kind, tuple[str, ...]]], label: str, ground: str) -> list[Edit]:
    """All who use the label to another one. Only where a check has failed does an allocation run that would stay."""
    edits = [Edit(kind, at, label, ground) for kind, at in users]
    if not case.diagnosis.check:
        return edits
    moved = {at for kind, at in users if kind is Kind.SERVICE_PORT}
    anew = [edit for one in job_parts.services(group) if one.at in moved for edit in asked_anew(group, one, label)]
    return [*anew, *edits]


def _added(case: Case, group: Part, label: str, declared: list[Port]) -> list[Edit] | None:
    """A new port for the label: only where one image names exactly one port that no label leads to yet."""
    docker = [task for task in job_parts.tasks(group) if task.get("Driver") in _DOCKER]
    if len(docker) != 1:
        return None
    (task,) = docker
    inside = _exposed(case, task, {port.label: port for port in declared})
    if inside is None:
        return None
    edits = [Edit(Kind.PORT_ADDED, (job_parts.name(group), label), inside, f"the image exposes {inside}")]
    published = job_parts.driver_ports(task)
    if job_parts.mode(group) in ("", "host") and label not in published:
        edits.append(
            Edit(Kind.DRIVER_PORTS, job_parts.address(group, task), (*published, label), f"the new label {label}")
        )
    return edits


def _exposed(case: Case, task: Part, declared: Mapping[str, Port]) -> int | None:
    """The one port of the image that no label leads to yet."""
    facts = image_of(case, task)
    free = set(() if facts is None else facts.ports) - {port.inside for port in declared.values()}
    return free.pop() if len(free) == 1 else None


def _missing_on_check(case: Case) -> Answer:
    """A check and its service without any port: the only one of the group."""
    group = job_parts.group_of(case)
    if group is None:
        return None
    bare = [one for one in job_parts.checks(group) if not one.label and one.part.get("Type") != "script"]
    declared = {port.label for port in job_parts.ports(group)}
    if not bare or not declared:
        return None
    reason = f"check {job_parts.name(bare[0].part)} has no port to ask"
    if len(declared) > 1:
        return choose(reason, [f"port {label}" for label in sorted(declared)])
    (label,) = declared
    services = dict.fromkeys(one.service.at for one in bare)
    return fix(case, reason, [Edit(Kind.SERVICE_PORT, at, label, "the only port of the group") for at in services])


def _driver_label(case: Case) -> Answer:
    """A label in the driver's `ports` that no network block declares, or a `port_map` of before group networks."""
    found = job_parts.task_of(case)
    if found is None:
        return None
    group, task = found
    at = job_parts.address(group, task)
    declared = {port.label: port for port in job_parts.ports(group)}
    if "port_map" in job_parts.config(task) and "port_map" in case.diagnosis.words:
        return _port_map(case, at, mapping(job_parts.config(task)["port_map"]), declared)
    published = job_parts.driver_ports(task)
    wrong = [label for label in published if label not in declared]
    if not wrong:
        return None
    reason = f'the driver publishes port "{wrong[0]}", which no network block declares'
    edits: list[Edit] = []
    new: list[str] = []
    for label in published:
        meant = label if label in declared else _meant(label, declared, published)
        added = _exposed(case, task, declared) if meant is None and _LABEL.fullmatch(label) else None
        if meant is None and added is not None:
            edits.append(Edit(Kind.PORT_ADDED, (at[0], label), added, f"the image exposes {added}"))
            return fix(case, reason, edits) if wrong == [label] else None
        if meant is None:
            return choose(reason, [f"port {one}" for one in declared] or [f'a port "{label}" in the network block'])
        if meant not in new:
            new.append(meant)
        inside = label.rpartition(":")[2]
        if label != meant and inside.isdigit() and not declared[meant].to:
            edits.append(Edit(Kind.PORT_TO, (at[0], meant), int(inside), f"the driver's `ports` say {label}"))
    edits.append(Edit(Kind.DRIVER_PORTS, at, tuple(new), "labels of the group's network block"))
    return fix(case, reason, edits)


def _meant(label: str, declared: dict[str, Port], published: tuple[str, ...]) -> str | None:
    """The label it resembles; for `8080:80` the one that leads there; the only one that is not published yet."""
    found = near_miss(label, declared)
    if found is not None:
        return found
    inside = label.rpartition(":")[2]
    if inside.isdigit():
        leading = [port.label for port in declared.values() if str(port.inside) == inside]
        if len(leading) == 1:
            return leading[0]
    return next(iter(declared)) if len(declared) == 1 and not declared.keys() & set(published) else None


def _duplicate(case: Case) -> Answer:
    """A label or a static port that is declared twice, where exactly one reading is left."""
    for group in job_parts.groups(case.body):
        if case.diagnosis.group not in ("", job_parts.name(group)):
            continue
        declared = job_parts.ports(group)
        labels = [port.label for port in declared]
        twice = [label for label in dict.fromkeys(labels) if labels.count(label) == 2]
        if len(twice) == 1:
            return _label_twice(case, group, twice[0], labels)
        numbers = [port.static for port in declared if port.static]
        same = [port for port in declared if port.static and numbers.count(port.static) == 2]
        if len(same) == 2:
            return _static_twice(case, group, same)
    return None


def _label_twice(case: Case, group: Part, label: str, labels: list[str]) -> Answer:
    """The second gets the label that is used and not declared, if there is exactly one."""
    used = {one.label for one in job_parts.services(group)} | {one.label for one in job_parts.checks(group)}
    for task in job_parts.tasks(group):
        used |= set(job_parts.driver_ports(task))
    wanted = used - set(labels) - {""}
    reason = f'port "{label}" is declared twice'
    if len(wanted) != 1:
        return choose(reason, ("another label for one of them", "dropping one of them"))
    at = (job_parts.name(group), label)
    return fix(case, reason, (Edit(Kind.PORT_LABEL, at, wanted.pop(), "the label that is used and not declared"),))


def _static_twice(case: Case, group: Part, same: list[Port]) -> Answer:
    """The one that nobody uses becomes a dynamic port."""
    unused = [port for port in same if not job_parts.users_of(port.label, group)]
    reason = f"the static port {same[0].static} is declared twice"
    if len(unused) != 1:
        return choose(reason, [f'another number for port "{port.label}"' for port in same])
    at = (job_parts.name(group), unused[0].label)
    return fix(case, reason, (Edit(Kind.STATIC_PORT, at, None, "nobody uses it: Nomad chooses a free port"),))


def _port_map(case: Case, at: tuple[str, str], mapped: dict[str, int], declared: dict[str, Port]) -> Answer:
    edits = port_map_edits(at, "port_map", mapped, declared)
    reason = "`port_map` cannot map the ports of the group's network"
    return fix(case, reason, edits) if edits else choose(reason, ("`to` in the network block, and `ports`",))


RULES = (
    Rule(name="port-label", classes=(FailureClass.SERVICE_PORT_UNDEFINED,), propose=_undefined),
    Rule(name="port-for-check", classes=(FailureClass.CHECK_PORT_MISSING,), propose=_missing_on_check),
    Rule(name="driver-port-label", classes=(FailureClass.DRIVER_PORT_UNDEFINED,), propose=_driver_label),
    Rule(name="port-twice", classes=(FailureClass.PORT_DUPLICATE,), propose=_duplicate),
)
