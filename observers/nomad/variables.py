"""Nomad variables as small documents that are written by compare-and-set; nothing is known of what is in them.

Source: nomad/variables_endpoint.go, nomad/state/state_store_variables.go; recorded in nomad-2.0.5 (variables).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import requests

from desired.errors import Conflict
from observers.nomad import endpoints
from observers.nomad.answers import Json, Unintelligible, mapping, needed, number, sequence, text
from observers.nomad.calls import Answer, Call, Caller, Fence, Offload, OnRequest
from observers.nomad.connection import Connection

# Source: nomad/structs/variables.go, validVariablePath and maxVariableSize: the total of names and values.
PATH_PATTERN = r"[a-zA-Z0-9\-_~/]{1,128}"
LARGEST_BYTES = 64 * 1024
_ABSENT = (r"variable not found",)


@dataclass(frozen=True, slots=True)
class Variable:
    """`index` grows with every write in the cluster, so also where a variable is deleted and made again."""

    path: str
    items: Mapping[str, str]
    index: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The variables under a prefix, complete, by path; `index` is what a later look may wait to be passed."""

    indexes: Mapping[str, int]
    index: int


class NomadVariables:
    """The variables of one namespace. Errors are those of `desired.errors`, by meaning. `aclose` it at the end."""

    def __init__(
        self,
        *,
        connection: Connection,
        on_request: OnRequest | None = None,
        session: requests.Session | None = None,
        offload: Offload | None = None,
        fence: Fence | None = None,
    ) -> None:
        self._namespace = connection.namespace
        self._call = Caller(
            connection=connection, on_request=on_request, session=session, offload=offload, fence=fence
        )  # fmt: skip

    async def aclose(self) -> None:
        await self._call.aclose()

    async def under(self, prefix: str, *, after: int = 0, wait: timedelta = timedelta(0)) -> Listing:
        """What is there now; with `after`, as soon as something has changed since, or the wait is over."""
        waiting = {"index": str(after), "wait": f"{wait.total_seconds():g}s"} if after else {}
        call = Call(
            endpoint=endpoints.VARIABLES,
            what=f"list the variables under {prefix}",
            parameters={"namespace": self._namespace, "prefix": prefix, **waiting},
        )
        return await self._call.needed(call, _listing)

    async def read(self, path: str, *, after: int = 0, wait: timedelta = timedelta(0)) -> Variable | None:
        """None where there is none; with `after`, as soon as it has changed since, or the wait is over."""
        waiting = {"index": str(after), "wait": f"{wait.total_seconds():g}s"} if after else {}
        call = Call(
            endpoint=endpoints.VARIABLE,
            what=f"read the variable {path}",
            arguments=tuple(path.split("/")),
            parameters={"namespace": self._namespace, **waiting},
            absent=_ABSENT,
        )
        return await self._call(call, _variable)

    async def write(self, path: str, items: Mapping[str, str], *, expected: int) -> int:
        """The new index. Conflict where its index is not `expected`; 0: there is none yet."""
        call = Call(
            endpoint=endpoints.VARIABLE_WRITE,
            what=f"write the variable {path}",
            arguments=tuple(path.split("/")),
            parameters={"namespace": self._namespace, "cas": str(expected)},
            body={"Namespace": self._namespace, "Path": path, "Items": dict(items)},
            refused=lambda status, _said: _overtaken(path) if status == 409 else None,
        )
        return (await self._call.needed(call, _variable)).index

    async def delete(self, path: str, *, expected: int) -> None:
        """Conflict where its index is not `expected`, and where there is none unless 0 is expected."""
        call = Call(
            endpoint=endpoints.VARIABLE_DELETE,
            what=f"delete the variable {path}",
            arguments=tuple(path.split("/")),
            parameters={"namespace": self._namespace, "cas": str(expected)},
            refused=lambda status, _said: _overtaken(path) if status == 409 else None,
            as_text=True,
        )
        await self._call.needed(call, lambda answer: answer)


def _overtaken(path: str) -> Conflict:
    # Nomad's answer holds the variable with its items: it is shown to nobody.
    return Conflict(f"the variable {path} is not as expected", hint="it is read again, and decided again")


def _listing(answer: Answer) -> Listing:
    found = [mapping(one, "a variable") for one in sequence(answer.body, "the list")]
    return Listing({needed(one, "Path"): _index(one) for one in found}, answer.index)


def _variable(answer: Answer) -> Variable:
    found = mapping(answer.body, "the variable")
    items = mapping(found.get("Items"), "Items")
    return Variable(needed(found, "Path"), {name: text(items, name) for name in items}, _index(found))


def _index(found: Json) -> int:
    index = number(found, "ModifyIndex")
    if index <= 0:
        raise Unintelligible("ModifyIndex is missing")
    return index
