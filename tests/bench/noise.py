"""Events of jobs that are nobody's business: what a large cluster tells everybody all day."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Event
from time import monotonic
from types import TracebackType
from typing import Any, Self

import httpx

from tests.bench.app_repository import PREFIX

_JOBS = 20
_ASKERS = 8


class Noise(AbstractContextManager["Noise"]):
    """Evaluates jobs of its own, `a_second` times all together as far as Nomad keeps up; each is an event or two.

    The jobs are gone with those of the measurement.
    """

    def __init__(self, *, address: str, driver: str, a_second: int) -> None:
        self._http = httpx.Client(base_url=address, timeout=30, trust_env=False)
        self._every = _ASKERS / a_second
        self._driver = driver
        self._end = Event()
        self._askers = ThreadPoolExecutor(_ASKERS)

    def __enter__(self) -> Self:
        for number in range(_JOBS):
            self._http.put("/v1/jobs", content=json.dumps({"Job": self._job(number)})).raise_for_status()
        self._running = [self._askers.submit(self._ask, number) for number in range(_ASKERS)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._askers.shutdown()
        self._http.close()
        for one in self._running:
            one.result()

    def _ask(self, number: int) -> None:
        due = monotonic()
        while not self._end.wait(max(0.0, due - monotonic())):
            # What Nomad is too slow for is left out, not made up for.
            due = max(due + self._every, monotonic())
            name = self._name(number % _JOBS)
            self._http.put(f"/v1/job/{name}/evaluate", content=json.dumps({"JobID": name})).raise_for_status()
            number += _ASKERS

    def _job(self, number: int) -> dict[str, Any]:
        """Without an allocation: an evaluation of it costs Nomad's clients nothing."""
        name = self._name(number)
        task = {"Name": "main", "Driver": self._driver, "Config": {}, "Resources": {"CPU": 1, "MemoryMB": 10}}
        group = {"Name": "main", "Count": 0, "Tasks": [task]}
        return {"ID": name, "Name": name, "Type": "service", "Datacenters": ["*"], "TaskGroups": [group]}

    @staticmethod
    def _name(number: int) -> str:
        return f"{PREFIX}noise-{number}"
