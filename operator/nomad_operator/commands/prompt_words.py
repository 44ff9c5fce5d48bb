"""Prompts in words: as text, as what differs between two, and the question before something is replaced."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from desired.errors import UsageError
from nomad_operator.commands.table import Style, added_or_removed, bold, plain_lines
from prompts.prompt_text import PromptText, read


def lines_of(text: PromptText) -> list[str]:
    """What of a prompt can differ between versions, line by line."""
    lines: list[str] = []
    for message in text.messages:
        lines += [f"[{message.role}]", *plain_lines(message.text), ""]
    if text.config:
        shown = json.dumps(dict(text.config), indent=2, sort_keys=True, ensure_ascii=False)
        lines += ["[config]", *plain_lines(shown)]
    return lines


def shown(text: PromptText, heading: str, style: Style) -> list[str]:
    return [
        bold(heading, style),
        *(bold(line, style) if line.startswith("[") and line.endswith("]") else line for line in lines_of(text)),
    ]


def difference(old: PromptText | None, new: PromptText, *, before: str, after: str, style: Style) -> list[str]:
    """Empty where nothing but the number differs."""
    if old is not None and old.content == new.content:
        return []
    was = lines_of(old) if old is not None else []
    told = difflib.unified_diff(was, lines_of(new), before, after, lineterm="")
    return [added_or_removed(line, style) for line in told]


def agreed(question: str, *, yes: bool) -> bool:
    """Whether a person says yes. UsageError where there is nobody to ask."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"{question} There is nobody to ask", hint="--yes goes on without asking")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def chosen_names(asked: Sequence[str], known: Collection[str]) -> list[str]:
    """Those that were named, each once, or all. UsageError for what is no prompt of ours."""
    for name in asked:
        check_name(name, known)
    return list(dict.fromkeys(asked)) or sorted(known)


def check_name(name: str, known: Collection[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        told = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(
            f"{name!r} is no prompt of the operator{told}", hint="`nomad-operator prompts list` shows them all"
        )


def as_read(body: Mapping[str, Any], name: str, where: str) -> PromptText:
    """What Langfuse has, checked as a file is, but for its variables."""
    return read(body, where=f"the prompt {name} ({where})")


def told_labels(labels: Collection[str]) -> str:
    """Without the one that Langfuse gives by itself."""
    return ", ".join(sorted(label for label in labels if label != "latest"))
