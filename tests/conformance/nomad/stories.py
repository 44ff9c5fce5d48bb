"""The events of a scenario as stories: what happened to each allocation, deployment, evaluation and job, in order.

Times, indexes and repetitions do not count; order and words do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.conformance.nomad.normalise import normalised

Event = Mapping[str, Any]


def stories(events: Iterable[Event]) -> dict[str, list[Any]]:
    """By the name of the thing (`allocation 1`, in the order of their first event), its story."""
    told: dict[str, list[Any]] = {}
    names: dict[tuple[str, str], str] = {}
    counts: dict[str, int] = {}
    tasks: dict[str, dict[int, Any]] = {}
    for event in _sorted(events):
        thing = event["Payload"].get(event["Topic"])
        if not isinstance(thing, Mapping):
            continue
        if event["Topic"] == "Service":
            thing = {**thing, "ID": f"{thing.get('AllocID')}-{thing.get('ServiceName')}"}
        key = (event["Topic"], str(thing.get("ID")))
        if key not in names:
            kind = _kind(event, thing)
            if event["Topic"] == "Service":
                # Clients register theirs in any order.
                kind = f"service of {names.get(('Allocation', thing['AllocID']), 'none')}"
            counts[kind] = counts.get(kind, 0) + 1
            names[key] = f"{kind} {counts[kind]}"
        name = names[key]
        for step in _STEPS.get(event["Topic"], _typed)(event, thing):
            story = told.setdefault(name, [])
            if not story or story[-1] != step:
                story.append(step)
        for task, state in (thing.get("TaskStates") or {}).items():
            seen = tasks.setdefault(f"{name} task {task}", {})
            for one in state.get("Events") or ():
                seen.setdefault(one["Time"], [one["Type"], normalised(one.get("DisplayMessage", ""))])
    for name in told:
        if name.startswith("allocation"):
            told[name] = _settled(told[name])
    for name, seen in tasks.items():
        told[name] = [seen[time] for time in sorted(seen)]
    return told


def _settled(story: list[Any]) -> list[Any]:
    """Without the ups and downs before the allocation is healthy: a client bundles its updates as they come.

    What its tasks went through is a story of its own, and complete.
    """
    kept: list[Any] = []
    for step in story:
        status, _, desired, _, healthy = step
        passing = desired == "run" and (status == "pending" or (status == "running" and healthy is not True))
        if not kept or not passing:
            kept.append(step)
    return kept


def _kind(event: Event, thing: Mapping[str, Any]) -> str:
    """What things are counted by: evaluations of different causes have no order among each other."""
    topic = event["Topic"]
    if topic == "Job":
        return f"job {normalised(thing.get('ID', ''))}"
    return f"{thing.get('TriggeredBy')} evaluation {event['Type']}" if topic == "Evaluation" else topic.lower()


def _sorted(events: Iterable[Event]) -> list[Event]:
    """Things that were made at the same index come in the order of what they are, not of their random ids."""

    def order(event: Event) -> tuple[int, str, str]:
        thing = event["Payload"].get(event["Topic"]) or {}
        return (event["Index"], event["Topic"], str(thing.get("Name", "")))

    return sorted(events, key=order)


def _typed(event: Event, _: Mapping[str, Any]) -> list[Any]:
    return [[event["Type"]]]


def _allocation(_: Event, thing: Mapping[str, Any]) -> list[Any]:
    healthy = (thing.get("DeploymentStatus") or {}).get("Healthy")
    status = thing.get("ClientStatus", "")
    # Whether a client says that nothing has started yet depends on how it bundles its updates.
    description = "" if status == "pending" else thing.get("ClientDescription", "")
    return [[status, description, thing.get("DesiredStatus", ""), thing.get("DesiredDescription", ""), healthy]]


def _deployment(_: Event, thing: Mapping[str, Any]) -> list[Any]:
    return [[thing.get("Status", ""), normalised(thing.get("StatusDescription", ""))]]


def _evaluation(event: Event, thing: Mapping[str, Any]) -> list[Any]:
    status = [thing.get("TriggeredBy", ""), thing.get("Status", ""), normalised(thing.get("StatusDescription", ""))]
    return [[event["Type"], *status]]


def _job(event: Event, thing: Mapping[str, Any]) -> list[Any]:
    # A job that was purged and comes back starts as `dead` while its old evaluations are remembered, else as `pending`.
    status = "" if event["Type"] == "JobRegistered" else thing.get("Status", "")
    return [[event["Type"], status, bool(thing.get("Stop")), bool(thing.get("Stable"))]]


_STEPS = {"Allocation": _allocation, "Deployment": _deployment, "Evaluation": _evaluation, "Job": _job}
