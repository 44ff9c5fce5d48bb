"""The whole loop but for git and the clock: real passes through the real client, on an embedded Nomad in virtual time.

Hours pass in a second. What is asserted is what the Nomad holds in the end, and how often it was written to.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from desired.admission.ceilings import ceilings
from desired.admission.examiner import PolicyExaminer, judged
from desired.admission.rule_set import RuleSet
from desired.app import AppKey
from desired.job.hcl_read import read_job
from desired.objection import Objection
from desired.policy import Policy
from desired.problem import Problem
from desired.state import DesiredApp, DesiredState, HclSource, JobBody, Kind, UnreadableFile
from nomad_operator.embedded.engine import EmbeddedNomad
from nomad_operator.embedded.messages import Request
from nomad_operator.embedded.transport import session
from nomad_operator.embedded.world import read_world
from observers.look_up import LookUp, SecretNames
from observers.nomad.chronicle import Chronicle
from observers.nomad.client import NomadClient
from observers.nomad.collect import Collector
from observers.nomad.connection import Connection
from observers.redaction import Placeholders
from observers.running import Running
from observers.secret_examiner import SecretExaminer
from reconcilers.admission import Admission, Examiner
from reconcilers.memory_store import MemoryStore
from reconcilers.prune import PruneRules, Withdrawals, withdrawals
from reconcilers.reconcile import Reconciler, Repairs
from reconcilers.record import Record
from reconcilers.records import Records
from reconcilers.repair.budget import Budget, BudgetSettings
from reconcilers.repair.gatherer import Gatherer
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.ladder import AskedRung, Ladder
from reconcilers.repair.rule_rung import RuleRung
from reconcilers.repair.switch import Switch
from reconcilers.reports import AppReport, Reports
from reconcilers.requests import Requests, Verb
from reconcilers.result import Settled
from reconcilers.situation import Rules
from reconcilers.specs import Specs
from reconcilers.watch import Watch

T = TypeVar("T")
Rungs = Callable[[Guard], Sequence[tuple[str, AskedRung]]]
START = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = "git://somewhere#apps"
WORLD = """
nodes: [{name: node-1}, {name: node-2}]
behaviours:
  - {command: "crash", runs_for: 300ms, exit_code: 1, stderr: "it crashed\\n"}
  - {command: "finish", runs_for: 2s}
  - {command: "slow", starts_after: 100s}
"""


class Cluster:
    """One Nomad, one operator without a process. `state` is what git says."""

    def __init__(
        self,
        *,
        world: str = WORLD,
        rules: Rules | None = None,
        store: MemoryStore | None = None,
        guard: GuardSettings | None = None,
        examiners: Sequence[Examiner] = (),
        policies: Callable[[], Sequence[RuleSet]] = tuple,
        vault: SecretNames | None = None,
        rungs: Rungs | None = None,
        listeners: Sequence[Callable[[Record, Record], None]] = (),
    ) -> None:
        self.vault = vault
        self.rungs = rungs or (lambda _guard: [("rule", RuleRung())])
        self.listeners = listeners
        self.examiners = (PolicyExaminer(rules=policies), *examiners)
        self.policies = policies
        self.nomad = EmbeddedNomad(world=read_world(world, "the test's world"), start=START, seed=1)
        self.now = START
        self.jumped = timedelta(0)
        self.stood_still = timedelta(0)
        self.writes: Counter[str] = Counter()
        self.state: DesiredState | None = DesiredState("r1", {})
        self.prune = PruneRules()
        self.rules = rules or Rules()
        self.after_state_loss = False
        self.guard = guard or GuardSettings()
        self.store = store or MemoryStore()
        self.restart()

    def restart(self) -> None:
        """A new process on the same store and the same Nomad."""
        self.client = NomadClient(
            connection=Connection(address="http://nomad.embedded"), on_request=self._count,
            session=session(self.nomad), offload=_at_once,
        )  # fmt: skip
        self.records = Records(store=self.store, origin=ORIGIN)
        run(self.records.load())
        for listener in self.listeners:
            self.records.listen(listener)
        self.reports = Reports(now=lambda: self.now)
        self.requests = Requests()
        self.reconciler = Reconciler(
            nomad=self.client, desired=self, withdrawn=self.withdrawals, records=self.records, requests=self.requests,
            specs=Specs(parser=self.client), reporter=self.reports, repairs=self._repairs(), rules=self.rules,
            watch=Watch(now=lambda: self.now, clock=lambda: (self.now - START - self.jumped).total_seconds()),
            now=lambda: self.now,
            after_state_loss=lambda: self.after_state_loss,
            admission=Admission(examiners=[*self.examiners, self._secrets()]),
        )  # fmt: skip

    def _secrets(self) -> Examiner:
        return SecretExaminer(places=self._places(), now=lambda: self.now)

    def _places(self) -> LookUp:
        return LookUp(variables=self.client, vault=self.vault)

    def _repairs(self) -> Repairs:
        self.switch = Switch(store=self.store, stopped_by_setting=False)
        run(self.switch.load())
        guard = Guard(settings=self.guard, judged=self.judged, allowed=self.allowed)
        return Repairs(
            evidence=Gatherer(
                collector=Collector(reads=self.client),
                chronicle=Chronicle(),
                placeholders=Placeholders(),
                places=self._places(),
            ),
            ladder=Ladder(rungs=self.rungs(guard), guard=guard, learns=["model"]),
            budget=Budget(settings=BudgetSettings(), records=self.records),
            switch=self.switch,
        )

    def allowed(self, key: AppKey) -> Mapping[str, int]:
        return ceilings(key, self.policies())

    def judged(self, key: AppKey, body: JobBody) -> Sequence[Objection]:
        return judged(key, body, self.policies())

    def _count(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        if method in ("PUT", "POST", "DELETE") and not endpoint.endswith(("plan", "parse", "statuses", "validate/job")):
            self.writes[f"{method} {endpoint}"] += 1

    @property
    def registers(self) -> int:
        return sum(number for what, number in self.writes.items() if what == "POST jobs")

    def withdrawals(self) -> Withdrawals:
        assert self.state is not None
        return withdrawals(self.records, self.state, ORIGIN, self.prune)

    # -- what people do

    def commit(
        self, *jobs: str, policy: Policy | None = None, broken: Mapping[str, AppKey | None] | None = None
    ) -> None:
        """The revision from now on: these job files and no others."""
        apps = {}
        for text in jobs:
            body = read_job(text)
            key = AppKey(str(body.get("Namespace") or "default"), str(body["ID"]))
            path = f"{key.name}.nomad.hcl"
            apps[key] = DesiredApp(
                key, Kind.JOB_FILE, path, HclSource(text), str(hash((text, policy))), policy or Policy()
            )
        files = tuple(UnreadableFile(path, (Problem(path, 1, 1, "no"),), key) for path, key in (broken or {}).items())
        self.state = DesiredState(f"r{len(apps)}", apps, files)

    def ask(self, name: str, verb: Verb) -> None:
        async def asked() -> None:
            answer = self.requests.ask(key(name), verb)
            await self.reconciler.reconcile(key(name))
            assert answer.done()

        run(asked())

    def http(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Somebody else's request."""
        sent = b"" if body is None else json.dumps(body).encode()
        found = self.nomad.handle(
            Request(method=method, path=path, query={k: [v] for k, v in query.items()}, body=sent, token="")
        )
        return json.loads(found.body) if found.body.startswith((b"{", b"[")) else found.body.decode()  # type: ignore[union-attr]

    def register_by_hand(self, text: str) -> None:
        self.http("POST", "/v1/jobs", {"Job": read_job(text)})

    # -- time

    def passes(self, name: str) -> AppReport | None:
        """Passes until nothing changes any more at this instant."""
        for _ in range(30):
            result = run(self.reconciler.reconcile(key(name)))
            again = result.recheck_in if isinstance(result, Settled) else result.retry_in
            if again is None or again > timedelta(seconds=1):
                break
            self.let(again)
        return self.reports.get(key(name))

    def let(self, span: timedelta) -> None:
        self.now += span
        self.nomad.advance(self.now - self.jumped - self.stood_still)

    def set_clock(self, by: timedelta) -> None:
        """The clock of the operator's machine is set; no time passes, and Nomad's own clock goes on."""
        self.now += by
        self.jumped += by

    def let_only_us(self, span: timedelta) -> None:
        """Time passes, and Nomad stands still: nothing comes up meanwhile."""
        self.now += span
        self.stood_still += span

    def live(self, *names: str, minutes: float) -> AppReport:
        """Let so much time pass, with a pass every ten seconds, as events and rechecks would bring."""
        ends = self.now + timedelta(minutes=minutes)
        while self.now < ends:
            for name in names:
                self.passes(name)
            self.let(timedelta(seconds=10))
        report = self.passes(names[-1])
        assert report is not None
        return report

    # -- what is

    def running(self, name: str) -> Running:
        return run(self.client.running(key(name)))

    def env(self, name: str) -> dict[str, str]:
        job = self.running(name).job
        assert job is not None
        return dict(job.body["TaskGroups"][0]["Tasks"][0].get("Env") or {})


def key(name: str) -> AppKey:
    return AppKey("default", name)


def job(
    name: str = "web", *, type: str = "service", command: str = "serve", value: str = "one", count: int = 1,
    update: str = "", more: str = "", group: str = "", memory: int = 64,
) -> str:  # fmt: skip
    """A job file; `value` is what differs between versions."""
    return f"""job "{name}" {{
  type = "{type}"
  {more}
  group "app" {{
    count = {count}
    {update}
    {group}
    task "app" {{
      driver = "docker"
      config {{
        image   = "app:1"
        command = "{command}"
      }}
      env {{
        VALUE = "{value}"
      }}
      resources {{
        cpu    = 100
        memory = {memory}
      }}
    }}
  }}
}}
"""


FAST = """update {
      min_healthy_time  = "1s"
      healthy_deadline  = "20s"
      progress_deadline = "30s"
      auto_revert       = true
    }
    restart {
      attempts = 0
      mode     = "fail"
    }"""


def run(main: Awaitable[T]) -> T:
    """Everything in here is done at once: nothing waits."""

    async def awaited() -> T:
        return await main

    return asyncio.run(awaited())


async def _at_once(work: Callable[[], T]) -> T:
    return work()


def without_count(policy: Policy) -> Policy:
    return replace(policy, drift_ignore=("count",))
