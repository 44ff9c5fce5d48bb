"""The API of variables and their locks."""

from __future__ import annotations

from typing import Any

from nomad_operator.embedded.api import Inside, Read, page, visible
from nomad_operator.embedded.messages import Fault, Request, Response, answer
from nomad_operator.embedded.variables import VariableRefused


def list_variables(inside: Inside, request: Request) -> Read:
    prefix = request.one("prefix") or ""
    found = [
        {name: value for name, value in one.items() if name != "Items"}
        for (namespace, path), one in sorted(inside.state.variables.items())
        if visible(namespace, request.namespace) and path.startswith(prefix)
    ]
    chosen, more = page(
        request, found, lambda one: f"{one['Namespace']}.{one['Path']}", start=lambda one, wanted: one >= wanted
    )
    return Read(chosen, inside.state.index_of("variables"), more)


def read_variable(inside: Inside, request: Request, id_: str) -> Read:
    if not id_:
        raise Fault(400, "missing variable path")
    found = inside.state.variables.get((request.namespace, id_))
    if found is None:
        return Read(None, inside.state.index_of("variables"), missing="variable not found")
    return Read(found, found["ModifyIndex"])


_LOCKS = ("lock-acquire", "lock-renew", "lock-release")


def put_variable(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json()
    operations = [name for name in _LOCKS if name in request.query]
    cas = _cas(request)
    if operations and cas is not None:
        raise Fault(400, "CAS can't be used with lock operations")
    if len(operations) > 1:
        raise Fault(400, "multiple lock operations")
    # A renewal takes its namespace from the query alone.
    named = body.get("Namespace") if operations != ["lock-renew"] else None
    key = (request.one("namespace") or named or "default", id_)
    act: Any = {
        "lock-acquire": inside.variables.acquire,
        "lock-renew": inside.variables.renew,
        "lock-release": inside.variables.release,
    }.get(operations[0] if operations else "")
    try:
        value = act(key, body) if act else inside.variables.put(key, body, cas=cas)
    except VariableRefused as refused:
        return _refused(refused, operations)
    return answer(value, index=None if operations == ["lock-renew"] else inside.state.index)


def delete_variable(inside: Inside, request: Request, id_: str) -> Response:
    body = request.json() if request.body else {}
    try:
        inside.variables.delete((request.namespace, id_), body, cas=_cas(request))
    except VariableRefused as refused:
        return _refused(refused, [])
    return Response(204, b"", "", {"X-Nomad-Index": str(inside.state.index)})


def _cas(request: Request) -> int | None:
    given = request.one("cas")
    if given is None:
        return None
    if not given.isdigit():
        raise Fault(400, f'can not parse "cas" value: {given}')
    return int(given)


def _refused(refused: VariableRefused, operations: list[str]) -> Response:
    if isinstance(refused.body, str):
        told = refused.body.startswith("RPC Error") or operations == ["lock-release"]
        raise Fault(refused.status, refused.body, index=0 if told else None)
    response = answer(refused.body)
    index = refused.body["ModifyIndex"]
    headers = {} if operations else {"X-Nomad-Index": str(index)}
    return Response(refused.status, response.body, "", headers)
