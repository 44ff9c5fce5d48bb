"""Where one value of a job is from, as `status` tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """`id` names the value's place below `spec`; `source` said it: the manifest, or an extractor with its place."""

    id: str
    value: str
    source: str
    reason: str = ""
