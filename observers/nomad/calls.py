"""One call to Nomad: python-nomad in a worker thread, a deadline over all of it, errors by meaning, every call counted.

python-nomad's endpoint objects are used through `.request` alone; the named methods quote no ids, drop headers and
know half of what is needed. Used by `observers.nomad.client`; knows nothing of jobs.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote

import nomad.api
import requests
import urllib3.exceptions
from nomad.api.client import allocation, stream_logs
from nomad.api.exceptions import BaseNomadException

from desired import spans
from desired.errors import OperatorError, Unsupported
from observers.nomad.answers import Unintelligible
from observers.nomad.connection import Connection
from observers.nomad.endpoints import Endpoint
from observers.nomad.errors import Attempt, deadline_exceeded, failure, refusal, unintelligible
from observers.nomad.session import open_session
from observers.nomad.token import TokenSource

T = TypeVar("T")

_PIECE = 64 * 1024
# Far above any honest answer (the statuses of 1000 jobs are 650 KiB); a bound all the same.
_LARGEST_ANSWER = 256 * 1024 * 1024

# endpoint template, method, status (0 where there was no answer), seconds
OnRequest = Callable[[str, str, int, float], None]


# Raises what says why nothing may be written any more; asked in a worker thread right before a write is sent.
Fence = Callable[[], None]


class Offload(Protocol):
    """Runs a blocking function elsewhere. The embedded Nomad's tests run it in place."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its body, parsed or as text, and the headers that matter."""

    body: Any
    index: int = 0
    next_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked. `what` reads like `plan default/web`; `arguments` are path parts after the group, quoted here.

    `absent` are patterns for the text of a 404 that means that the thing does not exist; `refused` may know better than
    the table of errors what an answer means.
    """

    endpoint: Endpoint
    what: str
    arguments: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    absent: tuple[str, ...] = ()
    refused: Callable[[int, str], OperatorError | None] | None = None
    as_text: bool = False


@dataclass(slots=True)
class _Progress:
    """Tells the waiting side whether the request may have left."""

    sent: bool = False


class _Services(nomad.api.base.Requester):  # type: ignore[misc]
    """Nomad's own catalog, which python-nomad does not know."""

    ENDPOINT = "services"


class _Status(nomad.api.base.Requester):  # type: ignore[misc]
    """python-nomad has a class for each of its parts, and none that takes arguments."""

    ENDPOINT = "status"


class Caller:
    """Makes calls, at most `max_connections` at once; more wait, on their own deadline."""

    def __init__(
        self,
        *,
        connection: Connection,
        on_request: OnRequest | None = None,
        session: requests.Session | None = None,
        offload: Offload | None = None,
        fence: Fence | None = None,
    ) -> None:
        """`session` is taken as it is, except that it is made to stream; without one, one is opened."""
        self._connection = connection
        self._fence = fence
        self._on_request = on_request
        self._session = session if session is not None else open_session(connection)
        # For every method: a body is read piece by piece, so that a deadline can end it, and python-nomad passes
        # `stream` on for GET alone.
        self._session.stream = True
        self._tokens = TokenSource.of(connection)
        self._threads: ThreadPoolExecutor | None = None
        if offload is None:
            self._threads = ThreadPoolExecutor(connection.max_connections, thread_name_prefix="nomad")
        self._offload = offload
        self._groups = self._python_nomad()

    def _python_nomad(self) -> Mapping[str, Any]:
        # Made one by one: `nomad.Nomad` would fill what we leave empty from the environment.
        settings = {
            "address": self._connection.base_url,
            "session": self._session,
            "verify": not self._connection.tls_skip_verify,
            "region": self._connection.region,
        }
        kinds = {
            "agent": nomad.api.Agent,
            "allocation_checks": allocation,
            "job": nomad.api.Job,
            "jobs": nomad.api.Jobs,
            "logs": stream_logs,
            "namespaces": nomad.api.Namespaces,
            "node": nomad.api.Node,
            "nodes": nomad.api.Nodes,
            "services": _Services,
            "status": _Status,
            "allocations": nomad.api.Allocations,
            "variable": nomad.api.Variable,
            "variables": nomad.api.Variables,
            "validate": nomad.api.Validate,
        }
        return {group: kind(**settings) for group, kind in kinds.items()}

    async def aclose(self) -> None:
        """Ends what waits; a call that is under way in a thread ends by its own deadline."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    async def needed(self, call: Call, decode: Callable[[Answer], T]) -> T:
        """The answer to a call that declares nothing absent."""
        answer = await self(call, decode)
        return cast(T, answer)

    async def __call__(self, call: Call, decode: Callable[[Answer], T]) -> T | None:
        """What `decode` makes of the answer, decoded in the thread, too; None where it was one of `call.absent`.

        Raises errors of `desired.errors` only. Cancelling leaves a write that was sent in doubt.
        """
        within = self._connection.write_deadline if call.endpoint.write else self._connection.read_deadline
        attempt = Attempt(call.what, call.endpoint, self._connection.shown)
        progress = _Progress()
        until = monotonic() + within.total_seconds()

        def work() -> T | None:
            return self._perform(call, attempt, decode, until, progress)

        with _traced(call) as told:
            try:
                async with asyncio.timeout(within.total_seconds()):
                    if self._offload is not None:
                        found = await self._offload(work)
                    else:
                        found = await asyncio.get_running_loop().run_in_executor(self._threads, work)
            except TimeoutError as error:
                raise deadline_exceeded(attempt, sent=progress.sent, after=within) from error
            if told.recorded:
                told.answered(spans.outline(found))
            return found

    def _perform(
        self, call: Call, attempt: Attempt, decode: Callable[[Answer], T], until: float, progress: _Progress
    ) -> T | None:
        if any(part in (".", "..") for part in call.arguments):
            # Dots are never quoted, so every part of HTTP on the way would resolve them and ask for something else.
            raise Unsupported(f"{attempt}: this id cannot be asked for over HTTP", hint="give the job another name")
        token = self._tokens.current()
        response = self._send(call, attempt, token, until, progress)
        if response.status == 403 and (renewed := self._tokens.current(reread=True)) != token:
            response = self._send(call, attempt, renewed, until, progress)
        if response.status == 404 and any(re.fullmatch(text, response.text.strip()) for text in call.absent):
            return None
        if not 200 <= response.status < 300:
            known = call.refused(response.status, response.text) if call.refused else None
            if known is not None:
                raise known
            raise refusal(
                attempt, response.status, self._tokens.hide(response.text), response.headers.get("Retry-After")
            )
        try:
            return decode(response.answer(as_text=call.as_text))
        except Unintelligible as error:
            raise unintelligible(attempt, str(error)) from error

    def _send(self, call: Call, attempt: Attempt, token: str | None, until: float, progress: _Progress) -> _Response:
        remaining = until - monotonic()
        if remaining <= 0:
            raise deadline_exceeded(attempt, sent=progress.sent)
        headers = {"User-Agent": "nomad-operator"}
        if token:
            headers["X-Nomad-Token"] = token
        endpoint = call.endpoint
        if endpoint.write and self._fence is not None:
            self._fence()
        started = monotonic()
        status = 0
        progress.sent = True
        try:
            answer = self._ask(
                call, headers, min(remaining, self._connection.connect_timeout.total_seconds()), remaining
            )
            with answer:
                body = _read(answer, until)
                status = answer.status_code
            return _Response(status, body, answer.headers)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise failure(attempt, error) from error
        finally:
            if self._on_request is not None:
                self._on_request(endpoint.template, endpoint.method.upper(), status, monotonic() - started)

    def _ask(self, call: Call, headers: dict[str, str], connect: float, read: float) -> requests.Response:
        try:
            response = self._groups[call.endpoint.group].request(
                *(quote(part, safe="") for part in call.arguments),
                method=call.endpoint.method,
                params=dict(call.parameters),
                json=call.body,
                headers=headers,
                timeout=(connect, read),
                stream=True,
            )
        except BaseNomadException as error:
            # An answer that is not 2xx, or what broke on the way: python-nomad puts both into the same place.
            if isinstance(error.nomad_resp, requests.Response):
                return error.nomad_resp
            raise error.nomad_resp from error
        assert isinstance(response, requests.Response)
        return response


@contextmanager
def _traced(call: Call) -> Iterator[spans.Told]:
    """The job that is sent, and not what it was made from: of that, nobody knows what is secret."""
    job = call.body.get("Job") if call.body is not None else None
    spans.hides(job if isinstance(job, Mapping) else None)
    endpoint = call.endpoint
    asked = {"for": call.what, **call.parameters, **({"Job": job} if endpoint.write and job is not None else {})}
    with spans.call("nomad", f"{endpoint.method.upper()} {endpoint.template}", asked=asked) as told:
        yield told


@dataclass(frozen=True, slots=True)
class _Response:
    """A whole answer, read."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def answer(self, *, as_text: bool) -> Answer:
        """Raises Unintelligible if it is not JSON where JSON is wanted."""
        index = self.headers.get("X-Nomad-Index", "")
        return Answer(
            body=self.text if as_text else self._json(),
            index=int(index) if index.isdecimal() else 0,
            next_token=self.headers.get("X-Nomad-NextToken", ""),
        )

    def _json(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            kind = self.headers.get("Content-Type", "nothing that says what it is")
            raise Unintelligible(f"{len(self.body)} bytes of {kind}, not JSON") from error


def _read(response: requests.Response, until: float) -> bytes:
    """The body, in the pieces in which it comes: a server that drips would hold a plain read for ever."""
    pieces: list[bytes] = []
    size = 0
    while piece := response.raw.read1(_PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if monotonic() > until:
            raise TimeoutError(f"{size} bytes came in time")
        if size > _LARGEST_ANSWER:
            raise urllib3.exceptions.HTTPError(f"an answer of more than {_LARGEST_ANSWER} bytes")
    return b"".join(pieces)
