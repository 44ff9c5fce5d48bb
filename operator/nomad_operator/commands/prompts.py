"""`prompts list` and `prompts show`: which prompts there are, where each is from, and what it says."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from desired.errors import OperatorError, UsageError
from nomad_operator.commands.prompt_words import as_read, check_name, shown, told_labels
from nomad_operator.commands.table import Style, columns
from nomad_operator.langfuse.api import Langfuse, Listed
from nomad_operator.langfuse.from_settings import files, for_a_command, labels, langfuse
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load
from prompts.catalog import FilePrompts
from prompts.prompt_text import PromptText, PromptUnusable, check_variables


def listed(arguments: argparse.Namespace) -> int:
    settings = load().settings
    rows = asyncio.run(_rows(settings, files(settings)))
    if arguments.json:
        print(json.dumps({"prompts": rows}))
        return 0
    cells = [
        [
            row["name"], row["uses"], str(row["file"]["version"]), row["langfuse"].get("state", ""),
            ", ".join(str(one) for one in row["langfuse"].get("versions", [])[-5:]),
            told_labels(row["langfuse"].get("labels", [])),
        ]
        for row in rows
    ]  # fmt: skip
    header = ["NAME", "USED", "FILE", "LANGFUSE", "VERSIONS", "LABELS"]
    print("\n".join(columns(header, cells, Style.of(sys.stdout))))
    if langfuse(settings) is None:
        print("Langfuse is not set: the files are used", file=sys.stderr)
    return 0


async def _rows(settings: Settings, ours: FilePrompts) -> list[dict[str, Any]]:
    client = langfuse(settings)
    texts = sorted(ours.texts.items())
    try:
        there = {} if client is None else {one.name: one for one in await client.prompts()}
        return [await _row(settings, client, name, text, there.get(name)) for name, text in texts]
    except OperatorError as error:
        # As at run time: the files are what is asked with.
        print(f"note: {error.message}", file=sys.stderr)
        away = {"langfuse": {"state": "away"}}
        return [await _row(settings, None, name, text, None) | away for name, text in texts]
    finally:
        if client is not None:
            await client.aclose()


async def _row(
    settings: Settings, client: Langfuse | None, name: str, text: PromptText, there: Listed | None
) -> dict[str, Any]:
    """`uses` says in short what is asked with now, `state` how what Langfuse has compares with the file."""
    row: dict[str, Any] = {"name": name, "uses": "file", "file": {"version": text.version}, "langfuse": {}}
    if client is None:
        return row
    if there is None:
        return row | {"langfuse": {"state": "not there"}}
    label = settings.prompt_label
    about: dict[str, Any] = {"versions": list(there.versions), "labels": list(there.labels)}
    body = await client.prompt(name, label=label) if label in there.labels else None
    if body is None:
        return row | {"langfuse": {**about, "state": f"none is {label}"}}
    try:
        found = as_read(body, name, label)
        check_variables(found, text.variables, where=f"version {found.version}")
    except PromptUnusable as error:
        return row | {"langfuse": {**about, "state": f"not usable: {'; '.join(error.problems)}"}}
    state = "as the file" if found.content == text.content else "differs from the file"
    about |= {"state": state, "version": found.version}
    return row | {"uses": f"{label} {found.version}", "langfuse": about}


def show(arguments: argparse.Namespace) -> int:
    settings = load().settings
    ours = files(settings)
    check_name(arguments.name, ours.texts)
    if arguments.file and (arguments.label or arguments.version):
        raise UsageError("--file shows the file: it takes no label and no version")
    text, where = asyncio.run(_one(settings, ours, arguments))
    if arguments.json:
        print(json.dumps({**text.document, "source": where, "variables": sorted(text.variables)}))
        return 0
    heading = f"{text.name}: {where}, version {text.version}"
    print("\n".join(shown(text, heading, Style.of(sys.stdout))))
    return 0


async def _one(settings: Settings, ours: FilePrompts, arguments: argparse.Namespace) -> tuple[PromptText, str]:
    name = arguments.name
    if arguments.file:
        return ours.texts[name], "file"
    if arguments.label or arguments.version:
        client = for_a_command(settings)
        try:
            return await one_of(client, name, label=arguments.label or "", version=arguments.version), "Langfuse"
        finally:
            await client.aclose()
    maybe = langfuse(settings)
    if maybe is None:
        return ours.texts[name], "file"
    try:
        body = await maybe.prompt(name, label=labels(settings).main)
        if body is not None:
            found = as_read(body, name, settings.prompt_label)
            check_variables(found, ours.texts[name].variables, where=f"the prompt {name}, version {found.version}")
            return found, f"Langfuse, {settings.prompt_label}"
    except OperatorError as error:
        # As at run time: the file is what is asked with.
        print(f"note: {error.message}", file=sys.stderr)
    finally:
        await maybe.aclose()
    return ours.texts[name], "file"


async def one_of(client: Langfuse, name: str, *, label: str, version: int | None) -> PromptText:
    """The version that was asked for. UsageError where there is none."""
    where = label if version is None else f"version {version}"
    body: Mapping[str, Any] | None = await client.prompt(name, label=label, version=version)
    if body is None:
        raise UsageError(
            f"Langfuse has no prompt {name} ({where})", hint="`nomad-operator prompts list` shows what is there"
        )
    return as_read(body, name, where)
