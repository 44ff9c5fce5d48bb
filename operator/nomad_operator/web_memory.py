"""The part of the API about what is remembered: read it, and have some of it forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nomad_operator.memory_desk import no_memory
from nomad_operator.web_answers import refusal, told

# A thousand keys.
_BODY_LIMIT = 65536
_SHAPE = 'it is {"keys": ["…"]}'


class Memories(Protocol):
    """See `nomad_operator.memory_desk`."""

    async def listed(self) -> dict[str, Any]: ...

    async def forget(self, keys: Sequence[str]) -> dict[str, Any]: ...


class WebMemory:
    """`memories` is None where nothing is remembered; `refused` says why a request may change nothing."""

    def __init__(self, *, memories: Memories | None, refused: Callable[[Request], Response | None]) -> None:
        self._memories = memories
        self._refused = refused

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/memory", told(self._listed), methods=["GET"]),
            Route("/api/v1/memory/forget", told(self._forget), methods=["POST"]),
        ]

    async def _listed(self, _request: Request) -> Response:
        return JSONResponse(await self._there.listed())

    async def _forget(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        text = b""
        async for chunk in request.stream():
            text += chunk
            if len(text) > _BODY_LIMIT:
                return refusal(413, f"the body is larger than {_BODY_LIMIT} bytes", _SHAPE)
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        keys = body.get("keys") if isinstance(body, dict) and body.keys() == {"keys"} else None
        if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
            return refusal(400, "the body does not name what is to be forgotten", _SHAPE)
        return JSONResponse(await self._there.forget(keys))

    @property
    def _there(self) -> Memories:
        if self._memories is None:
            raise no_memory()
        return self._memories
