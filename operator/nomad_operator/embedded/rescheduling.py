"""When a failed allocation may be tried again elsewhere, by its group's reschedule policy.

Source: nomad/structs/alloc.go NextRescheduleTime, NextDelay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Mapped = Mapping[str, Any]


def eligible(policy: Mapped | None, tracker: Mapped | None, at: int) -> bool:
    """Whether another attempt is left at that time."""
    if policy is None or (policy["Attempts"] == 0 and not policy["Unlimited"]):
        return False
    if policy["Unlimited"]:
        return True
    events = _events(tracker)
    recent = [event for event in events if event["RescheduleTime"] > at - policy["Interval"]]
    return bool(len(recent) < policy["Attempts"])


def next_attempt(policy: Mapped | None, allocation: Mapped, failed_at: int) -> int | None:
    """When the next attempt is due, None if there is none."""
    if policy is None or not eligible(policy, allocation.get("RescheduleTracker"), failed_at):
        return None
    return failed_at + next_delay(policy, allocation, failed_at)


def next_delay(policy: Mapped, allocation: Mapped, failed_at: int) -> int:
    """How long to wait before the next attempt."""
    events = _events(allocation.get("RescheduleTracker"))
    base: int = policy["Delay"]
    if not events:
        return base
    last = events[-1]
    delay: int = base
    if policy["DelayFunction"] == "exponential":
        delay = last["Delay"] * 2
    elif policy["DelayFunction"] == "fibonacci" and len(events) >= 2:
        delay = last["Delay"] + events[-2]["Delay"]
    most: int = policy["MaxDelay"]
    if 0 < most < delay and policy["DelayFunction"] != "constant":
        # After a quiet time as long as the longest delay, it begins anew.
        return base if failed_at - last["RescheduleTime"] > most else most
    return delay


def tracker_after(policy: Mapped, previous: Mapped, *, failed_at: int, now: int) -> dict[str, Any]:
    """The tracker of the allocation that replaces `previous`."""
    event = {
        "Delay": next_delay(policy, previous, failed_at),
        "PrevAllocID": previous["ID"],
        "PrevNodeID": previous["NodeID"],
        "RescheduleTime": now,
    }
    # Unlimited policies remember only the last few.
    return {"Events": [*_events(previous.get("RescheduleTracker"))[-4:], event], "LastReschedule": "ok"}


def failed_at(allocation: Mapped, finished: int | None) -> int:
    """When it failed: when its last task ended, else when its client told."""
    return finished if finished is not None else int(allocation["ModifyTime"])


def _events(tracker: Mapped | None) -> Sequence[Mapped]:
    return (tracker or {}).get("Events") or ()
