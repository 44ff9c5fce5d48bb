"""`prompts push`, `pull` and `promote`: between files, Langfuse and labels. What is replaced is shown before."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from desired.errors import OperatorError, UsageError
from nomad_operator.commands.prompt_words import agreed, as_read, check_name, chosen_names, difference
from nomad_operator.commands.prompts import one_of
from nomad_operator.commands.table import Style
from nomad_operator.langfuse.api import Langfuse
from nomad_operator.langfuse.from_settings import files, for_a_command, langfuse
from nomad_operator.optimize.promotion import check_promotion
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load
from nomad_operator.settings_values import label_name
from prompts.catalog import FilePrompts
from prompts.catalog import load as load_file
from prompts.prompt_text import PromptText, PromptUnusable, check_variables

Done = dict[str, Any]


def push(arguments: argparse.Namespace) -> int:
    for label in arguments.label:
        _check_label(label)
    return _run(arguments, lambda client, settings, ours: _push(client, settings, ours, arguments))


def pull(arguments: argparse.Namespace) -> int:
    return _run(arguments, lambda client, settings, ours: _pull(client, settings, ours, arguments))


def promote(arguments: argparse.Namespace) -> int:
    _check_label(arguments.to or "production")
    if arguments.file:
        return _promote_file(arguments)
    return _run(arguments, lambda client, settings, ours: _promote(client, settings, ours, arguments))


def _run(arguments: argparse.Namespace, work: Any) -> int:
    settings = load().settings
    ours = files(settings)

    async def with_client() -> list[Done]:
        client = for_a_command(settings)
        try:
            done: list[Done] = await work(client, settings, ours)
            return done
        finally:
            await client.aclose()

    return _told(asyncio.run(with_client()), arguments)


def _told(done: Sequence[Done], arguments: argparse.Namespace) -> int:
    if arguments.json:
        print(json.dumps({"prompts": list(done)}))
    else:
        print("\n".join(f"{one['name']}: {one['told']}" for one in done))
    return 1 if any(one["done"] == "declined" for one in done) else 0


def _check_label(label: str) -> None:
    try:
        label_name(label)
    except ValueError as error:
        raise UsageError(f"{label!r} {error}") from error
    if label == "latest":
        raise UsageError("latest is given by Langfuse itself, to the newest version")


async def _push(
    client: Langfuse, settings: Settings, ours: FilePrompts, arguments: argparse.Namespace
) -> list[Done]:  # fmt: skip
    names = chosen_names(arguments.names, ours.texts)
    for name in names:
        await _check_promotion(client, settings, ours, ours.texts[name], arguments.label)
    return [await _push_one(client, ours.texts[name], arguments) for name in names]


async def publish(client: Langfuse, text: PromptText, *, label: str, yes: bool) -> int:
    """A new version under a label, or the one that is there already; its number. UsageError where nobody agrees."""
    asked = argparse.Namespace(yes=yes)
    newest = await _found(client, text.name, label="latest")
    if newest is not None and newest.content == text.content and label in newest.labels:
        return newest.version
    if not await _may_move(client, text, label, asked):
        raise UsageError(f"{label} of {text.name} stays where it is", hint="the file is kept: `prompts push` takes it")
    return await client.create(text.document, labels=[label], message="made by `prompts optimize`")


async def _check_promotion(
    client: Langfuse, settings: Settings, ours: FilePrompts, text: PromptText, labels: Sequence[str]
) -> None:
    """What an optimizer made is asked with only where it was measured to be no worse than what is asked with now."""
    if settings.prompt_label not in labels:
        return
    production = await _found(client, text.name, label=settings.prompt_label)
    check_promotion(text, production or ours.texts[text.name])


async def _push_one(client: Langfuse, text: PromptText, arguments: argparse.Namespace) -> Done:
    name = text.name
    newest = await _found(client, name, label="latest")
    told = difference(newest, text, before="newest in Langfuse", after="file", style=Style.of(sys.stderr))
    labels = arguments.label
    if newest is not None and not told:
        missing = [label for label in labels if label not in newest.labels]
        if not missing:
            return _done(name, "unchanged", newest.version, f"version {newest.version} is the same")
        # No other version of the same text: the one that is there gets the label.
        return await _label(client, newest, missing, arguments)
    if newest is not None:
        _show(told)
        if not agreed(f"Push {name} as a new version?", yes=arguments.yes):
            return _done(name, "declined", newest.version, "not pushed")
    for label in labels:
        if not await _may_move(client, text, label, arguments):
            return _done(name, "declined", newest.version if newest else 0, "not pushed")
    version = await client.create(text.document, labels=labels, message=arguments.message)
    under = f", {', '.join(labels)}" if labels else ""
    return _done(name, "pushed", version, f"pushed as version {version}{under}")


async def _label(client: Langfuse, text: PromptText, labels: Sequence[str], arguments: argparse.Namespace) -> Done:
    for label in labels:
        if not await _may_move(client, text, label, arguments):
            return _done(text.name, "declined", text.version, f"{label} is left where it is")
    await client.label(text.name, text.version, labels)
    return _done(text.name, "promoted", text.version, f"version {text.version} is {', '.join(labels)} now")


async def _may_move(client: Langfuse, text: PromptText, label: str, arguments: argparse.Namespace) -> bool:
    """A label that another text has is taken from it, once that was seen."""
    holder = await _found(client, text.name, label=label)
    if holder is None:
        return True
    told = difference(
        holder, text, before=f"{label} (version {holder.version})", after=f"{label} from now on",
        style=Style.of(sys.stderr),
    )  # fmt: skip
    if not told:
        return True
    _show(told)
    return agreed(f"Take {label} of {text.name} from version {holder.version}?", yes=arguments.yes)


async def _pull(client: Langfuse, settings: Settings, ours: FilePrompts, arguments: argparse.Namespace) -> list[Done]:
    folder = Path(arguments.output) if arguments.output else settings.prompts_path
    if folder is None:
        raise UsageError(
            "where to? neither --output nor NOMAD_OPERATOR_PROMPTS_PATH names a folder",
            hint="files in NOMAD_OPERATOR_PROMPTS_PATH take the place of those that come with the operator",
        )
    label = arguments.label or ("" if arguments.version else settings.prompt_label)
    names = chosen_names(arguments.names, ours.texts)
    if arguments.version and len(names) != 1:
        raise UsageError("a version is one prompt's: name it")
    done = []
    for name in names:
        if not arguments.names and await _found(client, name, label=label) is None:
            done.append(_done(name, "missing", 0, f"Langfuse has none that is {label}"))
            continue
        text = await one_of(client, name, label=label, version=arguments.version)
        check_variables(text, ours.texts[name].variables, where=f"the prompt {name}, version {text.version}")
        done.append(_write(text, folder / f"{name}.json", ours.texts[name].variables, arguments))
    return done


def _write(text: PromptText, place: Path, variables: frozenset[str], arguments: argparse.Namespace) -> Done:
    there = place.exists()
    if there:
        try:
            held: PromptText | None = load_file(place, text.name, variables)
        except PromptUnusable:
            held = None
        if held == text:
            return _done(text.name, "unchanged", text.version, f"{place} is the same")
        told = difference(
            held, text, before=str(place), after=f"version {text.version}", style=Style.of(sys.stderr)
        )  # fmt: skip
        _show(told)
        if told and not agreed(f"Replace {place}?", yes=arguments.yes):
            return _done(text.name, "declined", text.version, f"{place} is left as it is")
    try:
        _replace(place, json.dumps(text.document, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise OperatorError(f"{place} cannot be written: {error.strerror or type(error).__name__}") from error
    return _done(text.name, "pulled", text.version, f"version {text.version} is in {place}")


def _replace(place: Path, content: str) -> None:
    """Whole or not at all: a daemon may start and read it at any moment."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    beside.write_text(content, encoding="utf-8")
    beside.replace(place)


async def _promote(
    client: Langfuse, settings: Settings, ours: FilePrompts, arguments: argparse.Namespace
) -> list[Done]:
    name, label = arguments.name, arguments.to or settings.prompt_label
    check_name(name, ours.texts)
    text = await one_of(client, name, label=arguments.label or "", version=arguments.version)
    # What the operator would refuse must not become what it is to ask with.
    check_variables(text, ours.texts[name].variables, where=f"the prompt {name}, version {text.version}")
    if label in text.labels:
        return [_done(name, "unchanged", text.version, f"version {text.version} is {label} already")]
    await _check_promotion(client, settings, ours, text, [label])
    return [await _label(client, text, [label], arguments)]


def _promote_file(arguments: argparse.Namespace) -> int:
    """Without Langfuse what is asked with is a file: the one of NOMAD_OPERATOR_PROMPTS_PATH is replaced."""
    settings = load().settings
    ours = files(settings)
    name = arguments.name
    check_name(name, ours.texts)
    if langfuse(settings) is not None:
        raise UsageError(
            "--file: Langfuse is set, and what is asked with is in there",
            hint="`nomad-operator prompts promote NAME --label candidate`",
        )
    if arguments.to:
        raise UsageError("--to: a file has no other label to take")
    if settings.prompts_path is None:
        raise UsageError(
            "where to? NOMAD_OPERATOR_PROMPTS_PATH names no folder",
            hint="files in it take the place of those that come with the operator",
        )
    text = load_file(Path(arguments.file), name, ours.texts[name].variables)
    check_promotion(text, ours.texts[name])
    text = replace(text, labels=(settings.prompt_label,))
    done = _write(text, settings.prompts_path / f"{name}.json", ours.texts[name].variables, arguments)
    return _told([{**done, "done": "promoted"} if done["done"] == "pulled" else done], arguments)


async def _found(client: Langfuse, name: str, *, label: str) -> PromptText | None:
    """None where nothing has the label, or what has it is no prompt that could be asked with."""
    body = await client.prompt(name, label=label)
    try:
        return None if body is None else as_read(body, name, label)
    except PromptUnusable as error:
        print(f"note: {error.message}", file=sys.stderr)
        return None


def _show(told: Sequence[str]) -> None:
    print("\n".join(told), file=sys.stderr)


def _done(name: str, done: str, version: int, told: str) -> Done:
    """`done` is pushed, pulled, promoted, unchanged, missing or declined."""
    return {"name": name, "done": done, "version": version, "told": told}
