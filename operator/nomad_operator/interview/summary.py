"""What is known of an app so far as rows for people: each value with its source, and what is still open. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from desired.draft.answers import answer_text
from desired.draft.manifest_text import flow
from desired.draft.value import Draft, Value

HEADER = ("", "VALUE", "IS", "CONFIDENCE", "SOURCE")


@dataclass(frozen=True, slots=True)
class Row:
    """`id` is what a person types to change it. `confidence` is None for what is open."""

    id: str
    text: str
    confidence: float | None
    source: str


def rows(draft: Draft) -> tuple[Row, ...]:
    """The values in the order of a manifest, then the open questions."""
    return (*(row for value in draft.values for row in _of(value)), *_open(draft))


def shown(value: Value) -> str:
    """As a person would answer it, or as YAML has it."""
    text = answer_text(value.id, value.data)
    return flow(value.data) if text is None else text


def _of(value: Value) -> Iterator[Row]:
    if value.at != ("volumes",):
        told = f"{value.source} ({value.reason})" if value.reason else value.source
        yield Row(value.id, shown(value), value.confidence, told)
        return
    for entry in value.data:
        at = f"volumes.{entry['mount']}"
        yield Row(at, answer_text(at, entry) or flow(entry), value.confidence, value.source)


def _open(draft: Draft) -> Iterator[Row]:
    for question in draft.questions:
        suggested = draft.suggestions.get(question.id)
        text = shown(suggested) if suggested is not None else question.default
        yield Row(question.id, f"? {text}".strip(), None, suggested.source if suggested is not None else "open")


def cells(found: tuple[Row, ...]) -> list[tuple[str, ...]]:
    return [
        (str(number), row.id, row.text, f"{row.confidence:.2f}" if row.confidence is not None else "-", row.source)
        for number, row in enumerate(found, start=1)
    ]
