"""The page's own files: few, small, read once, and addressed by what is in them, so that a browser may keep them."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nomad_operator.page.gate import ASSETS
from nomad_operator.web_answers import refusal

_FOLDER = Path(__file__).with_name("static")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_KEPT = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    packed: bytes
    type: str
    tag: str


class Assets:
    """`address` names a file with its tag; without it, or with an old one, it is served and not kept."""

    def __init__(self) -> None:
        self._files = {path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}

    def address(self, name: str) -> str:
        return f"{ASSETS}{name}?v={self._files[name].tag}"

    def routes(self) -> list[Route]:
        return [Route(ASSETS + "{name}", self._answer, methods=["GET"])]

    async def _answer(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        if file is None:
            return refusal(404, "there is no such file")
        same = request.query_params.get("v") == file.tag
        headers = {"cache-control": _KEPT if same else "no-cache", "vary": "accept-encoding", "etag": f'"{file.tag}"'}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(file.packed, headers=headers, media_type=file.type)
        return Response(file.body, headers=headers, media_type=file.type)


def _read(path: Path) -> _File:
    body = path.read_bytes()
    return _File(body, gzip.compress(body, mtime=0), _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:12])
