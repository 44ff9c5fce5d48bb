"""The way in for a browser where reading needs a token: a form, and a cookie that no script can read."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from nomad_operator.page.readers import COOKIE, SESSION_SECONDS, Readers
from nomad_operator.page.rendering import Rendering, answer
from nomad_operator.web_answers import refusal, told

_LARGEST = 8192


class Login:
    """Typing the token gives a session; `/logout` takes the cookie away."""

    def __init__(self, *, readers: Readers, rendering: Rendering) -> None:
        self._readers = readers
        self._rendering = rendering

    def routes(self) -> list[Route]:
        return [
            Route("/login", told(self._form), methods=["GET"]),
            Route("/login", told(self._enter), methods=["POST"]),
            Route("/logout", told(self._leave), methods=["POST"]),
        ]

    async def _form(self, request: Request) -> Response:
        after = _inside(request.query_params.get("next", ""))
        if self._readers.everybody:
            return RedirectResponse(after, status_code=303)
        return self._page(request, after, problem="")

    async def _enter(self, request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST:
                return refusal(413, f"the body is larger than {_LARGEST} bytes", "it holds a token")
        fields = parse_qs(body.decode("utf-8", "replace"))
        after = _inside(fields.get("next", [""])[0])
        session = self._readers.session_for(fields.get("token", [""])[0].strip())
        if session is None:
            return self._page(request, after, problem="That is not a token that may read.", status=403)
        response = RedirectResponse(after, status_code=303)
        # A proxy with TLS says so; without TLS a browser would drop a cookie that is for TLS alone.
        secure = request.headers.get("x-forwarded-proto", "").split(",")[0].strip() == "https"
        response.set_cookie(
            COOKIE, session, max_age=SESSION_SECONDS, path="/", httponly=True, samesite="strict", secure=secure
        )
        return response

    async def _leave(self, _request: Request) -> Response:
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response

    def _page(self, request: Request, after: str, *, problem: str, status: int = 200) -> Response:
        body = self._rendering.render("login.html", {"after": after, "problem": problem})
        return answer(request, body, status=status)


def _inside(after: str) -> str:
    """A place on this page, never another server's: a browser takes `//host` and `/\\host` for one."""
    split = urlsplit(after) if after.isprintable() else None
    if split is None or split.scheme or split.netloc or not after.startswith("/") or after[1:2] in ("/", "\\"):
        return "/"
    return after
