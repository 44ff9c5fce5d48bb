"""The clients of Vault, Consul and Fabio as the settings name them; None for what is not set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from nomad_operator.settings import Settings
from observers.consul.client import ConsulClient
from observers.fabio.client import FabioClient
from observers.reach.address import Reach
from observers.vault.client import VaultClient
from observers.vault.login import GivenToken, Login, WorkloadIdentity

_DEADLINE = timedelta(seconds=10)
# What is asked before each register must not hold up the others.
_SOON = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class ServiceClients:
    """What may be asked before a job is registered; None is not set, and never asked."""

    vault: VaultClient | None
    consul: ConsulClient | None
    fabio: FabioClient | None

    async def aclose(self) -> None:
        for client in (self.vault, self.consul, self.fabio):
            if client is not None:
                await client.aclose()


def service_clients(settings: Settings) -> ServiceClients:
    """For the life of a process; nothing is asked yet."""
    return ServiceClients(
        vault=vault_client(settings, deadline=_SOON),
        consul=consul_client(settings, deadline=_SOON),
        fabio=fabio_client(settings, deadline=_SOON),
    )


def vault_login(settings: Settings) -> Login | None:
    """A token comes before an identity: whoever sets one means it."""
    if settings.vault_token is not None:
        return GivenToken(token=settings.vault_token.get_secret_value())
    if settings.vault_identity_file is not None:
        return WorkloadIdentity(
            file=settings.vault_identity_file, role=settings.vault_role, mount=settings.vault_auth_path
        )
    return None


def vault_client(settings: Settings, *, deadline: timedelta = _DEADLINE) -> VaultClient | None:
    if settings.vault_addr is None:
        return None
    reach = Reach(
        service="Vault", setting="VAULT_ADDR", address=settings.vault_addr,
        ca_setting="VAULT_CACERT", ca_cert=settings.vault_cacert, deadline=deadline,
    )  # fmt: skip
    return VaultClient(reach=reach, login=vault_login(settings), namespace=settings.vault_namespace)


def consul_client(settings: Settings, *, deadline: timedelta = _DEADLINE) -> ConsulClient | None:
    if settings.consul_http_addr is None:
        return None
    reach = Reach(
        service="Consul", setting="CONSUL_HTTP_ADDR", address=settings.consul_http_addr,
        ca_setting="CONSUL_CACERT", ca_cert=settings.consul_cacert, deadline=deadline,
    )  # fmt: skip
    token = settings.consul_http_token
    return ConsulClient(reach=reach, token=token.get_secret_value() if token is not None else None)


def fabio_client(settings: Settings, *, deadline: timedelta = _DEADLINE) -> FabioClient | None:
    if settings.fabio_url is None:
        return None
    reach = Reach(
        service="Fabio", setting="NOMAD_OPERATOR_FABIO_URL", address=settings.fabio_url, deadline=deadline
    )  # fmt: skip
    return FabioClient(reach=reach)
