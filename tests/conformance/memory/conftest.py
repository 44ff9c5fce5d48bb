"""Where the suite finds stores of notes: a folder and a server that only speaks Qdrant's language always, and a real
Qdrant where QDRANT_TEST_URL names one."""

from __future__ import annotations

import importlib.util
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from prompts.memory.hashing import Hashing
from prompts.memory.mem0_notes import Mem0Notes
from prompts.memory.place import Folder, Place, Server

# Not imported here: Mem0 reads whether it may tell its makers when it is imported.
if importlib.util.find_spec("mem0") is None:
    collect_ignore_glob = ["*"]
URL = os.environ.get("QDRANT_TEST_URL", "")
KEY = os.environ.get("QDRANT_TEST_API_KEY", "")


class OfItsOwn(Hashing):
    """A collection for each test: the server is shared, and nothing else on it is touched."""

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.fixture(params=["folder", "loopback", pytest.param("server", marks=pytest.mark.real)])
def place(request: pytest.FixtureRequest, tmp_path: Path, met: dict[str, str]) -> Iterator[Place]:
    if request.param == "folder":
        yield Folder(tmp_path / "qdrant")
    elif request.param == "loopback":
        from tests.doubles.qdrant_server import qdrant_server

        with qdrant_server(key="the-key") as served:
            yield Server(served.url, "the-key")
    elif not URL:
        pytest.skip("QDRANT_TEST_URL is not set: no real Qdrant to hold the suite to")
    else:
        met["Qdrant"] = URL
        yield Server(URL, KEY)


@pytest.fixture
async def reopen(place: Place, tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[Mem0Notes]]]:
    """Closes what is open and opens the store again, as a restart does."""
    embedding = OfItsOwn(f"test-{uuid.uuid4().hex[:12]}")
    opened: list[Mem0Notes] = []

    async def again() -> Mem0Notes:
        if opened:
            await opened.pop().aclose()
        opened.append(Mem0Notes(place=place, home=tmp_path / "mem0", embedding=embedding, clock=time.monotonic))
        return opened[0]

    yield again
    for store in opened:
        await store.aclose()
    if isinstance(place, Server):
        _drop(place, embedding)


def _drop(place: Server, embedding: OfItsOwn) -> None:
    from qdrant_client import QdrantClient

    client = QdrantClient(url=place.url, api_key=place.api_key or None, timeout=5, check_compatibility=False)
    for one in client.get_collections().collections:
        if embedding.name.replace("-", "_") in one.name:
            client.delete_collection(one.name)
    client.close()


@pytest.fixture
async def notes(reopen: Callable[[], Awaitable[Mem0Notes]]) -> Mem0Notes:
    return await reopen()
