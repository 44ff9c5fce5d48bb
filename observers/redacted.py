"""Evidence and diagnoses without secrets: every text that came from outside goes through the redactor. Pure."""

from __future__ import annotations

from dataclasses import replace

from observers.evidence import Evidence
from observers.failures.diagnosis import Diagnosis
from observers.redaction import Redactor
from observers.running import Allocation, TaskState


def redacted(evidence: Evidence, redactor: Redactor) -> Evidence:
    """`body` stays as it is: it is the job that is to be mended, and is never shown."""
    hide = redactor.redact
    deployment = evidence.deployment
    return replace(
        evidence,
        allocations=tuple(_allocation(one, redactor) for one in evidence.allocations),
        placement={
            group: replace(
                failure,
                constraint_filtered={hide(key): number for key, number in failure.constraint_filtered.items()},
                dimension_exhausted={hide(key): number for key, number in failure.dimension_exhausted.items()},
            )
            for group, failure in evidence.placement.items()
        },
        checks=None
        if evidence.checks is None
        else tuple(replace(one, output=hide(one.output)) for one in evidence.checks),
        deployment=deployment and replace(deployment, status_description=hide(deployment.status_description)),
        refusal=hide(evidence.refusal),
        warnings=hide(evidence.warnings),
        evaluation=hide(evidence.evaluation),
        logs=tuple(replace(tail, text=hide(tail.text)) for tail in evidence.logs),
        changes=tuple(replace(one, old=hide(one.old), new=hide(one.new)) for one in evidence.changes),
    )


def _allocation(one: Allocation, redactor: Redactor) -> Allocation:
    hide = redactor.redact
    return replace(
        one,
        client_description=hide(one.client_description),
        desired_description=hide(one.desired_description),
        tasks={name: _task(state, redactor) for name, state in one.tasks.items()},
    )


def _task(state: TaskState, redactor: Redactor) -> TaskState:
    hide = redactor.redact
    return replace(
        state,
        events=tuple(
            replace(
                event,
                message=hide(event.message),
                details={name: hide(value) for name, value in event.details.items()},
            )
            for event in state.events
        ),
    )


def told(diagnosis: Diagnosis, redactor: Redactor) -> Diagnosis:
    """What is read out of the job itself (a command, an argument) may hold a secret, too."""
    hide = redactor.redact
    return replace(
        diagnosis,
        words=hide(diagnosis.words),
        facts={name: hide(value) for name, value in diagnosis.facts.items()},
    )
