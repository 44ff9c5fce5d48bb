"""What Nomad makes of a job: the API's defaults when it is parsed, the server's completion when it is registered.

Both are pure and leave their argument alone. They never complain: a job that makes no sense is completed as far as it
goes, and `validation` says what is wrong with it.

Source: api/jobs.go and api/tasks.go (Canonicalize), command/agent/job_endpoint.go (ApiJobToStructJob), nomad/structs
(Canonicalize); checked against a real server with and without `Canonicalize`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from desired.state import JobBody
from nomad_operator.embedded.implied import imply
from nomad_operator.embedded.shapes import SHAPES, shaped

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE

_UPDATE: Mapping[str, Any] = {
    "Stagger": 30 * _SECOND,
    "MaxParallel": 1,
    "HealthCheck": "checks",
    "MinHealthyTime": 10 * _SECOND,
    "HealthyDeadline": 5 * _MINUTE,
    "ProgressDeadline": 10 * _MINUTE,
    "AutoRevert": False,
    "Canary": 0,
    "AutoPromote": False,
}

# What the API puts into a field that is unset, wherever a structure of that name stands.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "Job": {
        "ID": "",
        "ParentID": "",
        "Namespace": "default",
        "Priority": 50,
        "Stop": False,
        "Region": "global",
        "NodePool": "",
        "Type": "service",
        "AllAtOnce": False,
        "ConsulNamespace": "",
        "VaultNamespace": "",
        "NomadTokenID": "",
        "Status": "",
        "StatusDescription": "",
        "Stable": False,
        "Version": 0,
        "CreateIndex": 0,
        "ModifyIndex": 0,
        "JobModifyIndex": 0,
    },
    "TaskGroup": {"Name": ""},
    "Task": {"KillTimeout": 5 * _SECOND},
    "UpdateStrategy": _UPDATE,
    "MigrateStrategy": {
        "MaxParallel": 1,
        "HealthCheck": "checks",
        "MinHealthyTime": 10 * _SECOND,
        "HealthyDeadline": 5 * _MINUTE,
    },
    "EphemeralDisk": {"Sticky": False, "Migrate": False, "SizeMB": 300},
    "PeriodicConfig": {
        "Enabled": True,
        "Spec": "",
        "Specs": (),
        "SpecType": "cron",
        "ProhibitOverlap": False,
        "TimeZone": "UTC",
    },
    "ScalingPolicy": {"Enabled": True, "Type": "horizontal"},
    "DisconnectStrategy": {"Replace": True, "Reconcile": "best_score"},
    "LogConfig": {"MaxFiles": 10, "MaxFileSizeMB": 10, "Disabled": False},
    "Service": {"AddressMode": "auto", "OnUpdate": "require_healthy", "Provider": "consul", "Cluster": "default"},
    "Consul": {"Cluster": "default"},
    "TaskArtifact": {"GetterMode": "any", "GetterInsecure": False, "GetterSource": ""},
    "Template": {
        "SourcePath": "",
        "DestPath": "",
        "EmbeddedTmpl": "",
        "ChangeMode": "restart",
        "Once": False,
        "Splay": 5 * _SECOND,
        "Perms": "0644",
        "LeftDelim": "{{",
        "RightDelim": "}}",
        "Envvars": False,
        "ErrMissingKey": False,
        "VaultGrace": 0,
    },
    "ChangeScript": {
        "Command": "",
        "Args": (),
        "Timeout": 5 * _SECOND,
        "FailOnError": False,
        "RunOnFirstRender": False,
    },
    "Vault": {
        "Env": True,
        "DisableFile": False,
        "Namespace": "",
        "Cluster": "default",
        "ChangeMode": "restart",
        "ChangeSignal": "SIGHUP",
        "AllowTokenExpiration": False,
    },
    "VolumeMount": {"PropagationMode": "private", "ReadOnly": False, "SELinuxLabel": ""},
    "RequestedDevice": {"Count": 1},
    "Affinity": {"Weight": 50},
    "Spread": {"Weight": 50},
    "TaskCSIPluginConfig": {"MountDir": "/csi", "StagePublishBaseDir": "/local/csi", "HealthTimeout": 30 * _SECOND},
}

_SERVICE_RESTART = {
    "Attempts": 2,
    "Delay": 15 * _SECOND,
    "Interval": 30 * _MINUTE,
    "Mode": "fail",
    "RenderTemplates": False,
}
_BATCH_RESTART = {**_SERVICE_RESTART, "Attempts": 3, "Interval": 24 * _HOUR}
_RESTART: Mapping[str, Mapping[str, Any]] = {"service": _SERVICE_RESTART, "system": _SERVICE_RESTART}

_NO_RESCHEDULE = {"Attempts": 0, "Interval": 0, "Delay": 0, "DelayFunction": "", "MaxDelay": 0, "Unlimited": False}
_RESCHEDULE: Mapping[str, Mapping[str, Any]] = {
    "service": {
        "Attempts": 0,
        "Interval": 0,
        "Delay": 30 * _SECOND,
        "DelayFunction": "exponential",
        "MaxDelay": _HOUR,
        "Unlimited": True,
    },
    "batch": {
        "Attempts": 1,
        "Interval": 24 * _HOUR,
        "Delay": 5 * _SECOND,
        "DelayFunction": "constant",
        "MaxDelay": 0,
        "Unlimited": False,
    },
}

# Empty lists and objects that the API turns into unset ones.
_EMPTY_IS_UNSET: Mapping[str, tuple[str, ...]] = {
    "Service": ("Meta", "CanaryMeta", "TaggedAddresses"),
    "TaskArtifact": ("GetterOptions", "GetterHeaders"),
    "Secret": ("Config", "Env"),
    "JobUIConfig": ("Links",),
}
_EMPTY_IS_UNSET_ON_SERVER: Mapping[str, tuple[str, ...]] = {
    "Job": ("Meta", "Constraints", "Affinities", "Spreads", "TaskGroups"),
    "TaskGroup": ("Meta", "Constraints", "Affinities", "Spreads", "Tasks", "Volumes", "Services", "Networks"),
    "Task": (
        "Meta",
        "Config",
        "Env",
        "Constraints",
        "Affinities",
        "VolumeMounts",
        "Identities",
        "Services",
        "Templates",
        "Artifacts",
        "ScalingPolicies",
    ),
    "Resources": ("Networks", "Devices"),
    "NetworkResource": ("ReservedPorts", "DynamicPorts"),
    "Service": ("Tags", "CanaryTags", "Checks", "TaggedAddresses"),
    "ServiceCheck": ("Args", "Header"),
}


def api_canonical(job: JobBody) -> dict[str, Any]:
    """The job as `/v1/jobs/parse` answers with `Canonicalize`. Doing it twice changes nothing."""
    body: dict[str, Any] = shaped("Job", job, server=False)
    _fill("Job", body)
    if body["Name"] is None:
        body["Name"] = body["ID"]
    if body["Update"] is None and body["Type"] in ("service", "system"):
        body["Update"] = dict(_UPDATE)
    for group in body["TaskGroups"] or ():
        _complete_group(group, body)
    # Only now: a group inherits what the job says, not what the job is given by default.
    _fill_below("Job", body)
    return body


def server_canonical(job: JobBody, *, consul_identities: bool = False) -> dict[str, Any]:
    """The job as a server keeps it, and as `GET /v1/job/:id` shows it right after it was registered.

    Indexes, `Version`, `Status`, `SubmitTime` are left at zero: who registers sets them. `consul_identities`: whether
    the server is configured to give services of the Consul provider an identity.
    """
    api = api_canonical(job)
    body: dict[str, Any] = shaped("Job", api, server=True)
    _prune("Job", body)
    if not body["Datacenters"]:
        body["Datacenters"] = ["*"]
    body["Namespace"] = body["Namespace"] or "default"
    body["NodePool"] = body["NodePool"] or "default"
    body["Priority"] = body["Priority"] or 50
    body["ConsulNamespace"] = ""
    if body["ParameterizedJob"] is not None:
        body["ParameterizedJob"]["Payload"] = body["ParameterizedJob"]["Payload"] or "optional"
    body["Update"] = _job_update(api["Update"])
    for link, given in zip((body["UI"] or {}).get("Links") or (), (api["UI"] or {}).get("Links") or (), strict=True):
        link["Url"] = given["URL"]
    for group in body["TaskGroups"] or ():
        _complete_group_on_server(group, body)
    imply(body, consul_identities=consul_identities)
    return body


def _fill(kind: str, value: dict[str, Any]) -> None:
    for name in _EMPTY_IS_UNSET.get(kind, ()):
        value[name] = value[name] or None
    for name, default in _DEFAULTS.get(kind, {}).items():
        if value[name] is None or value[name] == "" != default:
            value[name] = list(default) if isinstance(default, tuple) else default


def _fill_below(kind: str, value: dict[str, Any]) -> None:
    for field in SHAPES[kind]:
        inner = value.get(field.name)
        name = field.kind.strip("[]{}")
        if inner is None or name not in SHAPES:
            continue
        if field.kind.startswith("["):
            items = inner
        else:
            items = list(inner.values()) if field.kind.startswith("{") else [inner]
        for item in items:
            _fill(name, item)
            _fill_below(name, item)


def _complete_group(group: dict[str, Any], job: dict[str, Any]) -> None:
    """What a group inherits from its job or gets by the job's type."""
    kind = job["Type"]
    scaling = group["Scaling"]
    if group["Count"] is None:
        group["Count"] = 1 if scaling is None or scaling["Min"] is None else scaling["Min"]
    if scaling is not None and scaling["Min"] is None:
        scaling["Min"] = group["Count"]
    group["EphemeralDisk"] = group["EphemeralDisk"] or _blank("EphemeralDisk")
    if group["Consul"] is not None:
        group["Consul"]["Namespace"] = group["Consul"]["Namespace"] or job["ConsulNamespace"]
    if job["Update"] is not None and (group["Update"] is not None or any(job["Update"].values())):
        _fill("UpdateStrategy", job["Update"])
        group["Update"] = _merged(job["Update"], group["Update"])
    group["ReschedulePolicy"] = _inherited("ReschedulePolicy", job["Reschedule"], group["ReschedulePolicy"])
    if group["ReschedulePolicy"] is not None or kind not in ("system", "sysbatch"):
        defaults = _RESCHEDULE.get(kind, _NO_RESCHEDULE)
        group["ReschedulePolicy"] = _merged(defaults, group["ReschedulePolicy"])
    group["Migrate"] = _inherited("MigrateStrategy", job["Migrate"], group["Migrate"])
    if group["Migrate"] is None and kind == "service":
        group["Migrate"] = _blank("MigrateStrategy")
    group["RestartPolicy"] = _merged(_RESTART.get(kind, _BATCH_RESTART), group["RestartPolicy"])
    for task in group["Tasks"] or ():
        _complete_task(task, group, job)
    for service in group["Services"] or ():
        _complete_service(service, f"{job['Name']}-{group['Name'] or ''}")


def _complete_task(task: dict[str, Any], group: dict[str, Any], job: dict[str, Any]) -> None:
    task["Resources"] = resources = task["Resources"] or _blank("Resources")
    if resources["CPU"] is None:
        resources["CPU"] = 0 if resources["Cores"] is not None else 100
    resources["Cores"] = resources["Cores"] or 0
    if resources["MemoryMB"] is None:
        resources["MemoryMB"] = 300
    task["LogConfig"] = task["LogConfig"] or _blank("LogConfig")
    task["RestartPolicy"] = _merged(group["RestartPolicy"], task["RestartPolicy"])
    for artifact in task["Artifacts"] or ():
        if artifact["RelativeDest"] is None:
            name = posixpath.basename(artifact["GetterSource"] or "")
            artifact["RelativeDest"] = f"local/{name}" if artifact["GetterMode"] == "file" else "local/"
    for template in task["Templates"] or ():
        if template["ChangeSignal"] is None:
            template["ChangeSignal"] = "SIGHUP" if template["ChangeMode"] == "signal" else ""
        template["ChangeSignal"] = template["ChangeSignal"].upper()
    for service in task["Services"] or ():
        _complete_service(service, f"{job['Name']}-{group['Name'] or ''}-{task['Name']}")


def _complete_service(service: dict[str, Any], default_name: str) -> None:
    service["Name"] = service["Name"] or default_name
    if weights := service["Weights"]:
        for name, value in weights.items():
            weights[name] = value if value > 0 else 1
    for check in service["Checks"] or ():
        if service["CheckRestart"] is not None or check["CheckRestart"] is not None:
            check["CheckRestart"] = _check_restart(service["CheckRestart"], check["CheckRestart"])
        check["OnUpdate"] = check["OnUpdate"] or service["OnUpdate"] or "require_healthy"
        for name in ("SuccessBeforePassing", "FailuresBeforeCritical", "FailuresBeforeWarning"):
            check[name] = max(check[name], 0)


def _check_restart(outer: Mapping[str, Any] | None, inner: Mapping[str, Any] | None) -> dict[str, Any]:
    """A check's own values win where they are set; `IgnoreWarnings` is set by either."""
    first, second = inner or outer or {}, outer or inner or {}
    grace = first["Grace"] if first["Grace"] is not None else second["Grace"]
    return {
        "Limit": first["Limit"] or second["Limit"],
        "Grace": _SECOND if grace is None else grace,
        "IgnoreWarnings": first["IgnoreWarnings"] or second["IgnoreWarnings"],
    }


def _complete_group_on_server(group: dict[str, Any], job: dict[str, Any]) -> None:
    kind = job["Type"]
    if group["ReschedulePolicy"] is None and kind not in ("system", "sysbatch"):
        group["ReschedulePolicy"] = dict(_RESCHEDULE.get(kind, _NO_RESCHEDULE))
    place = {"Namespace": job["Namespace"], "Job": job["ID"], "Group": group["Name"]}
    if group["Scaling"] is not None:
        group["Scaling"]["Target"] = dict(place)
    if group["Volumes"]:
        known = {name: volume for name, volume in group["Volumes"].items() if volume["Type"] in ("host", "csi")}
        group["Volumes"] = known
    _host_networks(group["Networks"])
    for service in group["Services"] or ():
        _complete_service_on_server(service, job, group["Name"], None)
    for task in group["Tasks"] or ():
        _host_networks(task["Resources"]["Networks"])
        for policy in task["ScalingPolicies"] or ():
            policy["Target"] = {**place, "Task": task["Name"]}
        for service in task["Services"] or ():
            _complete_service_on_server(service, job, group["Name"], task["Name"])
        if task["Vault"] is not None:
            task["Vault"]["ChangeSignal"] = task["Vault"]["ChangeSignal"].upper()
            task["Vault"]["Namespace"] = task["Vault"]["Namespace"] or job["VaultNamespace"]
        _identities(task)


def _host_networks(networks: list[dict[str, Any]] | None) -> None:
    for network in networks or ():
        for port in (*(network.get("ReservedPorts") or ()), *(network.get("DynamicPorts") or ())):
            port["HostNetwork"] = port.get("HostNetwork") or "default"


def _complete_service_on_server(service: dict[str, Any], job: dict[str, Any], group: str, task: str | None) -> None:
    service["TaskName"] = service["TaskName"] or task or ""
    base = f"{job['Name']}-{group}-{task or 'group'}"
    for name, value in (("JOB", job["Name"]), ("TASKGROUP", group), ("TASK", task or "group"), ("BASE", base)):
        service["Name"] = service["Name"].replace(f"${{{name}}}", value)
    for check in service["Checks"] or ():
        check["Name"] = check["Name"] or f'service: "{service["Name"]}" check'
        check["TaskName"] = check["TaskName"] or service["TaskName"]
    service["Namespace"] = job["Namespace"] if service["Provider"] == "nomad" else "default"


def _identities(task: dict[str, Any]) -> None:
    """The identity named `default` has a place of its own, and every task has one."""
    others = []
    for identity in task["Identities"] or ():
        if (identity["Name"] or "default") == "default":
            task["Identity"] = identity
        else:
            others.append(identity)
        identity["ChangeSignal"] = identity["ChangeSignal"].upper()
    # Nomad deletes in place: once there was a list, an empty one stays.
    task["Identities"] = others if task["Identities"] is not None else None
    task["Identity"] = task["Identity"] or shaped("WorkloadIdentity", {}, server=True)
    if task["Identity"]["Name"] in ("", "default"):
        task["Identity"] |= {"Name": "default", "Audience": ["nomadproject.io"]}


def _job_update(update: Mapping[str, Any] | None) -> dict[str, Any]:
    """All but two fields of the job's own block are dropped once the groups have inherited them."""
    kept: dict[str, Any] = shaped("UpdateStrategy", {}, server=True)
    if update is not None and update["MaxParallel"] > 0:
        kept |= {"MaxParallel": update["MaxParallel"], "Stagger": update["Stagger"]}
    return kept


def _prune(kind: str, value: dict[str, Any]) -> None:
    for field in SHAPES[kind]:
        inner = value.get(field.name)
        if inner is not None and not inner and field.name in _EMPTY_IS_UNSET_ON_SERVER.get(kind, ()):
            value[field.name] = None
        name = field.kind.strip("[]{}")
        if not inner or name not in SHAPES:
            continue
        if field.kind.startswith("["):
            items = inner
        else:
            items = list(inner.values()) if field.kind.startswith("{") else [inner]
        for item in items:
            _prune(name, item)


def _blank(kind: str) -> dict[str, Any]:
    blank: dict[str, Any] = shaped(kind, {}, server=False)
    return blank


def _merged(base: Mapping[str, Any], over: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**base, **{name: value for name, value in (over or {}).items() if value is not None}}


def _inherited(kind: str, outer: Mapping[str, Any] | None, inner: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if outer is None and inner is None:
        return None
    return {**_blank(kind), **_merged(outer or {}, inner)}
