"""From Nomad's events to apps that are woken: one pass a burst, and none for what only says that a rollout goes on.

Judged at the end of a burst, because the event of our own register overtakes the answer to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from desired.app import AppKey
from observers.nomad.rollout_events import only_goes_on
from observers.nomad.stream_items import Event
from reconcilers.records import Records

# Events come in bursts; one pass a burst is enough.
_BURST = timedelta(milliseconds=250)


class Bursts:
    """`later` calls a function after so many seconds; `wake` is told the apps that are worth a look."""

    def __init__(
        self,
        *,
        records: Records,
        wake: Callable[[AppKey], None],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._records = records
        self._wake = wake
        self._later = later
        self._heard: dict[AppKey, list[Event]] = {}

    def heard(self, key: AppKey, event: Event) -> None:
        """An event of an app. The first one of a burst begins it."""
        known = self._heard.get(key)
        if known is not None:
            known.append(event)
            return
        self._heard[key] = [event]
        self._later(_BURST.total_seconds(), lambda: self._judge(key))

    def _judge(self, key: AppKey) -> None:
        events = self._heard.pop(key)
        record = self._records.get(key)
        # Without a rollout every event is a surprise.
        attempt = record.attempt
        registered = record.applied.job_modify_index if record.applied and attempt else 0
        checked = attempt is not None and attempt.checked
        if not registered or not all(only_goes_on(one, registered=registered, checked=checked) for one in events):
            self._wake(key)
