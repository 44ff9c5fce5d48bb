"""Something wrong at a place inside a document, before anybody has looked up in which line that is."""

from __future__ import annotations

from dataclasses import dataclass

from desired.question import Question


@dataclass(frozen=True, slots=True)
class Finding:
    """`steps` lead from the document's root to the value; `at_key` means the key itself, not what it holds."""

    steps: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_key: bool = False
    question: Question | None = None

    @property
    def where(self) -> str:
        """The steps as people write them: `spec.args[0]`."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps).lstrip(".")
