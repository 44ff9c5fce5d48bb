"""One piece of news about an app, or about all of them: what happened, and what to type about it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desired.app import AppKey


class Kind(StrEnum):
    """What can be told, in the order in which a digest tells it; the names are those of `NOMAD_OPERATOR_NOTIFY_ON`."""

    APPROVAL_NEEDED = "approval_needed"
    ADOPTION_REQUIRED = "adoption_required"
    QUESTIONS_OPEN = "questions_open"
    PRUNE_WAITING = "prune_waiting"
    REPAIRS_STOPPED = "repairs_stopped"
    REPAIRS_STARTED = "repairs_started"
    REPAIR_EXHAUSTED = "repair_exhausted"
    REPAIR_REGRESSED = "repair_regressed"
    UNREADY = "unready"
    STALLED = "stalled"
    REPAIR_APPLIED = "repair_applied"
    REPAIR_PROPOSED = "repair_proposed"
    REPAIR_APPROVED = "repair_approved"
    REPAIR_DURABLE = "repair_durable"
    READY = "ready"


MEANINGS: dict[Kind, str] = {
    Kind.APPROVAL_NEEDED: "a repair is proposed and waits for a person",
    Kind.ADOPTION_REQUIRED: "a job was there before, and differs from its file",
    Kind.QUESTIONS_OPEN: "a manifest leaves open what nothing else can tell",
    Kind.PRUNE_WAITING: "a guard holds back the stop of a job whose file is gone",
    Kind.REPAIRS_STOPPED: "the kill switch was turned on",
    Kind.REPAIRS_STARTED: "the kill switch was turned off",
    Kind.REPAIR_EXHAUSTED: "no repair helped, or none is known",
    Kind.REPAIR_REGRESSED: "something failed within half an hour after a repair, or a person took it back",
    Kind.UNREADY: "an app is not ready any more, or a new one did not become ready",
    Kind.STALLED: "an app does not go on by itself",
    Kind.REPAIR_APPLIED: "a repair is in force, and was verified healthy",
    Kind.REPAIR_PROPOSED: "a repair is being tried",
    Kind.REPAIR_APPROVED: "a person approved a repair",
    Kind.REPAIR_DURABLE: "a repair has held for half an hour",
    Kind.READY: "an app is ready that was not, or that is new",
}

# What one of these tells of an app need not be told again by what follows from it.
ABOVE = frozenset(
    {Kind.APPROVAL_NEEDED, Kind.ADOPTION_REQUIRED, Kind.QUESTIONS_OPEN, Kind.PRUNE_WAITING, Kind.REPAIR_EXHAUSTED}
)
BELOW = frozenset({Kind.UNREADY, Kind.STALLED})


@dataclass(frozen=True, slots=True)
class Topic:
    """What a notice is about. Of one topic only the newest state counts; `app` is empty for the whole fleet."""

    app: str
    about: str


@dataclass(frozen=True, slots=True)
class Notice:
    """`state` is compared with what was told last of the same topic: the same is not told twice.

    `text` may hold what an app or Nomad has said, redacted; `commands` are to be copied as they are.
    """

    kind: Kind
    topic: Topic
    state: str
    at: datetime
    title: str
    text: str = ""
    commands: tuple[str, ...] = ()

    @property
    def app(self) -> str:
        return self.topic.app


def of_app(key: AppKey, about: str) -> Topic:
    return Topic(str(key), about)
