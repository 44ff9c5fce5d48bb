"""Nomad's plan diff of two jobs, as values: what `POST /v1/job/:id/plan` answers under `Diff`.

Generic over the structures of `shapes`; the tables say in which order Nomad looks at the parts of each, how it matches
their elements, and which fields it leaves out. Both jobs are in the server's shape (`canonical.server_canonical`).

Source: nomad/structs/diff.go; checked against recorded plans and a real server.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nomad_operator.embedded import flatten
from nomad_operator.embedded.matching import match_services, match_templates
from nomad_operator.embedded.shapes import SHAPES

Value = Mapping[str, Any]
Diff = dict[str, Any]

# The parts of each structure in Nomad's order: the field, how it is compared, and what the result is called.
_PARTS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "Job": (
        ("Datacenters", "changed strings", "Datacenters"),
        ("Constraints", "set", "Constraint"),
        ("Affinities", "set", "Affinity"),
        ("Periodic", "object", "Periodic"),
        ("ParameterizedJob", "object", "ParameterizedJob"),
        ("UI", "object", "UI"),
    ),
    "TaskGroup": (
        ("Constraints", "set", "Constraint"),
        ("Affinities", "set", "Affinity"),
        ("RestartPolicy", "primitive", "RestartPolicy"),
        ("Migrate", "primitive", "Migrate"),
        ("ReschedulePolicy", "primitive", "ReschedulePolicy"),
        ("EphemeralDisk", "primitive", "EphemeralDisk"),
        ("Consul", "primitive", "Consul"),
        ("Update", "primitive", "Update"),
        ("Disconnect", "fields", "Disconnect"),
        ("Networks", "replaced", "Network"),
        ("Scaling", "object", "Scaling"),
        ("Services", "services", "Service"),
        ("Volumes", "by key", "Volume"),
    ),
    "Task": (
        ("Constraints", "set", "Constraint"),
        ("Affinities", "set", "Affinity"),
        ("Config", "config", "Config"),
        ("Resources", "object", "Resources"),
        ("LogConfig", "primitive", "LogConfig"),
        ("DispatchPayload", "primitive", "DispatchPayload"),
        ("Artifacts", "set", "Artifact"),
        ("Services", "services", "Service"),
        ("Vault", "object", "Vault"),
        ("Secrets", "by name", "Secret"),
        ("Consul", "primitive", "Consul"),
        ("Templates", "templates", "Template"),
        ("Identity", "object", "Identity"),
        ("Identities", "by name", "Identity"),
        ("Actions", "by place", "Action"),
        ("VolumeMounts", "by place", "VolumeMount"),
    ),
    "Resources": (
        ("Networks", "replaced", "Network"),
        ("Devices", "by name", "Device"),
        ("NUMA", "object", "NUMA"),
    ),
    "NetworkResource": (
        ("ReservedPorts", "by label", "Static Port"),
        ("DynamicPorts", "by label", "Dynamic Port"),
        ("DNS", "joined", "DNS"),
        ("CNI", "arguments", "CNIConfig"),
    ),
    "Service": (
        ("CanaryTags", "strings", "CanaryTags"),
        ("Tags", "strings", "Tags"),
        ("Checks", "by name", "Check"),
        ("Connect", "config", "ConsulConnect"),
        ("Identity", "object", "Identity"),
        ("Weights", "object", "Weights"),
    ),
    "ServiceCheck": (("Header", "config", "Header"), ("CheckRestart", "object", "CheckRestart")),
    "Template": (("Wait", "fields", "Template"), ("ChangeScript", "object", "ChangeScript")),
    "ChangeScript": (("Args", "strings", "Args"),),
    "WorkloadIdentity": (("Audience", "strings", "Audience"),),
    "VolumeRequest": (("MountOptions", "object", "MountOptions"),),
    "CSIMountOptions": (("MountFlags", "strings", "MountFlags"),),
    "PeriodicConfig": (("Specs", "changed strings", "Specs"),),
    "ParameterizedJobConfig": (
        ("MetaOptional", "strings", "MetaOptional"),
        ("MetaRequired", "strings", "MetaRequired"),
    ),
    "Action": (("Args", "strings", "Args"),),
    "JobUIConfig": (("Links", "by place", "Link"),),
    "ScalingPolicy": (("Policy", "changed config", "Policy"),),
}

# Fields that are never in a diff, by structure or by what the diff calls it.
_LEFT_OUT: Mapping[str, frozenset[str]] = {
    "Job": frozenset(
        {
            "ID",
            "Status",
            "StatusDescription",
            "Version",
            "Stable",
            "CreateIndex",
            "ModifyIndex",
            "JobModifyIndex",
            "SubmitTime",
            "NomadTokenID",
        }
    ),
    "TaskGroup": frozenset({"Name"}),
    "Task": frozenset({"Name"}),
    "Update": frozenset({"Stagger"}),
    "Network": frozenset({"Device", "CIDR", "IP", "MBits"}),
    "Dynamic Port": frozenset({"Value", "IgnoreCollision"}),
    "Scaling": frozenset(
        {"CreateIndex", "ModifyIndex", "ID", "Type", "Target[Job]", "Target[Group]", "Target[Namespace]"}
    ),
}

# Structures of which only the changed fields are told; of all others every field, once one of them has changed.
_CHANGED_ONLY = frozenset({"Job", "TaskGroup", "Task", "Scaling"})

_RANK = {"Edited": 0, "Added": 1, "Deleted": 2, "None": 3}


def job_diff(old: Value | None, new: Value) -> Diff:
    """What would change; `old` is None for a new job. Without annotations: `annotations.annotate` adds them.

    A plan gives the new job's scaling policies the ids of the old ones first (`scaling.keep_scaling_ids`).
    """
    diff: Diff = {
        "Type": "None" if old is not None else "Added",
        "ID": new["ID"],
        "Fields": _own("Job", "Job", old, new),
    }
    diff["Objects"] = _parts("Job", old or {}, new) or None
    diff["TaskGroups"] = _members("TaskGroup", (old or {}).get("TaskGroups"), new.get("TaskGroups")) or None
    inner = [*(diff["Fields"] or ()), *(diff["Objects"] or ()), *(diff["TaskGroups"] or ())]
    if old is not None and any(part["Type"] != "None" for part in inner):
        diff["Type"] = "Edited"
    return diff


def _members(kind: str, old: Sequence[Value] | None, new: Sequence[Value] | None) -> list[Diff]:
    """Groups of a job or tasks of a group, matched by name; unchanged ones are in it too."""
    before = {member["Name"]: member for member in old or ()}
    after = {member["Name"]: member for member in new or ()}
    return [_member(kind, name, before.get(name), after.get(name)) for name in sorted({*before, *after})]


def _member(kind: str, name: str, old: Value | None, new: Value | None) -> Diff:
    own = _own(kind, kind, old, new)
    if kind == "TaskGroup" and old is not None and new is not None:
        before, after = ("" if g.get("ShutdownDelay") is None else str(g["ShutdownDelay"]) for g in (old, new))
        own = _sorted_fields([*(own or ()), *_field_diffs({"ShutdownDelay": before}, {"ShutdownDelay": after})]) or None
    diff: Diff = {
        "Type": _type(old, new),
        "Name": name,
        "Fields": own,
        "Objects": _parts(kind, old or {}, new or {}) or None,
    }
    if kind == "TaskGroup":
        diff |= {"Tasks": _members("Task", (old or {}).get("Tasks"), (new or {}).get("Tasks")) or None, "Updates": None}
    else:
        diff["Annotations"] = None
    return diff


def _type(old: Any, new: Any) -> str:
    if old is None or new is None:
        return "Added" if old is None else "Deleted"
    return "None" if old == new else "Edited"


def _own(kind: str, name: str, old: Value | None, new: Value | None) -> list[Diff] | None:
    left_out = _LEFT_OUT.get(name, frozenset())
    before, after = (
        {key: value for key, value in flatten.primitives(kind, one).items() if key not in left_out}
        for one in (old, new)
    )
    return _field_diffs(before, after, contextual=name not in _CHANGED_ONLY) or None


def _field_diffs(old: Mapping[str, str], new: Mapping[str, str], *, contextual: bool = False) -> list[Diff]:
    pairs = ((name, old.get(name, ""), new.get(name, "")) for name in {**old, **new})
    return _sorted_fields([_field(*pair) for pair in pairs if contextual or pair[1] != pair[2]])


def _field(name: str, old: str, new: str) -> Diff:
    if old == new:
        kind = "None"
    elif not old:
        kind = "Added"
    else:
        kind = "Edited" if new else "Deleted"
    return {"Type": kind, "Name": name, "Old": old, "New": new, "Annotations": None}


def _parts(kind: str, old: Value, new: Value) -> list[Diff]:
    kinds = {field.name: field.kind.strip("[]{}") for field in SHAPES[kind]}
    return [
        diff
        for field, how, name in _PARTS.get(kind, ())
        for diff in _COMPARED[how](kinds[field], name, old.get(field), new.get(field))
    ]


def _object(kind: str, name: str, old: Value | None, new: Value | None) -> list[Diff]:
    if old == new:
        return []
    inner = _parts(kind, old or {}, new or {})
    return [_object_diff(name, _type(old, new), _own(kind, name, old, new), inner)]


def _object_diff(name: str, kind: str, own: Sequence[Diff] | None, inner: Sequence[Diff] = ()) -> Diff:
    return {"Type": kind, "Name": name, "Fields": list(own or ()) or None, "Objects": list(inner) or None}


def _primitive(kind: str, name: str, old: Value | None, new: Value | None) -> list[Diff]:
    """Told only by its plain fields: without a change among them there is no diff at all."""
    own = _own(kind, name, old, new) or []
    kinds = {field["Type"] for field in own} - {"None"}
    if not kinds:
        return []
    return [_object_diff(name, kinds.pop() if len(kinds) == 1 else "Edited", own)]


def _set(kind: str, name: str, old: Sequence[Value] | None, new: Sequence[Value] | None) -> list[Diff]:
    """Elements without a name are the same or different; artifacts are known by where they go."""
    before, after = ({_identity(kind, one): one for one in many or ()} for many in (old, new))
    both = (_primitive(kind, name, before.get(key), after.get(key)) for key in {**before, **after})
    return _sorted_objects(itertools.chain.from_iterable(both))


def _identity(kind: str, value: Value) -> str:
    return (
        str(value["RelativeDest"]) if kind == "TaskArtifact" else repr(sorted(value.items(), key=lambda item: item[0]))
    )


def _replaced(kind: str, name: str, old: Sequence[Value] | None, new: Sequence[Value] | None) -> list[Diff]:
    gone = [one for one in old or () if one not in (new or ())]
    come = [one for one in new or () if one not in (old or ())]
    diffs = [_object(kind, name, one, None) for one in gone] + [_object(kind, name, None, one) for one in come]
    return _sorted_objects(itertools.chain.from_iterable(diffs))


def _keyed(key: str) -> Callable[[str, str, Any, Any], list[Diff]]:
    def compare(kind: str, name: str, old: Sequence[Value] | None, new: Sequence[Value] | None) -> list[Diff]:
        before, after = ({one.get(key): one for one in many or ()} for many in (old, new))
        one_by_one = _ONE_BY_ONE.get(kind, _object)
        both = (one_by_one(kind, name, before.get(each), after.get(each)) for each in {**before, **after})
        return _sorted_objects(itertools.chain.from_iterable(both))

    return compare


def _by_key(kind: str, name: str, old: Value | None, new: Value | None) -> list[Diff]:
    before, after = old or {}, new or {}
    return [diff for key in {**before, **after} for diff in _object(kind, name, before.get(key), after.get(key))]


def _by_place(kind: str, name: str, old: Sequence[Value] | None, new: Sequence[Value] | None) -> list[Diff]:
    pairs = itertools.zip_longest(old or (), new or ())
    return _sorted_objects(diff for before, after in pairs for diff in _object(kind, name, before, after))


def _matched(
    match: Callable[[Sequence[Value], Sequence[Value]], list[tuple[Value | None, Value | None]]],
) -> Callable[[str, str, Any, Any], list[Diff]]:
    def compare(kind: str, name: str, old: Sequence[Value] | None, new: Sequence[Value] | None) -> list[Diff]:
        pairs = match(old or (), new or ())
        return _sorted_objects(diff for before, after in pairs for diff in _object(kind, name, before, after))

    return compare


def _strings(_: str, name: str, old: Sequence[str] | None, new: Sequence[str] | None) -> list[Diff]:
    """A set of strings; told with those that stayed, even if all of them did."""
    before, after = set(old or ()), set(new or ())
    if not before and not after:
        return []
    own = [_field(name, each if each in before else "", each if each in after else "") for each in before | after]
    if before == after:
        kind = "None"
    elif before - after:
        kind = "Edited" if after - before else "Deleted"
    else:
        kind = "Added"
    return [_object_diff(name, kind, _sorted_fields(own))]


def _changed_strings(kind: str, name: str, old: Sequence[str] | None, new: Sequence[str] | None) -> list[Diff]:
    return [diff for diff in _strings(kind, name, old, new) if diff["Type"] != "None"]


def _config(_: str, name: str, old: Value | None, new: Value | None, *, contextual: bool = True) -> list[Diff]:
    """Free-form data, down to every leaf."""
    if (old or {}) == (new or {}):
        return []
    own = _field_diffs(flatten.leaves(old or {}), flatten.leaves(new or {}), contextual=contextual)
    return [_object_diff(name, _type(old or None, new or None), own)]


def _fields(kind: str, name: str, old: Value | None, new: Value | None) -> list[Diff]:
    if old == new:
        return []
    own = _field_diffs(flatten.fields(kind, old), flatten.fields(kind, new), contextual=True)
    return [_object_diff(name, _type(old, new), own)]


def _joined(_: str, name: str, old: Value | None, new: Value | None) -> list[Diff]:
    if old == new:
        return []
    before, after = ({key: ",".join(many) for key, many in (one or {}).items() if many} for one in (old, new))
    return [_object_diff(name, _type(old, new), _field_diffs(before, after, contextual=True))]


def _arguments(_: str, name: str, old: Value | None, new: Value | None) -> list[Diff]:
    before, after = ((one or {}).get("Args") or {} for one in (old, new))
    if before == after:
        return []
    own = _field_diffs(before, after, contextual=True)
    kinds = {field["Type"] for field in own} - {"None"}
    return [_object_diff(name, kinds.pop() if len(kinds) == 1 else "Edited", own)]


_ONE_BY_ONE: Mapping[str, Callable[[str, str, Any, Any], list[Diff]]] = {"Secret": _fields, "Port": _primitive}

_COMPARED: Mapping[str, Callable[[str, str, Any, Any], list[Diff]]] = {
    "object": _object,
    "primitive": _primitive,
    "set": _set,
    "replaced": _replaced,
    "by name": _keyed("Name"),
    "by label": _keyed("Label"),
    "by key": _by_key,
    "by place": _by_place,
    "services": _matched(match_services),
    "templates": _matched(match_templates),
    "strings": _strings,
    "changed strings": _changed_strings,
    "config": _config,
    "changed config": functools.partial(_config, contextual=False),
    "fields": _fields,
    "joined": _joined,
    "arguments": _arguments,
}


def _sorted_fields(own: Iterable[Diff]) -> list[Diff]:
    return sorted(own, key=lambda field: (field["Name"], field["Old"], field["New"]))


def _sorted_objects(diffs: Iterable[Diff]) -> list[Diff]:
    def order(diff: Diff) -> tuple[Any, ...]:
        own, inner = diff["Fields"] or (), diff["Objects"] or ()
        texts = [(field["Name"], field["Old"], field["New"]) for field in own]
        return (diff["Name"], _RANK[diff["Type"]], len(own), len(inner), texts)

    return sorted(diffs, key=order)
