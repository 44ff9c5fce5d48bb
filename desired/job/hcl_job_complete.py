"""What Nomad fills in while it parses, before any canonicalizing: it is there in every answer of the parser.

Source: jobspec2/parse_job.go.
"""

from __future__ import annotations

from typing import Any

from desired.job.api_json import empty_json
from desired.job.spec import Group


def complete_job(
    body: dict[str, Any],
    label: str,
    *,
    vault: dict[str, Any] | None,
    tasks: list[dict[str, Any]],
    secrets: list[dict[str, Any]],
) -> None:
    """A job as it was read, in place: `vault`, `tasks` and `secrets` are the blocks of the job itself. Only once."""
    body["Name"] = label if body["Name"] is None else body["Name"]
    body["ID"] = label if body["ID"] is None else body["ID"]
    _complete_vault(vault)
    if tasks:
        alone = [{**empty_json(Group), "Name": task["Name"], "Tasks": [task]} for task in tasks]
        body["TaskGroups"] = alone + (body["TaskGroups"] or [])
    for group in body["TaskGroups"] or []:
        for task in group["Tasks"] or []:
            if task["Vault"] is None and vault is not None:
                task["Vault"] = dict(vault)
            if secrets:
                task["Secrets"] = [*(task["Secrets"] or []), *secrets]
    complete(body)


def complete(body: dict[str, Any]) -> dict[str, Any]:
    """Fill in, in place, what Nomad fills in while it parses; what is complete stays as it is.

    This is not canonicalizing: it is there in every answer of the parser.
    """
    if body["Name"] is None:
        body["Name"] = body["ID"]
    periodic = body["Periodic"]
    if periodic is not None and (periodic["Spec"] is not None or periodic["Specs"] is not None):
        periodic["SpecType"] = "cron"
    for group in body["TaskGroups"] or []:
        _split_ports(group["Networks"])
        for task in group["Tasks"] or []:
            _complete_task(task)
    return body


def _complete_task(task: dict[str, Any]) -> None:
    if task["Resources"] is not None:
        _split_ports(task["Resources"]["Networks"])
    for template in task["Templates"] or []:
        _default(template, ChangeMode="restart", Perms="0644", Splay=5_000_000_000, ErrMissingKey=False)
        if template["ChangeScript"] is not None:
            _default(
                template["ChangeScript"], Args=[], Timeout=5_000_000_000, FailOnError=False, RunOnFirstRender=False
            )
    _complete_vault(task["Vault"])
    identities = task["Identities"] or []
    for identity in identities if task["Identity"] is None else ():
        if identity["Name"] in ("", "default"):
            task["Identity"] = identity
            task["Identities"] = [each for each in identities if each is not identity]
            break


def _default(body: dict[str, Any], **values: Any) -> None:
    for key, value in values.items():
        if body[key] is None:
            body[key] = value


def _complete_vault(vault: dict[str, Any] | None) -> None:
    if vault is not None:
        _default(vault, Env=True, DisableFile=False, ChangeMode="restart")


def _split_ports(networks: list[dict[str, Any]] | None) -> None:
    """Ports with a number of their own are the reserved ones."""
    for network in networks or []:
        ports = network["DynamicPorts"]
        if ports:
            static = [port for port in ports if port["Value"] > 0]
            network["DynamicPorts"] = [port for port in ports if port["Value"] <= 0] or None
            network["ReservedPorts"] = [*(network["ReservedPorts"] or []), *static] or None
