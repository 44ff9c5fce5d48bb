"""`prompts optimize`: a better version of a prompt, made by DSPy and measured on the embedded Nomad.

Nothing is asked with it for that: it is published as a candidate, and promoted by another command.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from desired.errors import OperatorError, UsageError
from nomad_operator.commands.prompt_words import as_read, check_name
from nomad_operator.commands.prompts_moved import publish
from nomad_operator.commands.table import Style, columns
from nomad_operator.langfuse.from_settings import files, for_a_command, langfuse
from nomad_operator.optimize.asked_for import AskedFor
from nomad_operator.optimize.assembled import instructions_of
from nomad_operator.optimize.corpus import of_folder, shipped
from nomad_operator.optimize.course import LABEL, Ended
from nomad_operator.optimize.dspy_library import check_installed, version
from nomad_operator.optimize.exported import durable_examples
from nomad_operator.optimize.from_settings import address, course, redacting
from nomad_operator.optimize.measure import Progress
from nomad_operator.optimize.search import Effort, Optimizer
from nomad_operator.optimize.split import split
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load
from prompts.catalog import FilePrompts
from prompts.prompt_text import PromptText, check_variables

_MEASURED = "repair"


def optimize(arguments: argparse.Namespace) -> int:
    settings = load().settings
    ours = files(settings)
    check_name(arguments.name, ours.texts)
    if arguments.name != _MEASURED:
        raise UsageError(
            f"nothing measures {arguments.name}: only answers to `{_MEASURED}` are judged by guard, plan and health",
            hint="a prompt that cannot be measured cannot be told to be better: compare two versions of it live "
            "(NOMAD_OPERATOR_PROMPT_COMPARE)",
        )
    folder = Path(arguments.output)
    asked = _asked_for(settings, ours, arguments)
    progress = _Shown(budget=arguments.budget_tokens)
    try:
        with course(settings, asked, folder=folder, budget=arguments.budget_tokens, tell=progress.tell) as run:
            ended = run.run()
    except KeyboardInterrupt:
        progress.over()
        _say(f"interrupted; what is known is kept in {asked.file(folder)}: the same command goes on with it")
        raise
    finally:
        progress.over()
    return _told(settings, ours, arguments, asked, ended)


def _asked_for(settings: Settings, ours: FilePrompts, arguments: argparse.Namespace) -> AskedFor:
    """Everything that can be wrong is found before anything is asked."""
    effort = Effort(
        optimizer=Optimizer(arguments.optimizer), examples=arguments.examples, candidates=arguments.candidates,
        trials=arguments.trials, seed=arguments.seed,
    )  # fmt: skip
    check_installed(effort.optimizer)
    where = address(settings)
    base = asyncio.run(_asked_with(settings, ours, arguments.name))
    instructions_of(base)
    corpus = of_folder(Path(arguments.corpus)) if arguments.corpus else shipped()
    parts = split(corpus.cases, share=arguments.held_out)
    if len(parts.train) < 2:
        raise UsageError("too few cases are left to learn from", hint="more cases, or a smaller --held-out")
    exported = durable_examples(Path(arguments.data), base.name, redacting(settings)) if arguments.data else ()
    if arguments.data:
        _say(f"{len(exported)} questions of {arguments.data} with a durable repair may be examples")
    return AskedFor(
        base=base, corpus=corpus, held_out=arguments.held_out, parts=parts, exported=exported, effort=effort,
        model=settings.model, address=where, dspy=version(),
    )  # fmt: skip


async def _asked_with(settings: Settings, ours: FilePrompts, name: str) -> PromptText:
    """What is asked with now: of Langfuse where it has one, else the file. A run is not begun from what may be old."""
    client = langfuse(settings)
    if client is None:
        return ours.texts[name]
    try:
        body = await client.prompt(name, label=settings.prompt_label)
    finally:
        await client.aclose()
    if body is None:
        return ours.texts[name]
    found = as_read(body, name, settings.prompt_label)
    check_variables(found, ours.texts[name].variables, where=f"the prompt {name}, version {found.version}")
    return found


def _told(
    settings: Settings, ours: FilePrompts, arguments: argparse.Namespace, asked: AskedFor, ended: Ended
) -> int:  # fmt: skip
    folder, name = Path(arguments.output), asked.base.name
    report = folder / f"{name}-report.json"
    told: dict[str, Any] = {**ended.report.as_json, "stopped": str(ended.stopped) if ended.stopped else ""}
    _write(report, told)
    made = folder / f"{name}.json" if ended.made is not None else None
    if ended.made is not None and made is not None:
        _write(made, ended.made.document)
    if not arguments.json:
        header = ["FAILURE", "CASES", "BEFORE", "AFTER"]
        if ended.report.before:
            print("\n".join(columns(header, ended.report.table, Style.of(sys.stdout))))
        cost = ended.report.cost
        print(f"cost: {cost.tokens} of {cost.budget} tokens, {cost.seconds:.1f} s of the model")
        print(f"report: {report}")
    if ended.report.note:
        _say(f"no new version: {ended.report.note}")
    if ended.stopped is not None and ended.stopped.error is not None:
        error = ended.stopped.error
        raise OperatorError(
            f"the run ended early: {error.message}",
            hint=f"{f'{error.hint}; ' if error.hint else ''}what is known is kept: the same command goes on with it",
        )
    version = _published(settings, arguments, ended.made) if ended.made is not None else None
    if arguments.json:
        document = str(made) if made is not None else None
        print(json.dumps({**told, "report": str(report), "file": document, "version": version}))
    elif ended.made is not None:
        print(f"new version: {made}" + (f"; in Langfuse: version {version}, {LABEL}" if version else ""))
    if ended.stopped is not None:
        _say("the tokens of the run are spent; more (--budget-tokens), and the same command goes on with it")
    return 1 if ended.stopped is not None and ended.made is None else 0


def _published(settings: Settings, arguments: argparse.Namespace, text: PromptText) -> int | None:
    """Its number in Langfuse, None where that is not set."""
    if langfuse(settings) is None:
        return None

    async def published() -> int:
        client = for_a_command(settings)
        try:
            return await publish(client, text, label=LABEL, yes=arguments.yes)
        finally:
            await client.aclose()

    return asyncio.run(published())


def _write(place: Path, document: dict[str, Any]) -> None:
    """Whole or not at all."""
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(place)
    except OSError as error:
        raise OperatorError(f"{place} cannot be written: {error.strerror or type(error).__name__}") from error


def _say(words: str) -> None:
    print(words, file=sys.stderr)


class _Shown:
    """One line that changes on a terminal, plain lines elsewhere."""

    def __init__(self, *, budget: int) -> None:
        self._budget = budget
        # Whatever somebody makes of the name meanwhile.
        self._stream = sys.stderr
        self._terminal = self._stream.isatty()
        self._open = False

    def tell(self, now: Progress) -> None:
        tokens = f"{now.tokens} of {self._budget} tokens"
        words = f"{now.phase}: case {now.done} of {now.of}, score {now.score:.2f}, {tokens}"
        if self._terminal:
            print(f"\r{words:<78.78}", end="", file=self._stream, flush=True)
            self._open = True
        else:
            print(words, file=self._stream, flush=True)

    def over(self) -> None:
        if self._open:
            print(file=self._stream)
            self._open = False
