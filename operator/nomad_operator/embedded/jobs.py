"""What can be done with jobs: register, stop, purge, scale, revert, launch, dispatch. Refusals are in Nomad's words.

Source: nomad/job_endpoint.go; recorded in enforce-index, no-op, stop-and-purge, scale, revert, periodic, dispatch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from nomad_operator.embedded import cron, gotext
from nomad_operator.embedded.canonical import server_canonical
from nomad_operator.embedded.derived import ACTIVE_DEPLOYMENT
from nomad_operator.embedded.instant import SECOND, from_datetime, to_datetime
from nomad_operator.embedded.job_spec import spec_changed
from nomad_operator.embedded.plan_parts import transition
from nomad_operator.embedded.scaling import disable_scaling_policies, store_scaling_policies
from nomad_operator.embedded.scheduler import Scheduler
from nomad_operator.embedded.state import JobRecord, Key, State, group_of
from nomad_operator.embedded.timers import Timer, Timers
from nomad_operator.embedded.validation import Validation, type_change

Mapped = Mapping[str, Any]
Value = dict[str, Any]

_KEPT = 6


class JobRefused(Exception):
    """`text` is the body of the answer."""

    def __init__(self, text: str, status: int = 500) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


@dataclass(frozen=True, slots=True)
class Done:
    """What a write has led to; the evaluation is None where there is none."""

    evaluation: Value | None
    job_modify_index: int
    index: int
    warnings: str = ""


class Jobs:
    """Writes jobs. Periodic ones are launched from here."""

    def __init__(
        self,
        *,
        state: State,
        timers: Timers,
        scheduler: Scheduler,
        new_id: Callable[[], str],
        validation: Callable[[Mapped], Validation],
    ) -> None:
        self._state = state
        self._timers = timers
        self._scheduler = scheduler
        self._new_id = new_id
        self._validation = validation
        self._launches: dict[Key, Timer] = {}

    # Registering

    def register(self, job: Mapped, request: Mapped) -> Done:
        """`job` is in the server's shape. Raises JobRefused."""
        validation = self._validation(job)
        if validation.errors:
            raise JobRefused(validation.error)
        key = (job["Namespace"], job["ID"])
        record = self._state.jobs.get(key)
        if request.get("EnforceIndex"):
            self._enforce(record, request.get("JobModifyIndex") or 0)
        if refusal := type_change(record.job if record else None, job):
            raise JobRefused(refusal)
        return self._store({**job}, record, request.get("Submission"), validation.warning, request)

    def _enforce(self, record: JobRecord | None, wanted: int) -> None:
        prefix = f"Enforcing job modify index {wanted}: "
        if record is None:
            if wanted:
                raise JobRefused(f"{prefix}job does not exist")
        elif not wanted:
            raise JobRefused(f"{prefix}job already exists")
        elif wanted != record.job["JobModifyIndex"]:
            raise JobRefused(f"{prefix}job exists with conflicting job modify index: {record.job['JobModifyIndex']}")

    def as_registered(self, job: Mapped, *, index: int) -> Value:
        """The job as it would be stored: with version, indexes and status; the current one where nothing changed."""
        record = self._state.jobs.get((job["Namespace"], job["ID"]))
        fresh = {**job, "TaskGroups": [_own_group(group) for group in job["TaskGroups"] or ()]}
        old = record.job if record else None
        store_scaling_policies(old, fresh, index=index, ids=[self._new_id() for _ in fresh["TaskGroups"] or ()])
        if old is not None and not spec_changed(old, fresh):
            return dict(old)
        fresh |= {
            "Status": old["Status"] if old else "",
            "Version": old["Version"] + 1 if old else 0,
            "CreateIndex": old["CreateIndex"] if old else index,
            "ModifyIndex": index,
            "JobModifyIndex": index,
            "SubmitTime": self._timers.now,
            "Stable": False,
        }
        return fresh

    def _store(self, job: Value, record: JobRecord | None, submission: Any, warnings: str, request: Mapped) -> Done:
        fresh = self.as_registered(job, index=self._state.index + 1)
        if record is not None and fresh["Version"] == record.job["Version"]:
            return self._unchanged(record.job, warnings)
        # Only now: a count that differs makes a new version, even where it is then kept as it was.
        for group in fresh["TaskGroups"] if request.get("PreserveCounts") and record is not None else ():
            if record is not None and (old := group_of(record.job, group["Name"])) is not None:
                group["Count"] = old["Count"]
        with self._state.write("JobRegistered") as write:
            fresh = write.put_job(fresh, new_version=True)
        record = self._state.jobs[(fresh["Namespace"], fresh["ID"])]
        if submission:
            self._keep_submission(record, fresh, submission)
        evaluation = None if _waits(fresh) else self._scheduler.new_evaluation(
            fresh, "job-register", JobModifyIndex=fresh["JobModifyIndex"]
        )  # fmt: skip
        if evaluation is not None:
            with self._state.write("JobRegistered", same_index=True) as write:
                write.put_evaluation(evaluation)
            self._scheduler.enqueue(evaluation["ID"])
        self._schedule_launch(fresh)
        return Done(evaluation, fresh["JobModifyIndex"], self._state.index, warnings)

    def _unchanged(self, job: Mapped, warnings: str) -> Done:
        """Still costs an evaluation. The index of the answer is the job's ModifyIndex: a trap."""
        if _waits(job):
            return Done(None, job["ModifyIndex"], self._state.index, warnings)
        evaluation = self._scheduler.new_evaluation(job, "job-register")
        with self._state.write("EvaluationUpdated") as write:
            write.put_evaluation(evaluation)
        self._scheduler.enqueue(evaluation["ID"])
        return Done(evaluation, job["ModifyIndex"], self._state.index, warnings)

    def _keep_submission(self, record: JobRecord, job: Mapped, submission: Mapped) -> None:
        record.submissions[job["Version"]] = {
            "Source": submission.get("Source") or "",
            "Format": submission.get("Format") or "",
            "VariableFlags": submission.get("VariableFlags"),
            "Variables": submission.get("Variables") or "",
            "Namespace": job["Namespace"],
            "JobID": job["ID"],
            "Version": job["Version"],
            "JobModifyIndex": job["JobModifyIndex"],
        }
        for version in sorted(record.submissions)[:-_KEPT]:
            del record.submissions[version]

    def evaluate(self, key: Key, *, force: bool) -> Done:
        """`force`: what has failed is tried again now, where its group may be rescheduled at all. Raises JobRefused.

        The index of the answer is the job's ModifyIndex. Source: nomad/job_endpoint.go Evaluate; measured on 2.0.5.
        """
        record = self._state.jobs.get(key)
        if record is None:
            raise JobRefused("job not found")
        job = record.job
        if job["Periodic"] is not None:
            raise JobRefused("can't evaluate periodic job")
        if job["ParameterizedJob"] is not None and not job["Dispatched"]:
            raise JobRefused("can't evaluate parameterized job")
        failed = [one for one in record.allocations.values() if force and _may_be_forced(job, one)]
        evaluation = self._scheduler.new_evaluation(job, "job-register", JobModifyIndex=job["ModifyIndex"])
        with self._state.write("AllocationUpdateDesiredStatus") as write:
            for one in failed:
                wished = transition(one, ForceReschedule=True)
                write.put_allocation({**one, "DesiredTransition": wished}, by_server=True)
            write.put_evaluation(evaluation)
        self._scheduler.enqueue(evaluation["ID"])
        return Done(evaluation, job["ModifyIndex"], self._state.index)

    # Stopping

    def stop(self, key: Key, *, purge: bool) -> Done:
        """Repeating it makes another version each time; a job that is not there is no error."""
        record = self._state.jobs.get(key)
        if record is None:
            return Done(None, 0, 0)
        job = deepcopy(record.job)
        with self._state.write("JobDeregistered") as write:
            if purge:
                write.delete_job(key)
                index = write.index
            else:
                disable_scaling_policies(job, index=write.index)
                job |= {"Stop": True, "Version": job["Version"] + 1, "JobModifyIndex": write.index}
                job |= {"SubmitTime": write.now, "VersionTag": None}
                index = write.put_job(job, new_version=True)["JobModifyIndex"]
        if (timer := self._launches.pop(key, None)) is not None:
            timer.cancel()
        if _waits(record.job):
            return Done(None, index, index)
        evaluation = self._scheduler.new_evaluation(job, "job-deregister", Type="service", JobModifyIndex=index)
        with self._state.write("JobDeregistered", same_index=True) as write:
            write.put_evaluation(evaluation)
        self._scheduler.enqueue(evaluation["ID"])
        return Done(evaluation, index, index)

    # Versions

    def revert(self, key: Key, version: int, *, enforce: int | None) -> Done:
        """Raises JobRefused."""
        record = self._state.jobs.get(key)
        name = gotext.quoted(key[1])
        if record is None:
            raise JobRefused(f"job {name} not found")
        if version == record.job["Version"]:
            raise JobRefused("can't revert to current version")
        old = next((one for one in record.versions if one["Version"] == version), None)
        if old is None:
            raise JobRefused(f"job {name} in namespace {gotext.quoted(key[0])} at version {version} not found")
        if enforce is not None and enforce != record.job["Version"]:
            raise JobRefused(f"Current job has version {record.job['Version']}; enforcing version {enforce}")
        validation = self._validation(old)
        submission = record.submissions.get(version)
        return self._store({**old, "Stop": False, "VersionTag": None}, record, submission, validation.warning, {})

    def mark_stable(self, key: Key, version: int, stable: bool) -> int:
        """The index of the write. Raises JobRefused."""
        record = self._state.jobs.get(key)
        found = next((one for one in record.versions if one["Version"] == version), None) if record else None
        if found is None:
            where = f"job {gotext.quoted(key[1])} in namespace {gotext.quoted(key[0])}"
            raise JobRefused(f"{where} at version {version} not found")
        with self._state.write("JobStability") as write:
            write.put_version({**found, "Stable": stable, "ModifyIndex": write.index})
        return self._state.index

    # Scaling

    def scale(self, key: Key, request: Mapped) -> Done:
        """Raises JobRefused."""
        record = self._state.jobs.get(key)
        name = (request.get("Target") or {}).get("Group", "")
        count = request.get("Count")
        if count is not None and count < 0:
            raise JobRefused("scaling action count can't be negative", 400)
        if record is None:
            raise JobRefused(f"job {gotext.quoted(key[1])} not found", 404)
        group = group_of(record.job, name)
        if group is None:
            raise JobRefused(f"task group {gotext.quoted(name)} specified for scaling does not exist in job", 400)
        if wanted := request.get("JobModifyIndex"):
            self._enforce(record, wanted)
        if count is not None and (refusal := _out_of_bounds(group, count)):
            raise JobRefused(refusal, 400)
        latest = self._state.latest_deployment(key)
        if count is not None and latest is not None and latest["Status"] in ACTIVE_DEPLOYMENT:
            raise JobRefused("job scaling blocked due to active deployment", 400)
        before = group["Count"]
        evaluation: Value | None = None
        if count is not None:
            evaluation = self._rescale(record, name, count)
        with self._state.write("ScalingEventRegistered") as write:
            record.scalings.setdefault(name, []).insert(
                0,
                {
                    "Count": count,
                    "CreateIndex": write.index,
                    "Error": bool(request.get("Error")),
                    "EvalID": evaluation["ID"] if evaluation else None,
                    "Message": request.get("Message") or "",
                    "Meta": request.get("Meta"),
                    "PreviousCount": before,
                    "Time": write.now,
                },
            )
        return Done(evaluation, self._state.jobs[key].job["JobModifyIndex"], self._state.index)

    def _rescale(self, record: JobRecord, name: str, count: int) -> Value:
        job = deepcopy(record.job)
        for group in job["TaskGroups"]:
            if group["Name"] == name:
                group["Count"] = count
        with self._state.write("JobRegistered") as write:
            job |= {"Version": job["Version"] + 1, "JobModifyIndex": write.index, "SubmitTime": write.now}
            job = write.put_job({**job, "VersionTag": None}, new_version=True)
        evaluation = self._scheduler.new_evaluation(job, "job-scaling", JobModifyIndex=job["JobModifyIndex"])
        with self._state.write("EvaluationUpdated") as write:
            write.put_evaluation(evaluation)
        self._scheduler.enqueue(evaluation["ID"])
        return evaluation

    # Children

    def next_launch(self, job: Mapped) -> int | None:
        """When a periodic job is due next."""
        periodic = job["Periodic"]
        if periodic is None or not periodic["Enabled"] or job["Stop"]:
            return None
        specs = [*(periodic["Specs"] or ()), *([periodic["Spec"]] if periodic["Spec"] else [])]
        found = cron.next_launch(specs, periodic["TimeZone"], to_datetime(self._timers.now))
        return None if found is None else from_datetime(found)

    def _schedule_launch(self, job: Mapped) -> None:
        key = (job["Namespace"], job["ID"])
        if (timer := self._launches.pop(key, None)) is not None:
            timer.cancel()
        due = self.next_launch(job)
        if due is not None:
            self._launches[key] = self._timers.at(due, lambda: self._launch_due(key))

    def _launch_due(self, key: Key) -> None:
        record = self._state.jobs.get(key)
        if record is None:
            return
        children = [self._state.jobs[(key[0], child)].job for child in record.children]
        busy = any(child["Status"] != "dead" for child in children)
        if not (record.job["Periodic"]["ProhibitOverlap"] and busy):
            self.launch(key)
        self._schedule_launch(record.job)

    def launch(self, key: Key) -> Done:
        """A child of a periodic job, now. Raises JobRefused."""
        record = self._state.jobs.get(key)
        if record is None:
            raise JobRefused("job not found", 404)
        if record.job["Periodic"] is None:
            raise JobRefused("can't force launch non-periodic job")
        child = f"{key[1]}/periodic-{self._timers.now // SECOND}"
        return self._launch(record.job, child, "periodic-job", {"Periodic": None})

    def dispatch(self, key: Key, request: Mapped) -> tuple[str, Done]:
        """The child's id. Raises JobRefused."""
        record = self._state.jobs.get(key)
        if record is None:
            raise JobRefused("parameterized job not found")
        config = record.job["ParameterizedJob"]
        if config is None:
            raise JobRefused("Specified job is not a parameterized job")
        if record.job["Stop"]:
            raise JobRefused(f'Specified job "{key[1]}" is stopped')
        meta = request.get("Meta") or {}
        required, optional = set(config["MetaRequired"] or ()), set(config["MetaOptional"] or ())
        if missing := sorted(required - meta.keys()):
            raise JobRefused(f"Dispatch did not provide required meta keys: [{' '.join(missing)}]")
        if odd := sorted(meta.keys() - required - optional):
            raise JobRefused(f"Dispatch request included unpermitted metadata keys: [{' '.join(odd)}]")
        if config["Payload"] == "required" and not request.get("Payload"):
            raise JobRefused("Payload is not provided but required by parameterized job")
        if config["Payload"] == "forbidden" and request.get("Payload"):
            raise JobRefused("Payload provided but forbidden by parameterized job")
        child = f"{key[1]}/dispatch-{self._timers.now // SECOND}-{self._new_id()[:8]}"
        fresh = {
            "Dispatched": True,
            "Payload": request.get("Payload"),
            "Meta": {**(record.job["Meta"] or {}), **meta} or None,
            "DispatchIdempotencyToken": request.get("IdempotencyToken") or "",
        }
        return child, self._launch(record.job, child, "job-register", fresh)

    def _launch(self, parent: Mapped, child: str, triggered_by: str, fresh: Mapped) -> Done:
        job = {**deepcopy(dict(parent)), "ID": child, "Name": child, "ParentID": parent["ID"], **fresh}
        with self._state.write("JobRegistered") as write:
            indexes = dict.fromkeys(("CreateIndex", "JobModifyIndex"), write.index)
            job |= {"Status": "", "Stable": False, "SubmitTime": write.now, **indexes}
            job = write.put_job(job, new_version=True)
        evaluation = self._scheduler.new_evaluation(job, triggered_by, JobModifyIndex=job["JobModifyIndex"])
        with self._state.write("JobRegistered", same_index=True) as write:
            write.put_evaluation(evaluation)
        self._scheduler.enqueue(evaluation["ID"])
        return Done(evaluation, job["JobModifyIndex"], self._state.index)


def _own_group(group: Mapped) -> Value:
    """A copy of what a server writes into: the count and the scaling policy."""
    return {**group, "Scaling": None if group["Scaling"] is None else dict(group["Scaling"])}


def _may_be_forced(job: Mapped, allocation: Mapped) -> bool:
    policy = (group_of(job, allocation["TaskGroup"]) or {}).get("ReschedulePolicy")
    allowed = policy is not None and (policy["Unlimited"] or policy["Attempts"] > 0)
    forced = (allocation.get("DesiredTransition") or {}).get("ForceReschedule")
    return bool(
        allowed and allocation["ClientStatus"] == "failed" and not allocation.get("NextAllocation") and not forced
    )


def _waits(job: Mapped) -> bool:
    """Whether it is only launched by its schedule or by a dispatch."""
    return job["Periodic"] is not None or (job["ParameterizedJob"] is not None and not job["Dispatched"])


def canonical_job(body: Mapped, *, namespace: str | None, region: str) -> Value:
    """A submitted job in the server's shape; a namespace in the query wins."""
    job = server_canonical({**body, "Region": body.get("Region") or region})
    return {**job, "Namespace": namespace} if namespace else job


def _out_of_bounds(group: Mapped, count: int) -> str:
    """What the group's scaling policy says of a count. Source: nomad/job_endpoint.go Scale."""
    policy = group["Scaling"]
    if policy is None:
        return ""
    if count < policy["Min"]:
        return f"group count was less than scaling policy minimum: {count} < {policy['Min']}"
    if count > policy["Max"]:
        return f"group count was greater than scaling policy maximum: {count} > {policy['Max']}"
    return ""
