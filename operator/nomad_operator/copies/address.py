"""Where a copy says that the others reach it, and whether what another one says can be believed from here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit


def advertised(*, given: str | None, environment: Mapping[str, str], bound: str) -> str:
    """A base URL; empty where none is known. `bound` is the one that this copy really listens on.

    Source: Nomad's runtime environment variables: NOMAD_HOST_ADDR_<label> is a port's address as others see it.
    """
    if given:
        return given.rstrip("/")
    from_nomad = sorted(
        (name != "NOMAD_HOST_ADDR_http", value)
        for name, value in environment.items()
        if re.fullmatch(r"NOMAD_HOST_ADDR_\w+", name) and value
    )
    if from_nomad:
        return f"http://{from_nomad[0][1]}"
    return "" if _address(bound) in ("0.0.0.0", "::") else bound


def reachable(leader: Mapping[str, str], *, host: str) -> str:
    """The leader's base URL as it can be used on this host; empty where it cannot."""
    address = leader.get("address", "")
    if not address or (_is_loopback(_address(address)) and leader.get("host") != host):
        return ""
    return address


def _address(url: str) -> str:
    return urlsplit(url).hostname or ""


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
