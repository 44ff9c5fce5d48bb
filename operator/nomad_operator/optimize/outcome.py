"""How a case went with a prompt, in one word, and what that is worth. Pure.

It is never compared with an answer that somebody wrote: the guard, Nomad's plan, its health and half an hour decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Ending(StrEnum):
    """What became of the case; reports and files name them, they only grow."""

    DURABLE = "durable"  # mended, and still healthy half an hour later
    VERIFIED = "verified"  # mended, and not for long
    VALID = "valid"  # guard and Nomad took a repair, which did not help
    GAVE_UP = "gave_up"  # it could have been mended, and the model proposed nothing
    REFUSED = "refused"  # the guard turned down what was proposed
    WRONG = "wrong"  # something was changed that must not be
    NEEDLESS = "needless"  # something was proposed where the job is not at fault
    LEFT_ALONE = "left_alone"  # rightly nothing was proposed
    UNANSWERED = "unanswered"  # no answer that could be read
    LATE = "late"  # none in time: it may be the endpoint's hour, and counts for this session alone
    NOT_ASKED = "not_asked"  # no model is needed for it: it tells nothing of a prompt


WORTH: Mapping[Ending, float] = {
    Ending.DURABLE: 1.0,
    Ending.LEFT_ALONE: 1.0,
    Ending.VERIFIED: 0.75,
    Ending.VALID: 0.25,
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question as the model got it, without what came before it, and its answer as JSON; both redacted."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One case with one prompt. `exchange` is the last that was answered; seconds are the model's, real ones."""

    case: str
    failure: str
    ending: Ending
    wrong: tuple[str, ...] = ()
    questions: int = 0
    tokens: int = 0
    seconds: float = 0.0
    exchange: Exchange | None = None

    @property
    def score(self) -> float:
        """From 0 to 1."""
        return WORTH.get(self.ending, 0.0)

    @property
    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ending": self.ending.value, "wrong": list(self.wrong)}


def played_from(document: Mapping[str, Any]) -> Played:
    """KeyError, TypeError or ValueError where it is none."""
    exchange = document["exchange"]
    return Played(
        case=str(document["case"]), failure=str(document["failure"]), ending=Ending(document["ending"]),
        wrong=tuple(document["wrong"]), questions=int(document["questions"]), tokens=int(document["tokens"]),
        seconds=float(document["seconds"]),
        exchange=Exchange(str(exchange["question"]), str(exchange["answer"])) if exchange is not None else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was there at the end of a case, from outside. `tried`, `turned_down` and `waits` are the model's own."""

    due: bool
    asked: bool
    answered: bool
    unanswered: bool
    late: bool
    healthy: bool
    repaired: bool
    durable: bool
    tried: bool
    turned_down: bool
    waits: bool
    wrong: bool


def ending_of(seen: Seen) -> Ending:
    """What is worst counts first."""
    if not seen.asked:
        return Ending.NOT_ASKED
    if seen.wrong:
        return Ending.WRONG
    if not seen.due:
        return _not_due(seen)
    if seen.repaired and seen.healthy:
        return Ending.DURABLE if seen.durable else Ending.VERIFIED
    if seen.tried:
        return Ending.VALID
    if seen.turned_down:
        return Ending.REFUSED
    if seen.late:
        return Ending.LATE
    return Ending.UNANSWERED if seen.unanswered else Ending.GAVE_UP


def _not_due(seen: Seen) -> Ending:
    if seen.tried or seen.waits:
        return Ending.NEEDLESS
    if seen.turned_down:
        return Ending.REFUSED
    if seen.late:
        return Ending.LATE
    # A broken answer changes nothing either; it is no merit.
    return Ending.LEFT_ALONE if seen.answered and not seen.unanswered else Ending.UNANSWERED
