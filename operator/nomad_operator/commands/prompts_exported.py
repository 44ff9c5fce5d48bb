"""`prompts export`: what was asked and answered, from Langfuse's traces, with how it went: a data set as lines of JSON.

Everything in it has been redacted before it was sent to Langfuse.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from desired.errors import OperatorError
from nomad_operator.commands.prompt_words import chosen_names
from nomad_operator.langfuse.api import Langfuse
from nomad_operator.langfuse.from_settings import files, for_a_command
from nomad_operator.outcomes import OUTCOMES
from nomad_operator.settings_load import load

_FIELDS = "core,basic,io,model,usage,prompt,metadata,trace_context"


def export(arguments: argparse.Namespace) -> int:
    settings = load().settings
    ours = files(settings)
    names = chosen_names(arguments.names, ours.texts)
    since = datetime.now(UTC) - timedelta(days=arguments.days)

    async def write(out: TextIO) -> int:
        client = for_a_command(settings)
        try:
            number = 0
            async for row in rows(client, names, since):
                print(json.dumps(row, ensure_ascii=False), file=out)
                number += 1
            return number
        finally:
            await client.aclose()

    place = None if arguments.output == "-" else Path(arguments.output)
    try:
        with nullcontext(sys.stdout) if place is None else place.open("w", encoding="utf-8") as out:
            number = asyncio.run(write(out))
    except OSError as error:
        raise OperatorError(f"{place} cannot be written: {error.strerror or type(error).__name__}") from error
    if place is not None and arguments.json:
        print(json.dumps({"rows": number, "file": str(place)}))
    else:
        told = f"{number} questions and answers" + (f" are in {place}" if place is not None else "")
        print(told, file=sys.stderr if place is None else sys.stdout)
    return 0


async def rows(client: Langfuse, names: Collection[str], since: datetime) -> AsyncIterator[dict[str, Any]]:
    """One for each question to the model, oldest and newest as Langfuse gives them; `scores` of its trace by name."""
    scores: dict[str, dict[str, bool]] = {}
    for outcome in OUTCOMES:
        async for one in client.scores(name=outcome, since=since):
            subject = one.get("subject")
            if isinstance(subject, dict) and subject.get("kind") == "trace":
                scores.setdefault(str(subject.get("id")), {})[outcome] = bool(one.get("value"))
    async for one in client.observations(fields=_FIELDS, since=since, kind="GENERATION"):
        name, version, label = _prompt(one)
        if name in names:
            trace = str(one.get("traceId") or "")
            yield {
                "id": one.get("id"), "trace": trace, "app": one.get("sessionId"), "at": one.get("startTime"),
                "prompt": {"name": name, "version": version, "label": label}, "model": one.get("model"),
                "input": _value(one.get("input")), "output": _value(one.get("output")),
                "failed": one.get("level") == "ERROR", "scores": scores.get(trace, {}),
            }  # fmt: skip


def _prompt(one: dict[str, Any]) -> tuple[str, int, str]:
    """A prompt from a file is not linked: Langfuse does not know its version."""
    metadata = one.get("metadata")
    about: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
    name = one.get("promptName") or about.get("prompt") or ""
    version = one.get("promptVersion") or about.get("prompt_version") or 0
    return str(name), int(version) if str(version).isdecimal() else 0, str(about.get("prompt_label") or "")


def _value(told: Any) -> Any:
    """Langfuse hands over what was JSON as text."""
    if not isinstance(told, str):
        return told
    try:
        return json.loads(told)
    except (ValueError, RecursionError):
        return told
