"""Evidence and diagnoses without secrets: every text that came from outside goes through the redactor. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from observers.evidence import Cluster, Evidence, ImageFacts, NodeRoom
from observers.failures.diagnosis import Diagnosis
from observers.redaction import Redactor
from observers.running import Allocation, Check, PlacementFailure, Plan, Running, TaskState


def redacted(evidence: Evidence, redactor: Redactor) -> Evidence:
    """`body` stays as it is: it is the job that is to be mended, and is never shown. Names stay, too: of groups, tasks,
    checks, nodes, keys, paths. Without them nothing could be mended, and whoever may ask for them sees them."""
    hide = redactor.redact
    deployment = evidence.deployment
    return replace(
        evidence,
        allocations=tuple(_allocation(one, redactor) for one in evidence.allocations),
        placement=_placements(evidence.placement, redactor),
        checks=_checks(evidence.checks, redactor),
        deployment=deployment and replace(deployment, status_description=hide(deployment.status_description)),
        refusal=hide(evidence.refusal),
        warnings=hide(evidence.warnings),
        evaluation=hide(evidence.evaluation),
        logs=tuple(replace(tail, text=hide(tail.text)) for tail in evidence.logs),
        changes=tuple(replace(one, old=hide(one.old), new=hide(one.new)) for one in evidence.changes),
        images={image: _image(facts, redactor) for image, facts in evidence.images.items()},
        cluster=_cluster(evidence.cluster, redactor),
        unread=tuple(hide(one) for one in evidence.unread),
    )


def _image(facts: ImageFacts, redactor: Redactor) -> ImageFacts:
    hide = redactor.redact
    return replace(
        facts,
        entrypoint=tuple(hide(word) for word in facts.entrypoint),
        command=tuple(hide(word) for word in facts.command),
        working_dir=hide(facts.working_dir),
        user=hide(facts.user),
    )


def _cluster(cluster: Cluster, redactor: Redactor) -> Cluster:
    nodes = None if cluster.nodes is None else tuple(_room(one, redactor) for one in cluster.nodes)
    return replace(cluster, nodes=nodes)


def _room(room: NodeRoom, redactor: Redactor) -> NodeRoom:
    """What is set on a node is anybody's text."""
    hide = redactor.redact
    return replace(
        room,
        attributes={name: hide(value) for name, value in room.attributes.items()},
        meta={name: hide(value) for name, value in room.meta.items()},
    )


def _placements(failures: Mapping[str, PlacementFailure], redactor: Redactor) -> dict[str, PlacementFailure]:
    hide = redactor.redact
    return {
        group: replace(
            failure,
            constraint_filtered={hide(key): number for key, number in failure.constraint_filtered.items()},
            dimension_exhausted={hide(key): number for key, number in failure.dimension_exhausted.items()},
            quota_exhausted=tuple(hide(one) for one in failure.quota_exhausted),
        )
        for group, failure in failures.items()
    }


def _checks(checks: tuple[Check, ...] | None, redactor: Redactor) -> tuple[Check, ...] | None:
    return None if checks is None else tuple(replace(one, output=redactor.redact(one.output)) for one in checks)


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


def running(seen: Running, redactor: Redactor) -> Running:
    """What a pass reads, before anything is told of it. `job` stays as it is: it is compared, and never shown."""
    deployment = seen.deployment
    return replace(
        seen,
        allocations=tuple(_allocation(one, redactor) for one in seen.allocations),
        placement=_placements(seen.placement, redactor),
        checks=_checks(seen.checks, redactor),
        deployment=deployment
        and replace(deployment, status_description=redactor.redact(deployment.status_description)),
    )


def plan(planned: Plan, redactor: Redactor) -> Plan:
    """The words of a plan. Its changes are hidden where they are decoded."""
    return replace(planned, failed=_placements(planned.failed, redactor), warnings=redactor.redact(planned.warnings))
