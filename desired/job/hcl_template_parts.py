"""The pieces of a template before it is a tree: texts, values and directives in a row, and the space between them."""

from __future__ import annotations

from dataclasses import dataclass

from desired.job.hcl_nodes import Node
from desired.job.hcl_source import Range


@dataclass(slots=True)
class Text:
    text: str
    place: Range


@dataclass(slots=True)
class Value:
    node: Node


@dataclass(slots=True)
class If:
    condition: Node
    place: Range


@dataclass(slots=True)
class ForEach:
    key_name: str
    value_name: str
    collection: Node
    place: Range


@dataclass(slots=True)
class End:
    """`else`, `endif`, `endfor`; an empty word is the end of the template."""

    word: str
    place: Range


Part = Text | Value | If | ForEach | End


def without_indentation(parts: list[Part]) -> None:
    """Take the indentation that all lines share off a `<<-` heredoc; lines that are only space do not count."""
    margins: list[int] = []
    starts: list[Text] = []
    line_start = True
    for part in parts:
        if line_start:
            line_start = False
            if isinstance(part, Text):
                stripped = part.text.lstrip()
                if stripped or not part.text.endswith("\n"):
                    margins.append(len(part.text) - len(stripped))
                    starts.append(part)
            elif isinstance(part, End) and not part.word:
                break
            else:
                margins.append(0)
        if isinstance(part, Text) and part.text.endswith("\n"):
            line_start = True
    margin = min(margins, default=0)
    for text in starts:
        text.text = text.text[margin:]
        text.place = (text.place[0] + margin, text.place[1])


def melded(parts: list[Part]) -> list[Part]:
    """Texts that follow each other as one."""
    found: list[Part] = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(part, Text) and isinstance(last, Text):
            found[-1] = Text(last.text + part.text, (last.place[0], part.place[1]))
        else:
            found.append(part)
    return found


def drop_last_newline(parts: list[Part]) -> None:
    """Take the newline off that ends a heredoc, in place."""
    last = parts[-2]
    if isinstance(last, Text):
        last.text = last.text.removesuffix("\n")
        if not last.text and len(parts) > 2:
            del parts[-2]
