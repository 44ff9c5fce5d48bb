"""Ports: labels that are not declared, ports that the image names, static ports that are taken."""

from __future__ import annotations

from desired.operations.operation import Kind
from observers.evidence import ImageFacts
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import Part, Port
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix

_HIGHEST = 65535
# Below it a port is a promise to somebody outside: 22, 53, 80, 443 are looked for by number.
_WELL_KNOWN = 1024
_DOCKER = ("docker", "podman")


def image_of(case: Case, task: Part) -> ImageFacts | None:
    """What is known of a task's image, None where nobody could be asked."""
    return case.evidence.images.get(str(job_parts.config(task).get("image") or ""))


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
        return fix(
            case, reason, [Edit(kind, at, meant, f"the label that is spelt almost so: {meant}") for kind, at in users]
        )
    unused = [port.label for port in declared if not _label_users(group, port.label)]
    if len(declared) == 1 and unused:
        return fix(
            case, reason, [Edit(kind, at, unused[0], "the only port there is, which nobody uses") for kind, at in users]
        )
    added = _added(case, group, wanted, declared)
    if added is not None:
        return fix(case, reason, added)
    return choose(reason, [*(f"port {port.label}" for port in declared), f'a new port "{wanted}"'])


def _label_users(group: Part, label: str) -> list[tuple[Kind, tuple[str, ...]]]:
    found = [(Kind.SERVICE_PORT, one.at) for one in job_parts.services(group) if one.label == label]
    found += [(Kind.CHECK_PORT, one.at) for one in job_parts.checks(group) if one.part.get("PortLabel") == label]
    return found


def _added(case: Case, group: Part, label: str, declared: list[Port]) -> list[Edit] | None:
    """A new port for the label: only where one image names exactly one port that no label leads to yet."""
    docker = [task for task in job_parts.tasks(group) if task.get("Driver") in _DOCKER]
    if len(docker) != 1:
        return None
    (task,) = docker
    facts = image_of(case, task)
    free = set(() if facts is None else facts.ports) - {port.to or port.static for port in declared}
    if len(free) != 1:
        return None
    (inside,) = free
    edits = [Edit(Kind.PORT_ADDED, (job_parts.name(group), label), inside, f"the image exposes {inside}")]
    published = job_parts.driver_ports(task)
    if job_parts.mode(group) in ("", "host") and label not in published:
        edits.append(
            Edit(Kind.DRIVER_PORTS, job_parts.address(group, task), (*published, label), f"the new label {label}")
        )
    return edits


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
        leading = [port.label for port in declared.values() if str(port.to or port.static) == inside]
        if len(leading) == 1:
            return leading[0]
    return next(iter(declared)) if len(declared) == 1 and not declared.keys() & set(published) else None


def mapping(value: object) -> dict[str, int]:
    """A block of the driver's config as the API has it (a list of one map), or a map; only labels with numbers."""
    parts = value if isinstance(value, list | tuple) else [value]
    found: dict[str, int] = {}
    for part in parts:
        if not isinstance(part, dict):
            return {}
        for label, number in part.items():
            if not str(number).isdigit():
                return {}
            found[str(label)] = int(number)
    return found


def _port_map(case: Case, at: tuple[str, str], mapped: dict[str, int], declared: dict[str, Port]) -> Answer:
    edits = port_map_edits(at, "port_map", mapped, declared)
    reason = "`port_map` cannot map the ports of the group's network"
    return fix(case, reason, edits) if edits else choose(reason, ("`to` in the network block, and `ports`",))


def port_map_edits(at: tuple[str, str], key: str, mapped: dict[str, int], declared: dict[str, Port]) -> list[Edit]:
    """`port_map { http = 80 }` as `port "http" { to = 80 }` and `ports = ["http"]`; empty where labels do not match."""
    if not mapped or any(label not in declared or declared[label].to not in (0, to) for label, to in mapped.items()):
        return []
    return [
        *(Edit(Kind.PORT_TO, (at[0], label), to, f"`{key}` says {to}") for label, to in mapped.items()),
        Edit(Kind.DRIVER_KEY, (*at, key), None, "its values moved to `to` and `ports`"),
        Edit(Kind.DRIVER_PORTS, at, tuple(mapped), f"the labels of `{key}`"),
    ]


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
    leading = [port.label for port in job_parts.ports(group) if str(port.to or port.static) == number]
    if len(above) != 1 or len(told) != 1 or not leading:
        return None
    at = job_parts.address(group, task)
    ground = f"the image exposes {above[0]}"
    edits = [Edit(Kind.ENV, (*at, told[0]), str(above[0]), ground)]
    edits += [Edit(Kind.PORT_TO, (at[0], label), above[0], ground) for label in leading]
    return fix(case, f"{at[1]} may not listen on port {number}", edits)


RULES = (
    Rule(name="port-label", classes=(FailureClass.SERVICE_PORT_UNDEFINED,), propose=_undefined),
    Rule(name="port-for-check", classes=(FailureClass.CHECK_PORT_MISSING,), propose=_missing_on_check),
    Rule(name="driver-port-label", classes=(FailureClass.DRIVER_PORT_UNDEFINED,), propose=_driver_label),
    Rule(name="static-port", classes=(FailureClass.STATIC_PORT_TAKEN, FailureClass.HOST_PORT_IN_USE), propose=_taken),
    Rule(name="port-number", classes=(FailureClass.PORT_INVALID,), propose=_invalid),
    Rule(name="privileged-port", classes=(FailureClass.CRASH_PORT_PRIVILEGED,), propose=_privileged),
)
