"""What a rung is asked and what it may answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from desired.app import AppKey
from desired.operations.operation import Operation
from desired.operations.same_job import digest
from desired.state import JobBody
from observers.evidence import Evidence
from observers.failures.diagnosis import Diagnosis
from prompts.model.question import PromptVersion


class Rung(StrEnum):
    """Who proposed an operation; `person` stands for a hand-made change that was adopted."""

    RULE = "rule"
    MEMORY = "memory"
    MODEL = "model"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Tried:
    """A repair of this episode that was tried or refused before, and what came of it."""

    operations: tuple[Operation, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class Case:
    """One failure to be repaired. `body` is the job to be changed: the one that failed.

    `limits` are the manifest's ceilings by resource name (MHz, MB), `ceilings` those of the cluster. `runs`: something
    of the job runs now, of whatever version; the evidence speaks of the version that failed alone. `episode` is its id.
    """

    key: AppKey
    body: JobBody
    diagnosis: Diagnosis
    evidence: Evidence
    tried: tuple[Tried, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    runs: bool = False
    episode: str = ""
    ceilings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Operations that one rung believes in, to be applied together and in order.

    `source` names the rule, or what was recalled. `reason` is one sentence for people. `grounds` says for each new
    value where it comes from (evidence, facts, cluster data, a bounded step), by the operation's path: the guard asks.
    `prompt` is what a model was asked with.
    """

    operations: tuple[Operation, ...]
    rung: Rung
    source: str
    reason: str
    grounds: Mapping[str, str] = field(default_factory=dict)
    prompt: PromptVersion | None = None

    def hash_for(self, case: Case) -> str:
        """What an approval binds to: the app, the job that would be changed, the failure, and the operations in order.

        The same operations on another job, or for another reason, are another decision.
        """
        operations = [[one.kind.value, list(one.at), _plain(one.old), _plain(one.new)] for one in self.operations]
        told = [str(case.key), digest(case.body), case.diagnosis.failure.value, operations]
        return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Several fixes are plausible, or the one there is needs a person: nothing is proposed, the choices are told."""

    source: str
    reason: str
    choices: tuple[str, ...]


Answer = Proposal | Candidates | None


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
