"""The daemon's one HTTP port: health, metrics, the API, the event stream and webhooks.

It holds no state and decides nothing: every answer comes from the `Backend`. Who may read is the `Site`'s gate to say;
whatever changes something needs the API token, from loopback too, because behind a proxy everybody is loopback.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from desired.app import AppKey
from nomad_operator.hook_proof import bearer_matches
from nomad_operator.page.pages import Pages
from nomad_operator.page.site import Site
from nomad_operator.web_answers import refusal, refuse_http, told
from nomad_operator.web_events import Listening, server_sent
from nomad_operator.web_hooks import Counted, GitHook
from nomad_operator.web_memory import Memories, WebMemory

VERBS = ("reconcile", "suspend", "resume", "adopt", "approve", "reject", "revert")
# A proposal's hash, and nothing else, stands in the body of a command.
_BODY_LIMIT = 4096
_HEARTBEAT_SECONDS = 15.0


class Backend(Protocol):
    """The daemon, as the web sees it. Whatever raises an OperatorError is answered with its message and hint."""

    def status(self) -> dict[str, Any]: ...

    def app(self, key: AppKey) -> dict[str, Any] | None:
        """None where no such app is known."""
        ...

    async def command(self, key: AppKey, verb: str, argument: str = "") -> dict[str, Any]:
        """One of VERBS, for an app that is known; `argument` is the proposal that `approve` means, if it names one."""
        ...

    def explain(self, key: AppKey) -> dict[str, Any] | None:
        """The story of an app's open or last episode; None for an app that is not known."""
        ...

    def repairs(self) -> dict[str, Any]: ...

    async def stop_repairs(self, *, rollback: bool) -> dict[str, Any]: ...

    async def start_repairs(self) -> dict[str, Any]: ...

    def prune_candidates(self) -> dict[str, Any]: ...

    async def confirm_prune(self) -> dict[str, Any]: ...

    def missing(self) -> list[str]:
        """What has not been read completely yet; empty means ready."""
        ...

    async def wake_source(self) -> None:
        """A webhook arrived. Returns at once; the fetch happens elsewhere."""
        ...

    def subscribe(self) -> AbstractContextManager[Listening]:
        """Transitions from now on; `web_events.Broadcast.subscribe` is one."""
        ...


class Rendered(Counted, Protocol):
    """The metrics, as text."""

    def render(self, accept: str) -> tuple[bytes, str]: ...


class Plainly(Protocol):
    """Somebody who says a story in plain words, or nothing within a few seconds."""

    async def of(self, story: Mapping[str, Any]) -> str: ...


class Web:
    """The endpoints; `application` is what a server runs."""

    def __init__(
        self,
        *,
        backend: Backend,
        metrics: Rendered,
        api_token: SecretStr,
        webhook_secret: SecretStr | None = None,
        memories: Memories | None = None,
        plainly: Plainly | None = None,
        site: Site | None = None,
        pages: Pages | None = None,
        heartbeat_seconds: float = _HEARTBEAT_SECONDS,
    ) -> None:
        self._backend = backend
        self._metrics = metrics
        self._plainly = plainly
        self._site = site
        self._pages = pages
        self._api_token = api_token
        self._git_hook = GitHook(
            secret=webhook_secret, api_token=api_token, wake=backend.wake_source, counted=metrics, now=time.time,
            clock=time.monotonic,
        )  # fmt: skip
        self._memory = WebMemory(memories=memories, refused=self._refused)
        self._heartbeat_seconds = heartbeat_seconds

    def application(self) -> Starlette:
        get, post = ["GET"], ["POST"]
        app = "/api/v1/apps/{namespace}/{name:path}"
        return Starlette(
            routes=[
                Route("/healthz", told(self._healthz), methods=get),
                Route("/readyz", told(self._readyz), methods=get),
                Route("/metrics", told(self._render_metrics), methods=get),
                Route("/api/v1/status", told(self._status), methods=get),
                Route("/api/v1/prune", told(self._prune_candidates), methods=get),
                Route("/api/v1/prune", told(self._confirm_prune), methods=post),
                Route("/api/v1/repairs", told(self._repairs), methods=get),
                Route("/api/v1/repairs/{verb}", told(self._switch_repairs), methods=post),
                Route("/api/v1/explain/{namespace}/{name:path}", told(self._explain), methods=get),
                *self._memory.routes(),
                Route("/api/v1/events", told(self._events), methods=get),
                # A job's name may hold slashes: the verb is what stands after the last one.
                Route(app + "/{verb}", told(self._command), methods=post),
                Route(app, told(self._app), methods=get),
                Route("/api/v1/apps/{name}", told(self._named), methods=get),
                Route("/hooks/git", told(self._git_hook.answer), methods=post),
                *(self._site.routes() if self._site is not None else []),
                *(self._pages.routes() if self._pages is not None else []),
            ],
            middleware=self._site.middleware() if self._site is not None else [],
            exception_handlers={HTTPException: refuse_http},
        )

    async def _healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _readyz(self, _request: Request) -> Response:
        missing = self._backend.missing()
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    async def _render_metrics(self, request: Request) -> Response:
        body, content_type = self._metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    async def _status(self, _request: Request) -> Response:
        return JSONResponse(self._backend.status())

    async def _app(self, request: Request) -> Response:
        key = _key(request)
        found = self._backend.app(key) if key else None
        return _unknown_app(request) if found is None else JSONResponse(found)

    async def _named(self, request: Request) -> Response:
        """Without a namespace: the only app of that name."""
        name = request.path_params["name"]
        keys = [str(one["key"]) for one in self._backend.status()["apps"] if one["key"].partition("/")[2] == name]
        found = self._backend.app(AppKey.parse(keys[0])) if len(keys) == 1 else None
        if len(keys) > 1:
            return refusal(409, f"{len(keys)} apps are called {name}", f"ask for one of {', '.join(sorted(keys))}")
        if found is None:
            return refusal(404, f"no app {name}", "`nomad-operator status` lists the apps")
        return JSONResponse(found)

    async def _command(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        verb = request.path_params["verb"]
        if verb not in VERBS:
            return refusal(404, f"{verb} is not a command", f"the commands are {', '.join(VERBS)}")
        key = _key(request)
        if key is None or self._backend.app(key) is None:
            return _unknown_app(request)
        body, refused = await _body(request)
        if refused is not None:
            return refused
        return JSONResponse(await self._backend.command(key, verb, str(body.get("proposal") or "")))

    async def _explain(self, request: Request) -> Response:
        key = _key(request)
        found = self._backend.explain(key) if key else None
        if found is None:
            return _unknown_app(request)
        words = await self._plainly.of(found) if self._plainly is not None and _failed(found) else ""
        return JSONResponse({**found, "plainly": {"text": words, "by": "model"} if words else None})

    async def _repairs(self, _request: Request) -> Response:
        return JSONResponse(self._backend.repairs())

    async def _switch_repairs(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        body, refused = await _body(request)
        if refused is not None:
            return refused
        match request.path_params["verb"]:
            case "stop":
                if (refused := _unclear(body)) is not None:
                    return refused
                return JSONResponse(await self._backend.stop_repairs(rollback=body.get("rollback", False)))
            case "start":
                return JSONResponse(await self._backend.start_repairs())
            case verb:
                return refusal(404, f"{verb} is not a command", "the commands are stop and start")

    async def _prune_candidates(self, _request: Request) -> Response:
        return JSONResponse(self._backend.prune_candidates())

    async def _confirm_prune(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        return JSONResponse(await self._backend.confirm_prune())

    async def _events(self, _request: Request) -> Response:
        # nginx holds a stream back until its buffer is full unless told not to.
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
        return StreamingResponse(self._transitions(), media_type="text/event-stream", headers=headers)

    async def _transitions(self) -> AsyncIterator[str]:
        with self._backend.subscribe() as listener:
            async for text in server_sent(listener, heartbeat_seconds=self._heartbeat_seconds):
                yield text

    def _refused(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        if bearer_matches(given, self._api_token.get_secret_value()):
            return None
        return refusal(
            401,
            "the token that was sent is not the API token" if given else "this needs the API token as a bearer token",
            "NOMAD_OPERATOR_API_TOKEN, or the file api-token beside the daemon's state",
            headers={"www-authenticate": "Bearer"},
        )


async def _body(request: Request) -> tuple[Mapping[str, Any], Response | None]:
    """A JSON object, or nothing at all."""
    text = b""
    async for chunk in request.stream():
        text += chunk
        if len(text) > _BODY_LIMIT:
            return {}, refusal(413, f"the body is larger than {_BODY_LIMIT} bytes", 'it is {"proposal": "…"}, or empty')
    if not text.strip():
        return {}, None
    try:
        told_body = json.loads(text)
    except ValueError:
        told_body = None
    if not isinstance(told_body, dict):
        return {}, refusal(400, "the body is not a JSON object", 'it is {"proposal": "…"}, or empty')
    return told_body, None


def _unclear(body: Mapping[str, Any]) -> Response | None:
    """Who stops repairs must not believe that they were put back as well, nor the other way round."""
    hint = 'the body is {"rollback": true} or {"rollback": false}, or empty'
    if unknown := sorted(body.keys() - {"rollback"}):
        return refusal(400, f"`{unknown[0]}` is not known here; repairs go on as before", hint)
    if not isinstance(body.get("rollback", False), bool):
        return refusal(400, "`rollback` is not true or false; repairs go on as before", hint)
    return None


def _key(request: Request) -> AppKey | None:
    namespace, name = request.path_params["namespace"], request.path_params["name"]
    try:
        return AppKey.parse(f"{namespace}/{name}")
    except ValueError:
        return None


def _failed(story: Mapping[str, Any]) -> bool:
    return bool(story.get("episode") or story.get("now"))


def _unknown_app(request: Request) -> Response:
    shown = f"{request.path_params['namespace']}/{request.path_params['name']}"
    return refusal(404, f"no app {shown}", "`nomad-operator status` lists the apps")
