"""Services and their checks, of groups and of tasks.

Source: nomad/structs/services.go; nomad/structs/structs.go validateServices of TaskGroup and Task.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from nomad_operator.embedded import gotext
from nomad_operator.embedded.gotext import duration, quoted

Value = Mapping[str, Any]

_NAME = re.compile(r"[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]{0,61}[a-zA-Z0-9]")
_INTERPOLATION = re.compile(r"\$\{[a-zA-Z0-9_.-]+\}")
_ON_UPDATE = ("", "ignore", "require_healthy", "ignore_warnings")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"})
_CHECK_TYPES: Mapping[str, tuple[str, ...]] = {"nomad": ("tcp", "http"), "consul": ("grpc", "tcp", "http", "script")}
_WITH_PORT = frozenset({"grpc", "http", "tcp"})
_SECOND = 10**9


def group_service_errors(group: Value) -> list[str]:
    errors = []
    tasks = {task["Name"] for task in group["Tasks"] or ()}
    ids: list[tuple[str, str, str]] = []
    providers: set[str] = set()
    for task in group["Tasks"] or ():
        for service in task["Services"] or ():
            errors += _belongs(service, task["Name"])
            ids.append((task["Name"], service["Name"], service["PortLabel"]))
            providers.add(service["Provider"])
    for number, service in enumerate(group["Services"] or ()):
        ids.append(("group", service["Name"], service["PortLabel"]))
        providers.add(service["Provider"])
        own = _service(service)
        if own:
            errors += gotext.under(f"Service[{number}] {service['Name']} validation failed", own)
            continue
        if service["AddressMode"] == "driver":
            errors.append(
                f'service {quoted(service["Name"])} cannot use address_mode="driver",'
                ' only services defined in a "task" block can use this mode'
            )
        errors += _group_checks(service, tasks)
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        shown = " ".join(f"{owner}->{name}" + (f":{port}" if port else "") for owner, name, port in twice)
        errors.append(f"Services are not unique: [{shown}]")
    if len(providers) > 1:
        errors.append("Multiple service providers used: task group services must use the same provider")
    return errors


def _belongs(service: Value, task: str) -> list[str]:
    errors = []
    if service["TaskName"] not in ("", task):
        got = f"may only specify task the service belongs to, got {quoted(service['TaskName'])}"
        errors.append(f"Service {service['Name']} is invalid: {got}")
    for check in service["Checks"] or ():
        if check["TaskName"] not in ("", task):
            got = f"may only specify task the check belongs to, got {quoted(check['TaskName'])}"
            errors.append(f"Check {check['Name']} is invalid: {got}")
    return errors


def _group_checks(service: Value, tasks: set[str]) -> list[str]:
    errors = []
    for check in service["Checks"] or ():
        if check["TaskName"] and check["AddressMode"] == "driver":
            errors.append(
                f'Check {quoted(service["Name"])} invalid: cannot use address_mode="driver",'
                ' only checks defined in a "task" service block can use this mode'
            )
        if check["TaskName"] and check["TaskName"] not in tasks:
            errors.append(f"Check {check['Name']} invalid: refers to non-existent task {check['TaskName']}")
    return errors


def script_check_errors(group: Value) -> list[str]:
    return [
        f"Service [{group['Name']}]->{service['Name']} or Check {check['Name']} must specify task parameter"
        for service in group["Services"] or ()
        for check in service["Checks"] or ()
        if not service["TaskName"] and check["Type"] == "script" and not check["TaskName"]
    ]


def task_service_errors(task: Value, networks: list[Value] | None) -> list[str]:
    """Of a task's own services; they may refer to ports of the group's first network and of the task."""
    errors = []
    wanted: dict[str, set[str]] = {}
    known: set[str] = set()
    for number, service in enumerate(task["Services"] or ()):
        name = service["Name"]
        own = _service(service)
        errors += gotext.under(f"service[{number}] {quoted(name, ascii_only=True)} validation failed", own)
        if service["AddressMode"] in ("alloc", "alloc_ipv6"):
            mode = f'address_mode="{service["AddressMode"]}"'
            only = 'only services defined in a "group" block can use this mode'
            errors.append(f"service {quoted(name)} cannot use {mode}, {only}")
        if name + service["PortLabel"] in known:
            errors.append(f"service {quoted(name)} is duplicate")
        known.add(name + service["PortLabel"])
        by_number = service["AddressMode"] == "driver" and _numeric(service["PortLabel"])
        if service["PortLabel"] and not by_number:
            wanted.setdefault(service["PortLabel"], set()).add(name)
        if service["Connect"] is not None:
            only = 'only services defined in a "group" block can'
            errors.append(f'service {quoted(name)} cannot have "connect" block, {only}')
        errors += _task_checks(service, wanted)
    labels = _labels((networks or [])[:1]) | _labels(task["Resources"]["Networks"] or [])
    for label in sorted(wanted.keys() - labels):
        names = ", ".join(sorted(wanted[label]))
        errors.append(f"port label {quoted(label)} referenced by services {names} does not exist")
    return errors


def _task_checks(service: Value, wanted: dict[str, set[str]]) -> list[str]:
    errors = []
    known: set[str] = set()
    for check in service["Checks"] or ():
        name = quoted(check["Name"])
        if check["Name"] in known:
            errors.append(f"check {name} is duplicate")
        known.add(check["Name"])
        if check["AddressMode"] in ("alloc", "alloc_ipv6"):
            mode = f'address_mode="{check["AddressMode"]}"'
            only = 'only checks defined in a "group" service block can use this mode'
            errors.append(f"check {quoted(service['Name'])} cannot use {mode}, {only}")
        if check["Type"] not in _WITH_PORT:
            continue
        port = check["PortLabel"] or service["PortLabel"]
        if not port:
            errors.append(f"check {name} is missing a port")
        elif not _numeric(port):
            wanted.setdefault(port, set()).add(service["Name"])
        elif check["AddressMode"] != "driver":
            errors.append(f'check {name} cannot use a numeric port {int(port)} without setting address_mode="driver"')
        elif int(port) <= 0:
            errors.append(f"check {name} has invalid numeric port {int(port)}")
    return errors


def _labels(networks: list[Value]) -> set[str]:
    kinds = ("ReservedPorts", "DynamicPorts")
    return {port.get("Label", "") for network in networks for kind in kinds for port in network.get(kind) or ()}


def _numeric(label: str) -> bool:
    return re.fullmatch(r"[+-]?\d+", label) is not None


def _service(service: Value) -> list[str]:
    errors = []
    if not _NAME.fullmatch(_INTERPOLATION.sub("ENV-VAR", service["Name"])):
        errors.append(
            "Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes and must be"
            f" no longer than 63 characters: {quoted(service['Name'])}"
        )
    mode = service["AddressMode"]
    if mode in ("host", "driver", "alloc", "alloc_ipv6"):
        if service["Address"]:
            errors.append('Service address_mode must be "auto" if address is set')
    elif mode not in ("", "auto"):
        errors.append(f'Service address_mode must be "auto", "host", or "driver"; not {quoted(mode)}')
    if service["OnUpdate"] not in _ON_UPDATE:
        known = '"require_healthy", "ignore_warnings", or "ignore"'
        errors.append(f"Service on_update must be {known}; not {quoted(service['OnUpdate'])}")
    if service["Provider"] not in _CHECK_TYPES:
        errors.append(f'Service provider must be "consul", or "nomad"; not {quoted(service["Provider"])}')
    else:
        errors += _checks(service)
    if service["Provider"] == "nomad" and service["Connect"] is not None:
        errors.append("Service with provider nomad cannot include Connect blocks")
    if service["Identity"] is not None and not service["Identity"]["Audience"]:
        errors.append("Service identity must provide at least one target aud value")
    return errors


def _checks(service: Value) -> list[str]:
    errors = []
    for check in service["Checks"] or ():
        if not service["PortLabel"] and not check["PortLabel"] and check["Type"] in _WITH_PORT:
            name = quoted(service["Name"], ascii_only=True)
            text = f"check requires a port but neither check nor service {name} have a port"
            errors.append(f"Check {check['Name']} invalid: {text}")
            continue
        nomad = service["Provider"] == "nomad"
        found = _check(check, service["Provider"]) or (_native(check) if nomad else _consul(check))
        if found:
            errors.append(found if nomad else f"Check {check['Name']} invalid: {found}")
    return errors


def _check(check: Value, provider: str) -> str:
    """The first thing that is wrong with a check of any provider."""
    kind, interval, timeout = check["Type"].lower(), check["Interval"], check["Timeout"]
    if kind not in _CHECK_TYPES[provider]:
        return f"invalid check type ({quoted(kind)}), must be one of {', '.join(_CHECK_TYPES[provider])}"
    if kind == "http":
        if not check["Path"]:
            return "http type must have http path"
        if urlsplit(check["Path"]).scheme:
            return "http type must have relative http path"
    if kind == "script" and not check["Command"]:
        return "script type must have a valid script path"
    if interval == 0:
        return "missing required value interval. Interval cannot be less than 1s"
    if interval < _SECOND:
        return f"interval ({duration(interval)}) cannot be lower than 1s"
    if timeout == 0:
        return "missing required value timeout. Timeout cannot be less than 1s"
    if timeout < _SECOND:
        return f"timeout ({duration(timeout)}) is lower than required minimum timeout 1s"
    if check["InitialStatus"] not in ("", "passing", "warning", "critical"):
        known = '"passing", "warning", "critical"'
        return f"invalid initial check state ({check['InitialStatus']}), must be one of {known} or empty"
    return _modes(check)


def _modes(check: Value) -> str:
    mode, on_update, restart = check["AddressMode"], check["OnUpdate"], check["CheckRestart"]
    if mode == "auto":
        return 'invalid address_mode "auto" - auto only valid for services'
    if mode not in ("", "host", "driver", "alloc", "alloc_ipv6"):
        return f"invalid address_mode {quoted(mode)}"
    if on_update not in _ON_UPDATE:
        return f'on_update must be "require_healthy", "ignore_warnings", or "ignore"; got {quoted(on_update)}'
    if restart is None:
        return ""
    if on_update == "ignore":
        return f"on_update value {quoted(on_update)} is not compatible with check_restart"
    if on_update == "ignore_warnings" and not restart["IgnoreWarnings"]:
        value = f"on_update value {quoted(on_update)}"
        return f'{value} not supported with check_restart ignore_warnings value "false"'
    limits = (("limit", restart["Limit"]), ("grace period", restart["Grace"]))
    return gotext.errors(
        [f"{name} must be greater than or equal to 0 but found {value}" for name, value in limits if value < 0]
    )


def _native(check: Value) -> str:
    """What checks of Nomad's own provider cannot do."""
    if check["Expose"]:
        return "expose may only be set for Consul service checks"
    if check["OnUpdate"] == "ignore_warnings":
        return "on_update may only be set to ignore_warnings for Consul service checks"
    if (check["CheckRestart"] or {}).get("IgnoreWarnings"):
        return "ignore_warnings on check_restart only supported for Consul service checks"
    if check["AddressMode"] == "driver":
        return "address_mode = driver may only be set for Consul service checks"
    if check["Type"] == "http" and check["Method"] and check["Method"].upper() not in _METHODS:
        return f"method type {quoted(check['Method'])} not supported in Nomad http check"
    only_consul = (
        ("SuccessBeforePassing", "success_before_passing"),
        ("FailuresBeforeCritical", "failures_before_critical"),
        ("FailuresBeforeWarning", "failures_before_warning"),
        ("TLSServerName", "tls_server_name"),
    )
    return next(
        (f"{words} may only be set for Consul service checks" for name, words in only_consul if check[name]), ""
    )


def _consul(check: Value) -> str:
    if check["Expose"] and check["Type"] not in ("grpc", "http"):
        return "expose may only be set on HTTP or gRPC checks"
    if check["SuccessBeforePassing"] and check["Type"] == "script":
        return 'success_before_passing not supported for check of type "script"'
    if len(check["Notes"]) > 255:
        return "notes must not be longer than 255 characters"
    return ""
