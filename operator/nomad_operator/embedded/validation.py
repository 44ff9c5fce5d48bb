"""Whether a server would take a job, and Nomad's own words if not: what validate, plan and register have in common.

Not here: what concerns the request and not the job (ids that differ, a lost compare-and-set, a JSON body that cannot be
decoded), and whether there is room for the job. Consul Connect and multi-region jobs are not looked into.

Source: nomad/job_endpoint_hooks.go, nomad/structs/structs.go Job.Validate; texts checked against recordings.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from nomad_operator.embedded import gotext, validation_warnings
from nomad_operator.embedded.validation_group import group_errors
from nomad_operator.embedded.validation_periodic import parameterized_errors, periodic_errors
from nomad_operator.embedded.validation_placement import placement_errors

Value = Mapping[str, Any]

_TYPES = frozenset({"service", "batch", "system", "sysbatch", "_core"})


@dataclass(frozen=True, slots=True)
class Validation:
    """`errors` are the top-level items; an item may itself be a list in Nomad's form."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def error(self) -> str:
        """The body of a refused plan or register, and `Error` of a validation; empty if the job is fine."""
        return gotext.errors(self.errors)

    @property
    def warning(self) -> str:
        """`Warnings` of an answer."""
        return gotext.warnings(self.warnings)


def validate(
    job: Value,
    *,
    namespaces: Container[str] = ("default",),
    node_pools: Container[str] = ("default", "all"),
    vault_clusters: Container[str] = (),
    vault_identities: Container[str] = (),
    memory_oversubscription: bool = False,
    max_count: int = 50_000,
    max_priority: int = 100,
) -> Validation:
    """What a server says about a job in its own shape (`canonical.server_canonical`).

    `vault_clusters` are those that the servers have Vault enabled for, `vault_identities` those that they give tasks an
    identity for by themselves.
    """
    groups = job["TaskGroups"] or ()
    errors = _vault(job, vault_clusters)
    if job["Namespace"] not in namespaces:
        errors.append(f"job {gotext.quoted(job['ID'])} is in nonexistent namespace {gotext.quoted(job['Namespace'])}")
    if job["NodePool"] not in node_pools:
        errors.append(f"job {gotext.quoted(job['ID'])} is in nonexistent node pool {gotext.quoted(job['NodePool'])}")
    errors += _job(job)
    if job["Type"] == "_core":
        errors.append("job type cannot be core")
    if job["Payload"]:
        errors.append("job can't be submitted with a payload, only dispatched")
    if not 1 <= job["Priority"] <= max_priority:
        errors.append(f"job priority must be between [1, {max_priority}]")
    for group in groups:
        for task in group["Tasks"] or ():
            errors += _vault_identity(task, vault_identities)
    total = sum(group["Count"] for group in groups)
    if total > max_count > 0:
        errors.append(f"total count was greater than configured job_max_count: {total} > {max_count}")
    warned = validation_warnings.job_warnings(job, memory_oversubscription=memory_oversubscription)
    return Validation(errors=tuple(errors), warnings=tuple(warned))


def type_change(old: Value | None, new: Value) -> str | None:
    """What register, and only register, says when a job changes what it is; None where it may, or is new.

    Source: nomad/job_endpoint.go validateJobUpdate.
    """
    if old is None:
        return "job can't be submitted with 'Dispatched' set" if new["Dispatched"] else None
    if old["Type"] != new["Type"]:
        was, wants = gotext.quoted(old["Type"]), gotext.quoted(new["Type"])
        return f"cannot update job from type {was} to {wants}"
    for field, words in (("Periodic", "periodic"), ("ParameterizedJob", "parameterized")):
        before, after = _is(old, field), _is(new, field)
        if before and not after:
            return f"cannot update {words} job to being non-{words}"
        if after and not before:
            return f"cannot update non-{words} job to being {words}"
    return "field 'Dispatched' is read-only" if old["Dispatched"] != new["Dispatched"] else None


def _is(job: Value, field: str) -> bool:
    return job.get(field) is not None and (field != "ParameterizedJob" or not job.get("Dispatched"))


def _job(job: Value) -> list[str]:
    errors = _identity(job)
    groups = job["TaskGroups"] or ()
    for datacenter in job["Datacenters"]:
        if not datacenter:
            errors.append("Job datacenter must be non-empty string")
    if not groups:
        errors.append("Missing job task groups")
    errors += placement_errors(job, job["Type"], spreads=True)
    description = (job["UI"] or {}).get("Description", "")
    if len(description.encode()) > 1000:
        errors.append(f"UI description must be under 1000 characters, currently {len(description.encode())}")
    errors += _names(job)
    for group in groups:
        errors += gotext.under(f"Task group {group['Name']} validation failed", group_errors(group, job))
    periodic = job["Periodic"]
    if periodic is not None and periodic["Enabled"]:
        if job["Type"] not in ("batch", "sysbatch"):
            errors.append('Periodic can only be used with "batch" or "sysbatch" scheduler')
        errors += gotext.nested(periodic_errors(periodic))
    if job["ParameterizedJob"] is not None and not job["Dispatched"]:
        if job["Type"] not in ("batch", "sysbatch"):
            errors.append('Parameterized job can only be used with "batch" or "sysbatch" scheduler')
        errors += gotext.nested(parameterized_errors(job["ParameterizedJob"]))
    return errors


def _identity(job: Value) -> list[str]:
    errors = []
    if not job["Region"]:
        errors.append("Missing job region")
    if not job["ID"]:
        errors.append("Missing job ID")
    elif " " in job["ID"]:
        errors.append("Job ID contains a space")
    elif "\0" in job["ID"]:
        errors.append("Job ID contains a null character")
    if not job["Name"]:
        errors.append("Missing job name")
    elif "\0" in job["Name"]:
        errors.append("Job Name contains a null character")
    if not job["Type"]:
        errors.append("Missing job type")
    elif job["Type"] not in _TYPES:
        errors.append(f"Invalid job type: {gotext.quoted(job['Type'])}")
    return errors


def _names(job: Value) -> list[str]:
    errors = []
    seen: dict[str, int] = {}
    for number, group in enumerate(job["TaskGroups"] or (), 1):
        name = group["Name"]
        if not name:
            errors.append(f"Job task group {number} missing name")
        elif name in seen:
            errors.append(f"Job task group {number} redefines '{name}' from group {seen[name]}")
        else:
            seen[name] = number
        if (group["ShutdownDelay"] or 0) < 0:
            errors.append("ShutdownDelay must be a positive value")
        if job["Type"] == "system" and group["Count"] > 1:
            errors.append(
                f"Job task group {name} has count {group['Count']}. Count cannot exceed 1 with system scheduler"
            )
    return errors


def _vault(job: Value, enabled: Container[str]) -> list[str]:
    """Only the first cluster that is not there: Nomad stops looking."""
    for group in job["TaskGroups"] or ():
        for task in group["Tasks"] or ():
            if task["Vault"] is not None and task["Vault"]["Cluster"] not in enabled:
                return [f"Vault {gotext.quoted(task['Vault']['Cluster'])} not enabled but used in the job"]
    return []


def _vault_identity(task: Value, given: Container[str]) -> list[str]:
    if task["Vault"] is None or task["Vault"]["Cluster"] == "default":
        return []
    cluster = task["Vault"]["Cluster"]
    name = f"vault_{cluster}"
    if cluster in given or any(identity["Name"] == name for identity in task["Identities"] or ()):
        return []
    return [
        f"Task {task['Name']} uses Vault cluster {cluster} but does not have an identity named {name}"
        " and no default identity is provided in agent configuration"
    ]
