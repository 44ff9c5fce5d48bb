"""One request to Langfuse: a deadline over all of it, a bounded answer, never led elsewhere, errors by meaning.

httpx without Langfuse's own library (docs/decisions/0021-langfuse-without-its-library.md says why). Proxies are taken
from the environment; nothing else is, no .netrc either.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from desired.errors import Forbidden, OperatorError, RateLimited, Unavailable, Unsupported
from observers.reach.address import Reach
from observers.reach.breaks import broken, not_the_service, too_late

_LARGEST = 16 * 1024 * 1024
_LONGEST_WORDS = 300
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; `body` is None where it is not JSON."""

    status: int
    body: Any
    retry_after: str = ""


class LangfuseHttp:
    """Must be used within one event loop. `transport` takes the place of the network."""

    def __init__(
        self, *, reach: Reach, public_key: str, secret_key: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._reach = reach
        self._keys = httpx.BasicAuth(public_key, secret_key)
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    @property
    def reach(self) -> Reach:
        return self._reach

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def needed(
        self, what: str, method: str, path: str, *, asked: Mapping[str, str] | None = None, body: Any = None
    ) -> Any:
        """The JSON of a good answer. Raises errors of `desired.errors`; `what` reads like `read the prompt repair`."""
        found = await self.found(what, method, path, asked=asked, body=body)
        if found is None:
            raise Unsupported(
                f"{self._told(what)}: it is not there",
                hint=f"does {self._reach.setting} name Langfuse, with the right path?",
            )
        return found

    async def found(
        self, what: str, method: str, path: str, *, asked: Mapping[str, str] | None = None, body: Any = None
    ) -> Any | None:
        """The same, and None where Langfuse says that there is no such thing."""
        deadline = self._reach.deadline
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                reply = await self._send(method, path, asked or {}, body)
        except TimeoutError as error:
            raise too_late(self._reach, what, after=deadline) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise broken(self._reach, what, error) from error
        if reply.status == 404 and _words(reply.body):
            return None
        if not 200 <= reply.status < 300:
            raise self._refusal(what, reply)
        if reply.body is None:
            raise not_the_service(self._reach, what, "an answer that is not JSON")
        return reply.body

    async def _send(self, method: str, path: str, asked: Mapping[str, str], body: Any) -> Reply:
        if self._client is None:
            self._client = httpx.AsyncClient(
                auth=self._keys, transport=self._transport, follow_redirects=False,
                timeout=httpx.Timeout(
                    self._reach.deadline.total_seconds(), connect=self._reach.connect_timeout.total_seconds()
                ),
                headers={"User-Agent": "nomad-operator"},
                limits=httpx.Limits(max_connections=self._reach.max_calls),
            )  # fmt: skip
        content = None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        address = f"{self._reach.base_url}/api/public/{path}"
        async with self._client.stream(
            method, address, params=dict(asked) or None, content=content, headers=headers
        ) as response:
            whole = bytearray()
            async for piece in response.aiter_bytes():
                whole += piece
                if len(whole) > _LARGEST:
                    raise OSError(f"an answer of more than {_LARGEST} bytes")
            return Reply(response.status_code, _json(bytes(whole)), response.headers.get("Retry-After", ""))

    def _refusal(self, what: str, reply: Reply) -> OperatorError:
        words = _words(reply.body)
        message = f"{self._told(what)}: answered {reply.status}{f' ({words})' if words else ''}"
        if reply.status in (401, 403):
            return Forbidden(
                message, hint="are LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY of one project of this Langfuse?"
            )
        if reply.status == 429:
            seconds = int(reply.retry_after) if reply.retry_after.isdecimal() else 0
            wait = min(timedelta(seconds=min(seconds, 10**6)), _LONGEST_WAIT) if seconds else None
            return RateLimited(message, hint="Langfuse limits how often it is asked", retry_after=wait)
        if reply.status >= 500:
            return Unavailable(message, hint="look at Langfuse's own log, and at what stands before it")
        if 300 <= reply.status < 400:
            return Unavailable(message, hint=f"redirects are not followed: correct {self._reach.setting}")
        return Unsupported(message, hint=f"does {self._reach.setting} name Langfuse, with the right path?")

    def _told(self, what: str) -> str:
        return f"{self._reach.service} at {self._reach.shown}, to {what}"


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _words(body: Any) -> str:
    """What Langfuse says is wrong; bounded, on one line."""
    told = body.get("message") or body.get("error") if isinstance(body, dict) else None
    return " ".join(told.split())[:_LONGEST_WORDS] if isinstance(told, str) else ""
