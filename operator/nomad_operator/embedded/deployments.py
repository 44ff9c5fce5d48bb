"""Deployments: counting health, deadlines, promotion, failing, and going back to the last stable version.

Source: nomad/deploymentwatcher, nomad/state updateDeploymentWithAlloc; recorded in auto-revert, canary, crash-loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomad_operator.embedded import gotext, rescheduling
from nomad_operator.embedded.derived import terminal
from nomad_operator.embedded.instant import MILLISECOND, at_or_none
from nomad_operator.embedded.job_spec import spec_changed
from nomad_operator.embedded.plan_parts import Mapped, Value, describe, transition
from nomad_operator.embedded.scheduler import Scheduler
from nomad_operator.embedded.state import State, Transaction, group_of
from nomad_operator.embedded.timers import Timer, Timers

# How long a watcher gathers what happened before it asks for an evaluation.
_BATCH = 1250 * MILLISECOND


class Refused(Exception):
    """A request about a deployment that cannot be done, in Nomad's words; HTTP 500."""


class Deployments:
    """Watches every active deployment."""

    def __init__(self, *, state: State, timers: Timers, scheduler: Scheduler) -> None:
        self._state = state
        self._timers = timers
        self._scheduler = scheduler
        self._deadlines: dict[str, tuple[int, Timer]] = {}
        self._batches: dict[str, Timer] = {}
        self._looking: set[str] = set()
        state.on_write(self._on_write)

    def _on_write(self, write: Transaction) -> None:
        found = dict.fromkeys(write.deployments)
        for id_ in write.allocations:
            allocation = self._state.allocations.get(id_)
            if allocation is not None and allocation.get("DeploymentID"):
                found[allocation["DeploymentID"]] = None
        for id_ in found:
            if id_ not in self._looking:
                self._looking.add(id_)
                self._timers.after(0, lambda id_=id_: self._look(id_))  # type: ignore[misc]

    def count_health(self, write: Transaction, old: Mapped, new: Value) -> Value:
        """The allocation, with its deployment told about a health that has just been decided."""
        deployment = self._state.deployments.get(new.get("DeploymentID", ""))
        after = (new.get("DeploymentStatus") or {}).get("Healthy")
        before = (old.get("DeploymentStatus") or {}).get("Healthy")
        if after is None or after == before:
            return new
        new = {**new, "DeploymentStatus": {**new["DeploymentStatus"], "ModifyIndex": write.index}}
        if deployment is None or new["TaskGroup"] not in deployment["TaskGroups"]:
            return new
        group = dict(deployment["TaskGroups"][new["TaskGroup"]])
        group["HealthyAllocs"] += int(after) - int(bool(before))
        group["UnhealthyAllocs"] += int(not after)
        if after and group["ProgressDeadline"]:
            deadline = self._timers.now + group["ProgressDeadline"]
            group["RequireProgressBy"] = max(deadline, group["RequireProgressBy"] or 0)
        groups = {**deployment["TaskGroups"], new["TaskGroup"]: group}
        write.put_deployment({**deployment, "TaskGroups": groups, "ModifyTime": write.now})
        return new

    # Watching

    def _look(self, id_: str) -> None:
        self._looking.discard(id_)
        deployment = self._state.deployments.get(id_)
        if deployment is None or deployment["Status"] not in ("running", "paused"):
            self._forget(id_)
            return
        self._set_deadline(deployment)
        allocations = self._allocations(deployment)
        unhealthy = [one for one in allocations if _healthy(one) is False]
        if any(self._fails_early(deployment, one) for one in unhealthy):
            self._fail(deployment, "Failed due to unhealthy allocations")
            return
        if self._promotes_itself(deployment, allocations):
            self.promote(id_, None)
            return
        replaceable = [one for one in unhealthy if not (one.get("DesiredTransition") or {}).get("Reschedule")]
        newest = self._newest_evaluation(deployment)
        progressed = [one for one in allocations if _healthy(one) and one["DeploymentStatus"]["ModifyIndex"] > newest]
        if (replaceable or progressed) and id_ not in self._batches:
            self._batches[id_] = self._timers.after(_BATCH, lambda: self._push(id_))

    def _allocations(self, deployment: Mapped) -> list[Value]:
        record = self._state.jobs[(deployment["Namespace"], deployment["JobID"])]
        return [one for one in record.allocations.values() if one.get("DeploymentID") == deployment["ID"]]

    def _forget(self, id_: str) -> None:
        for timer in (self._deadlines.pop(id_, (0, None))[1], self._batches.pop(id_, None)):
            if timer is not None:
                timer.cancel()

    def _set_deadline(self, deployment: Mapped) -> None:
        """The earliest deadline of the groups that are not done."""
        id_, due = deployment["ID"], None
        for name, group in deployment["TaskGroups"].items():
            at = group["RequireProgressBy"]
            if at is not None and not self._done(deployment, name, group) and (due is None or at < due):
                due = at
        was = self._deadlines.get(id_)
        if was is not None and was[0] == due:
            return
        if was is not None:
            self._deadlines.pop(id_)[1].cancel()
        if due is not None:
            self._deadlines[id_] = (due, self._timers.at(due, lambda: self._deadline(id_)))

    def _done(self, deployment: Mapped, name: str, group: Mapped) -> bool:
        if group["DesiredCanaries"] and not group["Promoted"]:
            return False
        mine = [one for one in self._allocations(deployment) if one["TaskGroup"] == name and not terminal(one)]
        return bool(sum(1 for one in mine if _healthy(one)) >= group["DesiredTotal"])

    def _deadline(self, id_: str) -> None:
        deployment = self._state.deployments.get(id_)
        if deployment is None or deployment["Status"] != "running":
            return
        for group in deployment["TaskGroups"].values():
            waiting = group["DesiredCanaries"] and not group["Promoted"]
            if group["HealthyAllocs"] < group["DesiredCanaries" if waiting else "DesiredTotal"]:
                self._fail(deployment, "Failed due to progress deadline")
                return

    def _fails_early(self, deployment: Mapped, allocation: Mapped) -> bool:
        if not deployment["TaskGroups"].get(allocation["TaskGroup"], {}).get("ProgressDeadline"):
            return True
        group = group_of(self._job_of(deployment), allocation["TaskGroup"])
        policy = group["ReschedulePolicy"] if group else None
        return not rescheduling.eligible(policy, allocation.get("RescheduleTracker"), self._timers.now)

    def _job_of(self, deployment: Mapped) -> Mapped:
        record = self._state.jobs[(deployment["Namespace"], deployment["JobID"])]
        versions = [one for one in record.versions if one["Version"] == deployment["JobVersion"]]
        return versions[0] if versions else record.job

    def _newest_evaluation(self, deployment: Mapped) -> int:
        key = (deployment["Namespace"], deployment["JobID"])
        found = (self._state.evaluations[one] for one in self._state.evaluations_of.get(key, ()))
        return max((one["CreateIndex"] for one in found), default=0)

    def _push(self, id_: str) -> None:
        """Let replacements begin, and ask for an evaluation."""
        self._batches.pop(id_, None)
        deployment = self._state.deployments.get(id_)
        if deployment is None or deployment["Status"] not in ("running", "paused"):
            return
        evaluation = self._evaluation(deployment)
        with self._state.write("AllocationUpdateDesiredStatus") as write:
            for one in self._allocations(deployment):
                if _healthy(one) is False and not (one.get("DesiredTransition") or {}).get("Reschedule"):
                    wished = transition(one, Reschedule=True)
                    write.put_allocation({**one, "DesiredTransition": wished}, by_server=True)
            write.put_evaluation(evaluation)
        self._scheduler.enqueue(evaluation["ID"])

    def _evaluation(self, deployment: Mapped) -> Value:
        job = self._job_of(deployment)
        return self._scheduler.new_evaluation(job, "deployment-watcher", DeploymentID=deployment["ID"])

    # Ending them

    def _fail(self, deployment: Mapped, why: str) -> tuple[str, int | None]:
        """The evaluation's id, and the version gone back to, if any."""
        reverts = any(group["AutoRevert"] for group in deployment["TaskGroups"].values())
        record = self._state.jobs[(deployment["Namespace"], deployment["JobID"])]
        target: Value | None = None
        if reverts:
            stable = next((one for one in record.versions if one["Stable"]), None)
            if stable is None:
                why += " - no stable job version to auto revert to"
            elif spec_changed(record.job, stable):
                why += f" - rolling back to job version {stable['Version']}"
                target = stable
            else:
                why += (
                    f" - not rolling back to stable job version {stable['Version']}"
                    " as current job has same specification"
                )
        evaluation = self._evaluation(deployment)
        with self._state.write("DeploymentStatusUpdate") as write:
            failed = {"Status": "failed", "StatusDescription": why, "ModifyTime": write.now}
            write.put_deployment({**deployment, **failed})
            if target is not None:
                version = record.job["Version"] + 1
                fresh = {"Version": version, "JobModifyIndex": write.index, "Status": record.job["Status"]}
                write.put_job({**target, **fresh, "VersionTag": None}, new_version=True)
                if target["Version"] in record.submissions:
                    submission = record.submissions[target["Version"]]
                    record.submissions[version] = {**submission, "Version": version, "JobModifyIndex": write.index}
            write.put_evaluation(evaluation)
        self._forget(deployment["ID"])
        self._scheduler.enqueue(evaluation["ID"])
        return evaluation["ID"], None if target is None else target["Version"]

    def _promotes_itself(self, deployment: Mapped, allocations: list[Value]) -> bool:
        groups = [one for one in deployment["TaskGroups"].values() if one["DesiredCanaries"]]
        if not groups or all(one["Promoted"] for one in groups) or not all(one["AutoPromote"] for one in groups):
            return False
        healthy = {one["ID"] for one in allocations if _healthy(one)}
        return all(
            len(one["PlacedCanaries"] or ()) >= one["DesiredCanaries"] and healthy >= set(one["PlacedCanaries"])
            for one in groups
        )

    # Asked for by people

    def promote(self, id_: str, groups: list[str] | None) -> Value:
        """Promote canaries of these groups, None: of all. Raises Refused."""
        deployment = self._active(id_, "promote")
        allocations = {one["ID"]: one for one in self._allocations(deployment)}
        chosen = {name: group for name, group in deployment["TaskGroups"].items() if groups is None or name in groups}
        promoted, short = [], []
        for name, group in chosen.items():
            mine = [allocations[one] for one in group["PlacedCanaries"] or () if one in allocations]
            good = [one for one in mine if _healthy(one) and not terminal(one)]
            promoted += good
            if len(good) < group["DesiredCanaries"]:
                have = f"{len(good)}/{group['DesiredCanaries']}"
                short.append(f"Task group {gotext.quoted(name)} has {have} healthy allocations")
        if short:
            raise Refused(gotext.errors(short))
        evaluation = self._evaluation(deployment)
        with self._state.write("DeploymentPromotion") as write:
            states = dict(deployment["TaskGroups"])
            for name, group in chosen.items():
                states[name] = {**group, "Promoted": True}
                if group["ProgressDeadline"] and group["RequireProgressBy"] is not None:
                    states[name]["RequireProgressBy"] = write.now + group["ProgressDeadline"]
            fresh: Value = {**deployment, "TaskGroups": states, "ModifyTime": 0}
            describe(fresh)
            write.put_deployment(fresh)
            write.put_evaluation(evaluation)
            for one in promoted:
                status = {**one["DeploymentStatus"], "Canary": False, "ModifyIndex": write.index}
                write.put_allocation({**one, "DeploymentStatus": status}, by_server=True)
        self._scheduler.enqueue(evaluation["ID"])
        return self._answer(evaluation["ID"], None)

    def fail(self, id_: str) -> Value:
        """Mark it failed. Raises Refused."""
        evaluation, version = self._fail(self._active(id_, "fail"), "Deployment marked as failed")
        return self._answer(evaluation, version)

    def pause(self, id_: str, pause: bool) -> Value:
        """Pause or resume it. Raises Refused."""
        deployment = self._active(id_, "pause" if pause else "resume")
        evaluation = None if pause else self._evaluation(deployment)
        with self._state.write("DeploymentStatusUpdate") as write:
            states = {
                name: {**group, "RequireProgressBy": write.now + group["ProgressDeadline"]}
                if group["RequireProgressBy"] is not None
                else group
                for name, group in deployment["TaskGroups"].items()
            }
            fresh: Value = {**deployment, "TaskGroups": states, "ModifyTime": write.now}
            if pause:
                fresh |= {"Status": "paused", "StatusDescription": "Deployment is paused"}
            else:
                fresh["Status"] = "running"
                describe(fresh)
            write.put_deployment(fresh)
            if evaluation is not None:
                write.put_evaluation(evaluation)
        if evaluation is not None:
            self._scheduler.enqueue(evaluation["ID"])
        return self._answer(evaluation["ID"] if evaluation else "", None)

    def _active(self, id_: str, verb: str) -> Mapped:
        deployment = self._state.deployments[id_]
        if deployment["Status"] not in ("running", "paused"):
            raise Refused(f"can't {verb} terminal deployment")
        return deployment

    def _answer(self, evaluation: str, reverted: int | None) -> Value:
        index = self._state.index
        return {
            "DeploymentModifyIndex": index,
            "EvalCreateIndex": index if evaluation else 0,
            "EvalID": evaluation,
            "Index": index,
            "RevertedJobVersion": reverted,
        }


def health(allocation: Mapping[str, Any], healthy: bool, at: int | None) -> Value:
    """The DeploymentStatus of an allocation whose health has been decided; by the server, there is no time."""
    canary = bool((allocation.get("DeploymentStatus") or {}).get("Canary"))
    return {"Canary": canary, "Healthy": healthy, "ModifyIndex": 0, "Timestamp": at_or_none(at)}


def _healthy(allocation: Mapped) -> bool | None:
    found: bool | None = (allocation.get("DeploymentStatus") or {}).get("Healthy")
    return found
