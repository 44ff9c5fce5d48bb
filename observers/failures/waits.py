"""Family F: tasks that wait for, or cannot read, what their templates and secrets ask for. Pure.

For five minutes "missing", "denied" and "no vault block" are the same words, `Missing: vault.read(path)`: the job and
what Vault lists tell them apart. Source: measured on Nomad 2.0.5 with OpenBao 2.6.2; consul-template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from desired.cause import Cause
from desired.state import JobBody
from observers.evidence import Cluster, Evidence
from observers.failures import job_words
from observers.failures.failure_class import FailureClass
from observers.failures.near import near
from observers.failures.sighting import Sighting, cut
from observers.failures.timeline import Timeline
from observers.failures.vault_paths import keys_of, plain, version_of, wrong_shape
from observers.running import TaskEvent

PATIENCE = timedelta(seconds=30)

_ASKED = re.compile(r"(?P<kind>vault\.read|vault\.list|vault\.write|kv\.\w+|nomad\.var\.\w+)\((?P<what>[^)]*)\)")
_MORE = re.compile(r", and (?P<more>\d+) more\s*$")
_VARIABLE = re.compile(r"^(?P<path>[^@]+)(?:@(?P<namespace>[^.]+)(?:\.(?P<region>.+))?)?$")
_READS = re.compile(r'\{\{-?\s*with\s+(?:secret|nomadVar)\s+"')
_FIELD = re.compile(r"\.Data(?P<two>\.data)?\.(?P<field>\w+)")


def sightings(evidence: Evidence, line: Timeline, now: datetime) -> Iterator[Sighting]:
    """One for each kind of thing that a pending task waits for, after 30 s or once Nomad has judged it."""
    event, since = line.waiting, line.waiting_since
    if event is None or since is None:
        return
    if now - since < PATIENCE and line.allocation.healthy is not False and not line.unhealthy:
        return
    for failure, facts in _missing(evidence, line, event).items():
        facts["waited_seconds"] = f"{(now - since).total_seconds():.0f}"
        known = bool(facts.get("near") or facts.get("kv_version")) or failure is FailureClass.VAULT_BLOCK_MISSING
        # Without a name that it may have meant it can still appear, and then the task starts by itself.
        yield _sighting(line, event, failure, facts, final=known)


def came_late(evidence: Evidence, line: Timeline) -> Iterator[Sighting]:
    """What it waited for came after Nomad had judged it unhealthy: that is over, and nobody has to do anything."""
    if (event := line.came_late) is None:
        return
    for failure, facts in _missing(evidence, line, event).items():
        late = {**facts, "late": "true"}
        yield _sighting(line, event, failure, late, final=False, cause=Cause.TIME)


def _missing(evidence: Evidence, line: Timeline, event: TaskEvent) -> dict[FailureClass, dict[str, str]]:
    """The facts of each kind of thing that it waits for."""
    task = job_words.task(evidence.body, line.allocation.group, line.task)
    more = _MORE.search(event.message)
    by_class: dict[FailureClass, list[dict[str, str]]] = {}
    for asked in _ASKED.finditer(event.message):
        failure, facts = _one(evidence, line.allocation.group, task, asked["kind"], asked["what"].strip())
        by_class.setdefault(failure, []).append(facts)
    return {
        failure: {**found[0], "paths": ", ".join(one["path"] for one in found), "more": more["more"] if more else ""}
        for failure, found in by_class.items()
    }


def _sighting(
    line: Timeline, event: TaskEvent, failure: FailureClass, facts: Mapping[str, str], *, final: bool,
    cause: Cause | None = None,
) -> Sighting:  # fmt: skip
    return Sighting(
        failure=failure,
        words=cut(event.message),
        at=event.time,
        group=line.allocation.group,
        task=line.task,
        facts={name: value for name, value in facts.items() if value},
        final=final,
        cause=cause,
    )


def _one(evidence: Evidence, group: str, task: JobBody, kind: str, what: str) -> tuple[FailureClass, dict[str, str]]:
    facts = {"path": what}
    cluster = evidence.cluster
    if kind.startswith("vault."):
        facts["destination"] = _destination(task, what)
        return _vault(cluster, group, task, what, facts), facts
    if kind.startswith("kv."):
        facts["path"] = what.split("@")[0]
        facts["destination"] = _destination(task, facts["path"])
        facts["near"] = _near(facts["path"], cluster.consul_keys)
        return FailureClass.CONSUL_KEY_MISSING, facts
    if told := _VARIABLE.match(what):
        facts |= {name: value for name, value in told.groupdict().items() if value}
    facts["destination"] = _destination(task, facts["path"])
    facts["near"] = _near(facts["path"], cluster.variables)
    return FailureClass.VARIABLE_MISSING, facts


def _vault(cluster: Cluster, group: str, task: JobBody, path: str, facts: dict[str, str]) -> FailureClass:
    if not _has_vault(task):
        return FailureClass.VAULT_BLOCK_MISSING
    facts["mount"] = path.split("/")[0]
    facts["kv_version"] = wrong_shape(path, cluster.kv_versions, cluster.secret_paths)
    listed = cluster.secret_paths
    if listed is None:
        return FailureClass.SECRET_MISSING
    known = {plain(one) for one in listed}
    if plain(path) in known and not facts["kv_version"]:
        return FailureClass.SECRET_FORBIDDEN
    if not facts["kv_version"]:
        facts["near"] = ", ".join(near(plain(path), known))
    return FailureClass.SECRET_MISSING


def _has_vault(task: JobBody) -> bool:
    return isinstance(task.get("Vault"), dict)


def _near(name: str, existing: Sequence[str] | None) -> str:
    return "" if existing is None else ", ".join(near(name, existing))


def _destination(task: JobBody, path: str) -> str:
    asking = [
        job_words.text(one, "DestPath")
        for one in job_words.parts(task, "Templates")
        if path and path in job_words.text(one, "EmbeddedTmpl")
    ]
    asking += [
        job_words.named(one)
        for one in job_words.parts(task, "Secrets")
        if path and path.strip("/") in (job_words.text(one, "Path").strip("/"),)
    ]
    return asking[0] if len(asking) == 1 else ""


def after_reading(
    evidence: Evidence, group: str, task: JobBody, failure: FailureClass, facts: dict[str, str]
) -> FailureClass:
    """The class of a template that was read and failed: what the job and the cluster add to the words.

    The facts get where it stands and what is near.
    """
    cluster = evidence.cluster
    path = facts.get("path", "")
    match failure:
        case FailureClass.SECRET_MISSING | FailureClass.SECRET_FORBIDDEN:
            if not _has_vault(task):
                facts["destination"] = _destination(task, path)
                return FailureClass.VAULT_BLOCK_MISSING
            facts |= {"mount": path.split("/")[0], "destination": _destination(task, path)}
            facts["kv_version"] = wrong_shape(path, cluster.kv_versions, cluster.secret_paths)
            if failure is FailureClass.SECRET_MISSING and cluster.secret_paths is not None and not facts["kv_version"]:
                facts["near"] = ", ".join(near(plain(path), {plain(one) for one in cluster.secret_paths}))
        case FailureClass.CONSUL_KEY_MISSING:
            facts |= {"destination": _destination(task, path), "near": _near(path, cluster.consul_keys)}
        case FailureClass.VARIABLE_MISSING:
            facts |= {"destination": _destination(task, path), "near": _near(path, cluster.variables)}
        case FailureClass.SECRET_FIELD_MISSING:
            _field(cluster, task, facts)
        case FailureClass.TEMPLATE_ENV_BAD:
            facts["destination"] = _by_file(task, facts.get("file", ""))
        case FailureClass.TEMPLATE_SYNTAX | FailureClass.TEMPLATE_EXECUTION | FailureClass.TEMPLATE_PATH_ESCAPES:
            naming = facts.get("function") or facts.get("expression") or ""
            facts["destination"] = _with_text(task, naming)
        case _:
            pass
    return failure


def _around(template: str, expression: str) -> str:
    """The one block that the expression stands in, where it stands once in the template; else the whole of it."""
    before, _, after = template.partition(expression)
    opened = list(_READS.finditer(before))
    return template if expression in after or not opened else before[opened[-1].start() :].partition("{{ end")[0]


def _field(cluster: Cluster, task: JobBody, facts: dict[str, str]) -> None:
    """Where the field is read from, and which fields there are, as far as one template says it."""
    expression = facts.get("expression", "")
    asking = [
        one
        for one in job_words.parts(task, "Templates")
        if expression and expression in job_words.text(one, "EmbeddedTmpl")
    ]
    facts["source"] = "other"
    if len(asking) != 1:
        return
    template = job_words.text(asking[0], "EmbeddedTmpl")
    facts["destination"] = job_words.text(asking[0], "DestPath")
    read = _around(template, expression)
    secrets = set(re.findall(r'\bsecret\s+"([^"]+)"', read))
    variables = set(re.findall(r'\bnomadVar\s+"([^"]+)"', read))
    if len(secrets) == 1 and not variables:
        path = secrets.pop()
        facts |= {"source": "vault", "path": path}
        version = version_of(path, cluster.kv_versions)
        shape = _FIELD.search(expression)
        if version is not None and shape is not None and (version == 2) != bool(shape["two"]):
            facts["kv_version"] = str(version)
        keys = keys_of(path, cluster.secret_keys)
        facts["near"] = _near(facts.get("field", ""), keys)
    elif len(variables) == 1 and not secrets:
        path = variables.pop()
        facts |= {"source": "variable", "path": path}
        facts["near"] = _near(facts.get("field", ""), cluster.variable_keys.get(path))


def _by_file(task: JobBody, file: str) -> str:
    """The template whose destination ends the path of a rendered file."""
    found = [job_words.text(one, "DestPath") for one in job_words.parts(task, "Templates")]
    fitting = [one for one in found if one and file.endswith("/" + one.removeprefix("${NOMAD_TASK_DIR}/").lstrip("/"))]
    env = [job_words.text(one, "DestPath") for one in job_words.parts(task, "Templates") if one.get("Envvars") is True]
    return fitting[0] if len(fitting) == 1 else env[0] if len(env) == 1 else ""


def _with_text(task: JobBody, naming: str) -> str:
    templates = job_words.parts(task, "Templates")
    fitting = [one for one in templates if naming and naming in job_words.text(one, "EmbeddedTmpl")]
    fitting = fitting or (templates if len(templates) == 1 else [])
    return job_words.text(fitting[0], "DestPath") if len(fitting) == 1 else ""


def add_roles(evidence: Evidence, task: JobBody, facts: dict[str, str]) -> None:
    role = job_words.text(job_words.block(task, "Vault"), "Role")
    facts.setdefault("role", role)
    if "could not be found" in facts.get("problem", ""):
        facts["near"] = _near(facts["role"], evidence.cluster.vault_roles)
