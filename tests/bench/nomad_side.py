"""The Nomad that is measured with, seen from outside the daemon: its index, and which jobs it holds."""

from __future__ import annotations

from time import monotonic, sleep
from typing import Any

import httpx

from tests.bench.app_repository import PREFIX

_LOOK_EVERY_SECONDS = 0.01
_STOPPED_WITHIN_SECONDS = 60


class NomadSide:
    """A real Nomad, or the embedded one in a process of its own. No ACLs: it is one for measuring."""

    def __init__(self, *, address: str) -> None:
        self.address = address
        self._http = httpx.Client(base_url=address, timeout=30, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def wait_until_up(self, seconds: float = 20) -> None:
        """The embedded one needs a moment to listen, a real one may be starting."""
        until = monotonic() + seconds
        while True:
            try:
                self._http.get("/v1/jobs").raise_for_status()
                return
            except httpx.HTTPError:
                if monotonic() > until:
                    raise
                sleep(0.05)

    def version(self) -> str:
        return str(self._agent()["config"]["Version"]["Version"])

    def raft_index(self) -> int:
        """Every write of anybody moves it; a real Nomad writes now and then by itself."""
        raft = self._agent().get("stats", {}).get("raft", {})
        return int(raft["applied_index"]) if "applied_index" in raft else self._index_of_lists()

    def _index_of_lists(self) -> int:
        lists = ("/v1/jobs", "/v1/evaluations", "/v1/allocations", "/v1/deployments")
        return max(int(self._http.get(path).headers.get("X-Nomad-Index", 0)) for path in lists)

    def _agent(self) -> Any:
        return self._http.get("/v1/agent/self").raise_for_status().json()

    def submitted(self) -> list[float]:
        """When each of our jobs was registered last, by Nomad's own clock, in seconds."""
        return sorted(job["SubmitTime"] / 1e9 for job in self._ours())

    def index_of(self, job: str) -> int:
        """The job's JobModifyIndex."""
        return int(self._http.get(f"/v1/job/{job}").raise_for_status().json()["JobModifyIndex"])

    def wait_until_registered(self, job: str, after: int, seconds: float = 60) -> bool:
        """Until the job was registered again after an index; False if it was not in time."""
        until = monotonic() + seconds
        while self.index_of(job) <= after:
            if monotonic() > until:
                return False
            sleep(_LOOK_EVERY_SECONDS)
        return True

    def purge(self) -> None:
        """Remove every job of a measurement, also those of one that was cut off, and wait until their tasks have ended.

        A Nomad that is still busy stopping a thousand tasks starts the next thousand at half the speed.
        """
        for job in self._ours():
            self._http.delete(f"/v1/job/{job['ID']}", params={"purge": "true"}).raise_for_status()
        until = monotonic() + _STOPPED_WITHIN_SECONDS
        while self._tasks_left() and monotonic() < until:
            sleep(0.5)
        # The embedded one has nothing to collect, and says that it cannot.
        self._http.put("/v1/system/gc")

    def forget(self, variables: str) -> None:
        """What copies kept under a path of variables, their lease among it."""
        for one in self._http.get("/v1/vars", params={"prefix": variables}).raise_for_status().json():
            if lock := one.get("Lock"):
                self._http.put(f"/v1/var/{one['Path']}", params={"lock-release": ""}, json={"Lock": lock})
            self._http.delete(f"/v1/var/{one['Path']}").raise_for_status()

    def _tasks_left(self) -> bool:
        running = [
            allocation
            for allocation in self._http.get("/v1/allocations", params={"task_states": "false"})
            .raise_for_status()
            .json()
            if allocation["JobID"].startswith(PREFIX) and allocation["ClientStatus"] in ("pending", "running")
        ]
        return bool(running)

    def _ours(self) -> list[Any]:
        jobs = self._http.get("/v1/jobs", params={"prefix": PREFIX}).raise_for_status().json()
        return [job for job in jobs if job["ID"].startswith(PREFIX)]
