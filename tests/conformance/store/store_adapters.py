"""Every adapter of the store port, as the suite opens it. Also run as a process that writes until it is killed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from nomad_operator.nomad_store import NomadStore
from nomad_operator.sqlite_store import SqliteStore
from nomad_operator.variable_names import VariablePlace
from observers.nomad.connection import Connection
from observers.nomad.variables import NomadVariables
from reconcilers.store import Store


@dataclass(frozen=True)
class Adapter:
    """`location` names a store of its own for one test, in a folder or on a Nomad; `open` opens the store so named."""

    location: Callable[[Path, str], str]
    open: Callable[[str], Awaitable[Store]]


async def _sqlite(location: str) -> Store:
    return await SqliteStore.open(Path(location))


async def _nomad(location: str) -> Store:
    """`location` is an agent's address, a blank, and a place of variables."""
    address, _, url = location.partition(" ")
    place = VariablePlace.parse(url)
    variables = NomadVariables(connection=Connection(address=address, namespace=place.namespace or "default"))
    return NomadStore(variables=variables, place=place, new_id=lambda: uuid4().hex[:12])


def _place() -> str:
    return f"nomad://test-store/{uuid4().hex[:12]}"


ADAPTERS = {
    "sqlite": Adapter(location=lambda folder, _nomad: str(folder / "state" / "state.db"), open=_sqlite),
    "embedded": Adapter(location=lambda _folder, nomad: f"{nomad} {_place()}", open=_nomad),
    "nomad": Adapter(location=lambda _folder, nomad: f"{nomad} {_place()}", open=_nomad),
}


async def _write_until_killed(adapter: str, location: str) -> None:
    """Eight writers; a line on stdout for every write that the store called durable. Some documents are large."""
    store = await ADAPTERS[adapter].open(location)
    numbers: dict[str, int] = {}
    revisions: dict[str, int] = {}

    async def writer(name: str) -> None:
        while True:
            numbers[name] = numbers.get(name, 0) + 1
            revision = await store.put(name, _document(numbers[name]), expected=revisions.get(name, 0))
            revisions[name] = revision
            print(name, numbers[name], revision, flush=True)

    await asyncio.gather(*(writer(f"w{number}") for number in range(8)))


def _document(number: int) -> dict[str, object]:
    return {"number": number, "filler": "x" * (150_000 if number % 3 == 0 else 2000), "again": number}


if __name__ == "__main__":
    asyncio.run(_write_until_killed(sys.argv[1], sys.argv[2]))
