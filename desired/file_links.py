"""Where a symbolic link leads, decided on names alone: nothing is opened, so nothing outside can be reached.

The subfolder is the boundary: a link that climbs above it or starts at `/` leaves the tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

# More than anybody writes on purpose, less than a circle.
MAX_HOPS = 16


class Astray(StrEnum):
    """Why a link does not lead to a name inside."""

    LEAVES = "leaves the tree"
    CIRCLE = "is a link that goes in a circle"


def destination(path: str, links: Mapping[str, str]) -> str | Astray:
    """The path that `path` leads to once every link on the way is followed; "" is the subfolder itself.

    `links` maps the path of each link to its target as written. The answer need not exist.
    """
    ahead = path.split("/")[::-1]
    walked: list[str] = []
    hops = 0
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not walked:
                return Astray.LEAVES
            walked.pop()
            continue
        walked.append(part)
        target = links.get("/".join(walked))
        if target is None:
            continue
        hops += 1
        if hops > MAX_HOPS:
            return Astray.CIRCLE
        if target.startswith("/"):
            return Astray.LEAVES
        walked.pop()
        ahead.extend(target.split("/")[::-1])
    return "/".join(walked)
