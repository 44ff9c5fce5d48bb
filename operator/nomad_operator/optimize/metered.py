"""The model of one run: nothing is asked beyond the run's tokens, and what is wrong with its endpoint ends the run.

An answer that is none, or comes too late, may be the prompt's doing, and counts. An endpoint that is away, refuses its
key or limits its callers says nothing of a prompt: the case that it interrupted is not counted, and is played again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from desired.errors import DeadlineExceeded, OperatorError, RateLimited
from nomad_operator.optimize.outcome import Exchange
from prompts.model.question import Model, Question, Reply
from prompts.model.unusable import UnusableAnswer

_BYTES_A_TOKEN = 3
_ANSWER = 1500


class Stopped(BaseException):
    """The run ends here, whoever is asking: libraries that try everything again must not catch it.

    `error` is None where the run's tokens are spent.
    """

    def __init__(self, error: OperatorError | None) -> None:
        super().__init__(error.message if error is not None else "the tokens of the run are spent")
        self.error = error


@dataclass(slots=True)
class Spent:
    """Counts what was asked; implements `prompts.model.client.Accounts`. Failed tries cost as well."""

    tokens: int = 0
    seconds: float = 0.0
    questions: int = 0

    def model_asked(self, prompt: str, outcome: str, seconds: float) -> None:
        self.questions += 1
        self.seconds += seconds

    def model_tokens(self, prompt: str, tokens_in: int, tokens_out: int) -> None:
        self.tokens += tokens_in + tokens_out


@dataclass(slots=True)
class Heard:
    """What came of the questions of one case."""

    answered: list[Exchange] = field(default_factory=list)
    asked: int = 0
    unanswered: int = 0
    late: int = 0
    stopped: Stopped | None = None


class Metered:
    """Implements `Model`; `most` are the tokens that may be spent, those of earlier sessions included."""

    def __init__(self, *, model: Model, spent: Spent, most: int) -> None:
        self._model = model
        self._spent = spent
        self.most = most
        self.heard = Heard()

    def begin(self) -> Heard:
        """A new case."""
        self.heard = Heard()
        return self.heard

    def room_for(self, question: Question) -> bool:
        """Judged before it is asked, as if the answer were as long as it may be."""
        size = sum(len(one.text.encode()) for one in question.messages) // _BYTES_A_TOKEN
        answer = question.settings.get("max_tokens", _ANSWER)
        return self._spent.tokens + size + int(answer) <= self.most

    async def ask(self, question: Question) -> Reply:
        heard = self.heard
        if heard.stopped is not None or not self.room_for(question):
            heard.stopped = heard.stopped or Stopped(None)
            raise RateLimited("the tokens of the run are spent")
        heard.asked += 1
        try:
            reply = await self._model.ask(question)
        except UnusableAnswer:
            heard.unanswered += 1
            raise
        except DeadlineExceeded:
            heard.late += 1
            raise
        except OperatorError as error:
            heard.stopped = Stopped(error)
            raise
        answer = json.dumps(dict(reply.value), ensure_ascii=False)
        heard.answered.append(Exchange(question.messages[-1].text, answer))
        return reply
