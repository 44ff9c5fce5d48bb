"""Everything one pass knows when it decides: what is wanted, what is, what is remembered, the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from desired.app import AppKey
from desired.objection import Objection
from desired.policy import Policy
from desired.reasons import Reason
from desired.state import DesiredApp, JobBody
from observers.evidence import Evidence
from observers.failures.diagnosis import Diagnosis
from observers.running import Deployment, FieldChange, Plan, Running
from reconcilers.record import FailedSpec, Record
from reconcilers.spec import Spec


class Mode(StrEnum):
    """`observe` runs the whole daemon without ever writing to Nomad."""

    ACT = "act"
    OBSERVE = "observe"


class Adopt(StrEnum):
    """What to do with a job that was there before and differs."""

    ASK = "ask"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of the process that a decision depends on. `defaults` are for an app whose file was never read."""

    mode: Mode = Mode.ACT
    adopt: Adopt = Adopt.ASK
    prune_grace: timedelta = timedelta(minutes=10)
    own_job: AppKey | None = None
    contest_within: timedelta = timedelta(hours=1)
    settled_recheck: timedelta | None = None
    repairs_stopped: bool = False
    defaults: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file asks for the app, and its spec is known.

    `spec` is what the app is to be: what the file says, which is `written`, with the overlay and the trial applied.
    """

    app: DesiredApp
    spec: Spec
    written: Spec


@dataclass(frozen=True, slots=True)
class Unclear:
    """A file speaks of the app, but not so that it may be done: it does not parse, two files claim the key, somebody
    objects. That is `passing`: it may end without a change of the file."""

    reason: Reason
    message: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """No file speaks of the app. `held` says why it may not be pruned now; empty if nothing holds it."""

    held: str = ""


Desire = Wanted | Unclear | Withdrawn


class Aim(StrEnum):
    """Where the target comes from."""

    DESIRED = "desired"
    LAST_GOOD = "last good"  # the desired spec failed, or cannot be read
    LEFT = "left as written"  # the desired spec failed and there is nothing to go back to
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Target:
    """What the app is held to now. `failure` is how the desired spec failed, if it did."""

    aim: Aim
    spec: Spec | None = None
    source_hash: str = ""
    failure: FailedSpec | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """One app at one instant.

    `plan` is of the spec that `reconcilers.target.spec_to_plan` named, with `body` as it was planned (live counts
    copied in); None if it named none.
    """

    key: AppKey
    desire: Desire
    running: Running
    record: Record
    rules: Rules
    now: datetime
    target: Target = field(default_factory=lambda: Target(Aim.NOTHING))
    plan: Plan | None = None
    body: JobBody | None = None
    deployments: tuple[Deployment, ...] = ()  # all of them, where the job moved while it was verified
    unready: Mapping[AppKey, str] = field(default_factory=dict)  # dependencies that are not ready, and why
    cycle: tuple[AppKey, ...] = ()
    after_state_loss: bool = False
    evidence: Evidence | None = None  # read in full, where a failure is to be named or mended
    objections: tuple[Objection, ...] = ()  # warnings alone: what is refused makes the desire unclear
    refused: tuple[Objection, ...] = ()  # what a repair may end before the job is registered, with its evidence
    barred: str = ""  # why the target may not be written, where it is another spec than the one that was examined
    unread: tuple[str, ...] = ()  # who could not tell whether the spec may be registered, in words
    budget_refusal: str = ""  # why no repair may be tried now
    diagnoses: tuple[Diagnosis, ...] = ()  # of what was read anyway, or of the evidence; most important first

    @property
    def policy(self) -> Policy:
        """The app's own settings, also while its file cannot be read: then the operator must not act more boldly."""
        if isinstance(self.desire, Wanted):
            return self.desire.app.policy
        return self.record.policy or self.rules.defaults

    @property
    def job_index(self) -> int:
        """The job's JobModifyIndex; 0 where there is no job."""
        return self.running.job.job_modify_index if self.running.job else 0

    @property
    def stopped(self) -> bool:
        return self.running.job is not None and self.running.job.stop

    @property
    def drift_changes(self) -> tuple[FieldChange, ...]:
        """What differs from the target, less what the manifest ignores."""
        ignored = set(self.policy.drift_ignore)
        changes = self.plan.changes if self.plan else ()
        return tuple(
            change for change in changes if not ignored & {change.path, change.path.rsplit("/", 1)[-1].lower()}
        )
