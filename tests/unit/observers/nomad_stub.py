"""A small HTTP server on the loopback that answers as it is told, and knows how many connections are open."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; `path` is not unquoted, and holds the query."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Stub:
    """`answer` is called for each request, in the connection's own thread, and writes to the handler as it likes."""

    answer: Callable[[Stub, Exchange], None]
    address: str = ""
    asked: list[Asked] = field(default_factory=list)
    open_now: int = 0
    open_at_most: int = 0
    connections: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Condition = field(default_factory=threading.Condition)

    async def until(self, happened: Callable[[Stub], bool]) -> None:
        """Wait until it has happened, without holding up the loop; fails after ten seconds."""

        def wait() -> bool:
            with self.lock:
                return self.lock.wait_for(lambda: happened(self), 10)

        assert await asyncio.to_thread(wait), "it never happened"


class Exchange(BaseHTTPRequestHandler):
    """One connection; the helpers write whole or broken answers."""

    protocol_version = "HTTP/1.1"
    stub: Stub
    asked: Asked

    def setup(self) -> None:
        super().setup()
        with self.stub.lock:
            self.stub.connections += 1
            self.stub.open_now += 1
            self.stub.open_at_most = max(self.stub.open_at_most, self.stub.open_now)
            self.stub.lock.notify_all()

    def finish(self) -> None:
        with self.stub.lock:
            self.stub.open_now -= 1
            self.stub.lock.notify_all()
        super().finish()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        self.asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(length))
        with self.stub.lock:
            self.stub.asked.append(self.asked)
            self.stub.lock.notify_all()
        self.stub.answer(self.stub, self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def say(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        raw = body.encode() if isinstance(body, str) else body
        self.head(status, **{"Content-Length": str(len(raw)), "Content-Type": "application/json", **headers})
        self.wfile.write(raw)

    def head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def hang_up(self) -> None:
        self.close_connection = True

    def reset(self) -> None:
        """End the connection so that the other side sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or refuses our certificate, is what the test wants."""


class _UnixServer(_Server):
    address_family = socket.AF_UNIX

    def get_request(self) -> tuple[Any, Any]:
        connection, _ = super().get_request()
        return connection, ("local", 0)

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)


@contextmanager
def serve(
    answer: Callable[[Stub, Exchange], None], *, unix: Path | None = None, context: ssl.SSLContext | None = None
) -> Iterator[Stub]:
    """Serves until the end of the block; then lets go of every answer that waits for `released`."""
    stub = Stub(answer)
    handler = type("StubExchange", (Exchange,), {"stub": stub})
    where: Any = str(unix) if unix else ("127.0.0.1", 0)
    server = (_UnixServer if unix else _Server)(where, handler)
    server.context = context
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        scheme = "https" if context else "http"
        stub.address = f"unix://{unix}" if unix else f"{scheme}://127.0.0.1:{server.server_address[1]}"
        yield stub
    finally:
        stub.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
