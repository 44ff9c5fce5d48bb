"""What one git revision asks for, as plain values: apps, and the files that could not be turned into one.

`desired.catalog` builds these; the reconcilers read them. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from desired.admission.rule_set import RuleSet
from desired.app import AppKey
from desired.code_place import CodePlace
from desired.draft.value import Value
from desired.facts.facts import Facts
from desired.origin import Origin
from desired.policy import Policy
from desired.problem import Problem
from desired.question import Question
from desired.reasons import Reason

# A job in the shape of Nomad's HTTP API (`api.Job`): PascalCase keys, durations in nanoseconds.
JobBody = Mapping[str, Any]


# A manifest's spec as it is written, and the whole of it: InvalidDesired where its code leaves questions.
Fill = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Kind(StrEnum):
    """What kind of file an app was written in."""

    APP = "App"
    JOB_FILE = "JobFile"


@dataclass(frozen=True, slots=True)
class HclSource:
    """A job written in HCL. `variables` is the text of a variable file, empty if there is none."""

    text: str
    variables: str = ""


@dataclass(frozen=True, slots=True)
class JsonSource:
    """A job in the API's JSON; `text` is what a person reads and what Nomad keeps as the submission (HCL or JSON)."""

    body: JobBody
    text: str


@dataclass(frozen=True, slots=True)
class DesiredApp:
    """One app that somebody wants.

    `source_hash` covers the file, its variables and its settings: while it stands, nothing has to be parsed again.
    `line` is where it begins in its file; 0 where that is not known. `job_file` is what a manifest wraps, if it does.
    `manifest` is the text of the file that holds its manifest, empty for a job file. `code` is where the code is that
    fills in what it leaves out, and `fill` does that again for another text of the manifest; `origins` tell which value
    is from where. `values` are those that its manifest and its code say, and `facts` what is known of that code; both
    are empty for what has none.
    """

    key: AppKey
    kind: Kind
    path: str
    source: HclSource | JsonSource
    source_hash: str
    policy: Policy
    line: int = field(default=0, compare=False)
    job_file: str = field(default="", compare=False)
    code: CodePlace | None = field(default=None, compare=False)
    origins: tuple[Origin, ...] = field(default=(), compare=False)
    fill: Fill | None = field(default=None, compare=False, repr=False)
    manifest: str = field(default="", compare=False, repr=False)
    values: tuple[Value, ...] = field(default=(), compare=False, repr=False)
    facts: Facts | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """Where a file speaks of an app. `line` is 0 where that is not known."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file that may hold an app but could not be read.

    `key` is None where the file does not even say which app it is. `transient` means that the file itself may be
    fine (the server's parser was down): it is read again at the next pass. With `code` the file itself was read: what
    the code at that place is to fill in is missing, so that no other app can hide in it. While that code is being read,
    it is `pending`.
    """

    path: str
    problems: tuple[Problem, ...]
    key: AppKey | None = None
    transient: bool = False
    code: CodePlace | None = None
    pending: bool = False

    @property
    def questions(self) -> tuple[Question, ...]:
        """What a person has to answer before it makes an app."""
        return tuple(problem.question for problem in self.problems if problem.question is not None)

    @property
    def reason(self) -> Reason:
        """Why it is no app: it waits for answers only where nothing else is wrong with it."""
        if self.transient:
            return Reason.DESIRED_UNREADABLE
        if self.problems and len(self.questions) == len(self.problems):
            return Reason.QUESTIONS_OPEN
        return Reason.DESIRED_INVALID


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Everything one revision says. Only a complete one may lead to pruning.

    A key that two files claim is in `conflicts` with both paths and not in `apps`; `claims` says where in them.
    `complete` is False while any file is unreadable or conflicting: a rename may hide in it, unless all that is missing
    is what its code is to say. `wrapped` are job files
    that are no apps of their own. `policies` are the rules that its files state, for all apps of the revision.
    """

    revision: str
    apps: Mapping[AppKey, DesiredApp]
    unreadable: tuple[UnreadableFile, ...] = ()
    conflicts: Mapping[AppKey, tuple[str, ...]] = field(default_factory=dict)
    claims: Mapping[AppKey, tuple[Claim, ...]] = field(default_factory=dict, compare=False)
    wrapped: frozenset[str] = field(default=frozenset(), compare=False)
    policies: tuple[RuleSet, ...] = ()

    @property
    def complete(self) -> bool:
        return all(file.code is not None for file in self.unreadable) and not self.conflicts

    def conflict(self, key: AppKey) -> str:
        """Who claims an app that is in conflict, as people read it."""
        claims = self.claims.get(key) or tuple(Claim(path) for path in self.conflicts[key])
        told = " and ".join(str(claim) for claim in claims)
        return f"{told} {'both' if len(claims) == 2 else 'all'} claim {key}; none of them is applied"


class JobParser(Protocol):
    """Turns HCL into a job. The server's own parser where one is in reach, ours where none is."""

    async def parse(self, source: HclSource) -> JobBody:
        """The job as `/v1/jobs/parse` answers without canonicalizing.

        Raises InvalidDesired (positions relative to the text, path `input.hcl`) or a TransientError.
        """
        ...
