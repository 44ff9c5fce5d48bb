"""Failures of which only the end is known: a deadline, a failed allocation, an evaluation in trouble. Pure.

Asked last, and only where nothing else was found: these words follow a cause that nobody has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from desired.cause import Cause
from observers.evidence import Evidence
from observers.failures import job_words, never_ours
from observers.failures.failure_class import FailureClass
from observers.failures.row import Where
from observers.failures.sighting import Sighting, cut, read
from observers.failures.timeline import Timeline


def sightings(evidence: Evidence, lines: Iterable[Timeline]) -> Iterator[Sighting]:
    """A deadline, a failed allocation, an evaluation in trouble: something is wrong, and nothing says what."""
    if (marked := never_ours.marked_failed(evidence)) is not None:
        yield marked
        return
    slow = False
    for line in lines:
        if line.state.state == "pending" and line.unhealthy and _pulling(line):
            yield _slow_pull(evidence, line)
            slow = True
    deployment = evidence.deployment
    words = deployment.status_description if deployment is not None and deployment.status == "failed" else ""
    unhealthy = [(line, event) for line in lines for event in line.unhealthy]
    for line, event in unhealthy:
        found = read(Where.ALLOCATION, event.message)
        if found is not None and found[0].failure is FailureClass.SERVICE_NOT_REGISTERED:
            yield Sighting(
                failure=FailureClass.SERVICE_NOT_REGISTERED,
                words=cut(event.message),
                group=line.allocation.group,
                task=line.task,
                facts=found[1],
            )
            return
    if slow:
        return
    if words or unhealthy:
        group = (
            unhealthy[0][0].allocation.group if unhealthy else next(iter(deployment.groups if deployment else ()), "")
        )
        said = f"{words}: {unhealthy[0][1].message}" if words and unhealthy else words or unhealthy[0][1].message
        deadline = "progress_deadline" if "progress deadline" in words else "healthy_deadline"
        update = job_words.block(job_words.group(evidence.body, group), "Update")
        key = {"progress_deadline": "ProgressDeadline", "healthy_deadline": "HealthyDeadline"}[deadline]
        length = job_words.number(update, key)
        facts = {"deadline": deadline} | ({"deadline_seconds": job_words.seconds(length)} if length else {})
        yield Sighting(failure=FailureClass.PROGRESS_DEADLINE, words=cut(said), group=group, facts=facts)
        return
    if (found := read(Where.DEPLOYMENT, evidence.evaluation)) and found[0].failure is FailureClass.PLAN_REJECTED:
        yield Sighting(failure=FailureClass.PLAN_REJECTED, words=cut(evidence.evaluation))
        return
    for line in lines:
        if line.allocation.client_status == "failed":
            words = line.allocation.client_description or "the allocation failed"
            yield Sighting(
                failure=FailureClass.UNKNOWN,
                words=cut(words),
                group=line.allocation.group,
                facts={"problem": cut(words)},
            )
            return


def _pulling(line: Timeline) -> bool:
    driver = [event for event in line.steps if event.type == "Driver"]
    return bool(driver) and ("Downloading image" in driver[-1].message or "pull progress" in driver[-1].message)


def _slow_pull(evidence: Evidence, line: Timeline) -> Sighting:
    task = job_words.task(evidence.body, line.allocation.group, line.task)
    config = job_words.block(task, "Config")
    return Sighting(
        failure=FailureClass.IMAGE_PULL_SLOW,
        words=cut(f"{line.unhealthy[-1].message} while the image is pulled"),
        at=line.unhealthy[-1].time,
        group=line.allocation.group,
        task=line.task,
        facts={
            "image": job_words.text(config, "image"),
            "timeout": job_words.text(config, "image_pull_timeout") or "5m",
        },
        cause=Cause.SPEC,
        final=True,
    )
