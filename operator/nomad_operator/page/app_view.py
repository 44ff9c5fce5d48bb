"""What a person may do about an app, as commands to copy, and Nomad's diff line by line. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from desired.reasons import Reason
from reconcilers.decision import Condition, Step

_TRIED_AGAIN = frozenset({
    Reason.ROLLED_BACK.value, Reason.HELD_FAILED.value, Reason.RUN_FAILED.value, Reason.REPAIR_EXHAUSTED.value,
    Reason.DRIFT_CONTESTED.value, Reason.VALIDATION_FAILED.value, Reason.PLACEMENT_FAILED.value,
})  # fmt: skip
_GOING = frozenset({Step.WITHDRAWN.value, Step.PRUNE_HELD.value, Step.PRUNING.value})


@dataclass(frozen=True, slots=True)
class Command:
    """`decides`: the app waits for it; the others can be typed at any time."""

    does: str
    text: str
    decides: bool = False


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`kind` is added, removed, changed or empty; `mark` what stands before it in Nomad's own words."""

    text: str
    kind: str


def commands(app: Mapping[str, Any]) -> list[Command]:
    """What waits for a person first. `app` is one of the documented status."""
    return [*_decisions(app), *_at_any_time(app)]


def _decisions(app: Mapping[str, Any]) -> Iterator[Command]:
    # A job's name may hold what a shell reads.
    key = shlex.quote(str(app["key"]))
    conditions = {one["type"] for one in app["conditions"]}
    episode = app.get("episode") or {}
    if waiting := episode.get("waiting"):
        proposal = shlex.quote(str(waiting["proposal"]))
        yield Command(
            "approve the repair that is proposed", f"nomad-operator repairs approve {key} --proposal {proposal}", True
        )
        yield Command("turn it down", f"nomad-operator repairs reject {key}", True)
    if Condition.ADOPTION_REQUIRED.value in conditions:
        yield Command("see what would change", f"nomad-operator plan {key}", True)
        yield Command("take the job over, as its file says", f"nomad-operator adopt {key}", True)
    if app.get("suspended"):
        yield Command("go on acting on it", f"nomad-operator resume {key}", True)
    if app["reason"] == Reason.REPAIRS_STOPPED.value:
        yield Command("let repairs go on, in the whole fleet", "nomad-operator repairs start", True)
    if app["step"] in _GOING:
        yield Command("see all that is withdrawn, and what holds it back", "nomad-operator prune", True)
    if app["reason"] in _TRIED_AGAIN:
        yield Command("try again what failed", f"nomad-operator reconcile {key}", True)


def _at_any_time(app: Mapping[str, Any]) -> Iterator[Command]:
    key = shlex.quote(str(app["key"]))
    if app.get("overlay") or app.get("episode"):
        yield Command("take the repair back", f"nomad-operator repairs revert {key}")
    if app["reason"] not in _TRIED_AGAIN:
        yield Command("look at it now", f"nomad-operator reconcile {key}")
    if not app.get("suspended"):
        yield Command("leave it alone until you say otherwise", f"nomad-operator suspend {key}")
    if app.get("episode") or app.get("lastEpisode"):
        yield Command("this story, in a terminal", f"nomad-operator explain {key}")


def diff_lines(diff: str) -> list[DiffLine]:
    """Each line with what it does; its mark stays in its text, so that colour is never all that tells."""
    return [DiffLine(line, _kind(line.lstrip())) for line in diff.splitlines()]


def _kind(line: str) -> str:
    if line.startswith(("+/-", "-/+", "~")):
        return "changed"
    return {"+": "added", "-": "removed"}.get(line[:1], "")
