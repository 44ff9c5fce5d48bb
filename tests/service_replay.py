"""Stands in for the network under `requests`: answers as a real service once did, and keeps what was asked.

A recording is JSON lines of exchanges; each suite says how a request finds its answer.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it would have gone out."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is sent as JSON unless it is text; `headers` come with it."""

    status: int
    body: Any = ""
    headers: Mapping[str, str] | None = None


class Replay(BaseAdapter):
    """`find` gives the reply of a request, or raises what the network raises. `asked` is all that came."""

    def __init__(self, find: Callable[[Asked], Reply]) -> None:
        super().__init__()
        self._find = find
        self.asked: list[Asked] = []

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        asked = asked_of(request)
        self.asked.append(asked)
        return response_of(request, self._find(asked))

    def close(self) -> None:
        """Nothing is open."""


class Recording(HTTPAdapter):
    """Passes everything on, and hands each exchange to `keep`."""

    def __init__(self, keep: Callable[[Asked, Reply], None]) -> None:
        super().__init__()
        self._keep = keep

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response = super().send(request, **{**kwargs, "stream": False})
        try:
            body: Any = response.json()
        except ValueError:
            body = response.text
        self._keep(asked_of(request), Reply(response.status_code, body))
        return response_of(request, Reply(response.status_code, body, dict(response.headers)))


def asked_of(request: requests.PreparedRequest) -> Asked:
    parts = urlsplit(request.url or "")
    body = request.body
    text = body.decode() if isinstance(body, bytes) else body
    return Asked(
        method=(request.method or "").upper(),
        path=unquote(parts.path),
        query=parts.query,
        headers=dict(request.headers),
        body=json.loads(text) if text else None,
    )


def response_of(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
    response = requests.Response()
    response.status_code = reply.status
    response.url = request.url or ""
    response.request = request
    response.headers.update({"Content-Type": "application/json"})
    given = reply.headers or {}
    response.headers.update({k: v for k, v in given.items() if k.lower() not in ("content-length", "content-encoding")})
    response.raw = io.BytesIO(text.encode())
    return response
