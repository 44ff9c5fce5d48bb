"""`nomad-operator run` as a process, seen as anybody may see it: by its metrics, its API and its webhook."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.bench.app_repository import BRANCH, AppRepository
from tests.bench.process import Process

_TOKEN = "a token for one measurement"
_OWN = ("NOMAD_", "CONSUL_", "VAULT_")


@dataclass(frozen=True, slots=True)
class Counts:
    """The daemon's own counters at one moment. `requests` are those to Nomad, by method and endpoint."""

    requests: Counter[str]
    passes: int
    ready: int
    leads: bool = False
    # Events that tell when they happened, by how late they were at most, in seconds, each with all that were sooner.
    events: Mapping[float, int] = field(default_factory=dict)

    @property
    def registers(self) -> int:
        return self.requests["POST jobs"]

    @property
    def writes(self) -> int:
        return self.registers + self.requests["DELETE job"]


class DaemonProcess:
    """One run of the daemon on a state; another on the same state is a restart, one beside it another copy.

    `name` tells copies apart in one `folder`; `state_url` is a file in it where none is given.
    """

    def __init__(
        self,
        *,
        nomad: str,
        repository: AppRepository,
        folder: Path,
        port: int,
        poll_seconds: int,
        resync_seconds: int,
        name: str = "daemon",
        state_url: str = "",
    ) -> None:
        # Whatever this shell has set for other work must not reach what is measured.
        environment = {key: value for key, value in os.environ.items() if not key.startswith(_OWN)}
        root = Path(__file__).resolve().parents[2]
        self.started = monotonic()
        self.process = Process(
            [sys.executable, "-m", "nomad_operator", "run"],
            environment=environment
            | {
                "PYTHONPATH": f"{root / 'operator'}{os.pathsep}{root}",
                "NOMAD_ADDR": nomad,
                "NOMAD_OPERATOR_GIT_URL": repository.url,
                "NOMAD_OPERATOR_GIT_REF": BRANCH,
                "NOMAD_OPERATOR_GIT_PATH": "apps",
                "NOMAD_OPERATOR_GIT_POLL_SECONDS": str(poll_seconds),
                "NOMAD_OPERATOR_RESYNC_SECONDS": str(resync_seconds),
                "NOMAD_OPERATOR_VERIFY_SOAK_SECONDS": "1",
                "NOMAD_OPERATOR_STATE_URL": state_url or f"sqlite:///{folder.absolute() / 'state.db'}",
                "NOMAD_OPERATOR_LISTEN": f"127.0.0.1:{port}",
                "NOMAD_OPERATOR_API_TOKEN": _TOKEN,
            },
            log=folder / f"{name}.log",
        )
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)

    def counts(self) -> Counts:
        requests: Counter[str] = Counter()
        events: dict[float, int] = {}
        passes = ready = 0
        leads = False
        text = self._http.get("/metrics").raise_for_status().text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "nomad_operator_nomad_requests_total":
                    requests[sample.labels["endpoint"]] += int(sample.value)
                elif sample.name == "nomad_operator_reconcile_total":
                    passes += int(sample.value)
                elif sample.name == "nomad_operator_app_info" and sample.labels["ready"] == "True":
                    ready += 1
                elif sample.name == "nomad_operator_leader":
                    leads = sample.value == 1
                elif sample.name == "nomad_operator_event_lag_seconds_bucket":
                    events[float(sample.labels["le"])] = int(sample.value)
        return Counts(requests, passes, ready, leads, events)

    def webhook(self) -> None:
        """Tell it that git has moved, as the git server would."""
        self._http.post("/hooks/git", headers={"Authorization": f"Bearer {_TOKEN}"}).raise_for_status()

    def until(self, holds: Callable[[Counts], bool], *, within: float, every: float = 0.25) -> Counts:
        """The first counts of which it holds; RuntimeError if there are none in time."""
        end = monotonic() + within
        while True:
            now = self.counts_or_none()
            if now is not None and holds(now):
                return now
            if monotonic() > end:
                told = f"only this after {within:g} s: {now}" if now else f"no answer for {within:g} s"
                raise RuntimeError(f"{told}\n{self.process.last_words()}")
            sleep(every)

    def settle(self, apps: int, *, within: float) -> Counts:
        """Wait until so many apps are ready and no pass was made for a second."""
        passes = -1

        def still(now: Counts) -> bool:
            nonlocal passes
            same, passes = now.passes == passes, now.passes
            return same and now.ready == apps

        return self.until(still, within=within, every=1.0)

    def counts_or_none(self) -> Counts | None:
        """None while it does not answer; RuntimeError where it has ended."""
        if self.process.ended:
            raise RuntimeError(f"the daemon ended:\n{self.process.last_words()}")
        try:
            return self.counts()
        except httpx.TransportError:
            return None

    def stop(self) -> None:
        self._http.close()
        self.process.stop()

    def kill(self) -> None:
        """As a machine that loses its power."""
        self._http.close()
        self.process.kill()
