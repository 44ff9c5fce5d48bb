"""The Nomads that these tests run on: the embedded one, served on loopback, and a real agent where NOMAD_TEST_ADDR
names one."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nomad_operator.embedded.server import Serving, serve
from nomad_operator.embedded.world import Behaviour, Node, World
from tests.e2e.nomad_side import NomadSide

NOMADS = ["embedded", pytest.param("real", marks=pytest.mark.real)]

_MILLISECOND = 1_000_000
WORLD = World(
    nodes=(Node(name="node-1", cpu=100_000, memory=100_000),),
    behaviours=(
        Behaviour(image="example/bad:*", starts_after=50 * _MILLISECOND, runs_for=10 * _MILLISECOND, exit_code=1),
        Behaviour(
            image="example/asks:*",
            starts_after=50 * _MILLISECOND,
            needs_env=("LISTEN_PORT",),
            stderr="fatal: LISTEN_PORT is nowhere\n",
        ),
        Behaviour(image="example/done:*", starts_after=50 * _MILLISECOND, runs_for=10 * _MILLISECOND),
        Behaviour(starts_after=50 * _MILLISECOND),
    ),
)


def _docker(image: str) -> str:
    return f'driver = "docker"\n      config {{\n        image = "example/{image}:1"\n      }}'


EMBEDDED_TASKS = {"good": _docker("good"), "bad": _docker("bad"), "done": _docker("done"), "asks": _docker("asks")}

# mock_driver does what its config says and takes nothing; an agent started with -dev has it.
_ASKS = "test -n \\\"$LISTEN_PORT\\\" || { echo 'fatal: LISTEN_PORT is nowhere' >&2; exit 1; }; exec sleep 600"
REAL_TASKS = {
    "good": 'driver = "mock_driver"\n      config {\n        run_for = "24h"\n      }',
    "bad": 'driver = "mock_driver"\n      config {\n        run_for = "10ms"\n        exit_code = 1\n      }',
    "done": 'driver = "mock_driver"\n      config {\n        run_for = "10ms"\n      }',
    "asks": f'driver = "raw_exec"\n      config {{\n        command = "sh"\n        args = ["-c", "{_ASKS}"]\n      }}',
}


class EmbeddedServer:
    """The embedded Nomad in a thread with an event loop of its own."""

    def __init__(self, *, world: World = WORLD, port: int = 0) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._serving: Serving = asyncio.run_coroutine_threadsafe(serve(world, port=port), self._loop).result(20)
        self.address = self._serving.address

    def stop(self) -> None:
        """Everything it held is gone."""
        asyncio.run_coroutine_threadsafe(self._serving.stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()


@contextmanager
def nomad_side(kind: str) -> Iterator[NomadSide]:
    """An agent of this kind, without the jobs of the test at the end."""
    if kind == "embedded":
        server = EmbeddedServer()
        side = NomadSide(server.address, **EMBEDDED_TASKS)
        yield side
        side.close()
        server.stop()
        return
    address = os.environ.get("NOMAD_TEST_ADDR")
    if not address:
        pytest.skip("the operator's process on a real Nomad (NOMAD_TEST_ADDR)")
    side = NomadSide(address, **REAL_TASKS)
    try:
        yield side
    finally:
        side.purge()
        side.close()
