"""A task: what Nomad refuses in it. Its driver's `config` is not looked at: neither does Nomad before it starts.

Source: nomad/structs/structs.go Task.Validate and the Validate of what a task holds.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from nomad_operator.embedded import gotext
from nomad_operator.embedded.gotext import duration, quoted
from nomad_operator.embedded.validation_placement import affinity_errors, constraint_errors
from nomad_operator.embedded.validation_policy import resources_errors
from nomad_operator.embedded.validation_service import task_service_errors

Value = Mapping[str, Any]

_IDENTITY_NAME = "^[a-zA-Z0-9-_]{1,128}$"
_PLAIN_NAME = "^[a-zA-Z0-9_]{1,128}$"
_DIGESTS = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}


def task_errors(task: Value, group: Value, job_type: str) -> list[str]:
    """Every error of the task, in Nomad's order."""
    errors = _basics(task, group, job_type)
    errors += gotext.nested(resources_errors(task["Resources"]))
    errors += gotext.nested(_logs(task["LogConfig"], group["EphemeralDisk"]))
    errors += constraint_errors(task, of_task=True) + affinity_errors(task, job_type)
    errors += gotext.nested(task_service_errors(task, group["Networks"]))
    for number, artifact in enumerate(task["Artifacts"] or (), 1):
        errors += gotext.under(f"Artifact {number} validation failed", _artifact(artifact))
    if task["Vault"] is not None:
        errors += gotext.under("Vault validation failed", _vault(task["Vault"]))
    errors += _templates(task) + _actions(task)
    if task["DispatchPayload"] is not None and _escapes("task/local", task["DispatchPayload"]["File"]):
        errors.append("Dispatch Payload validation failed: destination escapes allocation directory")
    if task["Lifecycle"] is not None:
        errors += _lifecycle(task["Lifecycle"]["Hook"])
    errors += _volume_mounts(task, group)
    errors += _identities(task) + _secrets(task)
    return errors


def _basics(task: Value, group: Value, job_type: str) -> list[str]:
    name, timeout = task["Name"], task["KillTimeout"]
    errors = [] if name else ["Missing task name"]
    if name == "alloc":
        errors.append('Task cannot be named "alloc"')
    if "/" in name or "\\" in name:
        errors.append("Task name cannot include slashes")
    elif "\0" in name:
        errors.append("Task name cannot include null characters")
    if not task["Driver"]:
        errors.append("Missing task driver")
    deadline = (group["Update"] or {}).get("ProgressDeadline", 0)
    if timeout < 0:
        errors.append("KillTimeout must be a positive value")
    elif job_type == "service" and 0 < deadline < timeout:
        progress = f"longer than the group's ProgressDeadline ({duration(deadline)})"
        errors.append(f"KillTimout ({duration(timeout)}) {progress}")
    if task["ShutdownDelay"] < 0:
        errors.append("ShutdownDelay must be a positive value")
    return errors


def _logs(logs: Value, disk: Value) -> list[str]:
    errors = []
    if logs["MaxFiles"] < 1:
        errors.append(f"minimum number of files is 1; got {logs['MaxFiles']}")
    if logs["MaxFileSizeMB"] < 1:
        errors.append(f"minimum file size is 1MB; got {logs['MaxFileSizeMB']}")
    used = logs["MaxFiles"] * logs["MaxFileSizeMB"]
    if disk["SizeMB"] <= used:
        errors.append(f"log storage ({used} MB) must be less than requested disk capacity ({disk['SizeMB']} MB)")
    return errors


def _escapes(prefix: str, path: str) -> bool:
    return posixpath.normpath(posixpath.join("/alloc-dir/alloc-id", prefix, path.lstrip("/"))).split("/")[1:3] != [
        "alloc-dir",
        "alloc-id",
    ]


def _artifact(artifact: Value) -> list[str]:
    errors = [] if artifact["GetterSource"] else ["source must be specified"]
    if artifact["GetterMode"] not in ("", "any", "file", "dir"):
        errors.append(f"invalid artifact mode {quoted(artifact['GetterMode'])}; must be one of: any, file, dir")
    if _escapes("task", artifact["RelativeDest"]):
        errors.append("destination escapes allocation directory")
    return errors + _checksum((artifact["GetterOptions"] or {}).get("checksum"))


def _checksum(checksum: str | None) -> list[str]:
    if checksum is None or "${" in checksum:
        return []
    if not checksum.strip():
        return ["checksum value cannot be empty"]
    kind, colon, value = checksum.strip().partition(":")
    if not colon or ":" in value:
        return [f'checksum must be given as "type:value"; got {quoted(checksum.strip())}']
    if odd := re.search(r"[^0-9a-fA-F]", value):
        return [f"invalid checksum: encoding/hex: invalid byte: U+{ord(odd[0]):04X} '{odd[0]}'"]
    if len(value) % 2:
        return ["invalid checksum: encoding/hex: odd length hex string"]
    if kind not in _DIGESTS:
        return [f"unsupported checksum type: {kind}"]
    return [] if len(value) == 2 * _DIGESTS[kind] else [f"invalid {kind} checksum: {value}"]


def _vault(vault: Value) -> list[str]:
    mode = vault["ChangeMode"]
    if mode == "signal":
        return [] if vault["ChangeSignal"] else ['Signal must be specified when using change mode "signal"']
    return [] if mode in ("noop", "restart") else [f"Unknown change mode {quoted(mode)}"]


def _templates(task: Value) -> list[str]:
    errors = []
    destinations: dict[str, int] = {}
    for number, template in enumerate(task["Templates"] or (), 1):
        errors += gotext.under(f"Template {number} validation failed", _template(template))
        destination = template["DestPath"]
        if destination in destinations:
            errors.append(f"Template {number} has same destination as {destinations[destination]}")
        else:
            destinations[destination] = number
    return errors


def _template(template: Value) -> list[str]:
    errors = []
    if not template["SourcePath"] and not template["EmbeddedTmpl"]:
        errors.append("Must specify a source path or have an embedded template")
    if not template["DestPath"]:
        errors.append("Must specify a destination for the template")
    if _escapes("task", template["DestPath"]):
        errors.append("destination escapes allocation directory")
    errors += _change(template)
    if template["Splay"] < 0:
        errors.append("Must specify positive splay value")
    perms = template["Perms"]
    if perms and (not re.fullmatch("[0-7]+", perms) or int(perms, 8) > 0o7777):
        why = "value out of range" if re.fullmatch("[0-7]+", perms) else "invalid syntax"
        errors.append(f"Failed to parse {quoted(perms)} as octal: strconv.ParseUint: parsing {quoted(perms)}: {why}")
    wait = template["Wait"] or {}
    low, high = wait.get("Min"), wait.get("Max")
    if low is not None and high is not None and low > high:
        errors.append(f"wait min {duration(low)} is greater than max {duration(high)}")
    return errors


def _change(template: Value) -> list[str]:
    mode, errors = template["ChangeMode"], []
    if mode == "signal":
        if not template["ChangeSignal"]:
            errors.append("Must specify signal value when change mode is signal")
        if template["Envvars"]:
            errors.append("cannot use signals with env var templates")
    elif mode == "script":
        if template["ChangeScript"] is None:
            errors.append("must specify change script configuration value when change mode is script")
        elif not template["ChangeScript"]["Command"]:
            errors.append("must specify script path value when change mode is script")
    elif mode not in ("noop", "restart"):
        errors.append("Invalid change mode. Must be one of the following: noop, signal, script, restart")
    return errors


def _actions(task: Value) -> list[str]:
    errors = []
    seen: dict[str, bool] = {}
    for action in task["Actions"] or ():
        name = action["Name"]
        own = [] if action["Command"] else ["command cannot be empty"]
        if not re.fullmatch("[a-zA-Z0-9-]{1,128}", name):
            own.append(f"invalid name '{name}'")
        errors += gotext.under(f"Action {name} validation failed", own)
        if seen.get(name) is False:
            errors.append(f"Action {name} defined multiple times")
            seen[name] = True
        else:
            seen[name] = False
    return errors


def _lifecycle(hook: str) -> list[str]:
    if not hook:
        return ["Lifecycle validation failed: no lifecycle hook provided"]
    known = hook in ("prestart", "poststart", "poststop")
    return [] if known else [f"Lifecycle validation failed: invalid hook: {hook}"]


def _volume_mounts(task: Value, group: Value) -> list[str]:
    errors = []
    for number, mount in enumerate(task["VolumeMounts"] or ()):
        if mount["Volume"] not in (group["Volumes"] or {}):
            errors.append(f"Volume Mount ({number}) references undefined volume {mount['Volume']}")
        own = [] if mount["Volume"] else ["volume mount references an empty volume"]
        if mount["PropagationMode"] not in ("", "private", "host-to-task", "bidirectional"):
            own.append(f"volume mount has an invalid propagation mode: {quoted(mount['PropagationMode'])}")
        if mount["SELinuxLabel"] not in ("", "z", "Z"):
            own.append(f'volume mount has an invalid SELinux label: "{mount["SELinuxLabel"]}"')
        if own:
            errors.append(f'Volume Mount ({number}) is invalid: "{gotext.errors(own)}"')
    return errors


def _identities(task: Value) -> list[str]:
    errors = []
    for identity in (task["Identity"], *(task["Identities"] or ())):
        name = identity["Name"]
        errors += gotext.under(f"Identity {quoted(name)} is invalid", _identity(identity))
    return errors


def _identity(identity: Value) -> list[str]:
    errors = []
    name, mode, signal = identity["Name"], identity["ChangeMode"], identity["ChangeSignal"]
    if not re.fullmatch(_IDENTITY_NAME, name):
        errors.append(f"invalid name {quoted(name)}. Must match regex {_IDENTITY_NAME}")
    for number, audience in enumerate(identity["Audience"] or (), 1):
        if not audience:
            errors.append(f"an empty string is an invalid audience ({number})")
    if mode in ("", "noop", "restart"):
        if signal:
            errors.append(f'can only use change_signal={quoted(signal)} with change_mode="signal"')
    elif mode != "signal":
        errors.append(f"invalid change_mode: {mode}")
    elif not signal:
        errors.append('change_signal must be specified when using change_mode="signal"')
    if identity["TTL"] > 0 and name == "default":
        errors.append("ttl for default identity not yet supported")
    if identity["TTL"] < 0:
        errors.append("ttl must be >= 0")
    if identity["Filepath"] and not identity["File"]:
        errors.append("file parameter must be true in order to specify filepath")
    return errors


def _secrets(task: Value) -> list[str]:
    errors = []
    seen: set[str] = set()
    for secret in task["Secrets"] or ():
        name, provider = secret["Name"], secret["Provider"]
        if name in seen:
            errors.append(f"Duplicate secret {quoted(name)} found")
        seen.add(name)
        if provider == "vault" and task["Vault"] is None:
            errors.append(f'Secret {quoted(name)} has provider "vault" but no vault block')
        own = [] if name else ["secret name cannot be empty"]
        if not re.fullmatch(_PLAIN_NAME, name):
            own.append(f"secret name must match regex {_PLAIN_NAME}")
        if not provider:
            own.append("secret provider cannot be empty")
        if not secret["Path"]:
            own.append("secret path cannot be empty")
        if provider in ("nomad", "vault"):
            own += [f"{provider} provider cannot use the env block"] if secret["Env"] else []
        elif secret["Config"]:
            own.append(f"custom plugin provider {provider} cannot use the config block")
        errors += gotext.under(f"Secret {quoted(name)} is invalid", own)
    return errors
