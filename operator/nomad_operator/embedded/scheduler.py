"""Evaluations: created, processed one after the other a moment later, blocked where there is no room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nomad_operator.embedded.gotext import quoted
from nomad_operator.embedded.instant import MILLISECOND, rfc3339
from nomad_operator.embedded.pace import Pace
from nomad_operator.embedded.placement import MISSING_CSI
from nomad_operator.embedded.plan import Plan, make_plan
from nomad_operator.embedded.plan_apply import apply_plan
from nomad_operator.embedded.plan_parts import Mapped, Value
from nomad_operator.embedded.state import Key, State
from nomad_operator.embedded.timers import Timers
from nomad_operator.embedded.usage import Usage

_LATENCY = 2 * MILLISECOND


class Scheduler:
    """Owns the queue of evaluations, and knows which of them wait for room."""

    def __init__(
        self,
        *,
        state: State,
        timers: Timers,
        usage: Callable[[str], Usage],
        new_id: Callable[[], str],
        random: Callable[[], float],
        pace: Pace,
    ) -> None:
        self._state = state
        self._timers = timers
        self._usage = usage
        self._new_id = new_id
        self._random = random
        self._pace = pace
        self._blocked: dict[Key, str] = {}

    def new_evaluation(self, job: Mapped, triggered_by: str, **more: Any) -> Value:
        """A pending evaluation: a transaction has to put it, then `enqueue` has it processed."""
        now = self._timers.now
        return {
            "ID": self._new_id(),
            "Namespace": job["Namespace"],
            "JobID": job["ID"],
            "Priority": job["Priority"],
            "Type": job["Type"],
            "TriggeredBy": triggered_by,
            "Status": "pending",
            "CreateTime": now,
            "ModifyTime": now,
            **more,
        }

    def enqueue(self, id_: str, *, at: int | None = None) -> None:
        """Have it processed soon, or at a time."""
        if at is None:
            now = self._timers.now
            at = now + self._pace.evaluated(self._state.evaluations[id_], now=now, usual=_LATENCY)
        self._timers.at(at, lambda: self._process(id_))

    def retry_blocked(self, *, node_changed: bool) -> None:
        """Something became free, or a node is another one: look again at what waits for room."""
        for key, id_ in list(self._blocked.items()):
            if key not in self._state.jobs:
                del self._blocked[key]
                continue
            failed = self._state.evaluations[id_].get("FailedTGAllocs") or {}
            if node_changed or any(metric["NodesExhausted"] for metric in failed.values()):
                self.enqueue(id_)

    def plan(self, job: Mapped, *, evaluation: str) -> Plan:
        """What an evaluation of this job would do now; nothing is written."""
        return make_plan(
            self._state, job, evaluation=evaluation, usage=self._usage, random=self._random, new_id=self._new_id
        )

    def blocked_evaluation(self, plan: Plan, previous: str) -> Value:
        """What would wait for room after this plan."""
        classes = {class_: not reason for metric in plan.failed.values() for class_, reason in metric.classes.items()}
        evaluation = self.new_evaluation(
            plan.job,
            "queued-allocs",
            Status="blocked",
            StatusDescription="created to place remaining allocations",
            PreviousEval=previous,
            FailedTGAllocs=plan.failures,
        )
        volumes = [
            f"csi-volume:{plan.job['Namespace']}:{reason.removeprefix(MISSING_CSI)}"
            for metric in plan.failed.values()
            for reason in metric.filtered
            if reason.startswith(MISSING_CSI)
        ]
        if volumes:
            return {**evaluation, "EscapedComputedClass": True, "MissingNonNodeResources": volumes}
        if any(metric.escaped for metric in plan.failed.values()):
            return {**evaluation, "EscapedComputedClass": True}
        return {**evaluation, "ClassEligibility": classes} if classes else evaluation

    def _process(self, id_: str) -> None:
        evaluation = self._state.evaluations.get(id_)
        if evaluation is None or evaluation["Status"] not in ("pending", "blocked"):
            return
        key = (evaluation["Namespace"], evaluation["JobID"])
        record = self._state.jobs.get(key)
        if record is None:
            nothing: Value = {"DesiredTGUpdates": {}, "PreemptedAllocs": None}
            self._complete(evaluation, {"SnapshotIndex": self._state.index, "PlanAnnotations": nothing})
            return
        snapshot = self._state.index
        plan = self.plan(record.job, evaluation=id_)
        if evaluation["Status"] == "blocked" and plan.failed and not plan.fits:
            return
        found: Value = {
            "SnapshotIndex": snapshot,
            "PlanAnnotations": plan.annotations,
            "QueuedAllocations": plan.queued,
        }
        if plan.failed:
            found |= {"BlockedEval": self._block(evaluation, plan, snapshot), "FailedTGAllocs": plan.failures}
        elif self._blocked.get(key) not in (None, id_):
            self._cancel(self._blocked.pop(key), f'evaluation "{id_}" successful')
        followup = self._follow_up(evaluation, plan)
        if followup:
            evaluation = {**evaluation, "NextEval": followup}
        if not plan.empty:
            with self._state.write("PlanResult") as write:
                evaluation = write.put_evaluation(evaluation)
                apply_plan(write, plan, evaluation, followup=followup, new_id=self._new_id)
        deployment = self._state.latest_deployment(key)
        found["DeploymentID"] = deployment["ID"] if deployment else ""
        self._complete(evaluation, found)

    def _complete(self, evaluation: Mapping[str, Any], found: Value) -> None:
        key = (evaluation["Namespace"], evaluation["JobID"])
        done = {**evaluation, "Status": "complete", "StatusDescription": "", "ModifyTime": self._timers.now}
        done.pop("FailedTGAllocs", None)
        if self._blocked.get(key) == evaluation["ID"]:
            del self._blocked[key]
        with self._state.write("EvaluationUpdated") as write:
            if "QueuedAllocations" in found:
                write.queued(key, found["QueuedAllocations"])
            write.put_evaluation({**done, **found})

    def _block(self, evaluation: Value, plan: Plan, snapshot: int) -> str:
        """The evaluation that waits for room; one that the job has already is cancelled."""
        key = (evaluation["Namespace"], evaluation["JobID"])
        blocked = self.blocked_evaluation(plan, evaluation["ID"])
        blocked |= {"JobModifyIndex": evaluation.get("JobModifyIndex", 0), "SnapshotIndex": snapshot}
        old = self._blocked.get(key)
        with self._state.write("EvaluationUpdated") as write:
            write.put_evaluation(blocked)
        if old is not None and old != evaluation["ID"]:
            self._cancel(old, f"existing blocked evaluation exists for job {quoted(plan.job['ID'])}")
        self._blocked[key] = blocked["ID"]
        return str(blocked["ID"])

    def _cancel(self, id_: str, why: str) -> None:
        with self._state.write("EvaluationUpdated") as write:
            old = self._state.evaluations[id_]
            write.put_evaluation({**old, "Status": "canceled", "StatusDescription": why})

    def _follow_up(self, evaluation: Value, plan: Plan) -> str:
        """One evaluation for everything that is to be tried again later; empty if nothing is."""
        if not plan.changes.later:
            return ""
        due = min(at for _, at in plan.changes.later)
        later = self.new_evaluation(
            plan.job,
            "alloc-reschedule",
            StatusDescription="created for delayed rescheduling",
            PreviousEval=evaluation["ID"],
            WaitUntil=rfc3339(due),
            JobModifyIndex=plan.job["ModifyIndex"],
            SnapshotIndex=self._state.index,
        )
        with self._state.write("EvaluationUpdated") as write:
            write.put_evaluation(later)
        self.enqueue(later["ID"], at=due)
        return str(later["ID"])
