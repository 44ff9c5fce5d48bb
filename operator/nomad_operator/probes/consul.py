"""Whether Consul can be used, and whether what its people agreed on can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from desired import conventions
from desired.conventions import Conventions
from desired.errors import Forbidden, Unavailable
from nomad_operator.doctor import Finding
from nomad_operator.probes.attempt import Attempt, Told
from observers.consul.catalog import Agent
from observers.consul.http import TokenUnknown

_NEEDS = 'add to its policy: key_prefix "" { policy = "list" }, service_prefix "" { policy = "read" }'


class Consul(Protocol):
    """As much of the client as is tried."""

    async def agent(self) -> Agent: ...

    async def leader(self) -> str: ...

    async def policies(self) -> Sequence[str] | None: ...

    async def services(self) -> Mapping[str, Sequence[str]]: ...

    async def conventions(self) -> tuple[Conventions, Sequence[str]]: ...


async def probe_consul(consul: Consul, attempt: Attempt, *, token: bool) -> list[Finding]:
    """`token` says whether one was given."""

    async def agent() -> Told:
        if not await consul.leader():
            raise Unavailable("Consul answers, and has no leader", hint="`consul operator raft list-peers`")
        try:
            told = await consul.agent()
        except Forbidden:
            return Told("answers; the token may not read its version")
        return Told(f"Consul {told.version}, datacenter {told.datacenter}", version=told.version)

    async def policies() -> Told:
        told = await consul.policies()
        if told is None:
            return Told("not needed: this Consul has no ACLs")
        return Told(f"good; policies and roles: {', '.join(told) or 'none'}")

    async def services() -> Told:
        told = await consul.services()
        if not told:
            # Consul leaves out what may not be read, and it always knows itself.
            raise Forbidden("the token sees no service at all", hint=_NEEDS)
        return Told(f"yes ({len(told)} services)")

    async def agreed() -> Told:
        try:
            told, problems = await consul.conventions()
        except TokenUnknown:
            raise
        except Forbidden as error:
            hint = f'add to its policy: key "{conventions.KEY}" {{ policy = "read" }}'
            raise Forbidden(error.message, hint=hint) from error
        if problems:
            hint = "correct the key; what is right in it holds"
            return Told("; ".join(problems), ok=False, hint=hint, required=False)
        if told == Conventions():
            return Told(f"none at {conventions.KEY}")
        return Told(f"secrets: {len(told.mappings)}, sources: {len(told.rules)}, hosts: {told.hostname_suffix or '-'}")

    rest = [("services", services), ("conventions", agreed)]
    return await attempt.first(agent, *([("token", policies)] if token else []), *rest)
