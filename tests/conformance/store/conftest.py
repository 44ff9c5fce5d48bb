"""The adapters of the store port. A further one is one more entry in `store_adapters.ADAPTERS`."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from reconcilers.store import Store
from tests.e2e.nomads import EmbeddedServer


def _adapters() -> ModuleType:
    """Loaded by path: the writer process that is killed loads the same file."""
    path = Path(__file__).with_name("store_adapters.py")
    spec = importlib.util.spec_from_file_location("store_adapters", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


ADAPTERS = _adapters().ADAPTERS


@pytest.fixture(params=["sqlite", "embedded", pytest.param("nomad", marks=pytest.mark.real)])
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def embedded() -> Iterator[str]:
    """The address of one embedded Nomad for all."""
    server = EmbeddedServer()
    yield server.address
    server.stop()


@pytest.fixture
def location(adapter: str, tmp_path: Path, request: pytest.FixtureRequest, met: dict[str, str]) -> Iterator[str]:
    """Where one store lives; opening it twice, one after the other, gives the same documents."""
    if adapter == "sqlite":
        yield ADAPTERS[adapter].location(tmp_path, "")
        return
    if adapter == "embedded":
        yield ADAPTERS[adapter].location(tmp_path, request.getfixturevalue("embedded"))
        return
    address = os.environ.get("NOMAD_TEST_ADDR")
    if not address:
        pytest.skip("the store in a real Nomad (NOMAD_TEST_ADDR)")
    found = ADAPTERS[adapter].location(tmp_path, address)
    with httpx.Client(base_url=address) as nomad:
        met["Nomad"] = nomad.get("/v1/agent/self").json()["config"]["Version"]["Version"]
        yield found
        for one in nomad.get("/v1/vars", params={"prefix": found.partition(" nomad://")[2]}).json():
            nomad.delete(f"/v1/var/{one['Path']}")


@pytest.fixture
async def reopen(adapter: str, location: str) -> AsyncIterator[Callable[[], Awaitable[Store]]]:
    """Closes what is open and opens the store again, as a restart does."""
    opened: list[Store] = []

    async def again() -> Store:
        if opened:
            await opened.pop().close()
        store: Store = await ADAPTERS[adapter].open(location)
        opened.append(store)
        return store

    yield again
    for store in opened:
        await store.close()


@pytest.fixture
async def store(reopen: Callable[[], Awaitable[Store]]) -> Store:
    return await reopen()
