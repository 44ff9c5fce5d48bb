"""Every adapter of the store port, as the suite opens it. Also run as a process that writes until it is killed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from nomad_operator.sqlite_store import SqliteStore
from reconcilers.store import Store


@dataclass(frozen=True)
class Adapter:
    """`location` names a store of its own for one test; `open` opens the store of that name."""

    location: Callable[[Path], str]
    open: Callable[[str], Awaitable[Store]]


async def _sqlite(location: str) -> Store:
    return await SqliteStore.open(Path(location))


ADAPTERS = {"sqlite": Adapter(location=lambda folder: str(folder / "state" / "state.db"), open=_sqlite)}


async def _write_until_killed(adapter: str, location: str) -> None:
    """Eight writers; a line on stdout for every write that the store called durable."""
    store = await ADAPTERS[adapter].open(location)
    revisions = {name: one.revision for name, one in (await store.load()).items()}

    async def writer(name: str) -> None:
        while True:
            revision = await store.put(name, _document(revisions.get(name, 0) + 1), expected=revisions.get(name, 0))
            revisions[name] = revision
            print(name, revision, flush=True)

    await asyncio.gather(*(writer(f"w{number}") for number in range(8)))


def _document(number: int) -> dict[str, object]:
    return {"number": number, "filler": "x" * 2000, "again": number}


if __name__ == "__main__":
    asyncio.run(_write_until_killed(sys.argv[1], sys.argv[2]))
