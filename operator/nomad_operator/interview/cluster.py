"""Asks the services beside for names, before people are asked: conventions, keys, paths and fields of secrets.

All at once and within a deadline. What is away or refuses is told, and the interview goes on without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Protocol, TypeVar

from desired.conventions import Conventions
from desired.errors import OperatorError, Unsupported
from nomad_operator.interview.knowledge import Knowledge
from observers.fabio.claims import claims_of_services, claims_of_table
from observers.fabio.client import Route
from observers.vault.standing import Mount

T = TypeVar("T")
_MOST_MOUNTS = 4
# More than these are not asked for their fields: each is a request.
_MOST_SECRETS = 60
_AT_ONCE = 8


class Vault(Protocol):
    """Names of secrets and of their fields; nothing of it reads one."""

    async def mounts(self) -> Sequence[Mount]: ...

    async def paths_under(self, folder: str, *, most: int = 200) -> tuple[str, ...]: ...

    async def keys_of(self, path: str) -> tuple[str, ...] | None: ...


class Consul(Protocol):
    """Names of keys, and what the cluster agreed on."""

    async def conventions(self) -> tuple[Conventions, tuple[str, ...]]: ...

    async def keys(self, prefix: str) -> tuple[str, ...]: ...

    async def services(self) -> Mapping[str, tuple[str, ...]]: ...


class Fabio(Protocol):
    """What requests are sent where."""

    async def routes(self) -> Sequence[Route]: ...


class Nomad(Protocol):
    """Names of variables and of what is in them."""

    async def variable_paths(self, namespace: str) -> tuple[str, ...]: ...

    async def variable_keys(self, namespace: str, path: str) -> tuple[str, ...] | None: ...

    async def service_names(self, namespace: str) -> tuple[str, ...]: ...


async def learn(
    *,
    vault: Vault | None,
    consul: Consul | None,
    nomad: Nomad | None,
    fabio: Fabio | None = None,
    namespace: str,
    deadline: timedelta,
) -> Knowledge:
    """What those that are given know. Never raises for a service that is away: it is named in `away`."""
    named = asyncio.gather(
        _asked("Vault", _secrets(vault) if vault else None, deadline, ({}, frozenset())),
        _asked("Consul", consul.conventions() if consul else None, deadline, (Conventions(), ())),
        _asked("Consul", consul.keys("") if consul else None, deadline, ()),
        _asked("Nomad", _variables(nomad, namespace) if nomad else None, deadline, {}),
        _asked("Consul", consul.services() if consul else None, deadline, {}),
        _asked("Nomad", _catalog(nomad, namespace) if nomad else None, deadline, ()),
    )
    routed = _asked("Fabio", fabio.routes() if fabio else None, deadline, ())
    (found, agreed, keys, variables, services, catalog), routes = await asyncio.gather(named, routed)
    asked = (found, agreed, keys, variables, services, catalog, routes)
    away = dict.fromkeys(told for _, told in asked if told)
    claims = (*claims_of_services(services[0]), *claims_of_table(routes[0]))
    conventions, problems = agreed[0]
    return Knowledge(
        conventions=conventions,
        vault=MappingProxyType(dict(found[0][0])),
        variables=MappingProxyType(dict(variables[0])),
        keys=frozenset(key for key in keys[0] if not key.endswith("/")),
        services=tuple(sorted(services[0])),
        catalog=catalog[0],
        hosts=frozenset(claim.route.host for claim in claims if claim.route.host),
        away=tuple(away),
        notes=problems,
        stores=found[0][1],
    )


async def _asked(service: str, asking: Awaitable[T] | None, deadline: timedelta, nothing: T) -> tuple[T, str]:
    """The answer, or nothing and why."""
    if asking is None:
        return nothing, ""
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            return await asking, ""
    except TimeoutError:
        return nothing, f"{service} has not answered within {deadline.total_seconds():g} s"
    except OperatorError as error:
        return nothing, error.message


async def _secrets(vault: Vault) -> tuple[Mapping[str, tuple[str, ...] | None], frozenset[str]]:
    """Secrets with the names of their fields, and the mounts of which none was left out."""
    stores = [one for one in await vault.mounts() if one.version is not None][:_MOST_MOUNTS]
    listed = await asyncio.gather(*(vault.paths_under(one.path) for one in stores))
    paths = [path for found in listed for path in found][:_MOST_SECRETS]
    # A token may see nothing at all: then nothing is known to be missing.
    whole = [one.path for one, found in zip(stores, listed, strict=True) if found and set(found) <= set(paths)]
    limit = asyncio.Semaphore(_AT_ONCE)

    async def fields(path: str) -> tuple[str, ...] | None:
        async with limit:
            return await vault.keys_of(path)

    named = dict(zip(paths, await asyncio.gather(*(fields(path) for path in paths)), strict=True))
    return named, frozenset(path for path in whole if "/" not in path)


async def _catalog(nomad: Nomad, namespace: str) -> tuple[str, ...]:
    try:
        return await nomad.service_names(namespace)
    except Unsupported:
        # One that has no catalog of its own has no services in it.
        return ()


async def _variables(nomad: Nomad, namespace: str) -> Mapping[str, tuple[str, ...] | None]:
    paths = (await nomad.variable_paths(namespace))[:_MOST_SECRETS]
    limit = asyncio.Semaphore(_AT_ONCE)

    async def fields(path: str) -> tuple[str, ...] | None:
        async with limit:
            return await nomad.variable_keys(namespace, path)

    return dict(zip(paths, await asyncio.gather(*(fields(path) for path in paths)), strict=True))
