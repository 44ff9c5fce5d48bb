"""The API of what the servers do with a job: evaluations and deployments."""

from __future__ import annotations

from typing import Any

from nomad_operator.embedded.api import Inside, Read, Value, by_uuid, listed, numbered, page, visible
from nomad_operator.embedded.deployments import Refused
from nomad_operator.embedded.messages import Fault, Request, Response, answer
from nomad_operator.embedded.state import shown, shown_deployment


def list_evaluations(inside: Inside, request: Request) -> Read:
    found = [one for one in inside.state.evaluations.values() if visible(one["Namespace"], request.namespace)]
    found.sort(key=lambda one: (one["CreateIndex"], one["ID"]))
    chosen, more = page(
        request,
        found,
        lambda one: f"{one['CreateIndex']}.{one['ID']}",
        start=lambda one, wanted: numbered(one) >= numbered(wanted),
    )
    return Read([shown(one) for one in chosen], inside.state.index_of("evals"), more)


def read_evaluation(inside: Inside, request: Request, id_: str) -> Read:
    by_uuid(id_, "eval")
    found = inside.state.evaluations.get(id_)
    if found is None:
        return Read(None, inside.state.index_of("evals"), missing="eval not found")
    value = shown(found)
    if request.flag("related"):
        related = [_related_stub(inside.state.evaluations[one]) for one in _related(inside, found)]
        if related:
            value["RelatedEvals"] = related
    return Read(value, found["ModifyIndex"])


def _related(inside: Inside, evaluation: Value) -> list[str]:
    """Everything reached by following the links of an evaluation, both ways."""
    found: dict[str, None] = {}
    todo = [evaluation]
    while todo:
        one = todo.pop()
        for name in ("PreviousEval", "NextEval", "BlockedEval"):
            id_ = one.get(name)
            if id_ and id_ != evaluation["ID"] and id_ not in found and id_ in inside.state.evaluations:
                found[id_] = None
                todo.append(inside.state.evaluations[id_])
    return list(found)


def _related_stub(evaluation: Value) -> Value:
    names = (
        "BlockedEval", "CreateIndex", "CreateTime", "DeploymentID", "ID", "JobID", "ModifyIndex", "ModifyTime",
        "Namespace", "NextEval", "NodeID", "PreviousEval", "Priority", "Status", "StatusDescription", "TriggeredBy",
        "Type",
    )  # fmt: skip
    stub = {name: evaluation.get(name, "") for name in names}
    return {**stub, "WaitUntil": evaluation.get("WaitUntil")}


def evaluation_allocations(inside: Inside, request: Request, id_: str) -> Read:
    evaluation = inside.state.evaluations.get(id_)
    key = (evaluation["Namespace"], evaluation["JobID"]) if evaluation else ("", "")
    record = inside.state.jobs.get(key)
    found = [one for one in record.allocations.values() if one["EvalID"] == id_] if record else []
    return Read(listed(request, found), inside.state.index_of("allocs"))


def list_deployments(inside: Inside, request: Request) -> Read:
    found = [one for one in inside.state.deployments.values() if visible(one["Namespace"], request.namespace)]
    found.sort(key=lambda one: (one["CreateIndex"], one["ID"]))
    chosen, more = page(
        request,
        found,
        lambda one: f"{one['CreateIndex']}.{one['ID']}",
        start=lambda one, wanted: numbered(one) >= numbered(wanted),
    )
    return Read([shown_deployment(one) for one in chosen], inside.state.index_of("deployment"), more)


def read_deployment(inside: Inside, _: Request, id_: str) -> Read:
    by_uuid(id_, "deployment")
    found = inside.state.deployments.get(id_)
    if found is None:
        return Read(None, inside.state.index_of("deployment"), missing="deployment not found")
    return Read(shown_deployment(found), found["ModifyIndex"])


def deployment_allocations(inside: Inside, request: Request, id_: str) -> Read:
    deployment = inside.state.deployments.get(id_)
    record = inside.state.jobs.get((deployment["Namespace"], deployment["JobID"])) if deployment else None
    found = [one for one in record.allocations.values() if one.get("DeploymentID") == id_] if record else []
    return Read(listed(request, found), inside.state.index_of("allocs"))


def promote(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json()
    groups = None if body.get("All") else list(body.get("Groups") or ())
    return _of_deployment(inside, id_, lambda: inside.deployments.promote(id_, groups))


def fail(inside: Inside, _: Request, id_: str) -> Response:
    return _of_deployment(inside, id_, lambda: inside.deployments.fail(id_))


def pause(inside: Inside, request: Request, id_: str) -> Response:
    wanted = bool(request.json().get("Pause"))
    return _of_deployment(inside, id_, lambda: inside.deployments.pause(id_, wanted))


def _of_deployment(inside: Inside, id_: str, act: Any) -> Response:
    by_uuid(id_, "deployment")
    if id_ not in inside.state.deployments:
        raise Fault(404, "deployment not found")
    try:
        value = act()
    except Refused as refused:
        raise Fault(500, str(refused)) from refused
    return answer(value, index=value["Index"])
