"""What the operator remembers of one app between passes: intent only, never what Nomad can be asked.

Every change is a new value, saved by compare-and-set before the world is changed. Nothing here does I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from desired.app import AppKey
from desired.cause import Cause
from desired.errors import Rejected
from desired.policy import Policy
from desired.reasons import Reason
from reconcilers.repair.episode import Episode, Kept
from reconcilers.repair.written import WrittenBack
from reconcilers.spec import Spec

# Failed specs and corrections beyond these are of no use to any decision.
KEPT_FAILED = 10
KEPT_CORRECTIONS = 20


@dataclass(frozen=True, slots=True)
class Applied:
    """What we registered or adopted last, and the job's JobModifyIndex since then."""

    spec_hash: str
    job_modify_index: int
    source_hash: str
    revision: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LastGood:
    """The newest spec that stayed healthy. Its body is kept here: Nomad holds six versions and reverts use them up.

    `repaired` where it is not what git says: the overlay is in it.
    """

    spec: Spec
    version: int
    verified_at: datetime
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class FailedSpec:
    """A spec that failed verification. `retry_at` is None where only a person or a new spec can help."""

    spec_hash: str
    reason: Reason
    message: str
    cause: Cause
    at: datetime
    tries: int = 1
    retry_at: datetime | None = None

    def as_of(self, now: datetime) -> FailedSpec:
        """See `Record.as_of`."""
        if self.at <= now:
            return self
        return replace(self, at=now, retry_at=self.retry_at and self.retry_at - (self.at - now))


# How long a spec that failed for a passing cause waits before it is tried again: doubled each time, up to the cap.
_RETRY_FIRST = timedelta(minutes=5)
_RETRY_CAP = timedelta(hours=2)


def tried_again(reason: Reason, cause: Cause) -> bool:
    """By itself, after a while: what is not the spec's may pass, and whether there is room costs only a plan."""
    return reason is Reason.PLACEMENT_FAILED or cause in (Cause.CLUSTER, Cause.EXTERNAL, Cause.TIME)


def retry_at(tries: int, now: datetime) -> datetime:
    """When a spec that has failed `tries` times is tried again."""
    doublings: int = 2 ** min(max(tries, 1) - 1, 10)
    return now + min(_RETRY_CAP, _RETRY_FIRST * doublings)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A register and the verification that follows. Written before the register, so that a crash cannot repeat it.

    `job_modify_index` is 0 until the register is known to have happened; until then `spec` is kept, to see whether it
    did. `best` is the most healthy allocations seen: only more of them is progress, restarts are not. `newest_start` is
    the last start of a task when the soak began, by Nomad's clock. `taken_over` counts the processes that went on with
    it since the last progress: `progress_at` and `healthy_since` mean watched time, see `reconcilers.watch`.
    `found` where nothing was registered for it: what stands there is judged by what runs, not by a deployment that
    has ended before. `revived` once Nomad was asked to start again what it had given up.
    `patient` where what keeps it from being healthy passes: only the time without progress ends it.
    `checked` where Nomad itself checks the job's services.
    """

    spec_hash: str
    source_hash: str
    planned_index: int
    started_at: datetime
    progress_at: datetime
    revision: str = ""
    rollback: bool = False
    job_modify_index: int = 0
    best: int = 0
    healthy_since: datetime | None = None
    spec: Spec | None = None
    newest_start: datetime | None = None
    taken_over: int = 0
    found: bool = False
    revived: bool = False
    patient: bool = False
    checked: bool = False

    def registered(self, job_modify_index: int) -> Attempt:
        """The same, now that it is known to have happened."""
        return replace(self, job_modify_index=job_modify_index, spec=None)


@dataclass(frozen=True, slots=True)
class Correction:
    """A change by hand that was put back: which field, and what it had been changed to."""

    path: str
    value: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A batch run that ended well: its spec is satisfied, also after Nomad has forgotten the job."""

    spec_hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Nobody wants the app any more. `prune` is what its manifest said last: the manifest is gone by now."""

    since: datetime
    prune: bool
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One app. `origin` names the source (git URL and path) it came from: only its own source may prune it.

    `policy` is what its file said last, for as long as the file cannot be read: None before it was read once.
    """

    key: AppKey
    origin: str
    path: str = ""
    kind: str = ""
    prune: bool = True
    policy: Policy | None = None
    suspended: bool = False
    adopt: bool = False
    applied: Applied | None = None
    last_good: LastGood | None = None
    attempt: Attempt | None = None
    failed: tuple[FailedSpec, ...] = ()
    corrections: tuple[Correction, ...] = ()
    run: Run | None = None
    withdrawal: Withdrawal | None = None
    episode: Episode | None = None
    last_episode: Episode | None = None
    overlay: tuple[Kept, ...] = ()
    write_back: WrittenBack | None = None
    declined: str = ""  # the source hash for which a person took a repair back
    again: str = ""  # the spec that stands registered, failed, and is to be tried once more because a person asked
    stopped_index: int = 0  # the JobModifyIndex of our own stop: a job that we stopped is ours when it comes back

    @property
    def ours(self) -> bool:
        """We registered, adopted or stopped this job."""
        return self.applied is not None or self.stopped_index > 0

    def as_of(self, now: datetime) -> Record:
        """The same; times that lie in the future, because a clock was set back, are now. What was to come then comes
        as much later from now."""
        attempt, withdrawal = self.attempt, self.withdrawal
        if attempt is not None:
            since = attempt.healthy_since
            since = min(since, now) if since else None
            attempt = replace(
                attempt,
                started_at=min(attempt.started_at, now),
                progress_at=min(attempt.progress_at, now),
                healthy_since=since,
            )
        if withdrawal is not None:
            withdrawal = replace(withdrawal, since=min(withdrawal.since, now))
        return replace(
            self,
            attempt=attempt,
            withdrawal=withdrawal,
            failed=tuple(failed.as_of(now) for failed in self.failed),
            corrections=tuple(replace(one, at=min(one.at, now)) for one in self.corrections),
        )

    def failure_of(self, spec_hash: str) -> FailedSpec | None:
        return next((failed for failed in self.failed if failed.spec_hash == spec_hash), None)

    def stands(self, spec_hash: str) -> bool:
        """Is it the version that was registered last, or that was good last?"""
        applied, good = self.applied, self.last_good
        return (applied is not None and applied.spec_hash == spec_hash) or (
            good is not None and good.spec.hash == spec_hash
        )

    def with_named(self, failure: FailedSpec) -> Record:
        """The failure of a spec has got its name; it is the same failure."""
        return replace(
            self, failed=tuple(failure if one.spec_hash == failure.spec_hash else one for one in self.failed)
        )

    def with_failure(self, failure: FailedSpec) -> Record:
        """Remember a failed spec; an earlier failure of the same spec is counted on."""
        before = self.failure_of(failure.spec_hash)
        if before is not None:
            failure = replace(failure, tries=before.tries + 1)
        others = tuple(failed for failed in self.failed if failed.spec_hash != failure.spec_hash)
        return replace(self, failed=(*others, failure)[-KEPT_FAILED:], attempt=None)

    def without_failure(self, spec_hash: str) -> Record:
        return replace(self, failed=tuple(failed for failed in self.failed if failed.spec_hash != spec_hash))

    def contested(self, path: str, value: str, now: datetime, *, times: int = 3, within: timedelta) -> bool:
        """The same field came back from the same value this often: somebody else keeps writing it."""
        seen = [one for one in self.corrections if one.path == path and one.value == value and now - one.at <= within]
        return len(seen) >= times

    def with_corrections(self, corrections: tuple[Correction, ...]) -> Record:
        return replace(self, corrections=(*self.corrections, *corrections)[-KEPT_CORRECTIONS:])


def refused(record: Record, spec: Spec, error: Rejected, now: datetime) -> FailedSpec:
    """Nomad refused the spec. Asking again costs only a plan, and what it lacked (a namespace, Vault) may come."""
    before = record.failure_of(spec.hash)
    tries = before.tries + 1 if before else 1
    return FailedSpec(spec.hash, error.reason, error.message, Cause.CLUSTER, now, retry_at=retry_at(tries, now))
