"""The parts of an image's name as people write it. Pure."""

from __future__ import annotations

import re

_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")


def image_parts(text: str) -> tuple[str, str, str] | None:
    """Registry ("" for Docker's own), name, tag or digest ("" for none); None for what is no name of an image.

    Source: distribution/reference: the first part is a registry if it has a dot or a port, or is `localhost`.
    """
    rest, _, digest = text.strip().partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    path = f"{head}{slash}{name}"
    first, _, behind = path.partition("/")
    registry = first if behind and (re.search(r"[.:]", first) or first == "localhost") else ""
    bare = behind if registry else path
    if not bare or not all(_PART.fullmatch(part) for part in bare.split("/")):
        return None
    return registry, bare, digest or tag
