"""A served daemon that only pretends: the real web on a free port, in a thread of its own."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from nomad_operator.metrics import Metrics
from nomad_operator.web import Web
from nomad_operator.web_server import WebServer

TOKEN = "a-token-that-is-long-enough"


def _fake_backend() -> Any:
    path = Path(__file__).with_name("fake_backend.py")
    spec = importlib.util.spec_from_file_location("fake_backend", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.FakeBackend()


@pytest.fixture
def backend() -> Any:
    return _fake_backend()


@dataclass(frozen=True)
class Served:
    address: str
    token: str
    backend: Any


@pytest.fixture
def served(backend: Any) -> Iterator[Served]:
    """What `nomad-operator run` serves, as far as a command can tell."""
    web = Web(backend=backend, metrics=Metrics(version="0"), api_token=SecretStr(TOKEN), memories=backend.memories)
    ready: list[str] = []
    up = threading.Event()
    stopping: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        server = await WebServer.start(web.application(), host="127.0.0.1", port=0)
        ready.append(server.address)
        stop = asyncio.Event()
        stopping.append((asyncio.get_running_loop(), stop))
        up.set()
        await stop.wait()
        await server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert up.wait(10)
    yield Served(ready[0], TOKEN, backend)
    loop, stop = stopping[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    assert not thread.is_alive()
