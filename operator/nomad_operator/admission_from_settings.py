"""Who may object to a job before it is registered, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from desired.admission.examiner import PolicyExaminer
from desired.admission.rule_file import RuleFile
from desired.route_tags import RouteTags
from desired.state import DesiredState, JobParser
from nomad_operator.rules_in_force import RulesInForce
from nomad_operator.service_clients import ServiceClients
from nomad_operator.settings import Settings
from observers.fabio.seen import seen_routes
from reconcilers.admission import Admission, Examiner
from reconcilers.routes import Remembered, Routes


class Desired(Protocol):
    """What the revision in force asks for; None before it was read."""

    @property
    def state(self) -> DesiredState | None: ...


def rules_in_force(settings: Settings, desired: Desired) -> RulesInForce:
    """One for all who judge by them: it keeps what it has read."""
    file = RuleFile(path=settings.policy_file) if settings.policy_file is not None else None
    return RulesInForce(file=file, state=lambda: desired.state)


def admission(
    settings: Settings,
    *,
    desired: Desired,
    rules: RulesInForce,
    records: Remembered,
    parser: JobParser,
    services: ServiceClients,
    now: Callable[[], datetime],
) -> Admission:
    """The same for the daemon, `once` and `plan`."""
    routes = Routes(
        desired=desired, records=records, parser=parser, now=now, strict=settings.fabio_strict,
        seen=lambda: seen_routes(fabio=services.fabio, consul=services.consul),
    )  # fmt: skip
    return Admission(examiners=[*offline(settings, desired=desired, rules=rules), routes])


def offline(settings: Settings, *, desired: Desired, rules: RulesInForce) -> list[Examiner]:
    """Who asks nobody: `validate` has these without a server."""
    return [PolicyExaminer(rules=rules), RouteTags()]
