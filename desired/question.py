"""What a manifest leaves open and nothing else can tell: a person answers it, in the manifest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """`id` names the place below `spec` that the answer belongs to; no choices mean a free answer, "" no default."""

    id: str
    text: str
    choices: tuple[str, ...] = ()
    default: str = ""
