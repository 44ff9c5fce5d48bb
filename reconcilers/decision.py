"""What a pass decides: one action, and what is to be told about the app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from desired.reasons import Reason
from desired.state import JobBody
from observers.failures.diagnosis import Diagnosis
from reconcilers.record import Attempt, Correction, Record
from reconcilers.repair.proposal import Case
from reconcilers.spec import Spec

# While the event stream is silent, what is under way is still looked at this often.
LOOK_AGAIN = timedelta(seconds=15)


class Step(StrEnum):
    """Where an app can be. The edges between them stand in `reconcilers.steps`."""

    SUSPENDED = "Suspended"
    OWN_JOB = "OwnJob"
    WITHDRAWN = "Withdrawn"
    PRUNE_HELD = "PruneHeld"
    PRUNING = "Pruning"
    PRUNED = "Pruned"
    NOTHING_TO_HOLD = "NothingToHold"
    ADOPTION_REQUIRED = "AdoptionRequired"
    ADOPTING = "Adopting"
    CLEARED_UP = "ClearedUp"
    SUPERSEDED = "Superseded"
    RESUMING = "Resuming"
    REVERTED = "Reverted"
    OVERTAKEN = "Overtaken"
    VERIFYING = "Verifying"
    SOAKING = "Soaking"
    VERIFIED = "Verified"
    FAILED = "Failed"
    FROZEN = "Frozen"
    NAMED = "Named"
    CLIMBING = "Climbing"
    EXHAUSTED = "Exhausted"
    LEFT_FAILED = "LeftFailed"
    RECOVERING = "Recovering"
    RERUNNING = "Rerunning"
    REVIVING = "Reviving"
    WAITING_IT_OUT = "WaitingItOut"
    REOPENING = "Reopening"
    DEPENDENCIES = "Dependencies"
    POSTPONED = "Postponed"
    REGISTERING = "Registering"
    CORRECTING = "Correcting"
    DRIFT_TOLD = "DriftTold"
    CAUGHT_UP = "CaughtUp"
    COMPLETED = "Completed"
    FORESEEN = "Foreseen"
    UNPLACEABLE = "Unplaceable"
    BROKEN = "Broken"
    UNHEALTHY = "Unhealthy"
    PROVEN = "Proven"
    STEADY = "Steady"


class Truth(StrEnum):
    """A condition's status, as in Kubernetes."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(StrEnum):
    """Condition types. `Ready` always stands; the others are shown while they are true."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    DESIRED_INVALID = "DesiredInvalid"
    QUESTIONS_OPEN = "QuestionsOpen"
    VALIDATION_FAILED = "ValidationFailed"
    ROUTE_CONFLICT = "RouteConflict"
    POLICY_VIOLATION = "PolicyViolation"
    DRIFTED = "Drifted"
    UNHEALTHY = "Unhealthy"
    REPAIRING = "Repairing"
    REPAIR_EXHAUSTED = "RepairExhausted"
    AWAITING_APPROVAL = "AwaitingApproval"
    ADOPTION_REQUIRED = "AdoptionRequired"
    DEPENDENCY_NOT_READY = "DependencyNotReady"
    SUSPENDED = "Suspended"
    OBSERVE_FAILED = "ObserveFailed"
    VALUE_MISSING = "ValueMissing"
    IMAGE_MISSING = "ImageMissing"
    SECRET_EXPOSED = "SecretExposed"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Register:
    """Write the job, if it is still at `index`. `attempt` is remembered before, `corrections` with it."""

    spec: Spec
    body: JobBody
    index: int
    attempt: Attempt
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the job (not purge it), if it is still at `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class Revive:
    """Ask Nomad to place again what it has given up; `record` is remembered once it was asked."""

    record: Record


@dataclass(frozen=True, slots=True)
class Remember:
    """Change only the record, and look again: at once, or when there may be something new to see."""

    record: Record
    again_in: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing is left of the app: drop its record."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Change nothing. `again_in` None: only the resync or an event looks again.

    `settled` False: something is under way, in the cluster or at a person's desk.
    """

    again_in: timedelta | None = None
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Climb:
    """Ask the rungs of the repair ladder, and remember what they say in `record`; nothing is written to Nomad."""

    case: Case
    record: Record


Action = Register | Stop | Revive | Remember | Forget | Rest | Climb


@dataclass(frozen=True, slots=True)
class Decision:
    """The row of the table that applied, and what follows from it.

    `flags` are the conditions that are true besides Ready; `diff` is Nomad's plan as people read it, empty without one.
    `diagnosis` is what is wrong as far as it has a name, proven or not.
    """

    step: Step
    action: Action
    ready: Truth
    reason: Reason
    message: str
    flags: Mapping[Condition, tuple[Reason, str]] = field(default_factory=dict)
    diff: str = ""
    diagnosis: Diagnosis | None = None
