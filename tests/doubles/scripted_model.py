"""A `Model` in the process: answers by a script, and keeps what it was asked. For tests of whoever asks.

It holds to what the real one promises: an answer that does not satisfy the schema is no reply, but an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from desired.errors import OperatorError
from prompts.model.question import Question, Reply
from prompts.model.schema import violations
from prompts.model.unusable import Fault, UnusableAnswer

# An answer, an error to be raised, or what makes either out of the question.
Line = Mapping[str, Any] | OperatorError | Callable[[Question], "Mapping[str, Any] | OperatorError"]


class ScriptedModel:
    """`script` holds the lines of each question by its prompt's name, or by its `schema_name` where it has no prompt.

    Lines are said in their order; the last one is said again for ever. `asked` is every question that came. A question
    that is not in the script is a mistake of the test.
    """

    def __init__(
        self, script: Mapping[str, Sequence[Line]] | None = None, *, tokens: tuple[int, int] = (100, 20)
    ) -> None:
        self._script = {name: list(lines) for name, lines in (script or {}).items()}
        self._tokens = tokens
        self.asked: list[Question] = []

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        name = question.prompt.name if question.prompt is not None else question.schema_name
        lines = self._script.get(name)
        if not lines:
            raise AssertionError(f"the model was asked for {name!r}, which its script does not have")
        line = lines.pop(0) if len(lines) > 1 else lines[0]
        said = line(question) if callable(line) else line
        if isinstance(said, OperatorError):
            raise said
        wrong = violations(said, question.schema)
        if wrong:
            raise UnusableAnswer(
                f"the model's answer to {name} is not what was asked for: {'; '.join(wrong)}", fault=Fault.MISFIT,
                hint="ask again, with what is wrong", wrong=wrong,
            )  # fmt: skip
        return Reply(said, "scripted", *self._tokens, 0.0)
