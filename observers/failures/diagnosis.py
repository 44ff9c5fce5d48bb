"""What a failure is called, and all that is known of it: the answer of `observers.failures`, the question to a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from desired.cause import Cause
from observers.failures.failure_class import FailureClass


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One failure with its name.

    `group`, `task`, `service`, `check` and `port` (a label) say where, as far as the evidence says it. `words` are
    Nomad's or the app's own, redacted, at most a few hundred characters. `facts` are what was read out of the words and
    the job, by the names that the class's row documents. `conclusive`: it will not pass by itself, so nobody need wait
    for a deadline; only then may a verification be ended early and a repair be tried.
    """

    failure: FailureClass
    cause: Cause
    words: str
    group: str = ""
    task: str = ""
    service: str = ""
    check: str = ""
    port: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    conclusive: bool = False

    @property
    def signature(self) -> tuple[str, ...]:
        """Two failures with the same signature are the same failure for a repair's history."""
        return (self.failure.value, self.group, self.task, self.service, self.check, self.port)
