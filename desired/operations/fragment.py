"""Exchanging a piece of a text."""

from __future__ import annotations


def replaced(text: str, old: str, new: str) -> str:
    """Each occurrence, but none that is part of what it is to become: doing it twice is doing it once."""
    if new and old in new:
        return new.join(part.replace(old, new) for part in text.split(new))
    return text.replace(old, new)
