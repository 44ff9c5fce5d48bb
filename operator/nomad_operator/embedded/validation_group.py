"""A task group: what Nomad refuses in it, down to its tasks.

Source: nomad/structs/structs.go TaskGroup.Validate, validateNetworks; nomad/structs/volumes.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomad_operator.embedded import gotext
from nomad_operator.embedded import validation_policy as policy
from nomad_operator.embedded.gotext import quoted
from nomad_operator.embedded.validation_placement import affinity_errors, constraint_errors, spread_errors
from nomad_operator.embedded.validation_service import group_service_errors, script_check_errors
from nomad_operator.embedded.validation_task import task_errors

Value = Mapping[str, Any]

_MAX_PORT = 65535


def group_errors(group: Value, job: Value) -> list[str]:
    """Every error of the group, in Nomad's order."""
    kind = job["Type"]
    tasks = group["Tasks"] or ()
    errors = [] if group["Name"] else ["Missing task group name"]
    if "\0" in group["Name"]:
        errors.append("Task group name contains null character")
    if group["Count"] < 0:
        errors.append("Task group count can't be negative")
    if not tasks:
        errors.append("Missing tasks for task group")
    if group["Disconnect"] is not None:
        errors += policy.disconnect_errors(group["Disconnect"], kind)
    if group["MaxRunDuration"] is not None:
        if group["MaxRunDuration"] <= 0:
            errors.append("MaxRunDuration must be greater than zero")
        if kind not in ("batch", "sysbatch"):
            errors.append(f"Job type {quoted(kind)} does not allow max_run_duration")
    errors += constraint_errors(group) + affinity_errors(group, kind)
    errors += policy.restart_errors(group["RestartPolicy"])
    errors += spread_errors(group, kind)
    errors += _policies(group, kind)
    errors += _task_names(tasks)
    canaries = (group["Update"] or {}).get("Canary", 0)
    for name, volume in (group["Volumes"] or {}).items():
        label = f"Task group volume validation for {name} failed"
        errors += gotext.under(label, _volume(volume, kind, group["Count"], canaries))
    errors += gotext.under("Task group network validation failed", _networks(group))
    errors += gotext.under("Task group service validation failed", group_service_errors(group))
    errors += gotext.under("Task group service check validation failed", script_check_errors(group))
    errors += gotext.under("Task group scaling policy validation failed", policy.scaling_errors(group))
    for task in tasks:
        errors += gotext.under(f"Task {task['Name']} validation failed", task_errors(task, group, kind))
    return errors


def _policies(group: Value, kind: str) -> list[str]:
    errors = []
    if kind in ("system", "sysbatch"):
        if group["ReschedulePolicy"] is not None:
            errors.append("System or sysbatch jobs should not have a reschedule policy")
    elif group["ReschedulePolicy"] is not None:
        errors += policy.reschedule_errors(group["ReschedulePolicy"])
    if group["EphemeralDisk"]["SizeMB"] < 10:
        errors.append(f"minimum DiskMB value is 10; got {group['EphemeralDisk']['SizeMB']}")
    if group["Update"] is not None:
        if kind not in ("service", "system"):
            errors.append(f"Job type {quoted(kind)} does not allow update block")
        errors += policy.update_errors(group["Update"])
    if group["Migrate"] is not None:
        if kind == "service":
            errors += policy.migrate_errors(group["Migrate"])
        else:
            errors.append(f"Job type {quoted(kind)} does not allow migrate block")
    return errors


def _task_names(tasks: tuple[Value, ...] | list[Value]) -> list[str]:
    errors = []
    seen: dict[str, int] = {}
    for number, task in enumerate(tasks, 1):
        name = task["Name"]
        if not name:
            errors.append(f"Task {number} missing name")
        elif name in seen:
            errors.append(f"Task {number} redefines '{name}' from task {seen[name]}")
        else:
            seen[name] = number
    if sum(task["Leader"] for task in tasks) > 1:
        errors.append("Only one task may be marked as leader")
    return errors


def _networks(group: Value) -> list[str]:
    errors = []
    labels: set[str] = set()
    static: dict[tuple[str, int], str] = {}
    for network in group["Networks"] or ():
        for port in _ports(network):
            label = port.get("Label", "")
            if label in labels:
                errors.append(f"Port label {label} already in use by taskgroup network")
            labels.add(label)
            errors += _static(
                port, static, f"taskgroup network:{label}", may_collide=port.get("IgnoreCollision", False)
            )
            to = port.get("To", 0)
            if to < -1:
                errors.append(f"Port {quoted(label)} cannot be mapped to negative value {to}")
            elif to > _MAX_PORT:
                errors.append(f"Port {quoted(label)} cannot be mapped to a port ({to}) greater than {_MAX_PORT}")
            mode = network.get("Mode", "")
            if port.get("IgnoreCollision") and mode not in ("", "host"):
                shown = f"{quoted(label)} collision may not be ignored on non-host network mode {quoted(mode)}"
                errors.append(f"Port {shown}")
        hostname = network.get("Hostname", "")
        if hostname and "${" not in hostname and not _domain_name(hostname):
            errors.append("Hostname is not a valid DNS name")
    for task in group["Tasks"] or ():
        for port in (port for network in task["Resources"]["Networks"] or () for port in _ports(network)):
            if port.get("Label", "") in labels:
                errors.append(f"Port label {port.get('Label', '')} already in use by taskgroup network")
            errors += _static(port, static, f"{task['Name']}:{port.get('Label', '')}", may_collide=False)
    return errors


def _ports(network: Value) -> list[Value]:
    return [*(network.get("ReservedPorts") or ()), *(network.get("DynamicPorts") or ())]


def _static(port: Value, taken: dict[tuple[str, int], str], owner: str, *, may_collide: bool) -> list[str]:
    value = port.get("Value", 0)
    if value == 0:
        return []
    place = (port.get("HostNetwork") or "default", value)
    if place in taken:
        return [] if may_collide else [f"Static port {value} already reserved by {taken[place]}"]
    if value > _MAX_PORT:
        return [f"Port {port.get('Label', '')} ({value}) cannot be greater than {_MAX_PORT}"]
    taken[place] = owner
    return []


def _domain_name(name: str) -> bool:
    labels = name.removesuffix(".").split(".")
    return len(name) <= 254 and all(0 < len(label) <= 63 for label in labels)


def _volume(volume: Value, kind: str, count: int, canaries: int) -> list[str]:
    errors = [] if volume["Source"] else ["volume has an empty source"]
    if volume["PerAlloc"]:
        if kind in ("system", "sysbatch"):
            errors.append("volume cannot be per_alloc for system or sysbatch jobs")
        if canaries > 0:
            errors.append("volume cannot be per_alloc when canaries are in use")
        if volume["Sticky"]:
            errors.append("volume cannot be per_alloc and sticky at the same time")
    return errors + (_host_volume(volume) if volume["Type"] == "host" else _csi_volume(volume, count))


def _host_volume(volume: Value) -> list[str]:
    errors = ["host volumes cannot have mount options"] if volume["MountOptions"] is not None else []
    mode = volume["AccessMode"]
    if mode == "single-node-reader-only":
        errors += [] if volume["ReadOnly"] else [f"{mode} volumes must be read-only"]
    elif mode not in ("", "single-node-writer", "single-node-single-writer", "single-node-multi-writer"):
        errors.append(f"host volumes cannot be mounted with {mode} access mode")
    return errors


def _csi_volume(volume: Value, count: int) -> list[str]:
    errors = []
    mode, shared = volume["AccessMode"], count > 1 and not volume["PerAlloc"]
    if not volume["AttachmentMode"]:
        errors.append("CSI volumes must have an attachment mode")
    elif volume["AttachmentMode"] == "block-device" and volume["MountOptions"] is not None:
        errors.append("block devices cannot have mount options")
    if not mode:
        errors.append("CSI volumes must have an access mode")
    if mode in ("single-node-reader-only", "multi-node-reader-only") and not volume["ReadOnly"]:
        errors.append(f"{mode} volumes must be read-only")
    if mode == "single-node-reader-only" and shared:
        errors.append(f"volume with {mode} access mode allows only one reader")
    if mode == "single-node-writer" and shared:
        errors.append(f"volume with {mode} access mode allows only one reader or writer")
    if mode == "multi-node-single-writer" and shared and not volume["ReadOnly"]:
        errors.append(f"volume with {mode} access mode allows only one writer")
    return errors
