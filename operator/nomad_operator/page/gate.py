"""Before every answer: is this copy meant, may this one read, and what may a browser do with the answer.

Whatever changes something asks for the API token itself; the gate only guards reading.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nomad_operator.page.hosts import Hosts
from nomad_operator.page.readers import Readers
from nomad_operator.web_answers import refusal

# Whoever watches the process has no token, and a git server proves itself.
_WATCHED = ("/healthz", "/readyz", "/metrics")
_ANY_NAME = ("/healthz", "/readyz", "/hooks/git")
_OPEN = (*_WATCHED, "/hooks/git", "/login", "/logout")
ASSETS = "/assets/"

# Own files only; nothing inline, nothing from elsewhere, and nobody frames it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """An ASGI application around another; streams pass through as they come."""

    def __init__(self, app: ASGIApp, *, readers: Readers, hosts: Hosts) -> None:
        self._app = app
        self._readers = readers
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        await (refused or self._app)(scope, receive, send_with_headers)

    def _refused(self, scope: Scope) -> Response | None:
        path, headers = scope["path"], Headers(scope=scope)
        authorization = headers.get("authorization", "")
        # A page of somebody else's has no token.
        if not (
            path in _ANY_NAME
            or self._hosts.answers(headers.get("host", ""))
            or (authorization and self._readers.has_token(authorization))
        ):
            return refusal(
                421,
                "this copy is not known by the name that it was asked by",
                "ask by address, or name it in NOMAD_OPERATOR_HOSTS",
            )
        if scope["method"] not in ("GET", "HEAD") or path in _OPEN or path.startswith(ASSETS):
            return None
        if self._readers.may_read(authorization=authorization, cookie=headers.get("cookie", "")):
            return None
        if path.startswith(("/api/", "/parts/")):
            return refusal(
                401,
                "the token that was sent may not read" if authorization else "reading needs a token, as a bearer token",
                "NOMAD_OPERATOR_READ_TOKEN, or the API token; a browser gets in at /login",
                headers={"www-authenticate": "Bearer"},
            )
        query = scope["query_string"].decode("latin-1")
        asked = f"{quote(path)}?{query}" if query else quote(path)
        return RedirectResponse(f"/login?next={quote(asked, safe='')}" if asked != "/" else "/login", status_code=303)
