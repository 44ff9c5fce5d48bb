"""Judges a proposal by what it does to the job, never by what is said about it. Pure.

Every violation is told, not only the first. What breaks no invariant has a risk tier: `auto` may be done unattended,
`approve` waits for a person, unless the settings move it to `auto`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from desired.operations.apply import PreconditionGone, apply
from desired.operations.operation import Kind, Operation
from desired.operations.table import Tier, row
from reconcilers.repair.guard_policy import Allowed, Judged, newly_broken
from reconcilers.repair.invariants import INVARIANTS, PRIVILEGES, Violation
from reconcilers.repair.proposal import Case, Proposal
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.untrusted import contained, to_be_asked


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """`widened` are kinds that need no approval although their tier says so (`REPAIR_AUTO`).

    `ceilings` hold for the whole cluster, by resource name in Nomad's units.
    """

    widened: frozenset[Kind] = frozenset()
    ceilings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`approval` says why a person has to look, empty where nobody has to. It counts only without violations."""

    violations: tuple[Violation, ...] = ()
    approval: str = ""

    @property
    def told(self) -> str:
        return "; ".join(f"{one.invariant}: {one.words}" for one in self.violations)


class Guard:
    """Deterministic: the same case and proposal always get the same verdict, by the same rules.

    `judged` tells which rules of the cluster's owners a job breaks, `allowed` the most that they let an app have.
    """

    def __init__(
        self, *, settings: GuardSettings, judged: Judged | None = None, allowed: Allowed | None = None
    ) -> None:
        self._settings = settings
        self._judged = judged
        self._allowed = allowed

    def bounded(self, case: Case) -> Case:
        """The same with the most that would be let through, by resource: who proposes more is turned down."""
        most = dict(self._settings.ceilings)
        for name, ceiling in (self._allowed(case.key) if self._allowed is not None else {}).items():
            most[name] = min(ceiling, most.get(name, ceiling))
        return replace(case, ceilings=most)

    def judge(self, case: Case, proposal: Proposal) -> Verdict:
        """Nothing is applied anywhere; the job is judged as it would be."""
        try:
            after = apply(case.body, proposal.operations)
        except PreconditionGone as error:
            return Verdict((Violation("precondition", error.message),))
        found = [
            violation
            for invariant in INVARIANTS
            for violation in invariant(case, after, proposal, self._settings.ceilings)
        ]
        found += contained(case, after, proposal)
        if self._judged is not None:
            found += newly_broken(case, after, self._judged)
        return Verdict(tuple(found), self._approval(case, proposal))

    def _approval(self, case: Case, proposal: Proposal) -> str:
        careful = sorted(
            {
                one.kind.value
                for one in proposal.operations
                if row(one.kind).tier is not Tier.AUTO and one.kind not in self._settings.widened
            }
        )
        if careful:
            return f"{', '.join(careful)}: changed only with a person's approval"
        if any(one.kind is Kind.CHECK_TYPE and one.new == "tcp" for one in proposal.operations):
            return "a tcp check proves less than the one it replaces"
        opened = [one for one in proposal.operations if one.kind is Kind.DRIVER_KEY and one.new in PRIVILEGES]
        if opened:
            return f"{opened[0].new} opens the host to the container: was it meant?"
        if _ends(case) and _has_run(case):
            return "a batch run that had started would run again"
        moved = [one for one in proposal.operations if one.kind in _PLACEMENT]
        if moved and (case.runs or _something_runs(case)):
            return "where the job may run would change while some of it runs"
        unproven = next(
            (one for one in proposal.operations if one.kind not in self._settings.widened and _only_said(case, one)),
            None,
        )
        if unproven is not None:
            return f'nothing but a line of the log says that the app is to be reached at port "{unproven.new}": is it?'
        elsewhere = next((one for one in moved if one.kind not in self._settings.widened and _elsewhere(one)), None)
        if elsewhere is not None:
            return f"{_list(elsewhere.new)} is no other spelling of {_list(elsewhere.old)}: was it meant?"
        return to_be_asked(case, proposal, self._settings.widened)


def _only_said(case: Case, one: Operation) -> bool:
    """Whom others reach at a port that is there is led to another, or the check away from it, on the log's word alone.

    What else listens in a task (an endpoint for metrics, for the app's own health) says so in the same words, and it
    may be all that lives.
    """
    if one.kind not in (Kind.SERVICE_PORT, Kind.CHECK_PORT) or case.diagnosis.facts.get("said_by") in ("job", "image"):
        return False
    for group in job_parts.groups(case.body):
        if job_parts.name(group) != one.at[0] or one.old not in [port.label for port in job_parts.ports(group)]:
            continue
        to_the_service = any(check.at == one.at and check.service.label == one.new for check in job_parts.checks(group))
        return one.kind is Kind.SERVICE_PORT or not to_the_service
    return False


# A typo in these explains why nothing is placed; it explains nothing while something is.
_PLACEMENT = frozenset({Kind.DATACENTERS, Kind.NODE_POOL, Kind.CONSTRAINT_VALUE, Kind.DRIVER})


def _elsewhere(one: Operation) -> bool:
    """Another place than the one that was asked for, as far as names tell: that it is the only one proves nothing."""
    if one.kind not in (Kind.DATACENTERS, Kind.NODE_POOL):
        return False
    old, new = _names(one.old), _names(one.new)
    return any(not any(near_miss(asked, [name]) for asked in old) for name in new - old)


def _names(value: object) -> set[str]:
    return {str(one) for one in value} if isinstance(value, tuple) else {str(value)}


def _list(value: object) -> str:
    return ", ".join(sorted(_names(value)))


def _ends(case: Case) -> bool:
    return case.body.get("Type") in ("batch", "sysbatch")


def _has_run(case: Case) -> bool:
    return any(
        state.started_at is not None for allocation in case.evidence.allocations for state in allocation.tasks.values()
    )


def _something_runs(case: Case) -> bool:
    return any(one.client_status == "running" and one.desired_status == "run" for one in case.evidence.allocations)
