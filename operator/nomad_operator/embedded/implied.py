"""The constraints that a server adds to a group by itself, because of what the group uses.

Source: nomad/job_endpoint_hooks.go, nomad/job_endpoint_hook_implicit_identities.go.
"""

from __future__ import annotations

from typing import Any

_CNI_PLUGINS = ("bridge", "firewall", "host-local", "loopback", "portmap")


def imply(job: dict[str, Any], *, consul_identities: bool) -> None:
    """Add them to a job in the server's shape; a constraint that is there already is not added again."""
    for group in job["TaskGroups"] or ():
        tasks = group["Tasks"] or []
        for task in sorted(tasks, key=lambda task: str(task["Name"])):
            if task["Vault"] is not None:
                _vault(group, task["Vault"]["Cluster"])
        _secrets(group, job)
        if any(task["Resources"]["NUMA"] and task["Resources"]["NUMA"]["Affinity"] for task in tasks):
            _add(group, "${attr.nomad.version}", "semver", ">= 1.6.3-dev")
            _add(group, "${attr.kernel.name}", "=", "linux")
        if signals := _signals(tasks):
            _add(group, "${attr.os.signals}", "set_contains", ",".join(signals))
        _services(group, tasks)
        if any(network.get("Mode") == "bridge" for network in group["Networks"] or ()):
            for plugin in _CNI_PLUGINS:
                _add(group, f"${{attr.plugins.cni.version.{plugin}}}", "semver", ">= 0.4.0", left=True)
        if _has_identity(group, tasks, consul_identities=consul_identities):
            _add(group, "${attr.nomad.version}", "semver", ">= 1.7.0-a", always=True)


def _vault(group: dict[str, Any], cluster: str) -> None:
    if cluster in ("", "default"):
        _add(group, "${attr.vault.version}", "semver", ">= 0.6.1", left=True)
    else:
        _add(group, f"${{attr.vault.{cluster}.version}}", "semver", ">= 1.11.0", left=True)


def _secrets(group: dict[str, Any], job: dict[str, Any]) -> None:
    """Every group gets those of the whole job: that is what the server does."""
    for other in job["TaskGroups"]:
        for task in other["Tasks"] or ():
            for secret in task["Secrets"] or ():
                _add(group, f"${{attr.plugins.secrets.{secret['Provider']}.version}}", "is_set", "", left=True)


def _signals(tasks: list[dict[str, Any]]) -> list[str]:
    found: set[str] = set()
    for task in tasks:
        if task["Vault"] is not None and task["Vault"]["ChangeMode"] == "signal":
            found.add(task["Vault"]["ChangeSignal"])
        if task["KillSignal"]:
            found.add(task["KillSignal"])
        found.update(t["ChangeSignal"] for t in task["Templates"] or () if t["ChangeMode"] == "signal")
    return sorted(found)


def _services(group: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
    own = group["Services"] or []
    of_tasks = [service for task in tasks for service in task["Services"] or ()]
    native = [service for service in (*own, *of_tasks) if service["Provider"] == "nomad"]
    if native:
        _add(group, "${attr.nomad.service_discovery}", "=", "true")
    if any(service["Checks"] for service in native):
        _add(group, "${attr.nomad.version}", "semver", ">= 1.4.0")
    for holder, services in ((group, own), *((task, task["Services"] or ()) for task in tasks)):
        for service in services:
            if service["Provider"] == "consul":
                cluster = "" if service["Cluster"] in ("", "default") else f".{service['Cluster']}"
                _add(holder, f"${{attr.consul{cluster}.version}}", "semver", ">= 1.8.0", left=True)


def _has_identity(group: dict[str, Any], tasks: list[dict[str, Any]], *, consul_identities: bool) -> bool:
    services = [*(group["Services"] or ()), *(service for task in tasks for service in task["Services"] or ())]
    if consul_identities and any(service["Provider"] == "consul" for service in services):
        return True
    return any(service["Identity"] for service in services) or any(task["Identities"] for task in tasks)


def _add(
    holder: dict[str, Any], left_target: str, operand: str, right: str, *, left: bool = False, always: bool = False
) -> None:
    """`left`: a constraint on the same attribute, whatever it says, stands for this one."""
    constraint = {"LTarget": left_target, "RTarget": right, "Operand": operand}
    present = holder["Constraints"] or []
    if always or not any(c == constraint or (left and c["LTarget"] == left_target) for c in present):
        holder["Constraints"] = [*present, constraint]
