"""What a failure is like, whosever it is: its words without names, numbers, ids and hosts. Pure.

The same failure of two apps has the same signature; where the words or what they name differ, it is another one. The
evidence is redacted before it comes here, and a placeholder of a secret is left out like any other name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from desired.state import JobBody
from observers.evidence import Evidence
from observers.evidence_words import told_lines
from observers.failures.diagnosis import Diagnosis

# Enough for two failures to be told apart by similarity; it stands in every record of a repair.
_LONGEST = 600
_LINES = 12
_WORDS = 400
# What of an image's name is everybody's.
_REGISTRY_WORDS = frozenset({"docker", "library", "latest", "io", "com", "ghcr", "quay"})
# Names that are words of Nomad's as well: they are taken for a name only where they are quoted, or stand behind what
# says that one follows. Otherwise a task called `memory` would have failures of its own.
_NOMADS_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an address admin alloc allocation api at build check client command config connection connect "
        "container cpu data default deployment disk docker driver env error event exec exit failed failure file "
        "group health healthy host http https image in is job key kill killed limit local log logs main memory metrics "
        "missing mode name network no node not of on oom out path policy pool port proxy pull read ready refused "
        "region request resource restart root run running secret server service set socket start state status stop "
        "storage system table task tcp template test time timeout token tls user value variable vault version volume "
        "was with write",
    )
)
_BEFORE_A_NAME = (
    r"(?:\w+\[\d+\]|task|group|job|service|check|port|label|volume|node|namespace|container|image|datacenter|pool)"
)
_QUOTES = "\"'`"
_NAME = "<name>"

_PLACEHOLDER = re.compile(r"«secret:\d+»")
_SCHEME = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)(?:[^\s/@\"'<>]+@)?[^\s/:\"'<>]+(?::\d+)?")
_HOST_PORT = re.compile(r"(?<![\w.])(?:\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*):\d{1,5}(?!\d)")
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|\[?\b(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}\b\]?")
_HOST = re.compile(
    r"(?<![\w.])[\w-]+(?:\.[\w-]+)*\.(?:consul|local|localdomain|internal|svc|lan|home|corp|cluster|com|net|org|io|dev)"
    r"(?![\w.])"
)
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_HEX = re.compile(r"\b(?:sha256:)?(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b")
_PATH = re.compile(r"(?<![\w/:>.])(?:/[\w.@+<>-]+)+/?")
_OF_A_HOST = re.compile(r"<host>/[^\s\"'<>,;]*")
_DATE = re.compile(
    r"\d{4}[-/]\d{2}[-/]\d{2}(?:[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:?\d{2})?)?"
    r"|\b\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b"
)
_NUMBER = re.compile(
    r"(?<![a-z_])[-+]?\d[\d,]*(?:[.:]\d+)*"
    r"(?:%|\s?(?:ns|µs|us|ms|s|m|h|d|[kmgt]i?b?|mhz|ghz|bytes?|seconds?|minutes?)\b)?"
)
# What tells apart although it is a number: there are few of each.
_TELLING = frozenset({"status", "exit_code", "signal", "kv_version", "speaks", "protocol"})


@dataclass(frozen=True, slots=True)
class Signature:
    """`exact` is the same for the same failure, and for nothing else; `text` is what it is like, for similarity."""

    exact: str
    text: str


def signature(diagnosis: Diagnosis, evidence: Evidence, body: JobBody) -> Signature:
    """The class, Nomad's or the app's words, and the facts that still say something without names and numbers."""
    names = tuple(_names(diagnosis, evidence, body))
    words = normalised(diagnosis.words, names)[:_WORDS]
    facts = sorted(_facts(diagnosis.facts, names, words))
    told = "\n".join([diagnosis.failure.value, words, *facts])
    lines = dict.fromkeys(normalised(line, names) for line in told_lines(evidence, limit=_LINES))
    text = " ".join([told, *(line for line in lines if line not in told)])
    exact = hashlib.sha256(told.encode()).hexdigest()[:24]
    return Signature(exact, " ".join(text.split())[:_LONGEST])


def normalised(text: str, names: Iterable[str]) -> str:
    """In small letters, with `<name>`, `<host>`, `<path>`, `<id>` and `#` for what is only this app's. Idempotent."""
    text = _PLACEHOLDER.sub("<secret>", text).lower()
    called = sorted({name.lower() for name in names if name}, key=lambda name: (-len(name), name))
    whole = [name for name in called if re.search(r"[/:.]", name)]
    # An image holds what looks like a host, and a host may hold a name.
    for name in whole:
        text = _without(text, name)
    text = _UUID.sub("<id>", text)
    text = _DATE.sub("#", text)
    text = _SCHEME.sub(r"\1<host>", text)
    text = _ADDRESS.sub("<host>", text)
    text = _HOST.sub("<host>", text)
    for name in called:
        text = _without(text, name)
    text = _HOST_PORT.sub("<host>", text)
    text = re.sub(r"<host>:\d{1,5}", "<host>", text)
    text = _OF_A_HOST.sub("<host><path>", text)
    text = _PATH.sub(_last, text)
    text = _HEX.sub("<id>", text)
    text = _NUMBER.sub("#", text)
    text = re.sub(r"#(?:[\s,:;./-]*#)+", "#", text)
    return " ".join(text.split())


def _without(text: str, name: str) -> str:
    if name not in text:
        return text
    escaped = re.escape(name)
    text = re.sub(rf"([{_QUOTES}]){escaped}\1", rf"\1{_NAME}\1", text)
    text = re.sub(rf"\b({_BEFORE_A_NAME}:? ){escaped}(?![\w-])", rf"\1{_NAME}", text)
    if len(name) < 3 or name in _NOMADS_WORDS or name.isdigit():
        return text
    return re.sub(rf"(?<![\w<]){escaped}(?![\w>])", _NAME, text)


def _last(match: re.Match[str]) -> str:
    """Where something is depends on the app; what it is called often does not."""
    *before, last = match[0].rstrip("/").split("/")
    return f"<path>/{last}" if len(before) > 1 and "<" not in last else "<path>"


def _facts(facts: Mapping[str, str], names: Collection[str], words: str) -> Iterator[str]:
    known = {name.lower() for name in names}
    for name, value in facts.items():
        if name in _TELLING:
            yield f"{name}={value.lower()}"
            continue
        parts = [part.strip() for part in value.lower().split(",")]
        told = ", ".join(part for part in parts if part not in known)
        told = normalised(told, names)
        # Whether something could be measured must not make another failure of it; nor does what the words say as well.
        if re.sub(r"<\w+>|[^a-z]", "", told) and told not in words:
            yield f"{name}={told}"


def _names(diagnosis: Diagnosis, evidence: Evidence, body: JobBody) -> Iterator[str]:
    """Whatever is called as somebody chose: the app's parts, its images, and the cluster's nodes."""
    key = evidence.key
    yield from (key.name, key.namespace, f"{key}")
    yield from (diagnosis.group, diagnosis.task, diagnosis.service, diagnosis.check, diagnosis.port)
    yield from (str(body.get(name) or "") for name in ("ID", "Name", "Namespace", "NodePool"))
    yield from (str(name) for name in body.get("Datacenters") or ())
    for group in body.get("TaskGroups") or ():
        yield from _of_group(group)
    for allocation in evidence.allocations:
        yield from (allocation.id, allocation.id[:8], allocation.node_id, allocation.node_id[:8], allocation.node_name)
    for room in evidence.cluster.nodes or ():
        yield from (room.node.name, room.node.id, room.node.datacenter)


def _of_group(group: Mapping[str, Any]) -> Iterator[str]:
    yield str(group.get("Name") or "")
    for network in group.get("Networks") or ():
        for ports in ("ReservedPorts", "DynamicPorts"):
            yield from (str(port.get("Label") or "") for port in network.get(ports) or ())
    services = list(group.get("Services") or ())
    for task in group.get("Tasks") or ():
        yield str(task.get("Name") or "")
        services += task.get("Services") or ()
        config = task.get("Config") or {}
        yield from _of_image(str(config.get("image") or ""))
        yield from (str(config.get(name) or "") for name in ("command", "work_dir"))
    for service in services:
        yield str(service.get("Name") or "")
        yield from (str(check.get("Name") or "") for check in service.get("Checks") or ())


def _of_image(image: str) -> Iterator[str]:
    """The whole reference, with and without its tag, and each part of its name."""
    bare = image.split("@", 1)[0]
    head, _, last = bare.rpartition("/")
    name, _, tag = last.partition(":")
    yield from (image, bare, f"{head}/{name}" if head else name, tag)
    yield from (part for part in (*head.split("/"), name) if part.lower() not in _REGISTRY_WORDS)
