"""One thing that is remembered, and how it is found again. Values only; what a note means is its writer's business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """`key` is given by who writes it: one note a key. Similarity goes by `text`; `fields` are found by equality.

    Nothing secret may be in any of it: a store may be a server that others read.
    """

    key: str
    text: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Similar:
    """A note and how much its text is like what was asked: from 0 to 1, by whatever embedding the store has."""

    note: Note
    similarity: float
