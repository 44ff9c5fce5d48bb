"""Whether Vault can be used, and what is missing from the token's policy to ask it for names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from desired.errors import Forbidden, Unavailable
from nomad_operator.doctor import Finding
from nomad_operator.probes.attempt import Attempt, Told
from observers.vault.standing import Health, Mount, TokenFacts

_MOST_MOUNTS = 8
# Any name: what matters is what the token may do below the mount.
_ANY = "nomad-operator-doctor"


class Vault(Protocol):
    """As much of the client as is tried; nothing of it reads a secret."""

    async def health(self) -> Health: ...

    async def token(self) -> TokenFacts: ...

    async def mounts(self) -> Sequence[Mount]: ...

    async def capabilities(self, paths: Collection[str]) -> Mapping[str, frozenset[str]]: ...


async def probe_vault(vault: Vault, attempt: Attempt, *, login: bool) -> list[Finding]:
    """`login` says whether a token or an identity was given; without one only its health is asked for."""

    async def health() -> Told:
        told = await vault.health()
        if not told.initialized:
            raise Unavailable("Vault is not initialized", hint="`vault operator init`")
        if told.sealed:
            raise Unavailable(
                f"Vault {told.version} is sealed",
                hint="`vault operator unseal`; nothing can be read before",
            )
        standby = ", a standby" if told.standby else ""
        return Told(f"Vault {told.version}{standby}", version=told.version)

    async def token() -> Told:
        told = await vault.token()
        left = f"{told.ttl_seconds} s left" if told.ttl_seconds else "without an end"
        renewed = ", renewable" if told.renewable else ""
        return Told(f"good, {left}{renewed}; policies: {', '.join(told.policies) or 'none'}")

    async def names() -> Told:
        stores = [one for one in await vault.mounts() if one.version is not None][:_MOST_MOUNTS]
        if not stores:
            raise Forbidden(
                "the token has no right on any key-value store", hint=_policy(Mount("secret", "kv", version=2))
            )
        may = await vault.capabilities([path for one in stores for path in (*_needed(one), _values(one))])
        missing = [one for one in stores if not all(_has(may[path], *wants) for path, wants in _needed(one).items())]
        if missing:
            told = ", ".join(
                f"{path} ({', '.join(w for w in wants if not _has(may[path], w))})"
                for one in missing
                for path, wants in _needed(one).items()
                if not _has(may[path], *wants)
            )
            hint = "\n".join(_policy(one) for one in missing)
            # A templated policy, or one of a team, is right to leave most of a store out.
            return Told(f"the token lacks: {told.replace(_ANY, '*')}", ok=False, hint=hint, required=False)
        readable = [one.path for one in stores if _has(may[_values(one)], "read")]
        more = f"; the token may read values in {', '.join(readable)}, which is never done" if readable else ""
        return Told(f"yes, in {', '.join(one.path for one in stores)}{more}")

    if not login:
        return [*await attempt.first(health), _without_login(attempt)]
    return await attempt.first(health, ("token", token), ("names of secrets", names))


def _without_login(attempt: Attempt) -> Finding:
    return Finding(
        f"{attempt.service}: token", None, attempt.address,
        "not set (VAULT_TOKEN, or NOMAD_OPERATOR_VAULT_IDENTITY_FILE)", required=False,
    )  # fmt: skip


def _needed(mount: Mount) -> dict[str, tuple[str, ...]]:
    if mount.version == 1:
        return {f"{mount.path}/{_ANY}/": ("list",)}
    return {
        f"{mount.path}/metadata/{_ANY}": ("read",),
        f"{mount.path}/metadata/{_ANY}/": ("list",),
        f"{mount.path}/subkeys/{_ANY}": ("read",),
    }


def _values(mount: Mount) -> str:
    return f"{mount.path}/data/{_ANY}" if mount.version == 2 else f"{mount.path}/{_ANY}"


def _has(capabilities: frozenset[str], *wanted: str) -> bool:
    return "root" in capabilities or capabilities >= set(wanted)


def _policy(mount: Mount) -> str:
    if mount.version == 1:
        return f'add to its policy: path "{mount.path}/*" {{ capabilities = ["list"] }}'
    return (
        f'add to its policy: path "{mount.path}/metadata/*" {{ capabilities = ["read", "list"] }} '
        f'path "{mount.path}/subkeys/*" {{ capabilities = ["read"] }}'
    )
