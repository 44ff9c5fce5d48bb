"""One row for each kind of operation: what it addresses, where its value stands, what it may be, how risky it is.

Everything else about operations (applying, editing files, words, JSON) reads it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from desired.operations.operation import Kind, Value


class Tier(StrEnum):
    """How risky a kind is by itself. What breaks an invariant is never done, whatever its kind: the guard knows."""

    AUTO = "auto"
    APPROVE = "approve"


class Scope(StrEnum):
    """What an address names. The value's path begins there."""

    JOB = "job"
    GROUP = "group"
    TASK = "task"
    PORT = "port"  # group/label
    SERVICE = "service"  # group/[task/]service
    CHECK = "check"  # group/[task/]service/check
    CONSTRAINT = "constraint"  # [group/[task/]]attribute
    ENTRY = "entry"  # group/task/name: an entry of the map that the path names
    TEMPLATE = "template"  # group/task/destination
    SECRET = "secret"  # group/task/name of a `secret` block  # noqa: S105


class How(StrEnum):
    """What applying does at the place."""

    VALUE = "value"  # sets it
    FRAGMENT = "fragment"  # replaces each occurrence of a piece of text
    RENAME = "rename"  # the address's last part itself changes
    STATIC = "static"  # a port becomes a static or a dynamic one
    PRESENCE = "presence"  # a whole block comes or goes
    DELIMITERS = "delimiters"  # two texts, told as one


class Type(StrEnum):
    WHOLE = "whole number"
    FLAG = "true or false"
    TEXT = "text"
    TEXTS = "list of texts"
    ANY = "value"


class Unit(StrEnum):
    NONE = ""
    MB = "MB"
    MHZ = "MHz"
    NANOSECONDS = "ns"


@dataclass(frozen=True, slots=True)
class Row:
    """`path` are keys of the API's JSON, from what the address names.

    `default` is what Nomad does where nothing is set, by job type where it depends on it (`""` for any other).
    `inherited` is where the job's own block stands that a group without one takes the value from. `blank` are values
    that mean the same as none.
    """

    kind: Kind
    scope: Scope
    path: tuple[str, ...]
    type: Type
    tier: Tier
    reads: str
    unit: Unit = Unit.NONE
    how: How = How.VALUE
    default: Value | Mapping[str, Value] = None
    inherited: tuple[str, ...] = ()
    blank: tuple[Value, ...] = ()

    def default_for(self, job_type: str) -> Value:
        if isinstance(self.default, Mapping):
            return self.default.get(job_type, self.default.get(""))
        return self.default


# How many parts an address has.
LENGTHS: Mapping[Scope, tuple[int, ...]] = {
    Scope.JOB: (0,),
    Scope.GROUP: (1,),
    Scope.TASK: (2,),
    Scope.PORT: (2,),
    Scope.SERVICE: (2, 3),
    Scope.CHECK: (3, 4),
    Scope.CONSTRAINT: (1, 2, 3),
    Scope.ENTRY: (3,),
    Scope.TEMPLATE: (3,),
    Scope.SECRET: (3,),
}

_S = 10**9
_M = 60 * _S
_H = 60 * _M
_AUTO, _APPROVE = Tier.AUTO, Tier.APPROVE


def _size(
    kind: Kind, scope: Scope, path: tuple[str, ...], reads: str, unit: Unit = Unit.NONE, default: Value = None
) -> Row:
    return Row(kind, scope, path, Type.WHOLE, _AUTO, reads, unit, default=default)


def _check(kind: Kind, key: str, reads: str, default: Value = None) -> Row:
    return Row(kind, Scope.CHECK, (key,), Type.TEXT, _AUTO, reads, default=default, blank=("",))


def _time(
    kind: Kind, scope: Scope, path: tuple[str, ...], reads: str, default: Value | Mapping[str, Value] = None
) -> Row:
    inherited = {"Update": "Update", "ReschedulePolicy": "Reschedule"}.get(path[0])
    above = (inherited, *path[1:]) if inherited else ()
    blank = (0,) if scope is Scope.CHECK and len(path) == 1 else ()
    return Row(
        kind, scope, path, Type.WHOLE, _AUTO, reads, Unit.NANOSECONDS, default=default, inherited=above, blank=blank
    )


def _policy(kind: Kind, path: tuple[str, ...], type: Type, reads: str, default: Mapping[str, Value]) -> Row:
    inherited = ("Reschedule", *path[1:]) if path[0] == "ReschedulePolicy" else ()
    return Row(kind, Scope.GROUP, path, type, _AUTO, reads, default=default, inherited=inherited)


def _config(kind: Kind, key: str, type: Type, reads: str, tier: Tier = _APPROVE) -> Row:
    return Row(kind, Scope.TASK, ("Config", key), type, tier, reads)


def _template(kind: Kind, reads: str, tier: Tier) -> Row:
    return Row(kind, Scope.TEMPLATE, ("EmbeddedTmpl",), Type.TEXT, tier, reads, how=How.FRAGMENT)


# Source of every default: api/tasks.go, api/jobs.go, api/resources.go and api/services.go of Nomad 2.0.
_ROWS = (
    _size(Kind.MEMORY, Scope.TASK, ("Resources", "MemoryMB"), "memory", Unit.MB, 300),
    Row(
        Kind.MEMORY_MAX, Scope.TASK, ("Resources", "MemoryMaxMB"), Type.WHOLE, _AUTO, "memory_max", Unit.MB, blank=(0,)
    ),
    _size(Kind.CPU, Scope.TASK, ("Resources", "CPU"), "cpu", Unit.MHZ, 100),
    Row(Kind.CORES, Scope.TASK, ("Resources", "Cores"), Type.WHOLE, _AUTO, "cores", blank=(0,)),
    _size(Kind.DISK, Scope.GROUP, ("EphemeralDisk", "SizeMB"), "disk", Unit.MB, 300),
    _size(Kind.LOG_FILES, Scope.TASK, ("LogConfig", "MaxFiles"), "log files", default=10),
    _size(Kind.LOG_FILE_SIZE, Scope.TASK, ("LogConfig", "MaxFileSizeMB"), "log file size", Unit.MB, 10),
    Row(Kind.DATACENTERS, Scope.JOB, ("Datacenters",), Type.TEXTS, _AUTO, "datacenters", default=("*",)),
    Row(Kind.NODE_POOL, Scope.JOB, ("NodePool",), Type.TEXT, _AUTO, "node pool", default="default", blank=("",)),
    Row(Kind.CONSTRAINT_VALUE, Scope.CONSTRAINT, ("RTarget",), Type.TEXT, _AUTO, "constraint"),
    Row(Kind.CONSTRAINT_REMOVAL, Scope.CONSTRAINT, (), Type.TEXT, _APPROVE, "constraint", how=How.PRESENCE),
    Row(Kind.DRIVER, Scope.TASK, ("Driver",), Type.TEXT, _APPROVE, "driver"),
    Row(Kind.STATIC_PORT, Scope.PORT, ("Value",), Type.WHOLE, _APPROVE, "static port", how=How.STATIC, blank=(0,)),
    Row(Kind.PORT_TO, Scope.PORT, ("To",), Type.WHOLE, _AUTO, "inner port", blank=(0,)),
    Row(Kind.PORT_LABEL, Scope.PORT, ("Label",), Type.TEXT, _AUTO, "port label", how=How.RENAME),
    Row(Kind.PORT_ADDED, Scope.PORT, ("To",), Type.WHOLE, _AUTO, "port", how=How.PRESENCE),
    Row(Kind.NETWORK_MODE, Scope.GROUP, ("Networks", "Mode"), Type.TEXT, _APPROVE, "network mode", blank=("",)),
    Row(Kind.SERVICE_PORT, Scope.SERVICE, ("PortLabel",), Type.TEXT, _AUTO, "port of service", blank=("",)),
    Row(
        Kind.SERVICE_PROVIDER,
        Scope.SERVICE,
        ("Provider",),
        Type.TEXT,
        _APPROVE,
        "provider of service",
        default="consul",
        blank=("",),
    ),
    _check(Kind.CHECK_PORT, "PortLabel", "port of check"),
    _check(Kind.CHECK_PATH, "Path", "path of check"),
    _check(Kind.CHECK_TYPE, "Type", "type of check"),
    _check(Kind.CHECK_PROTOCOL, "Protocol", "protocol of check", "http"),
    _check(Kind.CHECK_METHOD, "Method", "method of check", "GET"),
    Row(Kind.CHECK_NAME, Scope.CHECK, ("Name",), Type.TEXT, _AUTO, "name of check", how=How.RENAME),
    _time(Kind.CHECK_INTERVAL, Scope.CHECK, ("Interval",), "interval of check"),
    _time(Kind.CHECK_TIMEOUT, Scope.CHECK, ("Timeout",), "timeout of check"),
    _time(Kind.CHECK_GRACE, Scope.CHECK, ("CheckRestart", "Grace"), "grace of check", _S),
    _time(Kind.MIN_HEALTHY_TIME, Scope.GROUP, ("Update", "MinHealthyTime"), "min_healthy_time", 10 * _S),
    _time(Kind.HEALTHY_DEADLINE, Scope.GROUP, ("Update", "HealthyDeadline"), "healthy_deadline", 5 * _M),
    _time(Kind.PROGRESS_DEADLINE, Scope.GROUP, ("Update", "ProgressDeadline"), "progress_deadline", 10 * _M),
    _policy(
        Kind.RESTART_ATTEMPTS,
        ("RestartPolicy", "Attempts"),
        Type.WHOLE,
        "restart attempts",
        {"service": 2, "system": 2, "": 3},
    ),
    _time(Kind.RESTART_DELAY, Scope.GROUP, ("RestartPolicy", "Delay"), "restart delay", 15 * _S),
    _time(
        Kind.RESTART_INTERVAL,
        Scope.GROUP,
        ("RestartPolicy", "Interval"),
        "restart interval",
        {"service": 30 * _M, "system": 30 * _M, "": 24 * _H},
    ),
    _policy(Kind.RESTART_MODE, ("RestartPolicy", "Mode"), Type.TEXT, "restart mode", {"": "fail"}),
    _policy(
        Kind.RESCHEDULE_ATTEMPTS,
        ("ReschedulePolicy", "Attempts"),
        Type.WHOLE,
        "reschedule attempts",
        {"batch": 1, "": 0},
    ),
    _time(
        Kind.RESCHEDULE_INTERVAL,
        Scope.GROUP,
        ("ReschedulePolicy", "Interval"),
        "reschedule interval",
        {"batch": 24 * _H, "": 0},
    ),
    _time(
        Kind.RESCHEDULE_DELAY,
        Scope.GROUP,
        ("ReschedulePolicy", "Delay"),
        "reschedule delay",
        {"service": 30 * _S, "batch": 5 * _S, "": 0},
    ),
    _time(
        Kind.RESCHEDULE_MAX_DELAY,
        Scope.GROUP,
        ("ReschedulePolicy", "MaxDelay"),
        "reschedule max_delay",
        {"service": _H, "": 0},
    ),
    _policy(
        Kind.RESCHEDULE_UNLIMITED,
        ("ReschedulePolicy", "Unlimited"),
        Type.FLAG,
        "reschedule unlimited",
        {"service": True, "": False},
    ),
    _config(Kind.IMAGE, "image", Type.TEXT, "image"),
    _config(Kind.COMMAND, "command", Type.TEXT, "command"),
    _config(Kind.ARGS, "args", Type.TEXTS, "args"),
    _config(Kind.ENTRYPOINT, "entrypoint", Type.TEXTS, "entrypoint"),
    _config(Kind.WORK_DIR, "work_dir", Type.TEXT, "work_dir"),
    Row(Kind.DRIVER_KEY, Scope.ENTRY, ("Config",), Type.TEXT, _AUTO, "driver key", how=How.RENAME),
    Row(Kind.DRIVER_VALUE, Scope.ENTRY, ("Config",), Type.ANY, _APPROVE, "driver value"),
    _config(Kind.DRIVER_PORTS, "ports", Type.TEXTS, "driver ports", _AUTO),
    Row(Kind.ENV, Scope.ENTRY, ("Env",), Type.TEXT, _APPROVE, "env"),
    _template(Kind.TEMPLATE_SYNTAX, "template", _AUTO),
    _template(Kind.TEMPLATE_KEY, "key in template", _APPROVE),
    _template(Kind.KV_SHAPE, "KV path in template", _AUTO),
    _template(Kind.SECRET_PATH, "secret path in template", _APPROVE),
    Row(
        Kind.TEMPLATE_DELIMITERS,
        Scope.TEMPLATE,
        ("LeftDelim", "RightDelim"),
        Type.TEXT,
        _AUTO,
        "delimiters of template",
        how=How.DELIMITERS,
        default="{{ }}",
    ),
    Row(Kind.TEMPLATE_ENV, Scope.TEMPLATE, ("Envvars",), Type.FLAG, _APPROVE, "env flag of template", default=False),
    Row(
        Kind.SECRET_ENGINE,
        Scope.SECRET,
        ("Config", "engine"),
        Type.TEXT,
        _AUTO,
        "engine of secret",
        default="kv",
        blank=("",),
    ),
    Row(Kind.VAULT_ROLE, Scope.TASK, ("Vault", "Role"), Type.TEXT, _APPROVE, "Vault role", blank=("",)),
    Row(Kind.VAULT_ADDED, Scope.TASK, ("Vault",), Type.TEXT, _APPROVE, "Vault block", how=How.PRESENCE),
)

ROWS: Mapping[Kind, Row] = {each.kind: each for each in _ROWS}


def row(kind: Kind) -> Row:
    """Every kind has one."""
    return ROWS[kind]


def fits(row: Row, value: Value) -> bool:
    """Whether an operation of this kind may have the value, by its type alone; None always may be."""
    match row.type:
        case _ if value is None:
            return True
        case Type.WHOLE:
            return isinstance(value, int) and not isinstance(value, bool)
        case Type.FLAG:
            return isinstance(value, bool)
        case Type.TEXT:
            return isinstance(value, str)
        case Type.TEXTS:
            return isinstance(value, tuple)
    return True


def fits_address(row: Row, at: tuple[str, ...]) -> bool:
    """Whether an address has as many parts as the kind's addresses have."""
    return len(at) in LENGTHS[row.scope]
