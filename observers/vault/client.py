"""Asks Vault, by hvac, where secrets are and what their fields are called; no call reads what is in them.

`gate` stands behind every request. Used by doctor's probes, and by whoever checks or suggests paths of secrets.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import Any
from urllib.parse import quote

import hvac
import requests

from observers.reach.address import Reach
from observers.reach.breaks import not_the_service
from observers.vault.answers import Meaning, meaning, refusal, words
from observers.vault.calls import VaultCalls
from observers.vault.hvac_calls import Answered
from observers.vault.login import NOMAD_MOUNT, Login
from observers.vault.path import checked, in_templates, parent, place
from observers.vault.standing import Health, Mount, Secret, Standing, TokenFacts

_MOST_FOLDERS = 64
_MOST_ALIKE = 3
_STANDINGS = {
    Meaning.MISSING: Standing.MISSING,
    Meaning.DELETED: Standing.DELETED,
    Meaning.UNKNOWN_MOUNT: Standing.UNKNOWN_MOUNT,
    Meaning.WRONG_SHAPE: Standing.WRONG_SHAPE,
    Meaning.FORBIDDEN: Standing.FORBIDDEN,
}


class VaultClient:
    """Every call raises errors of `desired.errors` only: sealed, unreachable, a token that is no good."""

    def __init__(
        self,
        *,
        reach: Reach,
        login: Login | None = None,
        namespace: str = "",
        adapter: requests.adapters.BaseAdapter | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._reach = reach
        self._calls = VaultCalls(reach=reach, login=login, namespace=namespace, adapter=adapter, clock=clock)

    async def aclose(self) -> None:
        self._calls.close()

    async def health(self) -> Health:
        """What Vault says of itself; also where it is sealed. One request, no token."""
        try:
            told = await self._calls.raw(
                "ask for its health", lambda vault: vault.sys.read_health_status(method="GET"), None
            )
        except Answered as answer:
            if not isinstance(answer.body, Mapping) or "sealed" not in answer.body:
                raise not_the_service(self._reach, "ask for its health", f"it answered {answer.status}") from None
            told = dict(answer.body)
        if "sealed" not in told:
            raise not_the_service(self._reach, "ask for its health", "no word about seals came")
        return Health(
            version=str(told.get("version") or ""),
            sealed=told.get("sealed") is True,
            initialized=told.get("initialized") is True,
            standby=told.get("standby") is True,
        )

    async def token(self) -> TokenFacts:
        """What the token says of itself. Raises Forbidden where it is no good."""
        told = await self._calls.needed("look at the token", lambda vault: vault.auth.token.lookup_self())
        about = _object(told.get("data"))
        ttl = about.get("ttl")
        return TokenFacts(
            policies=tuple(sorted(str(one) for one in _list(about.get("policies")))),
            ttl_seconds=ttl if isinstance(ttl, int) else 0,
            renewable=about.get("renewable") is True,
            path=str(about.get("path") or ""),
        )

    async def capabilities(self, paths: Collection[str]) -> Mapping[str, frozenset[str]]:
        """What the token may do, by path; `deny` is nothing at all. One request, and nothing else is tried."""
        asked = sorted(set(paths))
        told = await self._calls.needed(
            "ask what the token may do",
            lambda vault: vault.adapter.post("/v1/sys/capabilities-self", json={"paths": asked}),
        )
        found = {**told, **_object(told.get("data"))}
        return {path: frozenset(str(one) for one in _list(found.get(path))) - {"deny"} for path in asked}

    async def mounts(self) -> tuple[Mount, ...]:
        """The secrets engines that the token has anything to do with, sorted. One request."""
        told = await self._calls.needed(
            "list the mounts", lambda vault: vault.adapter.get("/v1/sys/internal/ui/mounts")
        )
        engines = _object(_object(told.get("data")).get("secret"))
        found = [_mount(path, about) for path, about in engines.items() if path and isinstance(about, dict)]
        for one in found:
            self._let_through(one)
        return tuple(sorted(found, key=lambda one: one.path))

    async def mount_of(self, path: str) -> Mount | None:
        """The engine that a path belongs to; None where the token has no right there, or there is none: Vault does
        not tell which. One request."""
        return await self._mount(checked(path))

    async def look(self, path: str) -> Secret:
        """How a path stands, and which fields it has. Two requests, three where nothing is there."""
        asked = checked(path)
        mount = await self._mount(asked)
        if mount is None:
            return await self._without_mount(path, asked)
        if mount.version is None:
            return Secret(
                path, Standing.NOT_A_STORE, mount=mount, said=f"{mount.path}/ is an engine of type {mount.type}"
            )
        at = place(asked, mount)
        if not at.name:
            return Secret(path, Standing.MISSING, mount=mount, said="it names a mount and no secret")
        if mount.version == 1:
            return await self._without_versions(path, mount, at.name)
        found = await self._with_versions(path, mount, at.name)
        if at.infix not in ("", "data"):
            return Secret(
                path, Standing.WRONG_SHAPE, mount=mount, name=at.name,
                said=f"values are read at {in_templates(mount, at.name)}",
            )  # fmt: skip
        return found

    async def path_exists(self, path: str) -> Standing:
        """As `look`, without the fields' names."""
        return (await self.look(path)).standing

    async def keys_of(self, path: str) -> tuple[str, ...] | None:
        """Names of the fields; None where they are not known, or there is no such secret."""
        return (await self.look(path)).keys

    async def names(self, folder: str) -> tuple[str, ...]:
        """What is directly in a folder, sorted; folders end with a slash. Empty where it does not exist or is not ours
        to list. Two requests."""
        asked = checked(folder)
        mount = await self._mount(asked)
        if mount is None or mount.version is None:
            return ()
        return await self._listed(mount, place(asked, mount).name) or ()

    async def paths_near(self, path: str) -> tuple[str, ...]:
        """Secrets beside a path, in the form in which templates read them: who misspelled one meant one of these.

        Where its folder does not exist, those in the folders that are named most like it. At most seven requests.
        """
        asked = checked(path)
        mount = await self._mount(asked)
        if mount is None or mount.version is None:
            return ()
        folder, _ = parent(place(asked, mount).name)
        beside = await self._listed(mount, folder) or ()
        if beside or not folder:
            return _secrets_in(mount, folder, beside)
        above, wrong = parent(folder)
        folders = [one for one in await self._listed(mount, above) or () if one.endswith("/")]
        alike = difflib.get_close_matches(f"{wrong}/", folders, n=_MOST_ALIKE)
        found = [f"{above}/{one}".strip("/") for one in alike]
        listed = [await self._listed(mount, one) or () for one in found]
        return tuple(path for one, names in zip(found, listed, strict=True) for path in _secrets_in(mount, one, names))

    async def paths_under(self, folder: str, *, most: int = 200) -> tuple[str, ...]:
        """Secrets at any depth below a folder, as templates read them; at most so many, and some 64 requests."""
        asked = checked(folder)
        mount = await self._mount(asked)
        if mount is None or mount.version is None:
            return ()
        found: list[str] = []
        waiting = [place(asked, mount).name]
        for _ in range(_MOST_FOLDERS):
            if not waiting or len(found) >= most:
                break
            inside = waiting.pop(0)
            for one in await self._listed(mount, inside) or ():
                name = f"{inside}/{one}".lstrip("/")
                if one.endswith("/"):
                    waiting.append(name.rstrip("/"))
                else:
                    found.append(in_templates(mount, name))
        return tuple(sorted(found)[:most])

    async def roles(self, mount: str = NOMAD_MOUNT) -> tuple[str, ...] | None:
        """Roles of an auth method for identities; None where the token may not list them. One request."""
        try:
            told = await self._calls.answer(
                "list the roles", lambda vault: vault.auth.jwt.list_roles(path=checked(mount))
            )
        except Answered as answer:
            if meaning(answer.status, answer.body) is Meaning.MISSING:
                return ()
            if meaning(answer.status, answer.body) in (Meaning.FORBIDDEN, Meaning.UNKNOWN_MOUNT, Meaning.NO_SUCH_CALL):
                return None
            raise refusal(self._reach, "list the roles", answer.status, answer.body) from None
        return _names(told)

    async def _mount(self, path: str) -> Mount | None:
        what = f"find the mount of {path}"
        try:
            told = await self._calls.answer(
                what, lambda vault: vault.adapter.get(f"/v1/sys/internal/ui/mounts/{quote(path)}")
            )
        except Answered as answer:
            if meaning(answer.status, answer.body) is Meaning.FORBIDDEN:
                return None
            raise refusal(self._reach, what, answer.status, answer.body) from None
        about = _object(told.get("data"))
        mount = _mount(str(about.get("path") or ""), about)
        if not mount.path or not f"{path}/".startswith(f"{mount.path}/"):
            raise not_the_service(self._reach, what, "a mount that is not of this path")
        self._let_through(mount)
        return mount

    async def _without_mount(self, path: str, asked: str) -> Secret:
        """Why a path has no mount that we may know of: only a token with rights there is told that there is none."""
        what = f"list {asked}"
        try:
            await self._calls.answer(what, lambda vault: vault.adapter.list(f"/v1/{quote(asked)}"))
        except Answered as answer:
            if meaning(answer.status, answer.body) is Meaning.UNKNOWN_MOUNT:
                return Secret(path, Standing.UNKNOWN_MOUNT, said="Vault has no mount there")
            if meaning(answer.status, answer.body) is not Meaning.FORBIDDEN:
                raise refusal(self._reach, what, answer.status, answer.body) from None
        said = "there is no such mount, or the token has no right at this path"
        return Secret(path, Standing.FORBIDDEN, said=said)

    def _let_through(self, mount: Mount) -> None:
        if mount.version == 2:
            self._calls.gate.versioned(mount.path)

    async def _with_versions(self, path: str, mount: Mount, name: str) -> Secret:
        what = f"read the names of the fields of {path}"
        try:
            told = await self._calls.answer(
                what, lambda vault: vault.adapter.get(f"/v1/{quote(mount.path)}/subkeys/{quote(name)}")
            )
        except Answered as answer:
            meant = meaning(answer.status, answer.body)
            if meant in (Meaning.FORBIDDEN, Meaning.NO_SUCH_CALL):
                return await self._by_metadata(path, mount, name)
            if meant in _STANDINGS:
                return Secret(path, _STANDINGS[meant], mount=mount, name=name, said=words(answer.body))
            raise refusal(self._reach, what, answer.status, answer.body) from None
        subkeys = _object(_object(told.get("data")).get("subkeys"))
        return Secret(path, Standing.PRESENT, mount=mount, name=name, keys=tuple(sorted(subkeys)))

    async def _by_metadata(self, path: str, mount: Mount, name: str) -> Secret:
        what = f"read the metadata of {path}"
        try:
            told = await self._calls.answer(
                what, lambda vault: vault.secrets.kv.v2.read_secret_metadata(path=name, mount_point=mount.path)
            )
        except Answered as answer:
            meant = meaning(answer.status, answer.body)
            if meant in _STANDINGS:
                return Secret(path, _STANDINGS[meant], mount=mount, name=name, said=words(answer.body))
            raise refusal(self._reach, what, answer.status, answer.body) from None
        about = _object(told.get("data"))
        newest = _object(_object(about.get("versions")).get(str(about.get("current_version"))))
        if newest.get("deletion_time") or newest.get("destroyed"):
            return Secret(path, Standing.DELETED, mount=mount, name=name, said="its newest version was deleted")
        said = f"the token may not read the names of its fields ({mount.path}/subkeys/{name})"
        return Secret(path, Standing.PRESENT, mount=mount, name=name, said=said)

    async def _without_versions(self, path: str, mount: Mount, name: str) -> Secret:
        """Only a list of its folder tells of a secret without reading it."""
        folder, last = parent(name)
        listed = await self._listed(mount, folder)
        if listed is None:
            said = f"the token may not list {mount.path}/{folder}".rstrip("/")
            return Secret(path, Standing.FORBIDDEN, mount=mount, name=name, said=said)
        if last in listed:
            said = "the names of its fields cannot be known without reading its values"
            return Secret(path, Standing.PRESENT, mount=mount, name=name, said=said)
        if name.startswith("data/"):
            bare, end = parent(name.removeprefix("data/"))
            if end in (await self._listed(mount, bare) or ()):
                said = f"{mount.path}/ has no versions: it is read at {mount.path}/{name.removeprefix('data/')}"
                return Secret(path, Standing.WRONG_SHAPE, mount=mount, name=name, said=said)
        return Secret(path, Standing.MISSING, mount=mount, name=name)

    async def _listed(self, mount: Mount, folder: str) -> tuple[str, ...] | None:
        """None where the token may not list it."""
        what = f"list {mount.path}/{folder}".rstrip("/")

        def work(vault: hvac.Client) -> Any:
            if mount.version == 2:
                return vault.secrets.kv.v2.list_secrets(path=folder, mount_point=mount.path)
            return vault.secrets.kv.v1.list_secrets(path=folder, mount_point=mount.path)

        try:
            return _names(await self._calls.answer(what, work))
        except Answered as answer:
            meant = meaning(answer.status, answer.body)
            if meant in (Meaning.MISSING, Meaning.DELETED):
                return ()
            if meant is Meaning.FORBIDDEN:
                return None
            raise refusal(self._reach, what, answer.status, answer.body) from None


def _secrets_in(mount: Mount, folder: str, names: Collection[str]) -> tuple[str, ...]:
    return tuple(in_templates(mount, f"{folder}/{one}".lstrip("/")) for one in names if not one.endswith("/"))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(told: dict[str, Any]) -> tuple[str, ...]:
    keys = _object(told.get("data")).get("keys")
    return tuple(sorted(str(one) for one in keys)) if isinstance(keys, list) else ()


def _mount(path: str, about: dict[str, Any]) -> Mount:
    """Source: Vault's key-value engine: one without the option `version` is version 1."""
    kind = str(about.get("type") or "")
    told = str(_object(about.get("options")).get("version") or "1")
    known = int(told) if told in ("1", "2") else None
    return Mount(path=path.strip("/"), type=kind, version=known if kind in ("kv", "generic") else None)
