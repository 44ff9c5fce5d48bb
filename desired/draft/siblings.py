"""Addresses of other apps of the same codebase: what a compose file calls by name has no such name on Nomad. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What may stand before and after a host: `redis://redis:6379/0`, `user@db/x`, `kafka:9092,kafka2:9092`.
_BEFORE, _AFTER = r"(?<![\w.-])", r"(?::([0-9]{1,5}))?(?![\w.:-])"
_HOSTS = ("HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS")


def with_services(name: str, text: str, siblings: Mapping[str, str]) -> str | None:
    """The variable's text with each sibling's host and port as the placeholder of its service; None if it names none.

    `siblings` are the apps by the host names that they have for each other.

    Only what is written as an address counts: with a port, after `//` or `@`, or alone in a variable that is called a
    host. `DB_ENGINE=postgres` names no address.
    """
    named = sorted((one for one in siblings if one), key=len, reverse=True)
    if not named or "{" in text:
        return None
    host = re.compile(f"{_BEFORE}({'|'.join(re.escape(one) for one in named)}){_AFTER}")
    found = False

    def placeholder(match: re.Match[str]) -> str:
        nonlocal found
        before = text[: match.start()]
        alone = match.group() == text and name.endswith(_HOSTS)
        if match[2] is None and not alone and not before.endswith(("//", "@")):
            return match.group()
        found = True
        app = siblings[match[1]]
        return f"{{{app}.host}}" if alone and match[2] is None else f"{{{app}}}"

    changed = host.sub(placeholder, text)
    return changed if found else None


def port_of_sibling(name: str, values: Mapping[str, str], siblings: Mapping[str, str]) -> str | None:
    """`DB_PORT` beside a `DB_HOST` that names a sibling is that sibling's port, whatever number the file says."""
    if not name.endswith("_PORT"):
        return None
    for end in _HOSTS:
        host = values.get(f"{name.removesuffix('PORT')}{end}")
        if host is not None and host in siblings:
            return f"{{{siblings[host]}.port}}"
    return None
