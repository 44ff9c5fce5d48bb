"""What a person answers, as text, and what the manifest holds then: one reading for the terminal and for files.

image                   registry.example.org/shop:1.2
env.DB_PASSWORD         vault: secret/data/shop/db#password   |  fixed: text  |  none
volumes./var/lib/data   csi: pgdata  |  host: data  |  none
ports                   http=8080, metrics=9090  |  none
routes                  shop.cluster, shop.example.org/path
"""

from __future__ import annotations

import re
from typing import Any

from desired.errors import UsageError

NONE = "none"
_SOURCES = ("fixed", "consul", "vault", "nomad", "service")
_VOLUMES = ("csi", "host")
_NUMBERS = frozenset({"count", "resources.cpu", "resources.memory", "resources.memoryMax", "resources.disk"})


def read_answer(at: str, text: str) -> Any:
    """The value for the manifest; None where the answer is that there is to be none. Raises UsageError."""
    text = text.strip()
    head, _, rest = at.partition(".")
    if text.lower() == NONE and head in ("env", "volumes", "ports", "routes", "check"):
        return None
    if head == "env":
        return _choice(at, text, _SOURCES)
    if head == "volumes":
        return {**_choice(at, text, _VOLUMES), "mount": rest}
    if head == "ports":
        return {"to": _number(at, text)} if rest else dict(_port(at, one) for one in _items(text))
    if head == "routes":
        return [_route(at, one) for one in _items(text)]
    if at in _NUMBERS:
        return _number(at, text)
    if not text:
        raise UsageError(f"{at}: an answer is missing", hint="leave the line out to keep the question open")
    return text


def _choice(at: str, text: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    kind, colon, value = text.partition(":")
    if not colon or kind.strip() not in kinds or not value.strip():
        choices = ", ".join(f"{one}: …" for one in kinds)
        raise UsageError(f"{at}: the answer names no source", hint=f"one of {choices}, or none")
    return {kind.strip(): value.strip()}


def _number(at: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise UsageError(
            f"{at}: {text!r} is not a whole number", hint="cpu in MHz, memory and disk in MB, without units"
        )
    return int(text)


def _items(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _port(at: str, text: str) -> tuple[str, dict[str, int]]:
    label, equals, number = text.partition("=")
    if not equals:
        return "http", {"to": _number(at, label)}
    return label.strip(), {"to": _number(at, number.strip())}


def _route(at: str, text: str) -> dict[str, str]:
    host, slash, path = text.partition("/")
    if not host:
        raise UsageError(f"{at}: {text!r} names no host", hint="host or host/path, such as api.example.org/v1")
    return {"host": host, "path": f"/{path}"} if slash else {"host": host}
