"""Asks Consul, by py-consul, for keys, services, health and the conventions of a cluster. It never writes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import consul.exceptions
import requests
import urllib3.exceptions

from desired import conventions
from desired.conventions import Conventions
from desired.errors import Unsupported
from observers.consul.catalog import Agent, Instance, agent, instances, tags_by_service
from observers.consul.http import AclsOff, ConsulHttp, ConsulLibrary
from observers.reach.address import Reach
from observers.reach.blocking import Blocking
from observers.reach.breaks import broken, not_the_service
from observers.reach.session import BoundedSession

# What the library's decoding of an answer ends in where it is none of Consul's.
_OF_ANOTHER_SHAPE = (consul.exceptions.ConsulException, ValueError, TypeError, KeyError, AttributeError, RecursionError)

_MOST_ALIKE = 3


class ConsulClient:
    """Every call raises errors of `desired.errors` only. `adapter` takes the place of the network."""

    def __init__(
        self, *, reach: Reach, token: str | None = None, adapter: requests.adapters.BaseAdapter | None = None
    ) -> None:
        self._reach = reach
        self._session = BoundedSession(reach=reach, gate=lambda request: None)
        if adapter is not None:
            self._session.mount(reach.base_url, adapter)
        self._run = Blocking(reach=reach)
        self._consul = ConsulLibrary(http=ConsulHttp(reach=reach, session=self._session, token=token))

    async def aclose(self) -> None:
        self._session.close()

    async def agent(self) -> Agent:
        """The agent that is asked. Raises Forbidden where the token may not read it."""
        found = agent(await self._ask("ask the agent who it is", lambda: self._consul.agent.self()))
        if not found.version:
            raise not_the_service(self._reach, "ask the agent who it is", "an answer without a version")
        return found

    async def leader(self) -> str:
        """The address of the leading server, empty where none leads. No token is needed."""
        return str(await self._ask("ask for the leader", lambda: self._consul.status.leader()) or "")

    async def policies(self) -> tuple[str, ...] | None:
        """Names of the token's policies; None where Consul has no ACLs. Raises Forbidden where the token is no good."""
        try:
            told = await self._ask("look at the token", lambda: self._consul.acl.token.read_self())
        except AclsOff:
            return None
        links = [*_list(told, "Policies"), *_list(told, "Roles")]
        return tuple(sorted(str(one.get("Name")) for one in links if isinstance(one, Mapping)))

    async def key(self, key: str) -> str | None:
        """The value of a key; None where there is none. Bytes that are no UTF-8 are replaced."""
        name = _checked(key)
        _, found = await self._ask(f"read the key {name}", lambda: self._consul.kv.get(name))
        if not isinstance(found, Mapping):
            return None
        value = found.get("Value")
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""

    async def keys(self, prefix: str) -> tuple[str, ...]:
        """Names of the keys that begin with a prefix, without their values. Where Consul has ACLs, only those that the
        token may read: none is not the same as nothing there."""
        name = prefix.lstrip("/")
        _, found = await self._ask(f"list the keys of {name}", lambda: self._consul.kv.get(name, keys=True))
        return tuple(sorted(str(one) for one in found)) if isinstance(found, list) else ()

    async def keys_near(self, key: str) -> tuple[str, ...]:
        """The keys beside one, in the same folder: who misspelled it meant one of these.

        Where its folder does not exist, those in the folders that are named most like it. At most five requests.
        """
        folder = _checked(key).rpartition("/")[0]
        beside = await self._inside(folder)
        if beside or not folder:
            return tuple(one for one in beside if not one.endswith("/"))
        above = folder.rpartition("/")[0]
        folders = [one for one in await self._inside(above) if one.endswith("/")]
        alike = difflib.get_close_matches(f"{folder}/", folders, n=_MOST_ALIKE)
        inside = [await self._inside(one.rstrip("/")) for one in alike]
        return tuple(one for names in inside for one in names if not one.endswith("/"))

    async def _inside(self, folder: str) -> tuple[str, ...]:
        """Keys and folders directly in a folder, by their whole names; folders end with a slash."""
        prefix = f"{folder}/" if folder else ""
        what = f"list the keys in {prefix or 'the root'}"
        _, found = await self._ask(what, lambda: self._consul.kv.get(prefix, keys=True, separator="/"))
        return tuple(sorted(str(one) for one in found if one != prefix)) if isinstance(found, list) else ()

    async def services(self) -> Mapping[str, tuple[str, ...]]:
        """Every service with the tags of its instances, sorted."""
        _, found = await self._ask("list the services", lambda: self._consul.catalog.services())
        return tags_by_service(found)

    async def instances(self, service: str) -> tuple[Instance, ...]:
        """The instances of a service and how they are; () where there is no such service."""
        name = _checked(service)
        _, found = await self._ask(f"read the health of {name}", lambda: self._consul.health.service(name))
        return instances(found)

    async def conventions(self) -> tuple[Conventions, tuple[str, ...]]:
        """What the cluster agreed on, and what in it was not understood; where there is no such key, nothing."""
        text = await self.key(conventions.KEY)
        if text is None:
            return Conventions(), ()
        found, problems = conventions.conventions(text)
        return found, tuple(f"Consul key {conventions.KEY}: {problem}" for problem in problems)

    async def _ask(self, what: str, work: Callable[[], Any]) -> Any:
        def call() -> Any:
            try:
                return work()
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise broken(self._reach, what, error) from error
            except _OF_ANOTHER_SHAPE:
                # The library's words repeat the whole answer, which may be the value of a key.
                raise not_the_service(self._reach, what, "an answer of another shape") from None

        return await self._run(what, call)


def _list(told: Any, name: str) -> list[Any]:
    found = told.get(name) if isinstance(told, Mapping) else None
    return found if isinstance(found, list) else []


def _checked(name: str) -> str:
    plain = name.lstrip("/")
    if not plain or {".", ".."} & set(plain.split("/")):
        # Every part of HTTP on the way would resolve the dots and ask for something else.
        raise Unsupported(f"{name!r} cannot be asked of Consul over HTTP", hint="leave out the dots")
    return plain
