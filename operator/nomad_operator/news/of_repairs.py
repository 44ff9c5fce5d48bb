"""News of repairs, out of what is remembered of them, and of the kill switch. A listener of the records."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime

from desired.app import AppKey
from desired.operations.words import line
from nomad_operator.news.notice import Kind, Notice, Topic, of_app
from nomad_operator.news.of_apps import Desk
from reconcilers.record import Record
from reconcilers.repair.episode import Episode, Outcome, Try, TryState
from reconcilers.repair.happened import Approved, Closed, Ended, Lasted, Proposed, happened

_NO_REPAIR = frozenset({Outcome.EXHAUSTED, Outcome.ROLLED_BACK})


class NewsOfRepairs:
    """`redact` takes secrets out of text."""

    def __init__(self, *, desk: Desk, redact: Callable[[str], str], now: Callable[[], datetime]) -> None:
        self._desk = desk
        self._redact = redact
        self._now = now

    def saved(self, before: Record, after: Record) -> None:
        """Told the record before and after each durable change."""
        for one in happened(before, after):
            match one:
                case Proposed(key, episode, attempt, _):
                    self._proposed(key, episode, attempt)
                case Approved(key, episode, attempt):
                    self._settled(key)
                    self._put(Kind.REPAIR_APPROVED, key, episode, f"a repair of {key} was approved", _changes(attempt))
                case Ended(key, _, attempt) if attempt.state is TryState.VERIFIED:
                    self._put(Kind.REPAIR_APPLIED, key, None, f"a repair of {key} was verified healthy",
                              f"{attempt.diagnosis.failure.value}: {_changes(attempt)}", ("explain",),
                              attempt=attempt)  # fmt: skip
                case Closed(key, episode):
                    self._settled(key)
                    if episode.outcome in _NO_REPAIR:
                        self._put(Kind.REPAIR_EXHAUSTED, key, episode, f"{key} could not be repaired",
                                  _exhausted(episode), ("explain",))  # fmt: skip
                case Lasted(key, episode):
                    self._lasted(key, episode)
                case _:
                    pass

    def switched(self, stopped: bool) -> None:
        """The kill switch was turned, by whomever."""
        kind = Kind.REPAIRS_STOPPED if stopped else Kind.REPAIRS_STARTED
        title = "the kill switch holds all repairs" if stopped else "repairs go on"
        command = ("nomad-operator repairs start",) if stopped else ()
        at = self._now()
        # Each turn is told, however fast they follow each other.
        self._desk.put(Notice(kind, Topic("", f"repairs {at.isoformat()}"), kind.value, at, title, "", command))

    def _proposed(self, key: AppKey, episode: Episode, attempt: Try) -> None:
        words = f"{attempt.diagnosis.failure.value}: {_changes(attempt)}; {attempt.reason}"
        match attempt.state:
            case TryState.WAITING:
                self._put(
                    Kind.APPROVAL_NEEDED, key, episode, f"a repair of {key} waits for approval",
                    f"{words}; {attempt.told}" if attempt.told else words, ("explain", "approve", "reject"),
                    attempt=attempt, about="approval",
                )  # fmt: skip
            case TryState.OPEN:
                self._put(Kind.REPAIR_PROPOSED, key, episode, f"a repair of {key} is being tried", words, ("explain",),
                          attempt=attempt)  # fmt: skip
            case _:
                pass

    def _lasted(self, key: AppKey, episode: Episode) -> None:
        failure = episode.diagnosis.failure.value
        if episode.durable:
            self._put(Kind.REPAIR_DURABLE, key, episode, f"a repair of {key} has held", failure)
        else:
            who = "a person took it back" if episode.undone == "person" else "something failed again"
            self._put(Kind.REPAIR_REGRESSED, key, episode, f"a repair of {key} did not last", f"{failure}: {who}",
                      ("explain",))  # fmt: skip

    def _settled(self, key: AppKey) -> None:
        """What waited for a person waits no more."""
        self._desk.settle(of_app(key, "approval"))

    def _put(
        self, kind: Kind, key: AppKey, episode: Episode | None, title: str, text: str, commands: tuple[str, ...] = (),
        *, attempt: Try | None = None, about: str = "",
    ) -> None:  # fmt: skip
        # The same change may be tried again in another episode: then it is news again.
        state = f"{attempt.hash} {attempt.at.isoformat()}" if attempt is not None else episode.id if episode else ""
        typed = {
            "explain": f"nomad-operator explain {shlex.quote(str(key))}",
            "approve": f"nomad-operator repairs approve {shlex.quote(str(key))} --proposal "
            f"{attempt.hash if attempt is not None else ''}",
            "reject": f"nomad-operator repairs reject {shlex.quote(str(key))}",
        }
        shown = tuple(typed[command] for command in commands)
        topic = of_app(key, about or f"{kind.value} {state}")
        self._desk.put(Notice(kind, topic, state, self._now(), title, self._redact(text), shown))


def _changes(attempt: Try) -> str:
    return ", ".join(line(one) for one in attempt.operations)


def _exhausted(episode: Episode) -> str:
    return "; ".join(part for part in (f"{episode.diagnosis.failure.value}: {episode.told}", episode.hint) if part)
