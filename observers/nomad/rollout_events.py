"""Which events of a rollout only say that it goes its way.

A register of one small service makes a dozen events, of which one or two matter. With a thousand apps at once, a look
for each would take from Nomad the time it needs to start them. Whatever is not known here is worth a look. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from observers.nomad.stream_items import Event

# Task events on the way to a first start. Everything else (a restart, a failed download, a template that waits) counts.
_ON_THE_WAY = frozenset({"Received", "Task Setup", "Driver", "Started"})


def only_goes_on(event: Event, *, registered: int, checked: bool) -> bool:
    """True if nothing can be decided on it that could not be before. `registered` is our own JobModifyIndex.

    Only for an app whose rollout is being watched: another event or the next timed look follows. `checked` where Nomad
    checks the job's services: how the checks of what has started go is told by no event, so its start is worth a look.
    """
    if event.parent is not None or event.payload is None:
        return False
    thing = event.payload.get(event.topic)
    if not isinstance(thing, Mapping):
        return False
    match event.topic:
        case "Job":
            return _our_own(thing, registered)
        case "Evaluation":
            return thing.get("Status") in ("pending", "complete") and not thing.get("FailedTGAllocs")
        case "Deployment":
            return thing.get("Status") == "running" and not _has_canaries(thing)
        case "Allocation":
            return _comes_up(thing) and not (checked and thing.get("ClientStatus") == "running")
    return False


def _our_own(job: Mapping[str, Any], registered: int) -> bool:
    """What we registered ourselves, still alive: its status may have moved, which its allocations tell better."""
    same = registered > 0 and job.get("JobModifyIndex") == registered
    return same and not job.get("Stop") and job.get("Status") in ("pending", "running")


def _has_canaries(deployment: Mapping[str, Any]) -> bool:
    groups = deployment.get("TaskGroups") or {}
    return any(group.get("DesiredCanaries") for group in groups.values())


def _comes_up(allocation: Mapping[str, Any]) -> bool:
    """Placed and starting, or started and not judged yet: where there is a deployment, its judgement follows."""
    if (
        allocation.get("DesiredStatus") != "run"
        or (allocation.get("DeploymentStatus") or {}).get("Healthy") is not None
    ):
        return False
    status = allocation.get("ClientStatus")
    if status != "pending" and not (status == "running" and allocation.get("DeploymentID")):
        return False
    return all(_starts(state) for state in (allocation.get("TaskStates") or {}).values())


def _starts(state: Mapping[str, Any]) -> bool:
    events = state.get("Events") or ()
    return (
        not state.get("Failed")
        and not state.get("Restarts")
        and state.get("State") in ("pending", "running")
        and all(event.get("Type") in _ON_THE_WAY for event in events)
    )
