"""What is known of an app so far as rows for people: each value with its source, and what is still open. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from desired.draft.answers import answer_text
from desired.draft.manifest_text import flow
from desired.draft.value import Draft, Value
from nomad_operator.commands.table import Style, columns, faint, plain

HEADER = ("", "VALUE", "IS", "CONFIDENCE", "SOURCE")


@dataclass(frozen=True, slots=True)
class Row:
    """`id` is what a person types to change it. `confidence` is None for what is open."""

    id: str
    text: str
    confidence: float | None
    source: str
    reason: str = ""


def rows(draft: Draft) -> tuple[Row, ...]:
    """The values in the order of a manifest, then the open questions."""
    return (*(row for value in draft.values for row in _of(value)), *_open(draft))


def shown(value: Value) -> str:
    """As a person would answer it, or as YAML has it."""
    text = answer_text(value.id, value.data)
    return flow(value.data) if text is None else text


def _of(value: Value) -> Iterator[Row]:
    if value.at != ("volumes",):
        yield Row(value.id, shown(value), value.confidence, value.source, value.reason)
        return
    for entry in value.data:
        at = f"volumes.{entry['mount']}"
        yield Row(at, answer_text(at, entry) or flow(entry), value.confidence, value.source)


def _open(draft: Draft) -> Iterator[Row]:
    for question in draft.questions:
        suggested = draft.suggestions.get(question.id)
        text = shown(suggested) if suggested is not None else question.default
        source, reason = (suggested.source, suggested.reason) if suggested is not None else ("open", "")
        yield Row(question.id, f"? {text}".strip(), None, source, reason)


def table(found: tuple[Row, ...], style: Style) -> list[str]:
    """Columns; where they do not fit into the terminal, two lines for each value, so that no source is cut off."""
    cells = [
        (str(number), row.id, row.text, f"{row.confidence:.2f}" if row.confidence is not None else "-", row.source)
        for number, row in enumerate(found, start=1)
    ]
    widths = [max(len(line[column]) for line in (HEADER, *cells)) for column in range(len(HEADER))]
    if style.width is None or sum(widths) + 2 * (len(HEADER) - 1) <= style.width:
        told = [(*cell[:-1], _with_reason(row)) for cell, row in zip(cells, found, strict=True)]
        return columns(HEADER, told, style)
    indent = " " * (widths[0] + 2)
    lines: list[str] = []
    for (number, at, text, sure, _), row in zip(cells, found, strict=True):
        lines.append(f"{number.ljust(widths[0])}  {plain(at)}  {plain(text)}")
        lines.append(faint(f"{indent}{sure}  {plain(_with_reason(row))}", style))
    return lines


def _with_reason(row: Row) -> str:
    return f"{row.source} ({row.reason})" if row.reason else row.source
