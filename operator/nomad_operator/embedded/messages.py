"""Requests and answers of the API, without any HTTP library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nomad_operator.embedded.events import Subscription

_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is decoded. A query name may come several times."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: bytes = b""
    token: str = ""

    def one(self, name: str) -> str | None:
        """The first value of a query name, None if it is absent."""
        values = self.query.get(name)
        return values[0] if values else None

    def flag(self, name: str) -> bool:
        return (self.one(name) or "").lower() in ("1", "t", "true")

    @property
    def namespace(self) -> str:
        return self.one("namespace") or "default"

    def json(self) -> dict[str, Any]:
        """The body. Raises Fault."""
        try:
            value = json.loads(self.body or b"")
        except ValueError as error:
            raise Fault(400, self._no_json() or f"invalid character: {error}") from error
        if not isinstance(value, dict):
            raise Fault(400, "json: cannot unmarshal array into Go value of type api.JobRegisterRequest")
        return value

    def _no_json(self) -> str:
        """Go's words for the commonest ones."""
        text = self.body.decode(errors="replace").strip()
        for word in ("null", "true", "false"):
            place = next((at for at, (one, other) in enumerate(zip(text, word, strict=False)) if one != other), 0)
            if place:
                return f"invalid character '{text[place]}' in literal {word} (expecting '{word[place]}')"
        return "" if text.endswith("}") else "EOF" if not text else "unexpected EOF"


class Fault(Exception):
    """An answer that is an error, as plain text. `index` is told where Nomad tells it."""

    def __init__(self, status: int, text: str, *, index: int | None = None, known: bool = False) -> None:
        super().__init__(text)
        # A path that nobody knows is answered without a word, and without a type.
        self.response = Response(status, text.encode(), _TEXT if text else "", _headers(index, known))


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes
    content_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A blocking query whose answer has not changed yet: ask `again` after a write, or take it at `deadline`."""

    deadline: int
    again: Callable[[], Response | None]


@dataclass(frozen=True, slots=True)
class Streaming:
    """The event stream: headers now, then whatever the subscription gets; `close` when nobody reads any more."""

    subscription: Subscription
    close: Callable[[], None]


def answer(value: Any, *, index: int | None = None, known: bool = False, **headers: str) -> Response:
    """JSON. `known`: a read, which also tells about the leader."""
    return Response(
        200, json.dumps(value, separators=(",", ":")).encode(), _JSON, {**_headers(index, known), **headers}
    )


def text(value: str, status: int = 200, content_type: str = _TEXT, *, index: int | None = None) -> Response:
    return Response(status, value.encode(), content_type, _headers(index, False))


def _headers(index: int | None, known: bool) -> dict[str, str]:
    headers = {} if index is None else {"X-Nomad-Index": str(index)}
    return headers | ({"X-Nomad-KnownLeader": "true", "X-Nomad-LastContact": "0"} if known else {})
