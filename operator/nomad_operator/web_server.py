"""Runs the web application inside the daemon's own loop, on a port that is bound before anything else starts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from desired.errors import UsageError


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the daemon's: it ends running passes first."""
        yield


class WebServer:
    """Started by `start`, ended by `stop`; serves until then."""

    def __init__(self, *, server: uvicorn.Server, bound: socket.socket) -> None:
        self._server = server
        self._bound = bound
        self._serving = asyncio.create_task(server.serve(sockets=[bound]), name="web")

    @classmethod
    async def start(cls, application: ASGIApp, *, host: str, port: int) -> WebServer:
        """UsageError if the address cannot be had. Port 0 takes a free one: see `address`."""
        bound = _bind(host, port)
        config = uvicorn.Config(
            application, log_config=None, access_log=False, server_header=False, lifespan="off",
            proxy_headers=False, ws="none", timeout_graceful_shutdown=5,
        )  # fmt: skip
        server = cls(server=_Server(config), bound=bound)
        while not server._server.started:
            if server._serving.done():
                server._serving.result()
            await asyncio.sleep(0.001)
        return server

    @property
    def address(self) -> str:
        """Base URL, with the port that was really taken."""
        host, port = self._bound.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Answers that are under way are finished, for five seconds at most."""
        self._server.should_exit = True
        await asyncio.wait([self._serving])
        self._bound.close()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(128)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            hint="another nomad-operator may run here; NOMAD_OPERATOR_LISTEN chooses another host:port",
        ) from error
    bound.setblocking(False)
    return bound
