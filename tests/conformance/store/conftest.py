"""The adapters of the store port. A further one is one more entry in `store_adapters.ADAPTERS`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import ModuleType

import pytest

from reconcilers.store import Store


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


@pytest.fixture(params=sorted(ADAPTERS))
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def location(adapter: str, tmp_path: Path) -> str:
    """Where one store lives; opening it twice, one after the other, gives the same documents."""
    return str(ADAPTERS[adapter].location(tmp_path))


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
