"""What one row of the table of failures holds, and where a failure's words may stand. Values only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from desired.cause import Cause
from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass


class Family(StrEnum):
    """The kinds of trouble, in the order in which a job meets them last to first; `none` is no trouble of the job."""

    IMAGE = "A"
    START = "B"
    RUN = "C"
    NETWORK = "D"
    PLACEMENT = "E"
    SECRETS = "F"
    HEALTH = "G"
    SUBMISSION = "H"
    REST = "I"
    NONE = "-"


class Where(StrEnum):
    """Where words stand. The task events' names are Nomad's own types."""

    REFUSAL = "refusal"
    PLACEMENT = "placement"
    SETUP = "Setup Failure"
    HOOK = "Task hook failed"
    VALIDATION = "Failed Validation"
    DRIVER = "Driver Failure"
    ARTIFACT = "Failed Artifact Download"
    TEMPLATE = "Template"
    KILLING = "Killing"
    RESTORE = "Failed Restoring Task"
    EXIT = "Terminated"
    RESTART = "Restart Signaled"
    LOG = "log"
    CHECK = "check"
    DEPLOYMENT = "deployment"
    ALLOCATION = "allocation"
    JOB = "job"


class Proof(StrEnum):
    """When a failure is conclusive: the first time it is seen, the second, or never (it may pass)."""

    FIRST = "first"
    SECOND = "second"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Words:
    """A pattern, and the one place in which it means this failure. Named groups become facts."""

    where: Where
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Lasting:
    """What the cause turns to when the failure has lasted longer than `after`."""

    after: timedelta
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One failure: how it is recognised, who can mend it, and what may help.

    It is recognised by `words`, tried in the table's order, or by what `seen` describes. `cause` holds unless one of
    the facts in `spec_with` is known: then the job can be mended. `facts` documents the names of a diagnosis's facts;
    each is there only where the evidence says it. `advice` is a sentence for people with facts as `{name}`: who must
    act, on what.
    """

    failure: FailureClass
    family: Family
    cause: Cause
    advice: str
    facts: Mapping[str, str] = field(default_factory=dict)
    may_help: tuple[Kind, ...] = ()
    words: tuple[Words, ...] = ()
    seen: str = ""
    spec_with: tuple[str, ...] = ()
    lasting: Lasting | None = None
    proof: Proof = Proof.FIRST


def said(where: Where, *patterns: str) -> tuple[Words, ...]:
    """Patterns of one place. Case matters, a dot meets a line break.

    A group `name_2` is another place of the fact `name`; names that the row does not document are for `told` only.
    """
    return tuple(Words(where, re.compile(pattern, re.DOTALL)) for pattern in patterns)
