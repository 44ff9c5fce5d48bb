"""Every reason a condition, an error or a transition can carry. The list only grows: people alert on these words."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """CamelCase, stable; the comment after each says when a person meets it."""

    # Ready
    HEALTHY = "Healthy"  # runs as desired, and stayed healthy for the soak time
    COMPLETED = "Completed"  # a batch run of this spec has ended well
    REGISTERED = "Registered"  # periodic or parameterized: registered, waits for its time or its dispatch
    SCALED_TO_ZERO = "ScaledToZero"  # every group's count is 0: nothing to be healthy
    # on the way
    PENDING = "Pending"  # not looked at yet
    PLANNING = "Planning"  # about to be planned and registered
    PROGRESSING = "Progressing"  # registered, allocations are coming up
    SOAKING = "Soaking"  # healthy, and watched for the soak time
    RUNNING = "Running"  # a batch run is under way
    AWAITING_PLACEMENT = "AwaitingPlacement"  # Nomad found no room yet; it places when there is some
    AWAITING_PROMOTION = "AwaitingPromotion"  # canaries are healthy and wait for a person to promote them
    ROLLING_BACK = "RollingBack"  # the last good version is being restored
    # what is desired
    DESIRED_INVALID = "DesiredInvalid"  # the manifest or job file has problems; the running job is left as it is
    DESIRED_CONFLICT = "DesiredConflict"  # two files claim the same key; neither is applied
    DESIRED_UNREADABLE = "DesiredUnreadable"  # the file could not be read or parsed just now
    SOURCE_UNAVAILABLE = "SourceUnavailable"  # git cannot be reached; the last good revision stays in force
    QUESTIONS_OPEN = "QuestionsOpen"  # something cannot be inferred and waits for an answer in the manifest
    VALIDATION_FAILED = "ValidationFailed"  # Nomad refuses the job
    ROUTE_CONFLICT = "RouteConflict"  # somebody else has a route that the job asks for
    POLICY_VIOLATION = "PolicyViolation"  # a rule of the cluster's owners does not allow the job
    WITHDRAWN = "Withdrawn"  # the file is gone; pruned after the grace time
    NOT_OURS = "NotOurs"  # the file is gone, and its job was never registered or adopted by us: it is left alone
    PRUNE_HELD = "PruneHeld"  # withdrawn, but a guard holds the pruning back
    PRUNED = "Pruned"  # withdrawn and stopped
    SUSPENDED = "Suspended"  # told not to act
    OBSERVE_ONLY = "ObserveOnly"  # MODE=observe: differences are told, nothing is written
    DEPENDENCY_NOT_READY = "DependencyNotReady"  # dependsOn names an app that is not ready
    DEPENDENCY_CYCLE = "DependencyCycle"  # dependsOn goes in a circle
    ADOPTION_REQUIRED = "AdoptionRequired"  # a job of this name was there before and differs
    OWN_JOB = "OwnJob"  # the operator's own job: left alone unless told otherwise
    # what went wrong
    DEPLOYMENT_FAILED = "DeploymentFailed"  # Nomad says the deployment failed
    NO_PROGRESS = "NoProgress"  # no progress for the verification timeout
    UNHEALTHY = "Unhealthy"  # was healthy, is no longer
    ALLOCATIONS_FAILED = "AllocationsFailed"  # allocations ended badly
    RUN_FAILED = "RunFailed"  # a batch run ended badly
    PLACEMENT_FAILED = "PlacementFailed"  # nothing in the cluster can hold it
    ROLLED_BACK = "RolledBack"  # the desired spec failed; the last good one is in force
    HELD_FAILED = "HeldFailed"  # the desired spec failed, onFailure is hold or there is no last good one
    REPAIRING = "Repairing"  # a repair is in force and being verified
    AWAITING_APPROVAL = "AwaitingApproval"  # a repair is proposed and waits for a person
    VALUE_MISSING = "ValueMissing"  # a task would get a wrong value, or wait for one, for what it reads is not there
    IMAGE_MISSING = "ImageMissing"  # the registry says that there is no such image
    SECRET_EXPOSED = "SecretExposed"  # noqa: S105 - a job file holds a secret as it is
    REPAIR_EXHAUSTED = "RepairExhausted"  # no repair helped: back to the last good version, or as written
    REPAIRS_STOPPED = "RepairsStopped"  # the kill switch is on while a repair was in force
    DRIFTED = "Drifted"  # somebody changed the job by hand
    DRIFT_CONTESTED = "DriftContested"  # corrected too often; somebody else keeps changing it back
    OBSERVE_FAILED = "ObserveFailed"  # Nomad could not be read
    # errors
    UNAVAILABLE = "Unavailable"
    RATE_LIMITED = "RateLimited"
    CONFLICT = "Conflict"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    FORBIDDEN = "Forbidden"
    HOST_KEY_REFUSED = "HostKeyRefused"  # the git server's ssh key is unknown or has changed
    UNSUPPORTED = "Unsupported"
    STATE_UNAVAILABLE = "StateUnavailable"  # the state file cannot be written just now: disk full, or locked
    STATE_UNUSABLE = "StateUnusable"  # the state file is corrupt, read-only, or from a newer version
    INTERNAL_ERROR = "InternalError"  # a bug of ours
