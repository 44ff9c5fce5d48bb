"""An HTTP proxy between the operator and Nomad that counts what passes and does what networks and servers do wrong.

One thread a connection. A rule is looked up for every request; the first one that matches and is not used up decides.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

STREAM = "/v1/event/stream"
# Headers of one connection, not of the message.
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Seen:
    """A request that was answered; `status` 0 where it was not. `body` is parsed where it is JSON."""

    method: str
    path: str
    query: str
    status: int
    body: Any = field(repr=False)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Exchange:
    """One request, and what can be done about it. Each of the last three ends it."""

    def __init__(self, proxy: Proxy, handler: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        self._proxy, self._handler, self._body = proxy, handler, body
        self.method = handler.command
        parts = urlsplit(handler.path)
        self.path, self.query = unquote(parts.path), parts.query
        self.status = 0

    @property
    def body(self) -> Any:
        try:
            return json.loads(self._body)
        except ValueError:
            return None

    def ask(self) -> Answer:
        """Nomad's whole answer."""
        connection, response = self._sent(timeout=60)
        with contextlib.closing(connection), response:
            body = response.read()
            headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP]
            return Answer(response.status, headers, body)

    def answer(self, answer: Answer, *, cut_to: int | None = None) -> None:
        """Send it, or only its first bytes, and hang up then."""
        self.status = answer.status
        self._handler.send_response(answer.status)
        for name, value in answer.headers:
            self._handler.send_header(name, value)
        self._handler.send_header("Content-Length", str(len(answer.body)))
        self._handler.end_headers()
        self._handler.wfile.write(answer.body if cut_to is None else answer.body[:cut_to])
        if cut_to is not None:
            self.hang_up()

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection without a further word; `reset` makes it an error at the other end."""
        if reset:
            self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.close_connection = True
        with contextlib.suppress(OSError):
            self._handler.wfile.flush()
            if not reset:
                self._handler.connection.shutdown(socket.SHUT_RDWR)
        if reset:
            self._handler.connection.close()

    def stream(self, *, silent: bool = False, change: Callable[[bytes], bytes] = lambda line: line) -> None:
        """Pass a stream on, line by line, until either end hangs up; `silent` sends the headers alone."""
        connection, response = self._sent(timeout=None)
        # http.client gives the socket away to a response without an end.
        reading = socket.socket(fileno=os.dup(response.fileno()))
        with contextlib.closing(connection), response, reading, self._proxy.holding(reading):
            self.status = response.status
            self._handler.send_response(response.status)
            self._handler.send_header("Content-Type", response.getheader("Content-Type", "application/json"))
            self._handler.send_header("Connection", "close")
            self._handler.end_headers()
            self._handler.close_connection = True
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                while line := response.readline():
                    if not silent:
                        self._handler.wfile.write(change(line))
                        self._handler.wfile.flush()

    def _sent(self, *, timeout: float | None) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        host = urlsplit(self._proxy.upstream)
        connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=timeout)
        headers = {name: value for name, value in self._handler.headers.items() if name.lower() not in _HOP}
        try:
            connection.request(self.method, self._handler.path, self._body or None, headers)
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise


Act = Callable[[Exchange], None]


@dataclass
class Rule:
    """`times` None: always. `used` counts."""

    method: str
    path: re.Pattern[str]
    act: Act
    times: int | None = None
    used: int = 0


class Proxy:
    """Serves on a port of its own from `up` to `down`; the port stays the same."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.seen: list[Seen] = []
        self.rules: list[Rule] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._server: _Server | None = None
        self._port = 0
        self.up()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    # -- what goes wrong

    def rule(self, method: str, path: str, act: Act, *, times: int | None = None) -> Rule:
        """`path` is a regular expression for the whole path; `method` is `*` for all."""
        made = Rule(method, re.compile(path), act, times)
        with self._lock:
            self.rules.insert(0, made)
        return made

    def heal(self, *rules: Rule) -> None:
        """Take these rules away, or all of them."""
        with self._lock:
            self.rules = [rule for rule in self.rules if rules and rule not in rules]

    def down(self) -> None:
        """Nobody listens any more, and every connection is cut."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        self.cut()

    def up(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def cut(self) -> None:
        """Cut every connection that is open, event streams too."""
        with self._lock:
            taken = list(self._open)
        for one in taken:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    # -- what was seen

    def asked(self, method: str, path: str) -> list[Seen]:
        """Requests of this method (`*`: all) whose whole path matches."""
        with self._lock:
            return [one for one in self.seen if method in ("*", one.method) and re.fullmatch(path, one.path)]

    def registers(self, job: str | None = None) -> list[Seen]:
        """Registers that Nomad accepted: of one job, or of all."""
        written = [one for one in self.asked("*", "/v1/jobs") if one.method in ("PUT", "POST") and one.status == 200]
        return [one for one in written if job in (None, one.body["Job"]["ID"])]

    def stops(self, job: str | None = None) -> list[Seen]:
        stopped = [one for one in self.asked("DELETE", "/v1/job/.+") if one.status == 200]
        return [one for one in stopped if job is None or one.path == f"/v1/job/{job}"]

    def writes(self) -> list[Seen]:
        """Everything that changes something at Nomad, tried or done."""
        reading = {"/v1/jobs/parse", "/v1/jobs/statuses", "/v1/validate/job"}
        return [
            one
            for one in self.asked("*", ".*")
            if one.method != "GET" and one.path not in reading and not one.path.endswith("/plan")
        ]

    # -- for the handler

    def act_for(self, exchange: Exchange) -> Act:
        with self._lock:
            for rule in self.rules:
                if rule.method not in ("*", exchange.method) or not rule.path.fullmatch(exchange.path):
                    continue
                if rule.times is None or rule.used < rule.times:
                    rule.used += 1
                    return rule.act
        return passed_on

    def note(self, exchange: Exchange) -> None:
        with self._lock:
            self.seen.append(Seen(exchange.method, exchange.path, exchange.query, exchange.status, exchange.body))

    @contextlib.contextmanager
    def holding(self, connected: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(connected)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connected)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], proxy: Proxy) -> None:
        self.proxy = proxy
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke is what this proxy is for."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave together: two small packets would wait for each other.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        with self.server.proxy.holding(self.connection), contextlib.suppress(OSError, ValueError):
            super().handle()

    def _serve(self) -> None:
        assert isinstance(self.server, _Server)
        proxy = self.server.proxy
        exchange = Exchange(proxy, self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        streams = exchange.path == STREAM
        if streams:
            # It would be noted when it ends; that it was asked for is what tests want to see.
            proxy.note(exchange)
        try:
            proxy.act_for(exchange)(exchange)
        except OSError:
            exchange.hang_up()
        finally:
            if not streams:
                proxy.note(exchange)

    do_GET = do_POST = do_PUT = do_DELETE = _serve


# -- what can be done about a request


def passed_on(exchange: Exchange) -> None:
    if exchange.path == STREAM:
        exchange.stream()
    else:
        exchange.answer(exchange.ask())


def answers(status: int, text: str = "", **headers: str) -> Act:
    """Without asking Nomad. Underscores in the names of headers stand for hyphens."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return lambda exchange: exchange.answer(Answer(status, named, text.encode()))


def cut_in_the_middle(exchange: Exchange) -> None:
    """Nomad has answered, and half of it arrives."""
    answer = exchange.ask()
    exchange.answer(answer, cut_to=len(answer.body) // 2)


def lost_on_the_way_back(exchange: Exchange) -> None:
    """Nomad has done it, and nobody hears of it."""
    exchange.ask()
    exchange.hang_up(reset=True)


def lost_on_the_way_there(exchange: Exchange) -> None:
    exchange.hang_up(reset=True)


def held_until(released: threading.Event) -> Act:
    """A slow server: the answer comes when `released` is set, or after a minute."""

    def hold(exchange: Exchange) -> None:
        released.wait(60)
        passed_on(exchange)

    return hold


def silent_stream(exchange: Exchange) -> None:
    """200, and then not even a heartbeat: what Nomad answers to a token that may not listen."""
    exchange.stream(silent=True)
