"""A run put together: the product's own model client, the rehearsal, DSPy, and the file that is kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from desired.errors import DeadlineExceeded, OperatorError, Unsupported
from nomad_operator.from_settings import secrets_of
from nomad_operator.model_from_settings import model_address, model_client
from nomad_operator.optimize import dspy_library
from nomad_operator.optimize.asked_for import AskedFor
from nomad_operator.optimize.assembled import instructions_of, usable
from nomad_operator.optimize.course import Course
from nomad_operator.optimize.measure import Measure, Progress
from nomad_operator.optimize.metered import Metered, Spent
from nomad_operator.optimize.own_thread import OwnThread
from nomad_operator.optimize.playing import play
from nomad_operator.optimize.run_file import RunFile
from nomad_operator.settings import Settings
from observers.redaction import Placeholders, Redactor
from prompts.model.question import Message, Question
from prompts.model.unusable import UnusableAnswer

# The run has a budget of its own; those of a daemon would end it in the middle.
_NO_BOUND = 1_000_000_000
_INSTRUCTIONS = {
    "type": "object",
    "properties": {"proposed_instruction": {"type": "string", "minLength": 1, "maxLength": 12_000}},
    "required": ["proposed_instruction"],
    "additionalProperties": False,
}


def address(settings: Settings) -> str:
    """Where the model is asked. Unsupported where none is set."""
    found = model_address(settings)
    if found is None:
        raise Unsupported(
            "prompts are made better by asking a model, and none is set",
            hint="set OPENAI_BASE_URL, or OPENAI_API_KEY, and NOMAD_OPERATOR_MODEL",
        )
    return found


def redacting(settings: Settings) -> Callable[[str], str]:
    """Takes out what this process knows to be secret, and what looks like it."""
    return Redactor(known=secrets_of(settings), placeholders=Placeholders()).redact


@contextmanager
def course(
    settings: Settings, asked: AskedFor, *, folder: Path, budget: int, tell: Callable[[Progress], None]
) -> Iterator[Course]:
    """A run, ready to go on where an earlier one ended."""
    redact = redacting(settings)
    with RunFile(path=asked.file(folder), about={"format": 1, "run": asked.key}) as file:
        spent = Spent(tokens=file.tokens, seconds=file.seconds)
        free = settings.model_copy(update={"model_tokens_per_hour": _NO_BOUND, "model_tokens_per_episode": _NO_BOUND})
        client = model_client(free, accounts=spent, watch=_nobody, placeholders=Placeholders())
        thread = OwnThread(model=client, closed=client.aclose)
        model = Metered(model=thread, spent=spent, most=budget)
        measure = Measure(
            play=lambda case, text: play(case, text, model=model, spent=spent), file=file, spent=spent, tell=tell
        )
        proposals = _Proposals(model=model, file=file, measure=measure)
        try:
            yield Course(
                base=asked.base, instructions=instructions_of(asked.base), parts=asked.parts, exported=asked.exported,
                effort=asked.effort, measure=measure, model=model, spent=spent,
                usable=lambda one: usable(one, redact),
                search=lambda trials: dspy_library.search(trials, effort=asked.effort, propose=proposals.propose),
                about=asked.about, budget=budget,
            )  # fmt: skip
        finally:
            thread.close()


class _Proposals:
    """Instructions by the model; each is asked once in a run, whatever becomes of it."""

    def __init__(self, *, model: Metered, file: RunFile, measure: Measure) -> None:
        self._model = model
        self._file = file
        self._measure = measure
        self._number = 0

    def propose(self, system: str, question: str) -> str:
        """Empty where there is no answer that can be used. Raises Stopped."""
        self._number += 1
        told = json.dumps([self._number, system, question])
        mark = hashlib.sha256(told.encode()).hexdigest()
        known = self._file.told(mark)
        if known is not None:
            return known
        answer = self._asked(system, question)
        self._file.keep_told(mark, answer)
        return answer

    def _asked(self, system: str, question: str) -> str:
        heard = self._model.begin()
        try:
            reply = asyncio.run(
                self._model.ask(
                    Question(
                        messages=(Message("system", system), Message("user", question)), schema_name="instructions",
                        schema=_INSTRUCTIONS, settings={"temperature": 1.0, "max_tokens": 4000},
                    )
                )
            )  # fmt: skip
        except (UnusableAnswer, DeadlineExceeded):
            return ""
        except OperatorError:
            if heard.stopped is not None:
                raise heard.stopped from None
            raise
        finally:
            self._measure.keep_spent()
        return str(reply.value["proposed_instruction"])


def _nobody(_error: OperatorError | None) -> None:
    """What is wrong with the endpoint ends the run, and is told then."""
