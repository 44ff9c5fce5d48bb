"""The API of jobs: `/v1/jobs…`, `/v1/job/…`, `/v1/validate/job`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from desired.job.hcl_read import JobFileInvalid, read_job
from nomad_operator.embedded.annotations import annotate
from nomad_operator.embedded.api import Inside, Read, Value, page, visible
from nomad_operator.embedded.canonical import api_canonical
from nomad_operator.embedded.decoding import decoding_error
from nomad_operator.embedded.derived import terminal
from nomad_operator.embedded.diff import job_diff
from nomad_operator.embedded.instant import rfc3339
from nomad_operator.embedded.jobs import Done, JobRefused, canonical_job
from nomad_operator.embedded.messages import Fault, Request, Response, answer, text
from nomad_operator.embedded.plan_parts import Mapped
from nomad_operator.embedded.state import JobRecord, shown, shown_deployment
from nomad_operator.embedded.stubs import allocation_stub, job_status, job_stub

# Reading


def list_jobs(inside: Inside, request: Request) -> Read:
    prefix, wanted = request.one("prefix") or "", request.namespace
    records = [
        record
        for (namespace, id_), record in inside.state.jobs.items()
        if id_.startswith(prefix) and visible(namespace, wanted)
    ]
    backwards = request.flag("reverse")
    records.sort(key=lambda record: (record.job["Namespace"], record.job["ID"]), reverse=backwards)

    def token(record: Any) -> str:
        return f"{record.job['Namespace']}.{record.job['ID']}"

    found, more = page(request, records, token, start=_from(backwards))  # type: ignore[arg-type]
    with_meta = request.flag("meta")
    stubs = [job_stub(record, meta=with_meta) for record in found]  # type: ignore[arg-type]
    return Read(stubs, inside.state.index_of("jobs", "job_summary"), more)


def _from(backwards: bool) -> Any:
    return (lambda one, wanted: one <= wanted) if backwards else (lambda one, wanted: one >= wanted)


def statuses(inside: Inside, request: Request) -> Read:
    """All jobs, newest change first; children only as their parent's."""
    if request.method in ("POST", "PUT"):
        return _statuses_of(inside, request)
    wanted = request.namespace
    records = [
        record
        for (namespace, _), record in inside.state.jobs.items()
        if visible(namespace, wanted) and (request.flag("include_children") or not record.job["ParentID"])
    ]
    backwards = request.flag("reverse")
    records.sort(key=lambda record: (record.job["ModifyIndex"], record.job["ID"]), reverse=not backwards)

    def token(record: Any) -> str:
        return str(record.job["ModifyIndex"])

    def start(one: str, first: str) -> bool:
        return first.isdigit() and (int(one) >= int(first) if backwards else int(one) <= int(first))

    found, more = page(request, records, token, start=start)  # type: ignore[arg-type]
    return _statuses(inside, found, more)  # type: ignore[arg-type]


def _statuses_of(inside: Inside, request: Request) -> Read:
    keys = [(one.get("Namespace") or "default", one.get("ID", "")) for one in request.json().get("Jobs") or ()]
    if not keys:
        raise Fault(400, "no jobs in request")
    found = [inside.state.jobs[key] for key in dict.fromkeys(keys) if key in inside.state.jobs]
    found.sort(key=lambda record: (record.job["ModifyIndex"], record.job["ID"]), reverse=True)
    return _statuses(inside, found, "")


def _statuses(inside: Inside, found: list[JobRecord], more: str) -> Read:
    index = max((record.job["ModifyIndex"] for record in found), default=inside.state.index_of("jobs"))
    return Read([job_status(inside.state, record) for record in found], index, more)


def _record(inside: Inside, request: Request, id_: str) -> JobRecord | None:
    return inside.state.jobs.get((request.namespace, id_))


def read_one(inside: Inside, request: Request, id_: str) -> Read:
    record = _record(inside, request, id_)
    if record is None:
        return Read(None, inside.state.index_of("jobs"), missing="job not found")
    return Read(record.job, record.job["ModifyIndex"])


def allocations(inside: Inside, request: Request, id_: str) -> Read:
    record = _record(inside, request, id_)
    index = inside.state.index_of("allocs")
    found = list(record.allocations.values()) if record else []
    if not request.flag("all") and record is not None:
        found = [one for one in found if one["Job"]["CreateIndex"] == record.job["CreateIndex"]]
    stubs = [allocation_stub(one, resources=False, task_states=True) for one in found]
    return Read(stubs, max([index, *(one["ModifyIndex"] for one in stubs)]))


def evaluations(inside: Inside, request: Request, id_: str) -> Read:
    ids = inside.state.evaluations_of.get((request.namespace, id_), {})
    found = [shown(inside.state.evaluations[one]) for one in ids]
    return Read(sorted(found, key=lambda one: str(one["ID"])), inside.state.index_of("evals"))


def deployments(inside: Inside, request: Request, id_: str) -> Read:
    record = _record(inside, request, id_)
    ids = record.deployments if record else []
    found = [shown_deployment(inside.state.deployments[one]) for one in reversed(ids)]
    return Read(found, inside.state.index_of("deployment"))


def latest_deployment(inside: Inside, request: Request, id_: str) -> Read:
    found = inside.state.latest_deployment((request.namespace, id_))
    if found is None:
        return Read(None, inside.state.index_of("deployment"))
    return Read(shown_deployment(found), found["ModifyIndex"])


def summary(inside: Inside, request: Request, id_: str) -> Read:
    record = _record(inside, request, id_)
    if record is None:
        return Read(None, inside.state.index_of("jobs"), missing="job not found")
    return Read(record.summary, record.summary["ModifyIndex"])


def versions(inside: Inside, request: Request, id_: str) -> Read:
    record = _record(inside, request, id_)
    index = inside.state.index_of("jobs")
    if record is None:
        return Read(None, index, missing="job versions not found")
    found = record.versions
    diffs = None
    if request.flag("diffs"):
        diffs = [job_diff(older, newer) for newer, older in pairwise(found)]
    value = {"Versions": found, "Diffs": diffs, "Index": index, "KnownLeader": True, "LastContact": 0, "NextToken": ""}
    return Read(value, max(version["ModifyIndex"] for version in found))


def submission(inside: Inside, request: Request, id_: str) -> Read:
    version = request.one("version") or ""
    if not version.isdigit():
        raise Fault(400, "Unable to parse job submission version parameter")
    record = _record(inside, request, id_)
    found = record.submissions.get(int(version)) if record else None
    if found is None:
        return Read(None, 0, missing="job source not found")
    return Read(found, found["JobModifyIndex"])


def scale_status(inside: Inside, request: Request, id_: str) -> Read:
    record = _record(inside, request, id_)
    if record is None:
        return Read(None, inside.state.index_of("jobs"), missing="job not found")
    job, groups = record.job, {}
    for group in job["TaskGroups"] or ():
        mine = [one for one in record.allocations.values() if one["TaskGroup"] == group["Name"] and not terminal(one)]
        health = [(one.get("DeploymentStatus") or {}).get("Healthy") for one in mine]
        groups[group["Name"]] = {
            "Desired": group["Count"],
            "Events": record.scalings.get(group["Name"]),
            "Healthy": health.count(True),
            "Placed": len(mine),
            "Running": sum(1 for one in mine if one["ClientStatus"] == "running"),
            "Unhealthy": health.count(False),
        }
    value = {"JobCreateIndex": job["CreateIndex"], "JobID": id_, "JobModifyIndex": job["ModifyIndex"],
             "JobStopped": job["Stop"], "Namespace": job["Namespace"], "TaskGroups": groups}  # fmt: skip
    return Read(value, job["ModifyIndex"])


# Judging


def parse(_: Inside, request: Request) -> Response:
    body = request.json()
    try:
        job = read_job(body.get("JobHCL") or "", body.get("Variables") or "")
    except JobFileInvalid as error:
        return text(error.nomad_text, 400)
    return answer(api_canonical(job) if body.get("Canonicalize") else job)


def _submitted(inside: Inside, request: Request, body: Mapped, namespace: str | None) -> Value:
    job = body.get("Job")
    if not isinstance(job, dict):
        raise Fault(400, "Job must be specified")
    if wrong := decoding_error(job):
        raise Fault(400, wrong)
    return canonical_job(job, namespace=namespace, region=inside.world.region)


def validate(inside: Inside, request: Request) -> Response:
    job = _submitted(inside, request, request.json(), None)
    found = inside.validation(job)
    return answer(
        {
            "DriverConfigValidated": True,
            "Error": found.error,
            "ValidationErrors": list(found.errors) or None,
            "Warnings": found.warning,
        }
    )


def plan(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json()
    job = _submitted(inside, request, body, request.one("namespace"))
    if job["ID"] != id_:
        raise Fault(400, "Job ID does not match")
    validation = inside.validation(job)
    if validation.errors:
        raise Fault(500, validation.error)
    record = inside.state.jobs.get((job["Namespace"], id_))
    old = record.job if record else None
    index = old["JobModifyIndex"] if old else 0
    fresh = inside.jobs.as_registered(job, index=inside.state.index + 1)
    previous = inside.new_id()
    made = inside.scheduler.plan(fresh, evaluation=previous)
    blocked = None
    if made.failed:
        waiting = inside.scheduler.blocked_evaluation(made, previous)
        # Told only of a job that this would change.
        changed = old is not None and fresh["Version"] != old["Version"]
        blocked = [shown({**waiting, "JobModifyIndex": index if changed else 0})]
    launch = inside.jobs.next_launch(fresh)
    value: Value = {
        "Annotations": made.annotations,
        "CreatedEvals": blocked,
        "FailedTGAllocs": made.failures or None,
        "Index": index,
        "JobModifyIndex": index,
        "NextPeriodicLaunch": None if launch is None else rfc3339(launch),
        "Warnings": validation.warning,
    }
    if body.get("Diff"):
        value["Diff"] = annotate(job_diff(old, fresh), made.changes.desired)
    else:
        value["Diff"] = None
    return answer(value, index=index)


# Writing


def _written(done: Done, **more: Any) -> Response:
    evaluation = done.evaluation or {}
    value = {
        "EvalID": evaluation.get("ID", ""),
        "EvalCreateIndex": done.index if evaluation else 0,
        "Index": done.index,
        "JobModifyIndex": done.job_modify_index,
        "KnownLeader": False,
        "LastContact": 0,
        "NextToken": "",
        **more,
    }
    return answer(value, index=done.index)


def register(inside: Inside, request: Request, id_: str | None = None) -> Response:
    body = request.json()
    if isinstance(body.get("Job"), dict) and not body["Job"].get("ID"):
        raise Fault(400, "Job ID hasn't been provided")
    job = _submitted(inside, request, body, request.one("namespace"))
    if id_ is not None and job["ID"] != id_:
        raise Fault(400, "Job ID does not match name")
    try:
        done = inside.jobs.register(job, body)
    except JobRefused as refused:
        raise Fault(refused.status, refused.text) from refused
    return _written(done, Warnings=done.warnings)


def stop(inside: Inside, request: Request, id_: str) -> Response:
    done = inside.jobs.stop((request.namespace, id_), purge=request.flag("purge"))
    # Told even where nothing is evaluated, as for a periodic job.
    return _written(done, EvalCreateIndex=done.index, VolumeEvalID="", VolumeEvalIndex=0)


def evaluate(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json() if request.body else {}
    try:
        done = inside.jobs.evaluate(
            (request.namespace, id_), force=bool((body.get("EvalOptions") or {}).get("ForceReschedule"))
        )
    except JobRefused as refused:
        raise Fault(refused.status, refused.text) from refused
    return _written(done, Warnings="")


def revert(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json()
    if body.get("JobID") != id_:
        raise Fault(400, "Job ID does not match")
    try:
        done = inside.jobs.revert(
            (request.namespace, id_), body.get("JobVersion") or 0, enforce=body.get("EnforcePriorVersion")
        )
    except JobRefused as refused:
        raise Fault(refused.status, refused.text) from refused
    response = _written(done, Warnings=done.warnings)
    leader = {"X-Nomad-KnownLeader": "false", "X-Nomad-LastContact": "0"}
    return Response(response.status, response.body, response.content_type, {**response.headers, **leader})


def mark_stable(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json()
    try:
        index = inside.jobs.mark_stable((request.namespace, id_), body.get("JobVersion") or 0, bool(body.get("Stable")))
    except JobRefused as refused:
        raise Fault(refused.status, refused.text) from refused
    return answer({"Index": index}, index=index)


def scale(inside: Inside, request: Request, id_: str) -> Response:
    try:
        done = inside.jobs.scale((request.namespace, id_), request.json())
    except JobRefused as refused:
        raise Fault(refused.status, refused.text) from refused
    return _written(done, EvalCreateIndex=(done.evaluation or {}).get("CreateIndex", done.index - 1),
                    KnownLeader=True, Warnings="")  # fmt: skip


def dispatch(inside: Inside, request: Request, id_: str) -> Response:
    try:
        child, done = inside.jobs.dispatch((request.namespace, id_), request.json() if request.body else {})
    except JobRefused as refused:
        raise Fault(refused.status, refused.text) from refused
    value = {
        "DispatchedJobID": child,
        "EvalCreateIndex": done.index,
        "EvalID": (done.evaluation or {}).get("ID", ""),
        "Index": done.index,
        "JobCreateIndex": done.index,
    }
    return answer(value, index=done.index)


def force_launch(inside: Inside, request: Request, id_: str) -> Response:
    try:
        done = inside.jobs.launch((request.namespace, id_))
    except JobRefused as refused:
        raise Fault(refused.status, refused.text) from refused
    value = {"EvalCreateIndex": done.index, "EvalID": (done.evaluation or {}).get("ID", ""), "Index": done.index}
    return answer(value, index=done.index)
