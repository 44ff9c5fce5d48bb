"""All jobs at once: what a resync reads, at the same cost for ten apps and for a thousand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from desired.app import AppKey
from desired.errors import Forbidden, OperatorError, Unsupported
from observers.nomad import endpoints
from observers.nomad.answers import mapping, sequence, text
from observers.nomad.calls import Answer, Call, Caller
from observers.nomad.decode_fleet import entries, with_statuses
from observers.running import Fleet, FleetEntry

EVERY = "*"


class FleetReader:
    """Reads `Fleet`s. `namespaces` are the watched ones; those of the keys are added to a list without `*`."""

    def __init__(self, *, call: Caller, namespaces: Collection[str]) -> None:
        self._call = call
        self._namespaces = frozenset(namespaces)
        # Decided once by the server's answer: Nomad has the statuses since 1.8.
        self._has_statuses = True

    async def read(self, keys: Collection[AppKey]) -> Fleet:
        """Complete, or it raises; a namespace that may not be listed is named in `hidden`.

        `index` is the lowest of the lists', so nothing that happened after it is taken for seen.
        """
        found: dict[AppKey, FleetEntry] = {}
        seen: set[str] = set()
        hidden: set[str] = set()
        indexes: list[int] = []
        if EVERY in self._namespaces:
            index, stubs = await self._pages(_list(EVERY))
            indexes.append(index)
            found = entries(stubs)
            seen = {text(mapping(stub, "a job"), "Namespace") for stub in stubs}
            # With ACLs, `*` silently leaves out what the token may not list: no job there, or no permission?
            for namespace in sorted({key.namespace for key in keys} - seen):
                if not await self._may_list(namespace):
                    hidden.add(namespace)
        else:
            wanted = sorted(self._namespaces | {key.namespace for key in keys})
            for namespace in wanted:
                try:
                    index, stubs = await self._pages(_list(namespace))
                except Forbidden:
                    hidden.add(namespace)
                    if len(hidden) == len(wanted):
                        raise
                    continue
                indexes.append(index)
                found |= entries(stubs)
        known = sorted(key for key in set(keys) if key in found)
        return Fleet(min(indexes, default=0), await self._with_statuses(found, known), frozenset(hidden))

    async def _with_statuses(
        self, found: dict[AppKey, FleetEntry], keys: Collection[AppKey]
    ) -> Mapping[AppKey, FleetEntry]:
        if not keys or not self._has_statuses:
            return found
        try:
            _, statuses = await self._pages(_statuses(keys))
        except Unsupported:
            self._has_statuses = False
            return found
        return with_statuses(found, statuses)

    async def _may_list(self, namespace: str) -> bool:
        call = _list(namespace)
        try:
            await self._call.needed(_page(call, {"per_page": "1"}), lambda answer: None)
        except Forbidden:
            return False
        return True

    async def _pages(self, call: Call) -> tuple[int, list[Any]]:
        """The first page's index and the items of all pages; Nomad sends one unless it is told a size."""
        answer = await self._call.needed(call, _listed)
        index, found = answer.index, list(answer.body)
        while answer.next_token:
            answer = await self._call.needed(_page(call, {"next_token": answer.next_token}), _listed)
            found += answer.body
        return index, found


def _list(namespace: str) -> Call:
    where = "every namespace" if namespace == EVERY else f"namespace {namespace}"
    return Call(endpoint=endpoints.JOBS, what=f"list the jobs of {where}", parameters={"namespace": namespace})


def _statuses(keys: Collection[AppKey]) -> Call:
    return Call(
        endpoint=endpoints.JOBS_STATUSES,
        what=f"read the statuses of {len(keys)} jobs",
        arguments=("statuses",),
        parameters={"namespace": EVERY},
        body={"Jobs": [{"ID": key.name, "Namespace": key.namespace} for key in keys]},
        refused=_too_old,
    )


def _too_old(status: int, said: str) -> OperatorError | None:
    """Before 1.8 there is no such route. The same address has just answered, so this 404 is not a proxy's."""
    return Unsupported("this Nomad has no job statuses", hint="they came with 1.8") if status in (404, 405) else None


def _page(call: Call, more: Mapping[str, str]) -> Call:
    return Call(
        endpoint=call.endpoint,
        what=call.what,
        arguments=call.arguments,
        parameters={**call.parameters, **more},
        body=call.body,
        refused=call.refused,
    )


def _listed(answer: Answer) -> Answer:
    return Answer(sequence(answer.body, "the list"), answer.index, answer.next_token)
