"""The tokens of a run are never exceeded, and what is wrong with an endpoint is never taken for a bad answer."""

from __future__ import annotations

import pytest

from desired.errors import DeadlineExceeded, Forbidden, OperatorError, RateLimited, Unavailable
from nomad_operator.optimize.metered import Metered, Spent, Stopped
from prompts.model.question import Message, Question, Reply
from prompts.model.unusable import Fault, UnusableAnswer

QUESTION = Question((Message("user", "x" * 300),), "repair", {"type": "object"}, {"max_tokens": 100})


class Says:
    """Answers, or fails, and counts as the client does."""

    def __init__(self, spent: Spent, error: OperatorError | None = None) -> None:
        self._spent = spent
        self._error = error
        self.asked = 0

    async def ask(self, question: Question) -> Reply:
        self.asked += 1
        if self._error is not None:
            raise self._error
        self._spent.model_tokens("repair", 100, 60)
        return Reply({"fixable": False}, "stub", 100, 60, 0.1)


async def test_what_is_asked_and_answered_is_an_exchange() -> None:
    spent = Spent()
    model = Metered(model=Says(spent), spent=spent, most=1000)
    heard = model.begin()
    await model.ask(QUESTION)
    assert [one.answer for one in heard.answered] == ['{"fixable": false}'] and heard.asked == 1
    assert spent.tokens == 160


async def test_a_question_that_could_exceed_the_budget_is_not_asked() -> None:
    spent = Spent()
    says = Says(spent)
    model = Metered(model=says, spent=spent, most=500)
    heard = model.begin()
    for _ in range(2):
        await model.ask(QUESTION)
    with pytest.raises(RateLimited):
        await model.ask(QUESTION)
    assert isinstance(heard.stopped, Stopped) and heard.stopped.error is None
    assert says.asked == 2 and spent.tokens <= 500
    # And none after it, however short.
    with pytest.raises(RateLimited):
        await model.ask(Question((Message("user", "x"),), "repair", {}, {"max_tokens": 1}))


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (UnusableAnswer("no JSON", fault=Fault.MALFORMED, wrong=()), "unanswered"),
        (DeadlineExceeded("60 s"), "late"),
        (Unavailable("refused"), "stopped"),
        (Forbidden("401"), "stopped"),
        (RateLimited("429"), "stopped"),
    ],
)
async def test_whose_fault_it_is(error: OperatorError, counts: str) -> None:
    spent = Spent()
    model = Metered(model=Says(spent, error), spent=spent, most=10_000)
    heard = model.begin()
    with pytest.raises(type(error)):
        await model.ask(QUESTION)
    assert (heard.unanswered, heard.late, heard.stopped is not None) == (
        int(counts == "unanswered"), int(counts == "late"), counts == "stopped",
    )  # fmt: skip
    assert heard.stopped is None or heard.stopped.error is error


def test_a_stop_is_not_caught_by_what_tries_everything() -> None:
    assert not issubclass(Stopped, Exception)
