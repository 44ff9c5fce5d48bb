"""Where a new value comes from, found in the evidence itself: what a proposal says of its own grounds counts nothing.

Only values that the job, the cluster, an image or Nomad's own words hold are traceable, and bounded steps from the old
value. Of what an app or a check says, only a port and a path count, and only for where a check looks. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from desired.docker_config import KNOWN_KEYS
from desired.operations.operation import Kind, Operation, Value
from observers.failures.vault_paths import version_of
from reconcilers.repair.proposal import Case

# Of every script: a word that is none would be a value that nobody need know.
_WORD = re.compile(r"[^\W\d]\w*|\d+")
_NUMBER = re.compile(r"(?<![\d.])\d{1,5}(?![\d.]*\d)")
_PATH = re.compile(r"(?<![\w:/])/[\w./-]*")

# One step may double a number; where the job says none, Nomad's default doubled is as far as it goes (seconds).
_STEP = 2
_DEFAULTS: Mapping[Kind, int] = {
    Kind.MIN_HEALTHY_TIME: 10 * 10**9,
    Kind.HEALTHY_DEADLINE: 300 * 10**9,
    Kind.PROGRESS_DEADLINE: 600 * 10**9,
    Kind.RESTART_ATTEMPTS: 5,
    Kind.RESTART_DELAY: 30 * 10**9,
    Kind.RESTART_INTERVAL: 1800 * 10**9,
    Kind.RESCHEDULE_ATTEMPTS: 5,
    Kind.RESCHEDULE_INTERVAL: 24 * 3600 * 10**9,
    Kind.RESCHEDULE_DELAY: 60 * 10**9,
    Kind.RESCHEDULE_MAX_DELAY: 3600 * 10**9,
    Kind.CHECK_INTERVAL: 30 * 10**9,
    Kind.CHECK_TIMEOUT: 10 * 10**9,
    Kind.CHECK_GRACE: 300 * 10**9,
    Kind.LOG_FILES: 10,
    Kind.LOG_FILE_SIZE: 10,
    Kind.DISK: 300,
    Kind.MEMORY_MAX: 300,
}
# Words of the template language: a repaired template may use them although the broken one did not.
# Source: text/template and consul-template's documented functions.
_TEMPLATE_WORDS = frozenset(
    re.findall(
        r"\w+",
        "end else if range with define template block printf print println quote toJSON parseJSON toLower toUpper "
        "trimSpace trim env key keyOrDefault keyExists secret nomadVar nomadVarExists nomadService service index data "
        "Data replaceAll regexReplaceAll split join base64Encode base64Decode",
    )
)
_SAID_BY_THE_APP = "what the app and its checks say"
_DELIMITERS = frozenset({"{{ }}", "[[ ]]", "<< >>", "(( ))", "{% %}"})
_CLOSED: Mapping[Kind, frozenset[Value]] = {
    Kind.CHECK_TYPE: frozenset({"http", "tcp", "grpc"}),
    Kind.CHECK_PROTOCOL: frozenset({"http", "https"}),
    Kind.CHECK_METHOD: frozenset({"GET", "HEAD"}),
    Kind.SERVICE_PROVIDER: frozenset({"nomad", "consul"}),
    Kind.RESTART_MODE: frozenset({"fail", "delay"}),
    Kind.NETWORK_MODE: frozenset({None, "", "bridge", "none"}),
    Kind.TEMPLATE_DELIMITERS: frozenset(_DELIMITERS),
    Kind.TEMPLATE_ENV: frozenset({True, False}),
    Kind.RESCHEDULE_UNLIMITED: frozenset({True, False}),
    Kind.STATIC_PORT: frozenset({None}),
    Kind.CONSTRAINT_REMOVAL: frozenset({None}),
    Kind.VAULT_ADDED: frozenset({""}),
}


def template_words() -> frozenset[str]:
    return _TEMPLATE_WORDS


def origin_of(one: Operation, case: Case) -> str | None:
    """In a few words; None where nothing holds the new value."""
    if one.kind in _CLOSED:
        return "one of a few" if one.new in _CLOSED[one.kind] else None
    return _ORIGINS[one.kind](one, case)


def _step(one: Operation, case: Case) -> str | None:
    """Up by no more than the step, from the old value or from what was seen in use; down to whatever is left of it."""
    if isinstance(one.new, bool) or not isinstance(one.new, int):
        return None
    old = one.old if isinstance(one.old, int) and not isinstance(one.old, bool) and one.old > 0 else None
    base = old if old is not None else _DEFAULTS.get(one.kind, 0)
    used = case.evidence.usage.get((one.at[0], one.at[1])) if len(one.at) == 2 else None
    if used is not None and one.kind in (Kind.MEMORY, Kind.MEMORY_MAX):
        base = max(base, used.memory)
    if used is not None and one.kind is Kind.CPU:
        base = max(base, used.cpu)
    if case.evidence.refusal and str(one.new) in case.diagnosis.facts.values():
        return "what Nomad asks for"
    if one.kind is Kind.RESCHEDULE_ATTEMPTS and one.new == 0:
        return "no limit of its own"
    base = max(base, _DEFAULTS.get(one.kind, 0) // _STEP, _longest_wait(one, case))
    return "a bounded step" if 0 < one.new <= base * _STEP else None


def _longest_wait(one: Operation, case: Case) -> int:
    """A deadline must be longer than the one that lies within it."""
    if one.kind not in (Kind.HEALTHY_DEADLINE, Kind.PROGRESS_DEADLINE):
        return 0
    groups = [group for group in case.body.get("TaskGroups") or () if group.get("Name") == one.at[0]]
    updates = [case.body.get("Update") or {}, *((group.get("Update") or {}) for group in groups)]
    return max(
        (int(each.get(name) or 0) for each in updates for name in ("MinHealthyTime", "HealthyDeadline")), default=0
    )


def _label(one: Operation, case: Case) -> str | None:
    """A label that the job declares or uses already, or, for one used twice, the same with a number behind."""
    told = one.new if isinstance(one.new, tuple) else (one.new,)
    known = labels(case.body)
    grown = (
        isinstance(one.new, str)
        and isinstance(one.old, str)
        and re.fullmatch(rf"{re.escape(one.old)}[-_]?\d{{1,2}}", one.new)
    )
    return "the job's own labels" if grown or all(label in known for label in told) else None


def _inner_port(one: Operation, case: Case) -> str | None:
    port = one.new
    if port in (None, 0):
        return "the same port"
    if any(port in facts.ports for facts in case.evidence.images.values()):
        return "the image"
    if str(port) in _numbers(texts(case.body)):
        return "the job"
    if str(port) in _numbers(_telemetry(case)):
        return _SAID_BY_THE_APP
    return None


def only_telemetry(one: Operation, case: Case) -> bool:
    """Nothing holds the new value but what the app, or a check of it, says. Where it is read out of that by the
    diagnosis itself, for this very port, it is as good as seen.
    """
    if one.kind is Kind.CHECK_PATH:
        return _path(one, case) is not None and one.new not in {
            path for text in texts(case.body) for path in _PATH.findall(text)
        }
    return _inner_port(one, case) == _SAID_BY_THE_APP and str(one.new) not in case.diagnosis.facts.values()


def _path(one: Operation, case: Case) -> str | None:
    if isinstance(one.old, str) and isinstance(one.new, str) and one.new.startswith("/") and one.old.endswith(one.new):
        return "the old value without what is no path"
    told = {path.rstrip(".,;") for text in (*_telemetry(case), *texts(case.body)) for path in _PATH.findall(text)}
    return "the app or the job" if one.new in told else None


def _name_grown(one: Operation, case: Case) -> str | None:
    if (
        isinstance(one.old, str)
        and isinstance(one.new, str)
        and re.fullmatch(rf"{re.escape(one.old)}[-_ ]?\d{{1,2}}", one.new)
    ):
        return "the old name with a number"
    return None


def _placement(one: Operation, case: Case) -> str | None:
    cluster = case.evidence.cluster
    if cluster.nodes is None and cluster.node_pools is None:
        return None
    offered: set[Value] = set(one.old) if isinstance(one.old, tuple) else set()
    for room in cluster.nodes or ():
        offered |= {room.node.datacenter, room.node.node_pool, room.node_class, room.node.name, room.node.id}
        offered |= {*room.attributes.values(), *room.meta.values(), *room.node.drivers}
    if one.kind is Kind.NODE_POOL:
        offered |= set(cluster.node_pools or ())
    told = one.new if isinstance(one.new, tuple) else (one.new,)
    return "the cluster's nodes" if told and all(value in offered for value in told) else None


def _image(one: Operation, case: Case) -> str | None:
    before = {change.old for change in case.evidence.changes}
    return "the last good version" if one.new in before else None


def _command(one: Operation, case: Case) -> str | None:
    """Taken out, or made of the words that the job and the image say already."""
    if one.new in (None, (), ""):
        return "the image's own"
    if _plain(one.new).replace("$", "") == _plain(one.old).replace("$", ""):
        return "the same, escaped"
    known = set(words_of(texts(case.body)))
    for facts in case.evidence.images.values():
        known |= set(words_of([*facts.entrypoint, *facts.command, facts.working_dir]))
    return "the job and its image" if set(words_of([_plain(one.new)])) <= known else None


def _work_dir(one: Operation, case: Case) -> str | None:
    said = {facts.working_dir for facts in case.evidence.images.values() if facts.working_dir}
    if one.new is None or one.new in said:
        return "the image"
    return "the same, made absolute" if one.new == f"/{one.old}" else None


def _driver_key(one: Operation, case: Case) -> str | None:
    return "a key of the driver" if one.new is None or one.new in KNOWN_KEYS else None


def _reshaped(one: Operation, case: Case) -> str | None:
    """The same words in another type, or labels of the job."""
    if one.new is None or set(words_of([_plain(one.new)])) <= set(words_of([_plain(one.old)])):
        return "the same in another shape"
    if _plain(one.new).replace("$", "") == _plain(one.old).replace("$", ""):
        return "the same, escaped"
    return None


def _env(one: Operation, case: Case) -> str | None:
    known = set(words_of(texts(case.body)))
    for facts in case.evidence.images.values():
        known |= {str(port) for port in facts.ports}
    if 0 < _plain(one.old).count("${secret.") == _plain(one.new).count("${secret."):
        # What is renamed is the field of a secret: Vault lists the names, never the values.
        known |= set(words_of(name for keys in case.evidence.cluster.secret_keys.values() for name in keys))
    return "the job or its image" if one.new is None or set(words_of([_plain(one.new)])) <= known else None


def _template_syntax(one: Operation, case: Case) -> str | None:
    known = set(words_of([_plain(one.old)])) | _TEMPLATE_WORDS
    return "the same words" if set(words_of([_plain(one.new)])) <= known else None


def _template_key(one: Operation, case: Case) -> str | None:
    """Every name that is new stands among the names that the cluster listed."""
    cluster = case.evidence.cluster
    listed = [*(cluster.variables or ()), *(cluster.consul_keys or ())]
    for keys in (*cluster.variable_keys.values(), *cluster.secret_keys.values()):
        listed += keys
    known = set(words_of(listed)) | set(words_of([_plain(one.old)])) | _TEMPLATE_WORDS
    return "names that the cluster lists" if set(words_of([_plain(one.new)])) <= known else None


def _kv_shape(one: Operation, case: Case) -> str | None:
    old, new = _plain(one.old), _plain(one.new)
    for longer, shorter in ((old, new), (new, old)):
        for put in ("data/", "data.", ".data"):
            places = [at.start() for at in re.finditer(re.escape(put), longer)]
            if any(longer[:at] + longer[at + len(put) :] == shorter for at in places):
                return "the shape of the KV version"
    return None


def _secret_path(one: Operation, case: Case) -> str | None:
    told = _plain(one.new).strip("\"'`")
    listed = case.evidence.cluster.secret_paths or ()
    # What a KV v2 mount lists is read with `data/` behind the mount.
    without_data = {told, *(f"{told[: at.start()]}/{told[at.end() :]}" for at in re.finditer("/data/", told))}
    return "a path that Vault lists" if without_data & set(listed) else None


def _secret_engine(one: Operation, case: Case) -> str | None:
    """The version of the store that the block's path lies in, as Vault says it."""
    paths = [
        str(secret.get("Path") or "")
        for group in case.body.get("TaskGroups") or ()
        for task in group.get("Tasks") or ()
        for secret in task.get("Secrets") or ()
        if (group.get("Name"), task.get("Name"), secret.get("Name")) == one.at
    ]
    version = version_of(paths[0].strip("/"), case.evidence.cluster.kv_versions) if len(paths) == 1 else None
    return "the version of the store" if version is not None and one.new == _ENGINES.get(version) else None


_ENGINES = {1: "kv", 2: "kv_v2"}


def _vault_role(one: Operation, case: Case) -> str | None:
    return "a role that Vault lists" if one.new in (case.evidence.cluster.vault_roles or ()) else None


_ORIGINS: Mapping[Kind, Callable[[Operation, Case], str | None]] = {
    **dict.fromkeys(
        (
            Kind.MEMORY, Kind.MEMORY_MAX, Kind.CPU, Kind.CORES, Kind.DISK, Kind.LOG_FILES, Kind.LOG_FILE_SIZE,
            Kind.MIN_HEALTHY_TIME, Kind.HEALTHY_DEADLINE, Kind.PROGRESS_DEADLINE, Kind.RESTART_ATTEMPTS,
            Kind.RESTART_DELAY, Kind.RESTART_INTERVAL, Kind.RESCHEDULE_ATTEMPTS, Kind.RESCHEDULE_INTERVAL,
            Kind.RESCHEDULE_DELAY, Kind.RESCHEDULE_MAX_DELAY, Kind.CHECK_INTERVAL, Kind.CHECK_TIMEOUT, Kind.CHECK_GRACE,
        ),
        _step,
    ),
    **dict.fromkeys((Kind.SERVICE_PORT, Kind.CHECK_PORT, Kind.DRIVER_PORTS, Kind.PORT_LABEL), _label),
    **dict.fromkeys((Kind.PORT_TO, Kind.PORT_ADDED), _inner_port),
    **dict.fromkeys((Kind.DATACENTERS, Kind.NODE_POOL, Kind.CONSTRAINT_VALUE, Kind.DRIVER), _placement),
    **dict.fromkeys((Kind.COMMAND, Kind.ARGS, Kind.ENTRYPOINT), _command),
    Kind.CHECK_PATH: _path,
    Kind.CHECK_NAME: _name_grown,
    Kind.IMAGE: _image,
    Kind.WORK_DIR: _work_dir,
    Kind.DRIVER_KEY: _driver_key,
    Kind.DRIVER_VALUE: _reshaped,
    Kind.ENV: _env,
    Kind.TEMPLATE_SYNTAX: _template_syntax,
    Kind.TEMPLATE_KEY: _template_key,
    Kind.KV_SHAPE: _kv_shape,
    Kind.SECRET_PATH: _secret_path,
    Kind.SECRET_ENGINE: _secret_engine,
    Kind.VAULT_ROLE: _vault_role,
}  # fmt: skip


# ---- what is there to be found


def _telemetry(case: Case) -> list[str]:
    """What the app and the checks of it said: untrusted."""
    return [
        *(tail.text for tail in case.evidence.logs),
        *(check.output for check in case.evidence.checks or ()),
        *case.diagnosis.facts.values(),
    ]


def texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for key, item in value.items() for text in (str(key), *texts(item))]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item)]
    return [] if value is None else [str(value)]


def _numbers(texts: Iterable[str]) -> set[str]:
    return {number for text in texts for number in _NUMBER.findall(text)}


def words_of(texts: Iterable[str]) -> list[str]:
    return [word for text in texts for word in _WORD.findall(text)]


def labels(body: Mapping[str, Any]) -> set[Value]:
    found: set[Value] = set()
    for group in body.get("TaskGroups") or ():
        for network in group.get("Networks") or ():
            for name in ("ReservedPorts", "DynamicPorts"):
                found |= {port.get("Label") for port in network.get(name) or ()}
        services = list(group.get("Services") or ())
        for task in group.get("Tasks") or ():
            services += task.get("Services") or ()
            ports = (task.get("Config") or {}).get("ports") or ()
            found |= set(ports if isinstance(ports, list | tuple) else (str(ports),))
        for service in services:
            found |= {service.get("PortLabel"), *(check.get("PortLabel") for check in service.get("Checks") or ())}
    return found - {None, ""}


def _plain(value: Value) -> str:
    return " ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
