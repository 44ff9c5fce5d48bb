"""Questions and answers of production, from a file of `prompts export`, that may be examples in a prompt.

Only those whose repair turned out durable: verified by Nomad and half an hour, not by likeness. A file has no world in
it: nothing can be measured with one, and nothing is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from desired.errors import UsageError
from nomad_operator.optimize.assembled import usable
from nomad_operator.optimize.outcome import Exchange


def durable_examples(path: Path, name: str, redact: Callable[[str], str]) -> tuple[Exchange, ...]:
    """Each question once, in the order of the file. UsageError for a file that is none of an export.

    Of several questions in one trace only the last can be what was verified.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({type(error).__name__})") from error
    last: dict[str, Mapping[str, Any]] = {}
    for number, row in _rows(path, lines):
        if _prompt_of(row, path, number) != name:
            continue
        trace = str(row.get("trace") or number)
        if trace not in last or str(row.get("at")) > str(last[trace].get("at")):
            last[trace] = row
    found: dict[str, Exchange] = {}
    for row in last.values():
        one = None if row.get("failed") or not _durable(row) else _exchange(row)
        made = usable(one, redact) if one is not None else None
        if made is not None:
            found.setdefault(made.question, made)
    return tuple(found.values())


def _rows(path: Path, lines: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}:{number}: it is no JSON") from error
        if not isinstance(row, dict):
            raise UsageError(f"{path}:{number}: expected an object", hint="`prompts export` writes such files")
        yield number, row


def _prompt_of(row: Mapping[str, Any], path: Path, number: int) -> str:
    prompt = row.get("prompt")
    if not isinstance(prompt, Mapping):
        raise UsageError(f"{path}:{number}: it does not say of which prompt", hint="`prompts export` writes such files")
    return str(prompt.get("name"))


def _durable(row: Mapping[str, Any]) -> bool:
    scores = row.get("scores")
    return isinstance(scores, Mapping) and scores.get("durable") is True


def _exchange(row: Mapping[str, Any]) -> Exchange | None:
    """The last message of the question, and the answer as one JSON object."""
    asked, answer = row.get("input"), row.get("output")
    messages = asked.get("messages") if isinstance(asked, Mapping) else asked
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], Mapping):
        return None
    last = messages[-1]
    question = last.get("content", last.get("text"))
    if last.get("role") != "user" or not isinstance(question, str) or not isinstance(answer, Mapping):
        return None
    if not isinstance(answer.get("operations"), list):
        # Somebody has written into the file, or an older version asked for another form.
        return None
    return Exchange(question, json.dumps(dict(answer), ensure_ascii=False))
