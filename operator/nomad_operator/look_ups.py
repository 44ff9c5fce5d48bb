"""Who looks up what a job names before it is registered: what its tasks read, and its images."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from desired.app import AppKey
from nomad_operator.service_clients import ServiceClients
from nomad_operator.settings import Settings
from observers.image_examiner import ImageExaminer, images_of
from observers.images import ImageRegistries
from observers.look_up import LookUp, VariableNames
from observers.registry_credentials import RegistryCredentials
from observers.secret_examiner import SecretExaminer
from reconcilers.admission import Examiner
from reconcilers.route_parties import Remembered


def registries(settings: Settings) -> ImageRegistries | None:
    """One for all who ask: it keeps what it has heard. Nothing is asked yet."""
    if not settings.image_lookup:
        return None
    credentials = RegistryCredentials(folder=settings.docker_config)
    return ImageRegistries(insecure=settings.insecure_registries, credentials=credentials)


def look_up(variables: VariableNames, services: ServiceClients) -> LookUp:
    return LookUp(vault=services.vault, consul=services.consul, variables=variables)


def look_ups(
    *, places: LookUp, images: ImageRegistries | None, records: Remembered, now: Callable[[], datetime]
) -> list[Examiner]:
    """`records` tell what an app has run with."""

    def ran_with(key: AppKey) -> frozenset[str]:
        good = records.get(key).last_good
        return images_of(good.spec.body) if good is not None else frozenset()

    found: list[Examiner] = [SecretExaminer(places=places, now=now)]
    if images is not None:
        found.append(ImageExaminer(registries=images, ran_with=ran_with))
    return found
