"""Serves the embedded Nomad on a port: for tests, for the demo, and alone by `nomad-operator embedded`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from desired.errors import UsageError
from nomad_operator.embedded.engine import EmbeddedNomad
from nomad_operator.embedded.http import RealTime, application
from nomad_operator.embedded.world import World, load_world
from nomad_operator.web_server import WebServer


class Serving:
    """One that is being served. `address` is its base URL."""

    def __init__(self, *, nomad: EmbeddedNomad, server: WebServer, clock: asyncio.Task[None]) -> None:
        self.nomad = nomad
        self.address = server.address
        self._server = server
        self._clock = clock

    async def stop(self) -> None:
        """Ends its clock and its port. Streams that are open are cut."""
        self._clock.cancel()
        with suppress(asyncio.CancelledError):
            await self._clock
        await self._server.stop()


async def serve(world: World, *, host: str = "127.0.0.1", port: int = 0, seed: int | None = None) -> Serving:
    """Begin to serve this world in the running loop; port 0 takes a free one. UsageError if the address is taken."""
    start = datetime.now(UTC)
    nomad = EmbeddedNomad(world=world, start=start, seed=start.microsecond if seed is None else seed)
    time = RealTime(nomad=nomad)
    try:
        server = await WebServer.start(application(nomad, time), host=host, port=port)
    except UsageError as error:
        raise UsageError(error.message, hint="a Nomad may run here already; choose another host:port") from error
    return Serving(nomad=nomad, server=server, clock=asyncio.create_task(time.run(), name="embedded-nomad-clock"))


async def serve_until_stopped(world_path: Path | None, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called with the address. UsageError for a wrong world or address."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    serving = await serve(load_world(world_path), host=host, port=port)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        ready(serving.address)
        await stop.wait()
    finally:
        await serving.stop()


def serve_embedded(*, world: Path | None, host: str, port: int) -> int:
    """What `nomad-operator embedded` does; the exit code."""

    def ready(address: str) -> None:
        print(f"NOMAD_ADDR={address}", flush=True)
        print(f"an embedded Nomad answers at {address}; Ctrl-C ends it", file=sys.stderr, flush=True)

    asyncio.run(serve_until_stopped(world, host=host, port=port, ready=ready))
    return 0
