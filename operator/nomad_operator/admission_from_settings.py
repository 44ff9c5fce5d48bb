"""Who may object to a job before it is registered, as the settings say."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from desired.admission.examiner import PolicyExaminer
from desired.admission.rule_file import RuleFile
from desired.app import AppKey
from desired.job.hcl_read import LocalParser
from desired.literal_examiner import LiteralExaminer
from desired.route_tags import RouteTags
from desired.state import DesiredState, JobParser
from desired.template_examiner import TemplateExaminer
from nomad_operator.look_ups import look_up, look_ups
from nomad_operator.rules_in_force import RulesInForce
from nomad_operator.service_clients import ServiceClients
from nomad_operator.settings import Settings
from observers.fabio.seen import SeenRoutes, seen_routes
from observers.images import ImageRegistries
from observers.look_up import VariableNames
from observers.nomad.feature_examiner import Agents, FeatureExaminer
from observers.secret_examiner import SecretExaminer
from reconcilers.admission import Admission, Examiner
from reconcilers.record import Record
from reconcilers.route_parties import Remembered
from reconcilers.routes import Routes


class Desired(Protocol):
    """What the revision in force asks for; None before it was read."""

    @property
    def state(self) -> DesiredState | None: ...


class AsksNomad(Agents, VariableNames, Protocol):
    """What is asked of Nomad itself."""


def rules_in_force(settings: Settings, desired: Desired, *more: Path) -> RulesInForce:
    """One for all who judge by them: it keeps what it has read. `more` are files beside that of the settings."""
    paths = (*((settings.policy_file,) if settings.policy_file is not None else ()), *more)
    return RulesInForce(files=[RuleFile(path=path) for path in dict.fromkeys(paths)], state=lambda: desired.state)


def admission(
    settings: Settings,
    *,
    nomad: AsksNomad,
    desired: Desired,
    rules: RulesInForce,
    records: Remembered,
    parser: JobParser,
    services: ServiceClients,
    images: ImageRegistries | None,
    now: Callable[[], datetime],
) -> Admission:
    """The same for the daemon, `once`, `plan` and `validate --server`."""
    routes = Routes(
        desired=desired, records=records, parser=parser, now=now, strict=settings.fabio_strict,
        seen=lambda: seen_routes(fabio=services.fabio, consul=services.consul),
    )  # fmt: skip
    features = FeatureExaminer(nomad=nomad, clock=time.monotonic)
    looked_up = look_ups(places=look_up(nomad, services), images=images, records=records, now=now)
    return Admission(examiners=[*_of_the_job(rules), features, routes, *looked_up])


def beside_each_other(settings: Settings, *, desired: Desired) -> Routes:
    """Routes of desired apps alone, by files that are not deployed."""

    async def seen() -> SeenRoutes:
        return SeenRoutes()

    return Routes(
        desired=desired, records=NothingRemembered(), parser=LocalParser(), now=lambda: datetime.now(UTC),
        strict=settings.fabio_strict, seen=seen,
    )  # fmt: skip


class NothingRemembered:
    """Records where no operator has been."""

    def get(self, key: AppKey) -> Record:
        return Record(key=key, origin="")


def offline(settings: Settings, *, desired: Desired, rules: RulesInForce) -> list[Examiner]:
    """Who asks nobody: `validate` has these without a server."""
    return [*_of_the_job(rules), SecretExaminer(places=None, now=lambda: datetime.now(UTC))]


def _of_the_job(rules: RulesInForce) -> list[Examiner]:
    return [PolicyExaminer(rules=rules), RouteTags(), LiteralExaminer(), TemplateExaminer()]
