"""What is done about an app that nobody wants any more. Pure."""

from __future__ import annotations

from dataclasses import replace

from desired.reasons import Reason
from reconcilers.decision import LOOK_AGAIN, Action, Decision, Forget, Remember, Rest, Step, Stop, Truth
from reconcilers.record import (
    Withdrawal,
)
from reconcilers.situation import Situation
from reconcilers.words import clock, decision


def pruned(s: Situation) -> Decision:
    action: Action = Forget() if s.running.job is None else Rest()
    return decision(s, Step.PRUNED, action, Reason.PRUNED, "withdrawn, and stopped", ready=Truth.UNKNOWN)


def left_running(s: Situation) -> Decision:
    reason = Reason.WITHDRAWN
    if s.record.applied is None:
        reason, why = Reason.NOT_OURS, "its job was never registered or adopted by this operator"
    elif not s.record.prune:
        why = "its manifest says `prune: false`"
    elif not s.record.suspended:
        reason, why = Reason.NOT_OURS, "somebody has changed its job since; `nomad job stop` stops it"
    else:
        why = "it is suspended"
    message = f"no file asks for it any more; left running: {why}"
    return decision(s, Step.WITHDRAWN, Rest(), reason, message, ready=Truth.UNKNOWN)


def prune_held(s: Situation) -> Decision:
    withdrawal = s.record.withdrawal
    if withdrawal is None:
        noticed = replace(s.record, withdrawal=Withdrawal(since=s.now, prune=s.record.prune))
        return decision(
            s, Step.PRUNE_HELD, Remember(noticed), Reason.WITHDRAWN, "no file asks for it any more", ready=Truth.UNKNOWN
        )
    held = getattr(s.desire, "held", "")
    if held:
        return decision(
            s, Step.PRUNE_HELD, Rest(LOOK_AGAIN * 4), Reason.PRUNE_HELD, f"not pruned: {held}", ready=Truth.UNKNOWN
        )
    stops_at = withdrawal.since + s.rules.prune_grace
    return decision(
        s, Step.PRUNE_HELD, Rest(stops_at - s.now, settled=False), Reason.WITHDRAWN,
        f"no file asks for it any more; its job is stopped at {clock(stops_at)}", ready=Truth.UNKNOWN,
    )  # fmt: skip


def prune(s: Situation) -> Decision:
    return decision(
        s, Step.PRUNING, Stop(s.job_index), Reason.WITHDRAWN, "no file asks for it any more", ready=Truth.UNKNOWN
    )
