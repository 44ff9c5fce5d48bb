"""What became of each app, for whoever reads it: paths, or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desired.draft.value import Draft
from desired.question import Question

WRITTEN, UNCHANGED, SKIPPED = "written", "unchanged", "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state` is one of the words above; `path` is None for standard output and for what was skipped."""

    draft: Draft
    state: str
    path: Path | None = None

    @property
    def open(self) -> tuple[Question, ...]:
        """What nobody answered of what was written."""
        return () if self.state == SKIPPED else self.draft.questions


def as_json(outcome: Outcome) -> dict[str, Any]:
    draft = outcome.draft
    return {
        "name": draft.name,
        "state": outcome.state,
        "path": str(outcome.path) if outcome.path is not None else None,
        "values": [
            {
                "id": value.id,
                "value": value.data,
                "source": value.source,
                "confidence": value.confidence,
                "reason": value.reason,
            }
            for value in draft.values
        ],
        "questions": [
            {"id": one.id, "question": one.text, "choices": list(one.choices), "default": one.default}
            for one in outcome.open
        ],
        "notes": list(draft.notes),
    }
