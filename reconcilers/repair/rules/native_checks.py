"""What keeps Nomad's own checks from asking where a service was before.

A service that alone changes is updated in place, and Nomad knows a check again by what stands in the check itself: the
one that runs goes on asking the port that the service had when it began.
Source: nomad/structs/checks.go NomadCheckID; client/allocrunner/checks_hook.go observe; measured on Nomad 2.0.5.
"""

from __future__ import annotations

from desired.operations.operation import Kind
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.job_parts import Part, Service
from reconcilers.repair.rules.rule import Edit

_GROUND = "the service's new port, in the check itself: Nomad goes on asking the old one where only the service changes"


def asked_anew(group: Part, service: Service, label: str) -> list[Edit]:
    """For each check that asks its service's port; to stand before the edit of the service, which they take it from."""
    if str(service.part.get("Provider") or "consul") != "nomad":
        return []
    mine = [one for one in job_parts.checks(group) if one.service.at == service.at and not one.part.get("PortLabel")]
    return [Edit(Kind.CHECK_PORT, one.at, label, _GROUND) for one in mine]
