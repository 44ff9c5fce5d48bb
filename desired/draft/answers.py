"""What a person answers, as text, and what the manifest holds then: one reading for the terminal and for files.

image                   registry.example.org/shop:1.2
env.DB_PASSWORD         vault: secret/data/shop/db#password   |  fixed: text  |  none
volumes./var/lib/data   csi: pgdata  |  host: data  |  none
files./run/secrets/db   vault: secret/data/shop/db#password   |  none
ports                   http=8080, metrics=9090  |  none
check                   /healthz  |  tcp  |  none
vault.role              shop-read  |  none
routes                  shop.cluster, shop.example.org/path
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from desired.errors import UsageError
from desired.manifest_problems import near
from desired.secret_literals import is_secret, secret_by_name, secret_kind, secret_words

NONE = "none"
# Takes a suggestion as it is: some can be said in no other words.
YES = "yes"
TCP = "tcp"
SOURCES = ("fixed", "consul", "vault", "nomad", "service")
_FILES = ("vault", "nomad", "consul")
_VOLUMES = ("csi", "host")
_TYPES = ("service", "batch", "system", "sysbatch")
_NUMBERS = frozenset({"count", "resources.cpu", "resources.memory", "resources.memoryMax", "resources.disk"})
_TEXTS = frozenset({"image", "command", "prompt", "vault.role"})
_LISTS = frozenset({"dependsOn", "datacenters"})
_KNOWN = (*sorted(_NUMBERS | _TEXTS | _LISTS), "type", "args", "ports", "check", "routes")
_WITH_A_NAME = ("env", "volumes", "files", "ports")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_KEEP = "keep it in Vault, in Consul or in a Nomad variable, and name the place: vault: path#field"


def sources_of(name: str) -> tuple[str, ...]:
    """Where a variable may come from: one that is named like a secret is never a text in a file."""
    return tuple(one for one in SOURCES if one != "fixed" or not secret_by_name(name, "any text"))


def answerable(at: str) -> bool:
    """Whether there is a value of this id that people can answer."""
    head, _, rest = at.partition(".")
    if head == "env":
        return _VARIABLE.fullmatch(rest) is not None
    return at in _KNOWN or (bool(rest) and head in _WITH_A_NAME)


def read_answer(at: str, text: str) -> Any:
    """The value for the manifest; None where the answer is that there is to be none. Raises UsageError.

    A secret is refused, in words that do not repeat it.
    """
    text = text.strip()
    head, _, rest = at.partition(".")
    if not answerable(at):
        hint = near(at, _KNOWN) or f"such as {', '.join(_KNOWN)}, env.NAME, volumes.PATH, files.PATH"
        raise UsageError(f"{at}: cannot be answered", hint=hint)
    if kind := secret_kind(text):
        raise UsageError(f"{at}: this looks like {kind}, which must not stand in a file", hint=_KEEP)
    if not text:
        raise UsageError(f"{at}: an answer is missing", hint="leave the line out to keep the question open")
    if text.lower() == NONE and at not in ("image", "type", "command", "prompt"):
        return {"disable": True} if at == "check" else None
    return _read(at, head, rest, text)


def _read(at: str, head: str, rest: str, text: str) -> Any:
    match head:
        case "env":
            return _variable(at, rest, text)
        case "files":
            return _choice(at, text, _FILES)
        case "volumes":
            return {**_choice(at, text, _VOLUMES), "mount": rest}
        case "ports":
            return {"to": _number(at, text)} if rest else dict(_port(at, one) for one in _items(text))
        case "routes":
            return [_route(at, one) for one in _items(text)]
        case "check":
            return _check(at, text)
        case "args":
            return _words(at, text)
        case "vault" if not re.fullmatch(r"[\w.-]{1,128}", text):
            raise UsageError(f"{at}: {text!r} is no name of a role", hint="letters, digits, dashes, or none")
        case "type":
            if text not in _TYPES:
                raise UsageError(f"{at}: {text!r} is no type of job", hint=f"one of {', '.join(_TYPES)}")
    if at in _LISTS:
        return _items(text)
    return _number(at, text) if at in _NUMBERS else text


def answer_text(at: str, data: Any) -> str | None:
    """The text that is read as this value; None where no answer can say it, so that only the manifest can."""
    text = _written(at, data)
    if text is None:
        return None
    try:
        return text if read_answer(at, text) == data else None
    except UsageError:
        return None


def _written(at: str, data: Any) -> str | None:
    head, _, rest = at.partition(".")
    match data:
        case None | []:
            return NONE
        case {"disable": True} if at == "check":
            return NONE
        case {**check} if at == "check":
            return str(check.get("path", TCP))
        case {"to": int(port)} if head == "ports" and rest:
            return str(port)
        case {**ports} if at == "ports":
            return ", ".join(f"{label}={_to(port)}" for label, port in ports.items())
        case {**sources} if head in ("env", "files", "volumes") and sources:
            kind, value = next(iter(sources.items()))
            return f"{kind}: {value}"
        case [*routes] if at == "routes":
            return ", ".join(_route_text(one) for one in routes)
        case [*words] if at == "args":
            return shlex.join(str(word) for word in words)
        case [*names]:
            return ", ".join(str(name) for name in names)
        case str() | int():
            return str(data)
    return None


def _to(port: Any) -> Any:
    return port.get("to") if isinstance(port, Mapping) else None


def _route_text(route: Any) -> str:
    return f"{route.get('host')}{route.get('path', '')}" if isinstance(route, Mapping) else ""


def _choice(at: str, text: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    kind, colon, value = text.partition(":")
    kind, value = kind.strip().lower(), value.strip()
    choices = ", ".join(f"{one}: …" for one in kinds)
    if not colon or kind not in kinds or not value:
        raise UsageError(f"{at}: the answer names no source", hint=f"one of {choices}, or none")
    if kind in ("vault", "nomad") and not re.fullmatch(r"[^#\s][^#]*#[^#]+", value):
        raise UsageError(f"{at}: {kind} needs a path and a field", hint=f"{kind}: path#field")
    return {kind: value}


def _variable(at: str, name: str, text: str) -> dict[str, Any]:
    made = _choice(at, text, SOURCES)
    if "fixed" in made and is_secret(name, made["fixed"]):
        raise UsageError(f"{at}: by its name it holds a secret, which must not stand in a file", hint=_KEEP)
    if "service" in made and not re.search(r"\{[A-Za-z0-9-]+(?:\.host|\.port)?\}", made["service"]):
        raise UsageError(f"{at}: the text names no service", hint="{name}, {name.host} or {name.port} stands in it")
    return made


def _number(at: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise UsageError(
            f"{at}: {text!r} is not a whole number", hint="cpu in MHz, memory and disk in MB, without units"
        )
    return int(text)


def _items(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _words(at: str, text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{at}: cannot be read as a command line ({error})", hint="as in a shell") from None
    for _, flag in secret_words(words):
        raise UsageError(f"{at}: by its name, {flag} is a secret, which must not stand in a file", hint=_KEEP)
    return words


def _port(at: str, text: str) -> tuple[str, dict[str, int]]:
    label, equals, number = text.partition("=")
    if not equals:
        return "http", {"to": _number(at, label)}
    return label.strip(), {"to": _number(at, number.strip())}


def _check(at: str, text: str) -> Mapping[str, Any]:
    if text.lower() == TCP:
        return {}
    if not text.startswith("/"):
        raise UsageError(f"{at}: {text!r} is no path", hint="a path such as /healthz, tcp to connect only, or none")
    return {"path": text}


def _route(at: str, text: str) -> dict[str, str]:
    host, slash, path = text.partition("/")
    if not host:
        raise UsageError(f"{at}: {text!r} names no host", hint="host or host/path, such as api.example.org/v1")
    return {"host": host, "path": f"/{path}"} if slash else {"host": host}
