"""What a server warns about while it takes the job.

Source: nomad/structs/structs.go Job.Warnings, nomad/job_endpoint_hooks.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomad_operator.embedded import gotext

Value = Mapping[str, Any]


def job_warnings(job: Value, *, memory_oversubscription: bool) -> list[str]:
    """Every warning, in Nomad's order."""
    groups = job["TaskGroups"] or ()
    found = []
    for group in groups:
        found += gotext.under(f"Group {gotext.quoted(group['Name'])} has warnings", _group(group))
    for group in groups:
        found += _shutdown_delays(group)
    updates = [group["Update"] for group in groups if group["Update"] is not None]
    if any(u["AutoPromote"] for u in updates) and not all(u["Canary"] == 0 or u["AutoPromote"] for u in updates):
        found.append("auto_promote must be true for all groups to enable automatic promotion")
    if job["Periodic"] is not None and job["Periodic"]["Spec"]:
        found.append("cron is deprecated and may be removed in a future release. Use crons instead")
    tasks = [(group, task) for group in groups for task in group["Tasks"] or ()]
    for _, task in tasks:
        found += _orphaned_vault_identities(task)
    if not memory_oversubscription:
        found += [
            f'Memory oversubscription is not enabled; Task "{group["Name"]}.{task["Name"]}" memory_max value will be'
            " ignored. Update the Scheduler Configuration to allow oversubscription."
            for group, task in tasks
            if task["Resources"]["MemoryMaxMB"]
        ]
    return found


def _group(group: Value) -> list[str]:
    found = []
    update = group["Update"]
    if update is not None and 1 < group["Count"] < update["MaxParallel"]:
        found.append(
            f"Update max parallel count is greater than task group count ({update['MaxParallel']} > {group['Count']})."
            " A destructive change would result in the simultaneous replacement of all allocations."
        )
    if group["MaxClientDisconnect"] is not None:
        found.append("MaxClientDisconnect is deprecated and ignored in favor of Disconnect.LostAfter")
    if group["StopAfterClientDisconnect"] is not None:
        found.append("StopAfterClientDisconnect is deprecated and ignored favor of Disconnect.StopOnClientAfter")
    if group["PreventRescheduleOnLost"]:
        found.append("PreventRescheduleOnLost is deprecated and ignored in favor of Disconnect.Replace")
    if group["Networks"] and group["Networks"][0].get("MBits"):
        found.append("mbits has been deprecated as of Nomad 0.12.0. Please remove mbits from the network block")
    for task in group["Tasks"] or ():
        found += gotext.under(f"Task {gotext.quoted(task['Name'])} has warnings", _task(task))
    return found


def _task(task: Value) -> list[str]:
    found = []
    if task["Resources"]["IOPS"]:
        found.append("IOPS has been deprecated as of Nomad 0.9.0. Please remove IOPS from resource block.")
    if task["Resources"]["Networks"]:
        found.append(
            "task network resources have been deprecated as of Nomad 0.12.0."
            " Please configure networking via group network block."
        )
    for number, template in enumerate(task["Templates"] or ()):
        if template["VaultGrace"]:
            found.append(
                f"Template[{number}] VaultGrace has been deprecated as of Nomad 0.11 and ignored since Vault 0.5."
                " Please remove VaultGrace / vault_grace from template block."
            )
    for identity in task["Identities"] or ():
        prefixed = [f"Identity[{identity['Name']}] {text}" for text in _identity(identity)]
        found += gotext.nested(prefixed)
    return found


def _identity(identity: Value) -> list[str]:
    found = []
    if not identity["Audience"]:
        found.append("identities without an audience are insecure")
    elif len(identity["Audience"]) > 1:
        found.append("while multiple audiences is allowed, it is more secure to use 1 audience per identity")
    if identity["TTL"] == 0:
        found.append("identities without an expiration are insecure")
    if identity["Env"] and identity["ChangeMode"] != "restart":
        found.append('using env=true without change_mode="restart" may result in task not getting updated identity')
    return found


def _shutdown_delays(group: Value) -> list[str]:
    services = group["Services"] or ()
    referenced = {service["TaskName"] for service in services if service["TaskName"]}
    name = gotext.quoted(group["Name"])
    found = []
    for task in group["Tasks"] or ():
        own = gotext.quoted(task["Name"])
        if task["Name"] in referenced and task["ShutdownDelay"] == 0:
            found.append(
                f"group {name} references task {own} in a service definition, but the task has no shutdown_delay set"
            )
        if task["ShutdownDelay"] <= 0 and task["Services"]:
            found.append(f"task {own} in group {name} defines services, but has no shutdown_delay set")
    unscoped = any(not service["TaskName"] and not _sidecar(service) for service in services)
    delayed = (group["ShutdownDelay"] or 0) > 0 or any(task["ShutdownDelay"] > 0 for task in group["Tasks"] or ())
    if unscoped and not delayed:
        found.append(
            f"group {name} defines services, but neither the group nor any of its tasks have shutdown_delay set"
        )
    return found


def _sidecar(service: Value) -> bool:
    return bool((service["Connect"] or {}).get("SidecarTask"))


def _orphaned_vault_identities(task: Value) -> list[str]:
    if task["Vault"] is not None:
        return []
    names = [identity["Name"] for identity in task["Identities"] or () if identity["Name"].startswith("vault_")]
    return [f"Task {task['Name']} has an identity called {name} but no vault block" for name in names]
