"""What a health command asks: over HTTP, of which port and path; by a connection; or what only it can tell. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from desired.facts.facts import HealthFact

_HTTP = frozenset({"curl", "wget", "http", "https", "httpie"})
_OWN = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "[::1]"})
_URL = re.compile(r"https?://[^\s\"'|&;)]+")


def health_of(command: Sequence[str], *, shell: bool) -> HealthFact:
    """The check that asks the same; one by the command itself where it is not plain what it asks."""
    text = command[0] if shell and len(command) == 1 else shlex.join(command)
    try:
        words = shlex.split(text.replace("||", " || ").replace("&&", " && ").replace(";", " ; "))
    except ValueError:
        words = text.split()
    programs = {word.rpartition("/")[2] for word in words}
    url = _URL.search(text)
    if url is not None and (programs & _HTTP or "urlopen" in text or "fetch(" in text or "http.get" in text):
        return _asked(url[0]) or HealthFact(command=tuple(command))
    if programs & {"curl", "wget"}:
        for word in words:
            if re.match(r"(?:localhost|127\.0\.0\.1)(?::\d+)?(?:/\S*)?$", word):
                return _asked(f"http://{word}") or HealthFact(command=tuple(command))
    if words and words[0].rpartition("/")[2] in ("nc", "ncat", "netcat"):
        plain = [word for word in words[1:] if not word.startswith("-")]
        if len(plain) >= 2 and plain[0] in _OWN and plain[1].isdigit():
            return HealthFact(port=int(plain[1]))
    return HealthFact(command=tuple(command))


def _asked(url: str) -> HealthFact | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.hostname not in _OWN or "$" in url:
        return None
    path = parts.path or "/"
    return HealthFact(
        path=f"{path}?{parts.query}" if parts.query else path, port=port or (443 if parts.scheme == "https" else 80)
    )
