"""What plain patterns take from what people say about an app in their words; the rest is kept for whoever reads more.

Few patterns, each exact: what is not surely meant is left in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER = rf"(?P<number>[0-9]{{1,4}}|a single|{'|'.join(_NUMBERS)})"
_AMOUNT = r"(?P<amount>[0-9]{1,6}(?:\.[0-9]{1,2})?)"
_MB = {"": 1, "m": 1, "mb": 1, "mib": 1, "g": 1024, "gb": 1024, "gib": 1024}
_HOST = r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+)(?P<path>/[^\s,;]*)?"


@dataclass(frozen=True, slots=True)
class Understood:
    """`answers` by the ids of values, as manifests have them; `rest` is the text without what they were taken from."""

    answers: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    rest: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """What matches becomes the answer `id`; the first match in the text counts, and only that is taken out of it."""

    id: str
    pattern: re.Pattern[str]
    value: Callable[[re.Match[str]], Any]


def _row(id: str, pattern: str, value: Callable[[re.Match[str]], Any]) -> _Row:
    return _Row(id, re.compile(rf"(?<![\w.]){pattern}(?![\w]|\.\w)", re.IGNORECASE), value)


def _count(match: re.Match[str]) -> int:
    word = match["number"].lower()
    return int(word) if word.isdigit() else 1 if word == "a single" else _NUMBERS.index(word)


def _megabytes(match: re.Match[str]) -> int:
    return round(float(match["amount"]) * _MB[match["unit"].lower()])


def _route(match: re.Match[str]) -> list[dict[str, str]]:
    path = match["path"]
    return [{"host": match["host"].lower(), **({"path": path} if path and path != "/" else {})}]


def _port(match: re.Match[str]) -> dict[str, dict[str, int]]:
    return {"http": {"to": int(match["port"])}}


def _check(match: re.Match[str]) -> dict[str, str]:
    return {"path": match["path"].rstrip(".,;")}


_TABLE = (
    _row("count", rf"{_NUMBER}\s+(?:instances?|replicas?|copies|copy)", _count),
    _row("resources.memory", rf"{_AMOUNT}\s*(?P<unit>mi?b|gi?b|[mg])(?:\s+(?:of\s+)?(?:memory|ram))?", _megabytes),
    _row("resources.cpu", rf"{_AMOUNT}\s*mhz(?:\s+(?:of\s+)?cpu)?", lambda match: round(float(match["amount"]))),
    _row("ports", r"(?:on\s+|listens?\s+on\s+)?port\s+(?P<port>[0-9]{2,5})", _port),
    _row("routes", rf"(?:reachable\s+|served\s+|available\s+)?(?:at|under)\s+(?:https?://)?{_HOST}", _route),
    _row("routes", r"(?:internal|not\s+public|no\s+routes?)(?:\s+(?:only|api|service))?", lambda _: None),
    _row("check", r"(?:health\s*check|checked)\s+(?:at|on|under)\s+(?P<path>/\S*)", _check),
)


def understood(text: str) -> Understood:
    """What the patterns find in the text; of two that speak of the same value, the one further up in the table."""
    answers: dict[str, Any] = {}
    for row in _TABLE:
        match = None if row.id in answers else row.pattern.search(text)
        if match is not None and (value := row.value(match)) != 0:
            answers[row.id] = value
            text = f"{text[: match.start()]} {text[match.end() :]}"
    rest = re.sub(r"\s+", " ", re.sub(r"\s*(?:,\s*)+", ", ", text)).strip(" ,;.")
    return Understood(MappingProxyType(answers), rest if re.search(r"\w{2}", rest) else "")
