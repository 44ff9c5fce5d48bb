"""`POST /hooks/git`: a git server says that something was pushed. Who it is gets proven; what it says is not looked at.

A delivery only wakes: git itself is read, and the poll stays the truth. So a delivery that is lost, late or repeated
costs at most the time until the next poll, and a thousand of them cost a look a second.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Protocol

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from desired.errors import OperatorError
from nomad_operator.hook_proof import Delivery, Verdict, bearer_matches, delivery_ids, is_signed, server_of
from nomad_operator.web_answers import refusal

# Source: GitHub docs, "Webhook events and payloads": payloads are capped at 25 MB.
_LARGEST = 25 * 1024 * 1024
# Source: GitHub docs, "Best practices for using webhooks": a delivery is given up after ten seconds.
_READ_SECONDS = 10.0
_GAP_SECONDS = 1.0
_SEEN_SECONDS = 3600.0
_SEEN = 4096
_SETTING = "NOMAD_OPERATOR_WEBHOOK_SECRET"


class Counted(Protocol):
    """Where deliveries are counted."""

    def webhook(self, server: str, result: str) -> None: ...


class GitHook:
    """One endpoint. `wake` may raise what is answered to the sender."""

    def __init__(
        self,
        *,
        secret: SecretStr | None,
        api_token: SecretStr,
        wake: Callable[[], Awaitable[None]],
        counted: Counted,
        now: Callable[[], float],
        clock: Callable[[], float],
        read_seconds: float = _READ_SECONDS,
    ) -> None:
        """`now` in seconds since the epoch, `clock` monotonic. Without a secret a delivery needs the API token."""
        self._secret = secret
        self._api_token = api_token
        self._counted = counted
        self._now = now
        self._read_seconds = read_seconds
        self._seen = Seen(clock=clock)
        self._wakes = Coalesced(wake=wake, clock=clock)

    async def answer(self, request: Request) -> Response:
        """202 at once, or why not."""
        headers, server = request.headers, server_of(request.headers)
        if self._has_token(headers.get("authorization", "")):
            marks = delivery_ids(headers)
        elif self._secret is not None and is_signed(headers):
            delivery = Delivery(headers=headers, secret=self._secret.get_secret_value())
            if (refused := await self._unproven(request, delivery, server)) is not None:
                return refused
            marks = delivery.marks
        else:
            return self._no_proof(server, given="authorization" in headers)
        if self._seen.before(marks):
            self._counted.webhook(server, "repeated")
            return JSONResponse({"accepted": True, "repeated": True}, status_code=202)
        await self._wakes.ask()
        # Not before: what could not be done may be sent again.
        self._seen.note(marks)
        self._counted.webhook(server, "accepted")
        return JSONResponse({"accepted": True}, status_code=202)

    def _has_token(self, authorization: str) -> bool:
        """The secret itself is as good as a signature with it; the API token may do anything."""
        tokens = [self._api_token, *([self._secret] if self._secret is not None else [])]
        return any([bearer_matches(authorization, one.get_secret_value()) for one in tokens])  # noqa: C419 (no early end)

    def _no_proof(self, server: str, *, given: bool) -> Response:
        self._counted.webhook(server, "refused" if given else "unsigned")
        wants = "the API token" if self._secret is None else "the secret or the API token"
        return refusal(
            401,
            f"the token that was sent is not {wants}" if given else f"the delivery is not signed, and has not {wants}",
            f"give the webhook the secret of {_SETTING}; or the token as a bearer token",
            headers={"www-authenticate": "Bearer"},
        )

    async def _unproven(self, request: Request, delivery: Delivery, server: str) -> Response | None:
        try:
            async with asyncio.timeout(self._read_seconds):
                size = await self._read(request, delivery)
        except TimeoutError:
            self._counted.webhook(server, "too_slow")
            return refusal(408, f"the delivery did not arrive within {self._read_seconds:g} seconds")
        if size > _LARGEST:
            self._counted.webhook(server, "too_large")
            return refusal(413, f"the delivery is larger than {_LARGEST} bytes", "no git server sends so much")
        match delivery.verdict(now_seconds=self._now()):
            case Verdict.PROVEN:
                return None
            case Verdict.STALE:
                self._counted.webhook(server, "stale")
                return refusal(
                    403, "the delivery was signed for another time", "five minutes are allowed: compare the clocks"
                )
            case _:
                self._counted.webhook(server, "refused")
                return refusal(
                    403, "the delivery's signature is wrong", f"the webhook's secret differs from {_SETTING}"
                )

    async def _read(self, request: Request, delivery: Delivery) -> int:
        """Its size, or one that is too large: then it was not read to its end."""
        told = request.headers.get("content-length", "")
        if told.isascii() and told.isdigit() and int(told[:16]) > _LARGEST:
            return _LARGEST + 1
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > _LARGEST:
                return size
            delivery.feed(chunk)
        return size


class Seen:
    """What was delivered within the last hour; the newest few thousand of it."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._marks: OrderedDict[str, float] = OrderedDict()

    def before(self, marks: Iterable[str]) -> bool:
        oldest = self._clock() - _SEEN_SECONDS
        return any(self._marks.get(mark, oldest) > oldest for mark in marks)

    def note(self, marks: Iterable[str]) -> None:
        for mark in marks:
            self._marks[mark] = self._clock()
            self._marks.move_to_end(mark)
        while len(self._marks) > _SEEN:
            self._marks.popitem(last=False)


class Coalesced:
    """Wakes at once, and then not more than once a second, however often it is asked; the last asking is never lost."""

    def __init__(
        self, *, wake: Callable[[], Awaitable[None]], clock: Callable[[], float], gap_seconds: float = _GAP_SECONDS
    ) -> None:
        self._wake = wake
        self._clock = clock
        self._gap = gap_seconds
        self._free_at = 0.0
        self._later: asyncio.Task[None] | None = None

    async def ask(self) -> None:
        if self._later is not None and not self._later.done():
            return
        wait = self._free_at - self._clock()
        if wait > 0:
            self._later = asyncio.create_task(self._in(wait), name="webhook")
            return
        self._free_at = self._clock() + self._gap
        await self._wake()

    async def _in(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._free_at = self._clock() + self._gap
        # Nobody is there to be told any more, and the poll reads git all the same.
        with suppress(OperatorError):
            await self._wake()
