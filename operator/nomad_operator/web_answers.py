"""What the API answers when it cannot do what was asked: `{"error", "hint"}`, each one line."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from desired.errors import (
    Conflict,
    DeadlineExceeded,
    Forbidden,
    InvalidDesired,
    OperatorError,
    RateLimited,
    Rejected,
    StateUnavailable,
    StateUnusable,
    Unavailable,
    Unsupported,
    UsageError,
)

Endpoint = Callable[[Request], Awaitable[Response]]

_STATUS: tuple[tuple[type[OperatorError], int], ...] = (
    (UsageError, 400),
    (Forbidden, 403),
    (Conflict, 409),
    (InvalidDesired, 422),
    (Rejected, 422),
    (RateLimited, 429),
    (Unsupported, 501),
    (Unavailable, 503),
    (StateUnavailable, 503),
    (StateUnusable, 503),
    (DeadlineExceeded, 504),
)
_HINTS = {404: "the paths are those of the documentation's HTTP page", 405: "see the Allow header"}


def refusal(status: int, error: str, hint: str = "", *, headers: dict[str, str] | None = None) -> JSONResponse:
    one_line = {"error": " ".join(error.split()), "hint": " ".join(hint.split())}
    return JSONResponse(one_line, status_code=status, headers=headers)


def told(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose errors are answers. A bug is logged here once, and the caller learns only that it is one."""

    @functools.wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except OperatorError as error:
            status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
            return refusal(status, error.message, error.hint)
        except HTTPException:
            raise
        except Exception:  # the daemon must outlive a bug in one answer
            structlog.get_logger().exception("bug in an API answer", path=request.url.path)
            return refusal(500, "this is a bug of nomad-operator", "its log holds the traceback; please report it")

    return answer


async def refuse_http(_request: Request, error: Exception) -> Response:
    """For what the router itself refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return refusal(error.status_code, error.detail, _HINTS.get(error.status_code, ""), headers=headers)
