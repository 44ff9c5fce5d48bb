"""One failure from detection to its end, and the repairs of it that were tried. Values only; part of the record.

An episode is the unit of every repair metric. Its text is redacted and bounded: it is stored, shown and told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from desired.operations.operation import Operation
from observers.failures.diagnosis import Diagnosis
from prompts.model.question import PromptVersion
from reconcilers.repair.lesson import Lesson
from reconcilers.repair.proposal import Rung, Tried

# A story longer than this helps nobody.
KEPT_EVIDENCE = 20
# What a try is told from when a person has approved it on.
APPROVED = "approved"


class Outcome(StrEnum):
    """How an episode ended."""

    REPAIRED = "repaired"  # a repair was verified
    HEALED = "healed"  # it became healthy without one
    ROLLED_BACK = "rolled_back"  # not repaired; the last good version is in force
    EXHAUSTED = "exhausted"  # not repaired, and there is nothing to go back to
    SUPERSEDED = "superseded"  # something else is wanted by now
    STOPPED = "stopped"  # the kill switch, with a rollback asked for
    REJECTED = "rejected"  # a person turned the repair down, or took it back
    NOT_OURS = "not_ours"  # nothing in the job can mend it


class TryState(StrEnum):
    """What became of one proposal."""

    WAITING = "waiting"  # for a person's approval
    OPEN = "open"  # in force, and being verified
    VERIFIED = "verified"
    FAILED = "failed"  # it was registered, or refused by Nomad, and did not help
    GUARDED = "guarded"  # the guard turned it down
    REJECTED = "rejected"  # a person turned it down


@dataclass(frozen=True, slots=True)
class Try:
    """One proposal and what came of it. `trial` are all operations in force with it: those of earlier tries that
    solved a failure of their own, then its own. `hash` is what an approval binds to; `spec_hash` is of the job with
    the trial applied, empty until it is known.
    """

    state: TryState
    diagnosis: Diagnosis
    operations: tuple[Operation, ...]
    trial: tuple[Operation, ...]
    rung: Rung
    source: str
    reason: str
    hash: str
    at: datetime
    spec_hash: str = ""
    told: str = ""  # what the guard, Nomad or the verification said
    violations: tuple[str, ...] = ()  # the invariants that the guard named
    ended_at: datetime | None = None
    job_digest: str = ""  # of the same job as `spec_hash`, whatever its form: a person may have written it
    lesson: Lesson | None = None  # None in records of before there was a memory
    trace: str = ""  # in which it was proposed: its end may be known much later, and to another process
    prompt: PromptVersion | None = None  # by which a model was asked for it

    @property
    def approved(self) -> bool:
        """A person said that it may be done, and it was."""
        return self.state is not TryState.WAITING and self.told.startswith(APPROVED)

    @property
    def acted(self) -> bool:
        """It counts as an attempt: it was put in force."""
        return self.state in (TryState.OPEN, TryState.VERIFIED, TryState.FAILED)

    @property
    def as_tried(self) -> Tried:
        return Tried(self.operations, f"{self.state.value}: {self.told}" if self.told else self.state.value)


@dataclass(frozen=True, slots=True)
class Episode:
    """`spec_hash` is the spec that failed, without any trial; `written_hash` what git said then.

    `trial` is in force on top of the overlay. `choices` are fixes that a person may choose from, where no rung could.
    `durable` is None until half an hour after a repair has passed, or something happened before: `undone` says what,
    a `person` or another `failure`.
    """

    id: str
    spec_hash: str
    written_hash: str
    diagnosis: Diagnosis
    hint: str
    opened_at: datetime
    failing_since: datetime
    evidence: tuple[str, ...] = ()
    tries: tuple[Try, ...] = ()
    trial: tuple[Operation, ...] = ()
    choices: tuple[str, ...] = ()
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    told: str = ""
    durable: bool | None = None
    undone: str = ""

    @property
    def attempts(self) -> int:
        """How many repairs were put in force."""
        return sum(1 for one in self.tries if one.acted)

    @property
    def waiting(self) -> Try | None:
        """The proposal that waits for a person."""
        return next((one for one in self.tries if one.state is TryState.WAITING), None)

    @property
    def open_try(self) -> Try | None:
        """The proposal that is in force and being verified."""
        return next((one for one in self.tries if one.state is TryState.OPEN), None)

    @property
    def tried_specs(self) -> frozenset[str]:
        return frozenset(one.spec_hash for one in self.tries if one.spec_hash)

    def with_try(self, changed: Try) -> Episode:
        """The same with the newest try replaced."""
        return replace(self, tries=(*self.tries[:-1], changed))

    def ended(self, outcome: Outcome, told: str, now: datetime) -> Episode:
        """Nothing of a trial stays in force; what was verified is in the overlay by then."""
        tries = tuple(
            replace(one, state=TryState.REJECTED, told="nobody decided before the episode ended", ended_at=now)
            if one.state is TryState.WAITING
            else one
            for one in self.tries
        )
        return replace(self, outcome=outcome, told=told, ended_at=now, tries=tries, trial=())


@dataclass(frozen=True, slots=True)
class Kept:
    """One verified operation of the overlay: applied to what git says, for as long as git says what it was made for.

    `written` names the commit or branch that carries it back to git, empty while none does.
    """

    operation: Operation
    reason: str
    rung: Rung
    episode: str
    verified_at: datetime
    written: str = ""
