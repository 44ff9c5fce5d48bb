"""`.env.example` and its like: which variables people are told to set. Their values are examples, not defaults.

A real `.env` is never read: what stands in it is for one machine, and often secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.seen import USUAL, EnvSeen
from desired.facts.app_code.sources import Sources
from desired.facts.fact import Place
from desired.secret_literals import secret_by_name, secret_kind

_FILE = bounded(
    r"\.env[\w.-]*\.(?:example|sample|dist|template|tmpl)|\.env[-_](?:example|sample|template)"
    r"|\.?(?:example|sample|template)[._-]?\.?env|env[._-](?:example|sample|dist|template)|\.env\.defaults?"
)
_LINE = bounded(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]{0,120})\s*=\s*(?P<value>.*?)\s*")
_DEVELOPMENT = bounded(r"\b(?:dev|development|test|testing|local|ci)\b")
_LONGEST = 60
_MOST = 300


def read_examples(sources: Sources, folders: tuple[str, ...]) -> Iterator[EnvSeen]:
    """The variables that example files in these folders name."""
    for path in sources.paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders or _FILE.fullmatch(name) is None or _DEVELOPMENT.search(name):
            continue
        source = sources.read(path)
        if source is None:
            continue
        for count, (number, line) in enumerate(source.lines()):
            match = _LINE.fullmatch(line) if count < _MOST and len(line) < 1_000 else None
            if match is not None:
                value = _value(match["value"])
                hidden = secret_by_name(match["name"], value) or secret_kind(value) is not None
                example = _scheme(value) if hidden or len(value) > _LONGEST else value
                place = Place(path, number)
                yield EnvSeen(match["name"], place, documented=True, example=example, confidence=USUAL)


def _scheme(value: str) -> str:
    """Of an address with something secret in it, only what kind of service it leads to."""
    scheme = re.match(r"[a-z][a-z0-9+]{1,30}://", value)
    return f"{scheme[0]}…" if scheme else ""


def _value(written: str) -> str:
    quoted = re.fullmatch(r"([\"'])(.*?)\1(?:\s+#.*)?", written)
    return quoted[2] if quoted else re.sub(r"(?:^|\s+)#.*$", "", written)
