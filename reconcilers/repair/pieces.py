"""The pieces that a value of a driver's config says, whatever its shape: `"a b"`, `["a", "b"]` and `a,b` say the same.

A piece is whole: `/:/app` is none of `data:/app`, although it has no other words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def pieces(value: Any) -> Iterator[str]:
    """Nothing of what is not set, empty or false. A map says its keys with their values."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from (f"{name}={piece}" for piece in pieces(inner))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from pieces(inner)
    elif isinstance(value, str):
        yield from value.replace(",", " ").split()
    elif value not in (None, False, 0):
        yield str(value)
