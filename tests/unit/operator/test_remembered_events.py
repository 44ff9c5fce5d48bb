"""The daemon keeps what the stream says of apps of ours, before anybody looks at them, and nothing of the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from desired.app import AppKey
from nomad_operator.event_feed import EventFeed
from observers.nomad.chronicle import Chronicle
from observers.nomad.stream_items import Event
from observers.running import Allocation, TaskState

OURS, OTHERS = AppKey("default", "ours"), AppKey("default", "others")


def heard(key: AppKey, allocation: str) -> Event:
    told = {"Type": "Terminated", "Time": 1_700_000_000_000_000_000, "DisplayMessage": "OOM Killed"}
    payload = {"Allocation": {"ID": allocation, "TaskStates": {"app": {"Events": [told]}}}}
    return Event("Allocation", "AllocationUpdated", 7, key, payload=payload)


def test_an_event_of_an_app_of_ours_is_kept_and_one_of_somebody_elses_is_not() -> None:
    chronicle, woken = Chronicle(), []
    nothing: Any = SimpleNamespace(event_lag=lambda seconds: None)
    bursts: Any = SimpleNamespace(heard=lambda key, event: woken.append(key))
    reports: Any = {OURS: object()}
    feed = EventFeed(
        stream=nothing, namespaces=None, chronicle=chronicle, bursts=bursts, reports=reports, metrics=nothing,
        nomad=nothing, look=lambda: None, now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    feed.heard(heard(OURS, "a"))
    feed.heard(heard(OTHERS, "b"))
    assert woken == [OURS]
    # By the time of the pass Nomad has dropped them.
    dropped = [Allocation(one, "web", 0, "running", tasks={"app": TaskState("running")}) for one in "ab"]
    kept = chronicle.merged(dropped)
    assert [[event.message for event in one.tasks["app"].events] for one in kept] == [["OOM Killed"], []]
