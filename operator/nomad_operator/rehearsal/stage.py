"""One app on one Nomad, in virtual time, woken as the daemon would be: by Nomad's writes and by rechecks.

Everything that is judged is seen from outside: what was sent to Nomad, what Nomad holds, and the record. It is played
by the bench of repairs as well as by `prompts optimize`, so that both mean the same by a durable fix.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from desired.app import AppKey
from desired.errors import OperatorError
from desired.job.hcl_read import read_job
from desired.manifest_file import read_manifests
from desired.policy import Policy
from desired.state import DesiredApp, DesiredState, HclSource, JobBody, Kind
from nomad_operator.embedded.engine import EmbeddedNomad
from nomad_operator.embedded.messages import Request
from reconcilers.reconcile import Reconciler
from reconcilers.records import Records
from reconcilers.repair.episode import Episode
from reconcilers.reports import Reports
from reconcilers.requests import Verb
from reconcilers.result import Settled

# A resync looks at everything that often; what it finds wakes the app.
_RESYNC = timedelta(seconds=300)
_MOST_PASSES = 3000


class Cluster(Protocol):
    """One Nomad, one operator without a process. `state` is what git says, `now` virtual."""

    nomad: EmbeddedNomad
    state: DesiredState | None
    now: datetime
    records: Records
    reports: Reports
    reconciler: Reconciler

    def let(self, span: timedelta) -> None: ...

    def ask(self, name: str, verb: Verb) -> None: ...


@dataclass(frozen=True, slots=True)
class Register:
    """One job that the operator sent to Nomad."""

    at: datetime
    body: JobBody


@dataclass(slots=True)
class Seen:
    """What was noticed on the way."""

    episodes: dict[str, Episode] = field(default_factory=dict)
    named_at: dict[str, datetime] = field(default_factory=dict)
    climb_seconds: list[float] = field(default_factory=list)  # real time, from the verdict's pass to the register
    reasons: list[tuple[datetime, str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    passes: int = 0


class Stage:
    """`app` is the name of the one app that is played; times are virtual unless said otherwise."""

    def __init__(self, *, cluster: Cluster, app: str) -> None:
        self.cluster = cluster
        self.key = AppKey("default", app)
        self.registers: list[Register] = []
        self.calls = 0
        self.seen = Seen()
        self._handle = cluster.nomad.handle
        cluster.nomad.handle = self._spied  # type: ignore[method-assign]
        self._due = cluster.now
        self._failing_pass: float | None = None
        self.settled = False

    # -- what people do

    def commit_text(self, text: str, policy: Policy | None = None) -> None:
        """The next revision, with this one file: a job file or a manifest."""
        app = app_of(text, self.key, policy or Policy())
        self.cluster.state = DesiredState(f"r{len(self.registers)}-{self.cluster.now.isoformat()}", {self.key: app})
        self._due = self.cluster.now

    def http(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        found = self._handle(
            Request(
                method=method, path=path, query={name: [value] for name, value in query.items()}, body=sent, token=""
            )
        )
        told = found.body  # type: ignore[union-attr]
        return json.loads(told) if told.startswith((b"{", b"[")) else told.decode()

    def ask(self, verb: Verb) -> None:
        self.cluster.ask(self.key.name, verb)
        self._due = self.cluster.now

    def by_hand(self, text: str) -> None:
        self.http("POST", "/v1/jobs", {"Job": dict(read_job(text))})

    def _spied(self, request: Request) -> Any:
        self.calls += 1
        if request.path == "/v1/jobs" and request.method in ("POST", "PUT"):
            found = self._handle(request)
            if found.status == 200:  # type: ignore[union-attr]
                self.registers.append(Register(self.cluster.now, json.loads(request.body)["Job"]))
            return found
        return self._handle(request)

    # -- time

    def live(self, until: datetime) -> None:
        """Let time pass until then."""
        cluster = self.cluster
        while cluster.now < until:
            if cluster.now >= self._due:
                self._pass()
                continue
            self._rest(min(until, self._due))

    def _rest(self, until: datetime) -> None:
        """Until a pass is due, or Nomad has written something, which its events would tell."""
        cluster, index = self.cluster, self.cluster.nomad.raft_index
        while cluster.now < until:
            due = cluster.nomad.next_due()
            to = until if due is None else min(until, max(due, cluster.now + timedelta(milliseconds=1)))
            cluster.let(to - cluster.now)
            if cluster.nomad.raft_index != index:
                # Events of one instant come together.
                cluster.let(timedelta(milliseconds=50))
                self._due = cluster.now
                return

    def _pass(self) -> None:
        cluster = self.cluster
        self.seen.passes += 1
        if self.seen.passes > _MOST_PASSES:
            raise AssertionError(f"{self.key}: more than {_MOST_PASSES} passes, at {cluster.now}")
        before, started = len(self.registers), time.perf_counter()
        try:
            result = asyncio.run(cluster.reconciler.reconcile(self.key))
        except OperatorError as error:
            self.seen.errors.append(f"{cluster.now:%H:%M:%S} {type(error).__name__}: {error}")
            self._due = cluster.now + timedelta(seconds=10)
            return
        took = time.perf_counter() - started
        self.settled = isinstance(result, Settled)
        again = result.recheck_in if isinstance(result, Settled) else result.retry_in
        self._due = cluster.now + min(again if again is not None else _RESYNC, _RESYNC)
        self._notice(took, registered=len(self.registers) > before)

    def _notice(self, took: float, *, registered: bool) -> None:
        seen, now = self.seen, self.cluster.now
        record = self.cluster.records.get(self.key)
        for episode in (record.last_episode, record.episode):
            if episode is not None:
                if episode.id not in seen.episodes:
                    seen.named_at[episode.id] = now
                    self._failing_pass = 0.0
                seen.episodes[episode.id] = episode
        if self._failing_pass is not None:
            self._failing_pass += took
            if registered:
                seen.climb_seconds.append(self._failing_pass)
                self._failing_pass = None
        report = self.cluster.reports.get(self.key)
        if report is not None:
            told = (str(report.reason), report.message)
            if not seen.reasons or seen.reasons[-1][1:] != told:
                seen.reasons.append((now, *told))

    # -- what is

    @property
    def quiet(self) -> bool:
        """No episode and no attempt is open, and the next look is far away."""
        record = self.cluster.records.get(self.key)
        if record.attempt is not None:
            return False
        if record.episode is not None:
            return record.episode.waiting is not None
        return self._due - self.cluster.now > timedelta(seconds=20)

    def healthy(self) -> bool:
        """As Nomad tells it: everything that is wanted runs, is not restarting, and every check is green."""
        job = self.http("GET", f"/v1/job/{self.key.name}")
        if not isinstance(job, dict) or job.get("Stop"):
            return False
        allocations = [
            {**self.http("GET", f"/v1/allocation/{one['ID']}"), "JobVersion": one["JobVersion"]}
            for one in self.http("GET", f"/v1/job/{self.key.name}/allocations")
        ]
        current = [one for one in allocations if one["JobVersion"] == job["Version"]] if allocations else []
        wanted: int = sum(group["Count"] for group in job["TaskGroups"])
        if job["Type"] in ("batch", "sysbatch"):
            done = [one for one in current if one["ClientStatus"] == "complete"]
            return len(done) >= wanted
        running = [one for one in allocations if one["DesiredStatus"] == "run" and one["ClientStatus"] == "running"]
        if job["Type"] == "system":
            wanted = len(self.http("GET", "/v1/nodes"))
        return len(running) >= wanted and all(self._well(one) for one in running)

    def _well(self, allocation: dict[str, Any]) -> bool:
        states = (allocation["TaskStates"] or {}).values()
        if any(
            state["State"] != "running" and not (state["State"] == "dead" and not state["Failed"]) for state in states
        ):
            return False
        checks = self.http("GET", f"/v1/client/allocation/{allocation['ID']}/checks")
        if not isinstance(checks, dict):
            return True
        return all(one["Status"] == "success" for one in checks.values())


def app_of(text: str, key: AppKey, policy: Policy) -> DesiredApp:
    """What a revision with this one file says of the app."""
    if "apiVersion: nomad-operator/v1" in text:
        file = read_manifests(text, f"{key.name}.yaml", defaults=policy, namespace="default")
        (manifest,) = file.manifests
        assert manifest.source is not None, manifest
        return DesiredApp(key, Kind.APP, f"{key.name}.yaml", manifest.source, str(hash(text)), manifest.policy)
    return DesiredApp(key, Kind.JOB_FILE, f"{key.name}.nomad.hcl", HclSource(text), str(hash((text, policy))), policy)


def body_of(text: str, key: AppKey) -> JobBody | None:
    """The job that a file stands for, None where it cannot be read."""
    source = app_of(text, key, Policy()).source
    if not isinstance(source, HclSource):
        return source.body
    try:
        return read_job(text)
    except OperatorError:
        return None
