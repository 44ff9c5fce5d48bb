"""Under which names this copy may be asked. A page of somebody else's, open in a browser on this machine, can have its
own name point at the loopback (DNS rebinding) and then read what only this machine should: its requests still say
that name."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

ANY = "*"


class Hosts:
    """`names` are those that the settings allow, besides addresses and names of the loopback."""

    def __init__(self, *, listens: str, names: Collection[str]) -> None:
        """`listens` is the host of LISTEN: elsewhere than on the loopback nothing is checked unless names are set."""
        self._names = frozenset(name.lower().rstrip(".") for name in names)
        self._checks = bool(self._names) or _is_loopback(listens)

    def answers(self, host: str) -> bool:
        """`host` is the request's header. An address cannot be rebound: only names are looked at."""
        if not self._checks or ANY in self._names:
            return True
        name = _name(host)
        return name is not None and (name in self._names or _is_address(name) or _is_local(name))


def _name(host: str) -> str | None:
    """Without the port, in lower case; None for what is no host."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_local(name: str) -> bool:
    """Source: RFC 6761, 6.3: localhost and what is below it never leave the machine."""
    return name == "localhost" or name.endswith(".localhost")


def _is_loopback(host: str) -> bool:
    return _is_local(host.lower()) or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
