"""A cluster reduced to what decisions depend on: one job, its index, its health, and people who meddle.

It is not a fake of Nomad's API (that is the embedded Nomad, and a real one): it only lets the pure core run through
long histories quickly. Every write is counted, so that a test can say what must not happen twice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from desired.app import AppKey
from desired.policy import Policy
from desired.state import DesiredApp, HclSource, Kind
from observers.running import Allocation, Deployment, FieldChange, Plan, Running, RunningJob
from reconcilers.decision import Decision, Forget, Register, Remember, Rest, Stop
from reconcilers.record import Applied, Record
from reconcilers.situation import Rules, Situation, Unclear, Wanted, Withdrawn
from reconcilers.spec import Spec
from reconcilers.steps import decide
from reconcilers.target import choose_target, spec_to_plan

KEY = AppKey("default", "web")
START = datetime(2026, 1, 1, tzinfo=UTC)


def spec_named(name: str, *, type: str = "service", auto_revert: bool = False) -> Spec:
    """A spec whose name says how it fares: one that starts with `bad` never becomes healthy."""
    group = {"Name": "web", "Count": 1, "Update": {"AutoRevert": auto_revert}, "Tasks": [{"Env": {"V": name}}]}
    body = {"ID": "web", "Namespace": "default", "Type": type, "TaskGroups": [group]}
    return Spec.of(body, text=name, format="hcl2", revision=f"rev-{name}")


@dataclass
class Job:
    """The job as the cluster holds it."""

    spec: Spec
    index: int
    version: int
    stop: bool = False
    healthy: bool = False
    failed: bool = False


@dataclass
class World:
    """One app in one cluster. `step` runs one pass; a crash can be put after its first half."""

    policy: Policy = field(default_factory=Policy)
    rules: Rules = field(default_factory=Rules)
    wanted: Spec | None = None
    unclear: Unclear | None = None
    held: str = ""
    job: Job | None = None
    index: int = 10
    now: datetime = START
    record: Record = field(default_factory=lambda: Record(key=KEY, origin="here"))
    stored: bool = False
    registers: Counter[str] = field(default_factory=Counter)
    stops: int = 0
    versions: list[Spec] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    steps: list[Decision] = field(default_factory=list)
    after_state_loss: bool = False

    # -- what happens in the cluster

    def put(self, spec: Spec, *, stop: bool = False) -> None:
        self.index += 1
        version = self.job.version + 1 if self.job else 0
        self.job = Job(spec, self.index, version, stop=stop)

    def fare(self) -> None:
        """Time shows what the job is worth; a bad one with auto_revert goes back to what ran before."""
        job = self.job
        if job is None or job.stop:
            return
        if not job.spec.text.startswith("bad"):
            job.healthy = True
            self.versions.append(job.spec)
            return
        job.failed = True
        reverts = job.spec.body["TaskGroups"][0]["Update"]["AutoRevert"]
        if reverts and self.versions:
            told = "Failed due to unhealthy allocations - rolling back to job version 0"
            self.deployments.append(Deployment("d0", job.version, "failed", told, spec_index=job.index))
            self.put(self.versions[-1])
            assert self.job is not None
            self.job.healthy = True

    # -- what the operator sees

    def running(self) -> Running:
        job = self.job
        if job is None:
            return Running(KEY, None)
        dead = job.failed or job.stop
        shown = RunningJob(
            key=KEY, type=job.spec.type, status="dead" if dead else "running", version=job.version,
            job_modify_index=job.index, modify_index=job.index, create_index=1, stop=job.stop,
            counts={"web": 1}, body=job.spec.body,
        )  # fmt: skip
        batch = job.spec.type == "batch"
        status = ("complete" if batch else "running") if job.healthy else "failed" if job.failed else "pending"
        allocation = Allocation(
            "a1", "web", job.version, status, healthy=True if job.healthy else False if job.failed else None,
            desired_status="stop" if job.stop else "run",
        )  # fmt: skip
        if batch and job.healthy:
            shown = replace(shown, status="dead")
        state = "successful" if job.healthy else "failed" if job.failed else "running"
        deployment = None if batch else Deployment("d1", job.version, state, f"Deployment {state}")
        return Running(KEY, shown, (allocation,), deployment, checks=())

    def plan(self, spec: Spec) -> Plan:
        job = self.job
        if job is None:
            return Plan(0, "Added", text="+ job")
        changes = []
        if job.stop:
            changes.append(FieldChange("Stop", "true", "false"))
        if job.spec.hash != spec.hash:
            changes.append(FieldChange("web/task/Env[V]", job.spec.text, spec.text))
        return Plan(job.index, "Edited" if changes else "None", tuple(changes))

    # -- one pass

    def situation(self) -> Situation:
        if self.unclear is not None:
            desire: Wanted | Unclear | Withdrawn = self.unclear
        elif self.wanted is not None:
            app = DesiredApp(
                KEY, Kind.JOB_FILE, "web.nomad", HclSource(self.wanted.text), f"src-{self.wanted.text}", self.policy
            )
            desire = Wanted(app, self.wanted, self.wanted)
            self.record = replace(self.record, withdrawal=None, prune=self.policy.prune)
        else:
            desire = Withdrawn(self.held)
        running = self.running()
        situation = Situation(
            KEY, desire, running, self.record, self.rules, self.now, after_state_loss=self.after_state_loss
        )
        target = choose_target(desire, self.record, situation.policy, self.now)
        to_plan = spec_to_plan(target, running, self.record)
        plan = self.plan(to_plan) if to_plan is not None else None
        return replace(situation, target=target, plan=plan, body=to_plan.body if to_plan else None,
                       deployments=tuple(self.deployments))  # fmt: skip

    def step(self, *, crash: str = "") -> Decision:
        """`crash`: `before` dies between remembering and writing, `after` between writing and remembering."""
        decision = decide(self.situation())
        self.steps.append(decision)
        match decision.action:
            case Remember(record):
                if crash != "before":
                    self.record = record
            case Register() as action:
                self.record = replace(self.record, attempt=action.attempt, run=None, stopped_index=0)
                self.record = self.record.with_corrections(action.corrections)
                if crash == "before":
                    return decision
                assert action.index == (self.job.index if self.job else 0), "a register must be check-and-set"
                self.registers[action.spec.text] += 1
                self.put(action.spec)
                if crash == "after":
                    return decision
                assert self.job is not None
                attempt = replace(action.attempt, job_modify_index=self.job.index)
                applied = Applied(action.spec.hash, self.job.index, attempt.source_hash, attempt.revision, self.now)
                self.record = replace(self.record, attempt=attempt, applied=applied, adopt=False)
            case Stop():
                self.stops += 1
                assert self.job is not None
                self.put(self.job.spec, stop=True)
                if crash == "after":
                    return decision
                self.record = replace(self.record, applied=None, attempt=None, stopped_index=self.job.index)
            case Forget():
                self.record = Record(key=KEY, origin="here")
            case Rest():
                pass
        return decision

    def settle(self, *, hours: float = 3, fares: bool = True) -> Decision:
        """Let time pass, a pass at a time, until the app has rested for a while."""
        until = self.now + timedelta(hours=hours)
        decision = self.step()
        while self.now < until:
            decision = self.step()
            if isinstance(decision.action, Rest):
                pause = decision.action.again_in or timedelta(minutes=5)
                self.now += min(max(pause, timedelta(seconds=5)), timedelta(minutes=5))
                if fares:
                    self.fare()
        return decision
