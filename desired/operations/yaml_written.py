"""How a value is written as YAML: on a line of its own, in braces, or over several lines."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desired.yaml_scalar import plain_value

# Source: YAML 1.1, whose booleans other readers of the same file still know.
_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})
_PLAIN = re.compile(r"[A-Za-z0-9_./][\w./@-]*(?::[\w./@-]+)*")


@dataclass(frozen=True, slots=True)
class Item:
    """A member of a list that says `value` under `name`; a mapping in the list's place counts as its only member."""

    name: str
    value: str


Step = str | Item


def written(value: Any, *, style: str | None = None) -> str:
    """A value in one line; `style` is the quote that a text is to have, None for none where it needs none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(each, style=style if style == chr(34) else None) for each in value)}]"
    if isinstance(value, Mapping):
        return flow(value, quoted=False)
    text = str(value)
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    safe = _PLAIN.fullmatch(text) and isinstance(plain_value(text), str) and text.lower() not in _OLD_WORDS
    return text if safe and style is None else json.dumps(text, ensure_ascii=False)


def nested(steps: tuple[Step, ...], value: Any) -> Any:
    """The value under mappings and lists for the steps."""
    if not steps:
        return value
    inner = nested(steps[1:], value)
    if isinstance(steps[0], Item):
        return [{steps[0].name: steps[0].value, **inner}]
    return {steps[0]: inner}


def flow(value: Any, *, quoted: bool) -> str:
    """Mappings in braces; `quoted` as JSON has it."""
    style = '"' if quoted else None
    if isinstance(value, Mapping):
        pairs = [f"{written(str(key), style=style)}: {flow(each, quoted=quoted)}" for key, each in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(each, quoted=quoted) for each in value)}]"
    return written(value, style=style)


def block_lines(value: Mapping[str, Any], indent: str, unit: str) -> list[str]:
    """A mapping in block style; what is empty, and lists of texts, stand in one line."""
    lines: list[str] = []
    for key, inner in value.items():
        head = f"{indent}{written(key)}:"
        if isinstance(inner, Mapping) and inner:
            lines += [head, *block_lines(inner, indent + unit, unit)]
        elif isinstance(inner, list | tuple) and inner and isinstance(inner[0], Mapping):
            lines.append(head)
            for each in inner:
                made = block_lines(each, f"{indent}{unit}  ", unit)
                lines += [f"{indent}{unit}- {made[0].lstrip()}", *made[1:]]
        else:
            lines.append(f"{head} {written(inner)}")
    return lines
