"""What a rung that is no rule may do less than one: a model may have been talked to by whoever writes a log. Pure.

A rule is code, and answers only where the evidence determines the value. Whoever else proposes may pick any value that
the guard can trace, at any address: here that is narrowed to where the failure is, to values that stand somewhere as
they are, and to what takes nothing away that protects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from desired.docker_config import KNOWN_KEYS
from desired.operations.operation import Kind, Operation
from desired.operations.table import Scope, row
from desired.state import JobBody
from observers.failures.failure_class import FailureClass
from reconcilers.repair.invariants import PRIVILEGES, Violation
from reconcilers.repair.origins import labels, only_telemetry, texts
from reconcilers.repair.pieces import pieces
from reconcilers.repair.proposal import Case, Proposal, Rung
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.untrusted_templates import new_reads, only_a_name, same_words

UNTRUSTED = frozenset({Rung.MEMORY, Rung.MODEL})

_OF_A_TASK = frozenset({Scope.TASK, Scope.ENTRY, Scope.TEMPLATE, Scope.SECRET})
_SHRINKING = frozenset({Kind.MEMORY, Kind.MEMORY_MAX, Kind.CPU, Kind.CORES, Kind.DISK})
_ROOM: Mapping[Kind, str] = {
    Kind.MEMORY: "memory", Kind.MEMORY_MAX: "memory", Kind.CPU: "cpu", Kind.DISK: "disk",
}  # fmt: skip
# Keys that the driver knows and that are the failure's own.
_REFUSED = frozenset(
    {(FailureClass.DRIVER_NETWORK_MISSING, "network_mode"), (FailureClass.DRIVER_PORT_UNDEFINED, "port_map")}
)
_REFERENCE = re.compile(r"\$\{secret\.(\w+)\.\w+\}")
_PARTS = re.compile(r"://|[\s,;=@]|:(?=\d)")
_SCHEMES = frozenset({"http", "https", "tcp", "redis", "amqp", "nats", "postgres", "mysql", "grpc"})


def contained(case: Case, after: JobBody, proposal: Proposal) -> Iterator[Violation]:
    """Nothing for a rung that is trusted."""
    if proposal.rung not in UNTRUSTED:
        return
    for one in proposal.operations:
        yield from (Violation("elsewhere", words) for words in _elsewhere(case, one))
        for invariant, judge in _OF_KIND.get(one.kind, ()):
            yield from (Violation(invariant, f"{one.kind.value} of {one.path}: {words}") for words in judge(case, one))
    yield from new_reads(case, after, proposal)


def to_be_asked(case: Case, proposal: Proposal, widened: frozenset[Kind]) -> str:
    """Why a person has to look, beyond what the kinds themselves ask for; empty where nobody has to."""
    if proposal.rung not in UNTRUSTED:
        return ""
    for one in proposal.operations:
        if one.kind in widened:
            continue
        if one.kind in _SAID and only_telemetry(one, case):
            return f"nothing but what the app says leads to {one.new}: is it?"
        if one.kind is Kind.CONSTRAINT_VALUE and near_miss(str(one.old), [str(one.new)]) is None:
            return f"{one.new} is no other spelling of {one.old}: was it meant?"
    return ""


_SAID = frozenset({Kind.PORT_TO, Kind.PORT_ADDED, Kind.CHECK_PATH})


def _elsewhere(case: Case, one: Operation) -> Iterator[str]:
    """Where the failure is known to be, nothing else is touched."""
    found = case.diagnosis
    if not one.at or row(one.kind).scope is Scope.JOB:
        return
    if found.group and one.at[0] != found.group and row(one.kind).scope is not Scope.CONSTRAINT:
        yield f"{one.path} is not where it fails: group {found.group}"
    elif found.task and row(one.kind).scope in _OF_A_TASK and one.at[1] != found.task:
        yield f"{one.path} is not where it fails: task {found.task}"
    elif found.check and row(one.kind).scope is Scope.CHECK and one.at[-1] != found.check:
        yield f"{one.path} is not where it fails: check {found.check}"


# ---- by kind


def _shrunk(case: Case, one: Operation) -> Iterator[str]:
    """Down by half, or to what fits a node: what starves may look as if it were well."""
    if not isinstance(one.new, int) or not isinstance(one.old, int) or isinstance(one.new, bool):
        return
    least = one.old // 2
    nodes = case.evidence.cluster.nodes or ()
    if one.kind in _ROOM and nodes:
        # As many as the group has may have to share one node.
        least = min(least, max(getattr(node, _ROOM[one.kind]) for node in nodes) // (2 * _count(case, one.at[0])))
    if one.new < least and not (one.kind is Kind.RESCHEDULE_ATTEMPTS and one.new == 0):
        yield f"{one.new} is less than half of the {one.old} that were asked for"


def _count(case: Case, name: str) -> int:
    counts = (int(group.get("Count") or 1) for group in case.body.get("TaskGroups") or () if group.get("Name") == name)
    return max(1, *counts, 1)


def _key(case: Case, one: Operation) -> Iterator[str]:
    name = one.at[-1]
    if name in KNOWN_KEYS and (case.diagnosis.failure, name) not in _REFUSED:
        yield "the driver knows this key: it is not what it refuses"
    if one.new in PRIVILEGES:
        yield f"{one.new} opens the host to the container"


def _variable(case: Case, one: Operation) -> Iterator[str]:
    value = "" if one.new is None else str(one.new)
    if value.count("${") > str(one.old or "").count("${"):
        yield "it would read what it did not read"
    if one.new is not None and not re.search(r"\w", value):
        yield "nothing is no value"
    # Of a secret's own block another field: which there are is what Vault lists.
    blocks = set(_REFERENCE.findall(str(one.old or "")))
    yield from _whole(case, _REFERENCE.sub(lambda found: " " if found[1] in blocks else found[0], value))


def _whole(case: Case, value: str) -> Iterator[str]:
    """Every part of the value stands somewhere as it is: words of the job put together anew are another value."""
    cluster = case.evidence.cluster
    known = texts(case.body)
    known += [str(port) for facts in case.evidence.images.values() for port in facts.ports]
    known += [name for keys in cluster.secret_keys.values() for name in keys]
    for part in _PARTS.split(value):
        if part and part not in _SCHEMES and not any(_stands(part, text) for text in known):
            yield f"{part[:60]!r} stands nowhere as it is"


def _stands(part: str, text: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(part)}(?![\w-]|\.\w)", text) is not None


def _command_words(case: Case, one: Operation) -> Iterator[str]:
    known = {piece for text in texts(case.body) for piece in pieces(text)}
    for facts in case.evidence.images.values():
        known |= {*pieces([*facts.entrypoint, *facts.command, facts.working_dir]), *map(str, facts.ports)}
    known |= {part for piece in known for part in _PARTS.split(piece)}
    for piece in pieces(_plain(one.new)):
        escaped = piece.replace("$$", "$")
        if piece not in known and escaped not in known and any(p not in known for p in _PARTS.split(piece) if p):
            yield f"{piece[:60]!r} stands nowhere as it is"


def _value(case: Case, one: Operation) -> Iterator[str]:
    """The same in another shape: pieces that are there stay whole, and no key is made up."""
    if one.at[-1] in PRIVILEGES and one.new in (None, "", (), False):
        yield "what protects the host, or opens it, is not for a repair to take away"
    said = _bare(one.old)
    if one.new is not None and not (_bare(one.new) and _bare(one.new) <= said):
        yield "it is not what stood there, in another shape"


def _bare(value: object) -> set[str]:
    """Without quotes and the escape of a variable."""
    return {re.sub(r"[$'\"]", "", part) for piece in pieces(_plain(value)) for part in piece.split()}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _published(case: Case, one: Operation) -> Iterator[str]:
    new = set(one.new) if isinstance(one.new, tuple) else set()
    declared = {
        port.get("Label")
        for group in case.body.get("TaskGroups") or ()
        if group.get("Name") == one.at[0]
        for network in group.get("Networks") or ()
        for name in ("ReservedPorts", "DynamicPorts")
        for port in network.get(name) or ()
    }
    lost = (set(one.old) if isinstance(one.old, tuple) else set()) & declared - new
    if lost or not new:
        yield f"{', '.join(sorted(map(str, lost))) or 'everything'} would be published no more"


def _label(case: Case, one: Operation) -> Iterator[str]:
    if one.at[-1] not in labels(case.body):
        yield "nothing in the job uses it"


def _path(case: Case, one: Operation) -> Iterator[str]:
    if one.new in ("", "/", None) and one.old not in ("", "/", None):
        yield "whatever answers at all answers there"


_Judge = Callable[[Case, Operation], Iterator[str]]
_OF_KIND: Mapping[Kind, tuple[tuple[str, _Judge], ...]] = {
    **dict.fromkeys(
        (
            *_SHRINKING, Kind.MIN_HEALTHY_TIME, Kind.HEALTHY_DEADLINE,
            Kind.PROGRESS_DEADLINE, Kind.RESTART_DELAY, Kind.RESTART_INTERVAL, Kind.RESTART_ATTEMPTS,
            Kind.RESCHEDULE_ATTEMPTS, Kind.RESCHEDULE_DELAY, Kind.RESCHEDULE_INTERVAL, Kind.RESCHEDULE_MAX_DELAY,
            Kind.CHECK_INTERVAL, Kind.CHECK_TIMEOUT, Kind.CHECK_GRACE,
        ),
        (("bounds", _shrunk),),
    ),
    **dict.fromkeys((Kind.COMMAND, Kind.ARGS, Kind.ENTRYPOINT), (("untraceable", _command_words),)),
    **dict.fromkeys((Kind.TEMPLATE_KEY, Kind.SECRET_PATH, Kind.KV_SHAPE), (("template", only_a_name),)),
    Kind.TEMPLATE_SYNTAX: (("template", same_words),),
    Kind.DRIVER_KEY: (("privilege", _key),),
    Kind.DRIVER_VALUE: (("privilege", _value),),
    Kind.DRIVER_PORTS: (("ports", _published),),
    Kind.PORT_ADDED: (("ports", _label),),
    Kind.CHECK_PATH: (("checks", _path),),
    Kind.ENV: (("environment", _variable),),
}  # fmt: skip
