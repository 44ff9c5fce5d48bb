"""Families A, B and what hooks say: tasks that ended before they ran, from the words of drivers and hooks. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from desired.state import JobBody
from observers.evidence import Evidence
from observers.failures import driver_keys, job_words, waits
from observers.failures.failure_class import FailureClass
from observers.failures.row import Where
from observers.failures.sighting import Sighting, cut, read
from observers.failures.timeline import End, Timeline
from observers.nomad.multierror import items

_HEADING = "failed to parse config:"


def sightings(evidence: Evidence, line: Timeline) -> Iterator[Sighting]:
    """One for each mistake of each attempt that did not come to run."""
    for end in line.ends:
        if end.where is Where.EXIT:
            continue
        for said in _mistakes(end):
            found = read(end.where, said)
            if found is None:
                continue
            row, facts = found
            yield _sighting(evidence, line, end, row.failure, facts, said)


def _mistakes(end: End) -> tuple[str, ...]:
    """The driver's config is refused with all its mistakes at once; every other text is one."""
    if end.where is not Where.VALIDATION:
        return (end.said.strip(),)
    found = tuple(one for one in items(end.said.strip()) if one.strip().rstrip(":") != _HEADING.rstrip(":"))
    return tuple(" ".join(one.split()) for one in found) or (end.said,)


def _sighting(
    evidence: Evidence, line: Timeline, end: End, failure: FailureClass, facts: dict[str, str], said: str
) -> Sighting:
    group, task_name = line.allocation.group, line.task
    task = job_words.task(evidence.body, group, task_name)
    if end.where in (Where.KILLING, Where.HOOK):
        failure = waits.after_reading(evidence, group, task, failure, facts)
    _complete(evidence, line, task, failure, facts)
    port = facts.get("label", "")
    unrecoverable = "unrecoverable" in line.gave_up and end is line.ends[-1]
    return Sighting(
        failure=failure,
        words=cut(said),
        at=end.event.time,
        group=group,
        # The hooks of an allocation run before its tasks: what they say is nobody's.
        task="" if end.where is Where.SETUP else task_name,
        service=facts.get("service", ""),
        check=facts.get("check", ""),
        port=port,
        facts={name: value for name, value in facts.items() if value},
        again=":".join(facts.get(name, "") for name in ("image", "key", "command", "path", "field", "url", "variable")),
        final=True if unrecoverable and failure is not FailureClass.CONTAINER_START_FAILED else None,
    )


def _complete(evidence: Evidence, line: Timeline, task: JobBody, failure: FailureClass, facts: dict[str, str]) -> None:
    config = job_words.block(task, "Config")
    group = job_words.group(evidence.body, line.allocation.group)
    match failure:
        case (
            FailureClass.IMAGE_TAG_MISSING
            | FailureClass.IMAGE_REPOSITORY_MISSING
            | FailureClass.IMAGE_UNAUTHORIZED
            | FailureClass.IMAGE_RATE_LIMITED
            | FailureClass.IMAGE_PLATFORM_WRONG
            | FailureClass.IMAGE_PULL_SLOW
            | FailureClass.IMAGE_REFERENCE_BAD
            | FailureClass.REGISTRY_UNREACHABLE
            | FailureClass.REGISTRY_UNKNOWN
        ):
            _image(failure, config, facts)
        case FailureClass.DRIVER_KEY_UNKNOWN:
            key = facts.get("key", "")
            facts["driver"] = job_words.text(task, "Driver")
            if facts["driver"] == "docker":
                facts |= {"suggestion": driver_keys.suggestion(key), "elsewhere": driver_keys.elsewhere(key)}
        case FailureClass.DRIVER_VARIABLE_UNKNOWN:
            name = facts.get("variable", "")
            naming = [
                key for key, value in config.items() if any(f"${{{name}" in one for one in job_words.leaves(value))
            ]
            facts |= {"key": naming[0]} if len(naming) == 1 else {}
        case FailureClass.DRIVER_LIMIT:
            if floor := facts.pop("floor", ""):
                facts["minimum"] = str(int(floor) + 1)
        case FailureClass.COMMAND_NOT_FOUND | FailureClass.COMMAND_NOT_EXECUTABLE | FailureClass.WORK_DIR_INVALID:
            facts.setdefault("path" if failure is FailureClass.WORK_DIR_INVALID else "command", "")
            if failure is FailureClass.WORK_DIR_INVALID:
                facts["path"] = facts["path"] or job_words.text(config, "work_dir") or job_words.text(task, "WorkDir")
            elif image := evidence.images.get(job_words.text(config, "image")):
                facts["entrypoint"] = " ".join(image.entrypoint + image.command)
        case FailureClass.DRIVER_PORT_UNDEFINED | FailureClass.SERVICE_PORT_UNDEFINED | FailureClass.CHECK_PORT_MISSING:
            facts |= job_words.labels(group, facts.get("label", ""))
        case FailureClass.CNI_MISSING:
            networks = job_words.parts(group, "Networks")
            facts["mode"] = job_words.text(networks[0], "Mode") if networks else ""
        case FailureClass.DRIVER_DOWN:
            facts["driver"] = job_words.text(task, "Driver")
        case FailureClass.TASK_DISK_FULL:
            facts["asked"] = str(job_words.number(job_words.block(group, "EphemeralDisk"), "SizeMB"))
        case FailureClass.VAULT_ROLE_REFUSED:
            waits.add_roles(evidence, task, facts)
        case _:
            pass
    facts.pop("file", None)
    if failure in _ON_A_NODE:
        facts["node"] = line.allocation.node_name


_ON_A_NODE = frozenset(
    {
        FailureClass.NODE_DISK_FULL,
        FailureClass.DRIVER_DOWN,
        FailureClass.CONTAINER_NAME_TAKEN,
        FailureClass.HOST_PORT_IN_USE,
        FailureClass.DRIVER_NETWORK_MISSING,
    }
)


def _image(failure: FailureClass, config: JobBody, facts: dict[str, str]) -> None:
    image = facts.get("image") or job_words.text(config, "image")
    facts["image"] = image
    first, slash, _ = image.partition("/")
    hosted = slash and ("." in first or ":" in first or first == "localhost")
    facts["registry"] = first if hosted else "docker.io"
    name = image.split("@")[0]
    tail = name.rpartition("/")[2]
    tag = tail.partition(":")[2]
    if failure in (FailureClass.IMAGE_TAG_MISSING, FailureClass.IMAGE_REPOSITORY_MISSING):
        facts["repository"] = name.removesuffix(f":{tag}") if tag else name
    if failure is FailureClass.IMAGE_TAG_MISSING:
        facts["tag"] = image.partition("@")[2] or tag or "latest"
    if failure is FailureClass.IMAGE_PULL_SLOW:
        facts["timeout"] = job_words.text(config, "image_pull_timeout") or "5m"
