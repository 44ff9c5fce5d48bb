"""`nomad-operator plan`: what the next pass would do, with Nomad's own diff. Observe, decide, render, stop.

It runs in its own process on a copy of what the operator remembers, so nothing it does is remembered. Where that memory
cannot be read, who owns a job is unknown, and the plan says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from desired.app import AppKey
from desired.errors import OperatorError, Rejected, UsageError
from desired.state import DesiredState
from reconcilers.decision import Decision, Register, Remember, Step, Stop
from reconcilers.reconcile import Reconciler
from reconcilers.situation import Situation


class Change(StrEnum):
    """What a pass would do to the job, as one word; the sign is how people see it in a list."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    STOP = "stop"
    NOTHING = "nothing"
    BLOCKED = "blocked"
    FAILED = "failed"


SIGNS = {
    Change.CREATE: "+",
    Change.UPDATE: "~",
    Change.ADOPT: "=",
    Change.STOP: "-",
    Change.NOTHING: " ",
    Change.BLOCKED: "!",
    Change.FAILED: "x",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One app. `diff` is Nomad's, as people read it."""

    key: str
    change: Change
    reason: str
    message: str
    diff: str = ""
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


async def plan_apps(reconciler: Reconciler, state: DesiredState, keys: Sequence[AppKey]) -> list[Planned]:
    """One entry a key, in their order. An app that cannot be planned is an entry, not an exception."""
    return [await _plan(reconciler, state, key) for key in keys]


def chosen(names: Sequence[str], keys: set[AppKey], namespace: str) -> list[AppKey]:
    """The keys that the arguments name, or all of them; UsageError names those that do not exist."""
    if not names:
        return sorted(keys)
    wanted = [AppKey.parse(name, namespace) for name in names]
    if unknown := [str(key) for key in wanted if key not in keys]:
        raise UsageError(
            f"no such app: {', '.join(unknown)}",
            hint=f"known here: {', '.join(str(key) for key in sorted(keys)[:8]) or 'none'}",
        )
    return wanted


def exit_code(planned: Sequence[Planned]) -> int:
    """0 nothing to do, 3 differences, 1 something could not be planned or waits for a person."""
    changes = {one.change for one in planned}
    if changes & {Change.FAILED, Change.BLOCKED}:
        return 1
    return 3 if changes & {Change.CREATE, Change.UPDATE, Change.STOP} else 0


async def _plan(reconciler: Reconciler, state: DesiredState, key: AppKey) -> Planned:
    try:
        situation, decision = await reconciler.look(key, state)
    except Rejected as error:
        return Planned(
            str(key), Change.FAILED, error.reason.value, f"Nomad refuses it: {error.message}", hint=error.hint
        )
    except OperatorError as error:
        return Planned(str(key), Change.FAILED, error.reason.value, error.message, hint=error.hint)
    change = _change(situation, decision)
    return Planned(str(key), change, decision.reason.value, decision.message, decision.diff)


def _change(situation: Situation, decision: Decision) -> Change:
    if decision.step in (Step.ADOPTION_REQUIRED, Step.NOTHING_TO_HOLD, Step.DRIFT_TOLD, Step.LEFT_FAILED):
        return Change.BLOCKED
    match decision.action:
        case Register():
            return Change.CREATE if situation.running.job is None else Change.UPDATE
        case Stop():
            return Change.STOP
        case Remember() if decision.step is Step.ADOPTING:
            return Change.ADOPT
    if decision.step in (Step.DEPENDENCIES, Step.PRUNE_HELD):
        return Change.BLOCKED
    return Change.NOTHING
