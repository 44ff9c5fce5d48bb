"""What a copy that does not act answers: questions are passed on to the one that does, requests go into the store.

Nothing is kept here about apps. Whoever asks for a change proves to this copy that they may; the proof goes no further.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol
from urllib.parse import quote

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from nomad_operator.copies.address import reachable
from nomad_operator.copies.mailbox import Outbox
from nomad_operator.hook_proof import bearer_matches
from nomad_operator.page.pages import PASSED_ON
from nomad_operator.page.rendering import answer as answer_page
from nomad_operator.page.site import Site
from nomad_operator.web_answers import refusal, refuse_http, told
from nomad_operator.web_hooks import Counted, GitHook

# What one copy has passed on, no other passes on again.
_FORWARDED = ("accept", "last-event-id", "authorization", "cookie", "if-none-match")
_RETURNED = (
    "content-type", "content-encoding", "cache-control", "content-security-policy", "x-accel-buffering", "etag", "vary",
    "location",
)  # fmt: skip
_BODY_LIMIT = 64 * 1024
_CONNECT_SECONDS = 3.0
_READ_SECONDS = 60.0


class Rendered(Counted, Protocol):
    """The metrics of a copy that does not act, as text."""

    def render(self, accept: str) -> tuple[bytes, str]: ...


class Follower:
    """`leader` is what stands in the lease: whoever held it last. `missing`: what keeps this copy from taking over."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        leader: Callable[[], Mapping[str, str]],
        missing: Callable[[], list[str]],
        metrics: Rendered,
        api_token: SecretStr,
        webhook_secret: SecretStr | None,
        host: str,
        site: Site,
    ) -> None:
        self._site = site
        self._outbox = outbox
        self._leader = leader
        self._missing = missing
        self._metrics = metrics
        self._api_token = api_token
        self._host = host
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS), trust_env=False)
        self._hook = GitHook(
            secret=webhook_secret, api_token=api_token, wake=outbox.wake, counted=metrics, now=time.time,
            clock=time.monotonic,
        )  # fmt: skip

    def application(self) -> Starlette:
        get, post = ["GET"], ["POST"]
        return Starlette(
            routes=[
                Route("/healthz", told(self._healthz), methods=get),
                Route("/readyz", told(self._readyz), methods=get),
                Route("/metrics", told(self._render_metrics), methods=get),
                Route("/hooks/git", told(self._hook.answer), methods=post),
                Route("/api/v1/status", told(self._status), methods=get),
                Route("/api/v1/{rest:path}", told(self._request), methods=post),
                *self._site.routes(),
                Route("/{rest:path}", told(self._passed_on), methods=get),
            ],
            middleware=self._site.middleware(),
            exception_handlers={HTTPException: refuse_http},
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _readyz(self, _request: Request) -> Response:
        missing = self._missing()
        return JSONResponse(
            {"ready": not missing, "missing": missing, "leader": False}, status_code=503 if missing else 200
        )

    async def _render_metrics(self, request: Request) -> Response:
        body, content_type = self._metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    async def _request(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not bearer_matches(given, self._api_token.get_secret_value()):
            return refusal(
                401,
                "the token that was sent is not the API token" if given else "it takes the API token as a bearer token",
                "NOMAD_OPERATOR_API_TOKEN, or the file api-token beside the daemon's state",
                headers={"www-authenticate": "Bearer"},
            )  # fmt: skip
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _BODY_LIMIT:
                return refusal(413, f"the body is larger than {_BODY_LIMIT} bytes")
        answered = await self._outbox.ask(request.url.path, body.decode("utf-8", "replace"))
        if answered is not None:
            return JSONResponse(answered.body, status_code=answered.status)
        return JSONResponse(
            {"accepted": True, "told": "noted; nobody acts just now, and the copy that does next will do it"},
            status_code=202,
        )

    async def _status(self, request: Request) -> Response:
        """The leader's, and that it is not this copy's."""
        address, refused = self._way(request)
        if refused is not None:
            return refused
        try:
            answer = await self._http.get(f"{address}/api/v1/status", headers=_headers(request))
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            return self._unreachable(address, error)
        if isinstance(found, dict) and isinstance(found.get("operator"), dict):
            found["operator"] = {**found["operator"], "leader": False, "leaderAddress": address}
        return JSONResponse(found, status_code=answer.status_code)

    async def _passed_on(self, request: Request) -> Response:
        address, refused = self._way(request)
        if refused is not None:
            return self._shown(request, refused)
        # As it was packed for whoever asked: nothing is unpacked here.
        headers = {**_headers(request), "accept-encoding": request.headers.get("accept-encoding", "identity")}
        asked = self._http.build_request(
            "GET", f"{address}{quote(request.url.path)}", params=request.url.query, headers=headers
        )
        try:
            answer = await self._http.send(asked, stream=True)
        except httpx.HTTPError as error:
            return self._shown(request, self._unreachable(address, error))

        async def pieces() -> AsyncIterator[bytes]:
            try:
                async for piece in answer.aiter_raw():
                    yield piece
            except httpx.HTTPError:
                return  # the leader is gone: a stream ends, and its reader comes again
            finally:
                await answer.aclose()

        headers = {name: value for name, value in answer.headers.items() if name in _RETURNED}
        return StreamingResponse(pieces(), status_code=answer.status_code, headers=headers)

    def _way(self, request: Request) -> tuple[str, Response | None]:
        if PASSED_ON in request.headers:
            return "", refusal(503, "this copy does not act, and another one thought it did", "ask again in a moment")
        leader = self._leader()
        if address := reachable(leader, host=self._host):
            return address, None
        if not leader:
            return "", refusal(503, "no copy acts yet", "one of them does within a minute: ask again")
        return "", refusal(
            503,
            f"this copy does not act, and the one that does ({leader.get('name', 'unknown')}) names no address",
            "set NOMAD_OPERATOR_ADVERTISE, or let NOMAD_OPERATOR_LISTEN name an address that the other copies reach",
        )

    def _shown(self, request: Request, refused: Response) -> Response:
        """The same for people, where it is a page that they asked for."""
        if request.url.path.startswith(("/api/", "/parts/")):
            return refused
        why = json.loads(bytes(refused.body))
        body = self._site.rendering.render("follower.html", {"problem": why["error"], "hint": why["hint"]})
        return answer_page(request, body, status=refused.status_code)

    def _unreachable(self, address: str, error: Exception) -> Response:
        return refusal(
            503,
            f"this copy does not act, and the one that does cannot be reached at {address}: {type(error).__name__}",
            "commands are noted all the same; ask again in a minute, or let the copies reach each other",
        )


def _headers(request: Request) -> dict[str, str]:
    return {PASSED_ON: "1", **{name: request.headers[name] for name in _FORWARDED if name in request.headers}}


def body_of(text: str) -> object:
    """A JSON answer as a value; what is none as text."""
    try:
        return json.loads(text)
    except ValueError:
        return {"error": text, "hint": ""}
