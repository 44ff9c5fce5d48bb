"""What a model is shown of a failure: what happened, the job by its addresses, what the cluster has. Pure.

All of it has been redacted, or is here. What apps, checks and servers said stands between marks that they cannot know:
it is data, whatever it asks for. Everything is bounded: how long a question is nobody else decides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from desired.operations.apply import PreconditionGone, current
from desired.operations.operation import Kind, Operation, Value
from desired.operations.table import How, Unit, row
from desired.operations.words import line
from observers.evidence import Evidence
from observers.evidence_words import told_lines
from reconcilers.repair.addresses import Address, addresses
from reconcilers.repair.proposal import Case
from reconcilers.repair.settings_named import settings_named

Hide = Callable[[str], str]

_LINES = 40
_LOG = 4_000
_JOB = 8_000
_CLUSTER = 3_000
_PLACES = 12_000
_VALUE = 200
_MOST_NAMES = 60


def variables(
    case: Case, kinds: Sequence[Kind], *, hide: Hide, recalled: Sequence[str], refused: Sequence[str]
) -> dict[str, str]:
    """The values of the prompt `repair`. `recalled` are earlier fixes, `refused` answers of this climb, in words."""
    found = case.diagnosis
    told = "\n".join(told_lines(case.evidence, limit=_LINES))
    logs = "\n".join(f"[{tail.task} {tail.stream}]\n{tail.text[-_LOG:]}" for tail in case.evidence.logs[:4])
    # What was read out of a log, came of a try, or is called so by whoever may write to Consul, is theirs as well.
    theirs = {
        "facts": _listed(f"{name}: {hide(value)}" for name, value in found.facts.items()),
        "evidence": f"{hide(told)}\n\n{hide(logs)}",
        "cluster": _cut(_listed(_cluster(case.evidence, hide)), _CLUSTER),
        "recalled": _listed(hide(one) for one in recalled[:5]),
        "tried": _listed([*_tried(case, hide), *refused][-6:]),
    }
    # Whoever wrote a line of it does not know the rest.
    mark = hashlib.sha256("\0".join((*theirs.values(), case.evidence.id)).encode()).hexdigest()[:16]
    return {
        "app": str(case.key),
        "failure": f"{found.failure.value} (group {found.group or '-'}, task {found.task or '-'})",
        "changes": _listed(f"{one.path}: {one.old!r} → {one.new!r}" for one in case.evidence.changes[:20]),
        "job": _cut(json.dumps(_shown(case.body, hide), separators=(",", ":"), ensure_ascii=False), _JOB),
        "places": _cut(_listed(_places(case, kinds, hide)), _PLACES),
        **{name: f"<telemetry-{mark}>\n{text}\n</telemetry-{mark}>" for name, text in theirs.items()},
    }


def places_of(case: Case, kind: Kind) -> tuple[tuple[Address, Value], ...]:
    """Every address that an operation of the kind may have, with what stands there now."""
    found = []
    for at in addresses(case.body, kind, variables=settings_named(case.evidence) if kind is Kind.ENV else ()):
        try:
            found.append((at, current(case.body, kind, at)))
        except PreconditionGone:
            continue
    return tuple(found)


def _places(case: Case, kinds: Sequence[Kind], hide: Hide) -> Iterator[str]:
    for kind in kinds:
        unit = row(kind).unit
        of = f" {unit.value}" if unit is not Unit.NONE else ""
        for at, value in places_of(case, kind):
            text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
            shown = "a text, see the job" if row(kind).how is How.FRAGMENT else f"{hide(text)[:_VALUE]}{of}"
            yield f"{kind.value} {Operation(kind, at, None, None).path or '(the job)'}: {shown}"


def _tried(case: Case, hide: Hide) -> Iterator[str]:
    for one in case.tried:
        yield f"{'; '.join(hide(line(each)) for each in one.operations)} — {hide(one.outcome)}"


def _cluster(evidence: Evidence, hide: Hide) -> Iterator[str]:
    cluster = evidence.cluster
    for image, facts in list(evidence.images.items())[:4]:
        said = {"ports": facts.ports, "entrypoint": facts.entrypoint, "command": facts.command}
        told = ", ".join(f"{name} {list(value)}" for name, value in said.items() if value)
        yield f"image {image}: {told or 'says nothing'}{f', works in {facts.working_dir}' if facts.working_dir else ''}"
    for (group, task), used in evidence.usage.items():
        yield f"{group}/{task} was seen to use {used.memory} MB and {used.cpu} MHz"
    for room in (cluster.nodes or ())[:8]:
        node = f"datacenter {room.node.datacenter}, pool {room.node.node_pool}, drivers {sorted(room.node.drivers)}"
        yield f"a node of {node}: free {room.memory} MB, {room.cpu} MHz, {room.disk} MB disk"
    if cluster.consul_keys:
        yield f"keys of Consul: {', '.join(cluster.consul_keys[:_MOST_NAMES])}"
    if cluster.variables:
        yield f"Nomad variables: {', '.join(cluster.variables[:_MOST_NAMES])}"
    for path, keys in (*cluster.variable_keys.items(), *cluster.secret_keys.items()):
        yield f"{path} has the fields {', '.join(keys[:_MOST_NAMES])}"
    if cluster.secret_paths:
        yield f"paths of Vault: {', '.join(cluster.secret_paths[:_MOST_NAMES])}"
    if cluster.vault_roles:
        yield f"roles of Vault: {', '.join(cluster.vault_roles[:_MOST_NAMES])}"


def _shown(value: Any, hide: Hide) -> Any:
    """The job without what is not set, and without secrets."""
    if isinstance(value, Mapping):
        return {key: _shown(item, hide) for key, item in value.items() if item not in (None, "", 0, False, [], {})}
    if isinstance(value, list | tuple):
        return [_shown(item, hide) for item in value]
    return hide(value) if isinstance(value, str) else value


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {one}" for one in lines) or "- none"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
