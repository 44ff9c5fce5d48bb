"""Asks Vault, Consul and Nomad's variables about the places that a job reads: what is there, its fields, what is near.

Used before a job is registered, and by whoever looks for what a missing place may have meant. A service that was not
given is not asked; what cannot be asked stays unknown, and is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from desired.errors import OperatorError, TransientError
from desired.secret_reads import SecretRead
from desired.secret_traps import Looked
from desired.variable_sources import Source
from observers.vault.standing import Secret, Standing

_MOST_PLACES = 64


class SecretNames(Protocol):
    """Vault, as far as names go."""

    async def look(self, path: str) -> Secret: ...

    async def paths_near(self, path: str) -> Sequence[str]: ...


class KeyNames(Protocol):
    """Consul, as far as names go. `key` reads a value, which is no secret, to know that it is there."""

    async def key(self, key: str) -> str | None: ...

    async def keys_near(self, key: str) -> Sequence[str]: ...


class VariableNames(Protocol):
    """Nomad's variables, as far as names go."""

    async def variable_keys(self, namespace: str, path: str) -> Sequence[str] | None: ...

    async def variable_paths(self, namespace: str) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class LookedUp:
    """By source and path; `unread` says in words what could not be asked, `away` what of that may be another time."""

    looks: Mapping[tuple[Source, str], Looked]
    unread: tuple[str, ...] = ()
    away: tuple[str, ...] = ()


class LookUp:
    """Every place once, at most 64, all of them beside each other."""

    def __init__(
        self,
        *,
        vault: SecretNames | None = None,
        consul: KeyNames | None = None,
        variables: VariableNames | None = None,
    ) -> None:
        self._vault = vault
        self._consul = consul
        self._variables = variables

    async def places(self, reads: Iterable[SecretRead], *, namespace: str) -> LookedUp:
        """What is known of each place. Never raises for a service that is away: the place is unknown then."""
        wanted = list(dict.fromkeys((read.source, read.path) for read in reads))
        asked = wanted[:_MOST_PLACES]
        unread = [f"{source.value}: {path}, for there are too many" for source, path in wanted[_MOST_PLACES:]]

        away: list[str] = []

        async def one(source: Source, path: str) -> Looked | None:
            try:
                return await self._one(source, path, namespace)
            except OperatorError as error:
                told = f"{source.value}: {path}: {error.message}"
                unread.append(told)
                if isinstance(error, TransientError):
                    away.append(told)
                return None

        found = await asyncio.gather(*(one(source, path) for source, path in asked))
        looks = {place: looked for place, looked in zip(asked, found, strict=True) if looked is not None}
        return LookedUp(looks, tuple(sorted(unread)), tuple(sorted(away)))

    async def _one(self, source: Source, path: str, namespace: str) -> Looked | None:
        if source is Source.VAULT and self._vault is not None:
            return await _secret(self._vault, path)
        if source is Source.CONSUL and self._consul is not None:
            if await self._consul.key(path) is not None:
                return Looked(there=True)
            return Looked(there=False, near=tuple(await self._consul.keys_near(path)))
        if source is Source.NOMAD and self._variables is not None:
            keys = await self._variables.variable_keys(namespace, path)
            if keys is not None:
                return Looked(there=True, keys=tuple(keys))
            return Looked(there=False, near=tuple(await self._variables.variable_paths(namespace)))
        return None


async def _secret(vault: SecretNames, path: str) -> Looked:
    found = await vault.look(path)
    version = found.mount.version if found.mount is not None else None
    mount = found.mount.path if found.mount is not None else ""
    match found.standing:
        case Standing.PRESENT:
            return Looked(there=True, version=version, mount=mount, keys=found.keys)
        case Standing.FORBIDDEN:
            return Looked(version=version, mount=mount, forbidden=True, said=found.said)
        case Standing.NOT_A_STORE:
            # Credentials of another engine are made when they are read: nothing is known of them before.
            return Looked(version=version, mount=mount)
        case Standing.MISSING:
            near = await vault.paths_near(path)
            return Looked(there=False, version=version, mount=mount, near=tuple(near), said=found.said)
        case Standing.DELETED:
            return Looked(there=False, version=version, mount=mount, said="its newest version was deleted")
    return Looked(there=False, version=version, mount=mount, said=found.said)
