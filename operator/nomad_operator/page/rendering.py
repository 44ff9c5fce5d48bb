"""Templates to answers: escaped, tagged so that an unchanged page is not sent again, compressed where that helps."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from nomad_operator.page.shown_text import finalized

_TEMPLATES = Path(__file__).with_name("templates")
# Below this the headers weigh as much.
_WORTH_IT = 1024
# Level 1 is most of the gain for a fifth of the time.
_LEVEL = 1


class Rendering:
    """`asset` gives the address of a file of ours by its name."""

    def __init__(self, *, asset: Callable[[str], str]) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=finalized,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._templates.globals["asset"] = asset
        self._templates.filters["time"] = _time
        self._templates.filters["app_address"] = app_address

    def render(self, template: str, told: Mapping[str, Any]) -> bytes:
        return self._templates.get_template(template).render(told).encode()


def app_address(key: str) -> str:
    """Of the page of an app; its name may hold slashes, and anything else."""
    namespace, _, name = key.partition("/")
    return f"/apps/{quote(namespace, safe='')}/{quote(name, safe='/')}"


def answer(request: Request, body: bytes, *, status: int = 200) -> Response:
    """A page; 304 where the reader has it already."""
    headers = {"cache-control": "private, no-cache", "vary": "accept-encoding, cookie, authorization"}
    if status == 200:
        headers["etag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if headers["etag"] in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
            return Response(status_code=304, headers=headers)
    if len(body) > _WORTH_IT and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, _LEVEL, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, status_code=status, headers=headers, media_type="text/html")


def _time(at: datetime | str | None) -> Markup:
    """With the exact time for readers and programs; the script of the page says how long ago that is."""
    if not at:
        return Markup("–")
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"), utc.strftime("%Y-%m-%d %H:%M:%S")
    )
