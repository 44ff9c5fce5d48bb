"""How the operator is to treat one app: the manifest's settings around the job, with their defaults.

A bare job file has the defaults of the process (`DRIFT`, `PRUNE`, `ON_FAILURE`, ...); a manifest may override each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from desired.app import AppKey


class Drift(StrEnum):
    """What to do when somebody changed the job by hand."""

    CORRECT = "correct"
    WARN = "warn"


class OnFailure(StrEnum):
    """What to do when a new spec fails verification."""

    ROLLBACK = "rollback"
    HOLD = "hold"


class RepairMode(StrEnum):
    """How far the repair ladder may go for this app."""

    AUTO = "auto"
    PROPOSE = "propose"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Repair:
    """`limits` are ceilings by resource name, in Nomad's units (MHz, MB)."""

    mode: RepairMode = RepairMode.AUTO
    max_attempts: int = 3
    limits: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Verify:
    """`timeout` is counted from the last progress, not from the register."""

    soak: timedelta = timedelta(seconds=60)
    timeout: timedelta = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything a pass needs to know about an app besides the job itself.

    `drift_ignore` holds field names of a job (`count`, `Meta[owner]`, ...); a change of only those is not drift.
    """

    depends_on: tuple[AppKey, ...] = ()
    suspend: bool = False
    prune: bool = True
    drift: Drift = Drift.CORRECT
    drift_ignore: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.ROLLBACK
    repair: Repair = field(default_factory=Repair)
    verify: Verify = field(default_factory=Verify)
