"""From sightings to diagnoses: what is one failure, whose it is, whether it can pass, what comes first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from desired.cause import Cause
from observers.evidence import Evidence
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.failures.row import Proof, Where
from observers.failures.sighting import Sighting
from observers.failures.table import TABLE, cause_of


def judged(sightings: Iterable[Sighting], evidence: Evidence, now: datetime) -> tuple[Diagnosis, ...]:
    """One diagnosis for what is the same failure; the newest sighting speaks. The order of first sight is kept."""
    together: dict[tuple[str, ...], list[Sighting]] = {}
    for one in sightings:
        together.setdefault(_key(one), []).append(one)
    return tuple(_diagnosis(found, evidence, now) for found in together.values())


def _key(one: Sighting) -> tuple[str, ...]:
    several = one.again if one.failure in _SEVERAL else ""
    return (one.failure.value, one.group, one.task, one.service, one.check, one.port, several)


# Of these one task or job can have several at once, each with its own fix.
_SEVERAL = frozenset(
    {
        FailureClass.DRIVER_KEY_UNKNOWN,
        FailureClass.DRIVER_VALUE_WRONG,
        FailureClass.DRIVER_VARIABLE_UNKNOWN,
        FailureClass.DRIVER_KEY_MISSING,
        FailureClass.HCL_INVALID,
        FailureClass.SPEC_INVALID,
        FailureClass.RESOURCES_BELOW_MINIMUM,
        FailureClass.RESTART_POLICY_INVALID,
        FailureClass.NAME_DUPLICATE,
        FailureClass.PORT_DUPLICATE,
        FailureClass.PORT_INVALID,
        FailureClass.VOLUME_UNDEFINED,
        FailureClass.ENTERPRISE_ONLY,
        FailureClass.DEADLINES_INCONSISTENT,
    }
)


def _diagnosis(found: list[Sighting], evidence: Evidence, now: datetime) -> Diagnosis:
    ordered = sorted(found, key=lambda one: one.at or evidence.since)
    newest = ordered[-1]
    row = TABLE[newest.failure]
    same = [one for one in ordered if one.again == newest.again]
    facts = dict(newest.facts)
    if newest.failure is FailureClass.OOM_KILLED:
        facts["kills"] = str(len(same))
    if newest.failure is FailureClass.CRASH:
        facts["crashes"] = str(len(same))
    known = {name: value for name, value in facts.items() if value and name in row.facts}
    first = min((one.at for one in same if one.at is not None), default=evidence.since)
    cause = newest.cause or cause_of(row, facts, now - first)
    proven = row.proof is Proof.FIRST or (row.proof is Proof.SECOND and len(same) > 1)
    final = newest.final if newest.final is not None else proven
    return Diagnosis(
        failure=newest.failure,
        cause=cause,
        words=newest.words,
        group=newest.group,
        task=newest.task,
        service=newest.service,
        check=newest.check,
        port=newest.port,
        facts=known,
        conclusive=final and cause not in (Cause.TIME, Cause.NONE, Cause.UNKNOWN),
    )


def ordered(told: tuple[Diagnosis, ...]) -> tuple[Diagnosis, ...]:
    """What is not ours explains a missing place, so it comes before that; behind a fault of the job it says little."""

    def rank(one: Diagnosis) -> int:
        row = TABLE[one.failure]
        if one.failure is FailureClass.SIBLING_FAILED:
            return 5
        if one.cause is Cause.NONE:
            return 1
        if row.failure is FailureClass.UNKNOWN:
            return 4
        return 0 if (one.task and not one.check and not _of_place(one)) or one.service or one.check else 2

    in_order = sorted(range(len(told)), key=lambda place: (rank(told[place]), place))
    return tuple(told[place] for place in in_order)


def _of_place(one: Diagnosis) -> bool:
    return any(words.where is Where.PLACEMENT for words in TABLE[one.failure].words)
