"""One GET to a service that answers in JSON: bounded, never led elsewhere; its status is for the caller to judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx

from desired.errors import Forbidden, OperatorError, Unavailable, Unsupported
from observers.reach.address import Reach
from observers.reach.blocking import Blocking
from observers.reach.breaks import broken, not_the_service

_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonApi:
    """`headers` hold the credentials; `transport` takes the place of the network."""

    reach: Reach
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials: str = ""  # the settings that hold them, for hints
    transport: httpx.BaseTransport | None = None

    async def get(self, what: str, path: str, *, credentials: bool = True) -> Any:
        """The JSON that stands at a path. Raises errors of `desired.errors`."""

        def call() -> tuple[int, Any]:
            try:
                return self._read(path, self.headers if credentials else {})
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                raise broken(self.reach, what, error) from error

        status, body = await Blocking(reach=self.reach)(what, call)
        if status != 200:
            raise self._refusal(what, status)
        if body is None:
            raise not_the_service(self.reach, what, "an answer that is not JSON")
        return body

    def _read(self, path: str, headers: Mapping[str, str]) -> tuple[int, Any]:
        deadline = self.reach.deadline.total_seconds()
        until = monotonic() + deadline
        connect = min(deadline, self.reach.connect_timeout.total_seconds())
        with (
            httpx.Client(
                transport=self.transport, timeout=httpx.Timeout(deadline, connect=connect), follow_redirects=False,
                headers={"User-Agent": "nomad-operator", **headers},
            ) as client,
            client.stream("GET", f"{self.reach.base_url}/{path}") as response,
        ):  # fmt: skip
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if monotonic() > until:
                    raise TimeoutError(f"{len(body)} bytes came in time")
                if len(body) > _LARGEST:
                    raise OSError(f"an answer of more than {_LARGEST} bytes")
            try:
                return response.status_code, httpx.Response(200, content=bytes(body)).json()
            except (ValueError, RecursionError):
                return response.status_code, None

    def _refusal(self, what: str, status: int) -> OperatorError:
        service = self.reach.service
        message = f"{service} at {self.reach.shown}, to {what}: answered {status}"
        if status in (401, 403):
            return Forbidden(message, hint=f"give {self.credentials or 'it credentials'} that {service} knows")
        if status >= 500:
            return Unavailable(message, hint=f"look at {service}'s own log, and at what stands before it")
        if 300 <= status < 400:
            return Unavailable(message, hint=f"redirects are not followed: correct {self.reach.setting}")
        return Unsupported(message, hint=f"does {self.reach.setting} name {service}, with the right path?")
