"""Which paths answer how an app is, by what people call them."""

from __future__ import annotations

import re

# Best first: whether it can serve counts for more than whether it lives, and a name that may mean something else least.
_NAMES = (
    "health/ready",
    "ready",
    "readyz",
    "readiness",
    "healthz",
    "health",
    "healthcheck",
    "health-check",
    "health_check",
    "_health",
    "health/live",
    "livez",
    "live",
    "liveness",
    "healthy",
    "up",
    "ping",
    "heartbeat",
    "alive",
)
_RANK = {name: number for number, name in enumerate(_NAMES)}
_LITERAL = re.compile(r"/?(?:[A-Za-z0-9_.~-]+/)*[A-Za-z0-9_.~-]+/?")


def is_health(path: str) -> bool:
    """Whether a path, as written in a route, is one that says how the app is."""
    return len(path) <= 100 and _LITERAL.fullmatch(path) is not None and _rank(path) is not None


def health_order(path: str) -> tuple[int, int, str]:
    """For sorting: the best to check first. Only meant for paths that `is_health`, or that a framework has."""
    rank = _rank(path)
    return (len(_RANK) if rank is None else rank, path.count("/"), path)


def joined(*parts: str) -> str:
    """Prefixes and a path as one, with a single `/` between them. A final `/` is kept: it may be needed."""
    whole = "/".join(part.strip("/") for part in parts if part.strip("/"))
    return f"/{whole}/" if parts and parts[-1].endswith("/") and whole else f"/{whole}"


def _rank(path: str) -> int | None:
    parts = path.strip("/").lower().split("/")
    for number in (2, 1):
        rank = _RANK.get("/".join(parts[-number:])) if len(parts) >= number else None
        if rank is not None:
            return rank
    return None
