"""The Nomad client: what the operator asks and tells Nomad, as values of `observers.running`.

Reads are complete or raise; writes are compare-and-set. How many requests a method makes stands in its docstring,
because that is what a resync of a thousand apps costs. Errors are those of `desired.errors`, by meaning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, Protocol

import requests

from desired.app import AppKey
from desired.errors import Forbidden, InvalidDesired, OperatorError, TransientError
from desired.state import HclSource, JobBody
from observers.evidence import NodeRoom, Usage
from observers.job_secrets import known_in_text
from observers.nomad import decode, diagnostics, endpoints, rooms
from observers.nomad.agent_answer import agent_of, lowest_server
from observers.nomad.answers import Json, Unintelligible, mapping, needed, number, sequence, text
from observers.nomad.calls import Answer, Call, Caller, Fence, Offload, OnRequest
from observers.nomad.connection import Connection
from observers.nomad.fleet import FleetReader
from observers.nomad.multierror import items
from observers.nomad.needs import has_native_checks, live, may_wait_for_room, runs_nowhere
from observers.nomad.plan_answer import plan as plan_of
from observers.redaction import Placeholders, Redactor
from observers.running import (
    Agent,
    Allocation,
    Check,
    Deployment,
    Fleet,
    Node,
    PlacementFailure,
    Plan,
    Registration,
    Running,
    RunningJob,
)

# Nomad has deployments for these alone, so only they are asked for one. Source: nomad/structs/job.go, CHANGELOG 1.11.
_DEPLOYED = frozenset({"service", "system"})
# More are not asked one by one for their attributes.
_MOST_NODES = 50
_NO_JOB = (r"job not found",)
_NO_LOGS = (
    r'task ".*" not started yet\. No logs available',
    r"Unknown allocation .*",
    r"state for allocation .* not found.*",
)
_NO_CHECKS = (r"Unknown allocation .*", r"(alloc|allocation) not found", r"state for allocation .* not found.*")


class Submission(Protocol):
    """What a person wrote, to be kept beside the job. `format` is hcl2 or json."""

    @property
    def source(self) -> str: ...

    @property
    def format(self) -> str: ...

    @property
    def variables(self) -> str: ...

    @property
    def variable_flags(self) -> tuple[tuple[str, str], ...]: ...


class NomadClient:
    """One client for one Nomad; safe to use from many tasks of one event loop. `aclose` it at the end."""

    def __init__(
        self,
        *,
        connection: Connection,
        namespaces: Collection[str] = ("*",),
        on_request: OnRequest | None = None,
        session: requests.Session | None = None,
        offload: Offload | None = None,
        fence: Fence | None = None,
    ) -> None:
        """`namespaces` are those that `fleet` lists (`*`: all that the token may list).

        `on_request` is called in a worker thread for every request, with the endpoint's template (never an id), the
        method, the status (0: no answer) and the seconds. `session` and `offload` replace the network and the threads.
        `fence` is asked before each write, in its thread, and raises what forbids it.
        """
        self._namespace = connection.namespace
        self._call = Caller(connection=connection, on_request=on_request, session=session, offload=offload, fence=fence)
        self._fleet = FleetReader(call=self._call, namespaces=namespaces)

    async def aclose(self) -> None:
        await self._call.aclose()

    # What is wanted

    async def parse(self, source: HclSource) -> JobBody:
        """The job as Nomad's own parser reads it, not completed. One request.

        Raises InvalidDesired with every problem it tells, relative to the text and named `input.hcl`.
        """
        body = {"JobHCL": source.text, "Variables": source.variables, "Canonicalize": False}
        call = Call(
            endpoint=endpoints.JOBS_PARSE,
            what="parse a job file",
            arguments=("parse",),
            parameters={"namespace": self._namespace},
            body=body,
            refused=partial(_hcl_refused, source),
        )
        return await self._call.needed(call, _job_body)

    async def validate(self, body: JobBody) -> tuple[tuple[str, ...], str]:
        """Every mistake that Nomad finds, flattened, and its warnings. One request.

        What a task's driver is told (`config`) is not looked at by any Nomad.
        """
        key = decode.key_of(body)
        call = Call(
            endpoint=endpoints.VALIDATE,
            what=f"validate {key}",
            arguments=("job",),
            parameters={"namespace": key.namespace},
            body={"Job": body},
        )
        return await self._call.needed(call, _validation)

    async def plan(self, key: AppKey, body: JobBody) -> Plan:
        """Nomad's dry run against what is there now. One request; changes nothing."""
        call = Call(
            endpoint=endpoints.PLAN,
            what=f"plan {key}",
            arguments=(key.name, "plan"),
            parameters={"namespace": key.namespace},
            body={"Job": body, "Diff": True},
        )
        return await self._call.needed(call, lambda answer: plan_of(mapping(answer.body, "the plan")))

    async def register(self, body: JobBody, *, index: int, submission: Submission | None) -> Registration:
        """Register the job if its JobModifyIndex is still `index` (0: it does not exist). One request.

        Raises Conflict if it is not. After DeadlineExceeded and some Unavailable it may have happened: read first.
        """
        key = decode.key_of(body)
        request = {"Job": body, "EnforceIndex": True, "JobModifyIndex": index}
        if submission is not None:
            request["Submission"] = {
                "Source": submission.source,
                "Format": submission.format,
                "Variables": submission.variables,
                "VariableFlags": dict(submission.variable_flags),
            }
        call = Call(
            endpoint=endpoints.REGISTER,
            what=f"register {key} on index {index}",
            parameters={"namespace": key.namespace},
            body=request,
        )
        return await self._call.needed(call, _registration)

    async def stop(self, key: AppKey, *, purge: bool = False) -> str:
        """Stop the job; the evaluation's id, empty if there was no such job. One request.

        Nomad has no compare-and-set here, and each call makes a new version: read before.
        """
        parameters = {"namespace": key.namespace} | ({"purge": "true"} if purge else {})
        call = Call(endpoint=endpoints.STOP, what=f"stop {key}", arguments=(key.name,), parameters=parameters)
        return await self._call.needed(call, lambda answer: text(mapping(answer.body, "the answer"), "EvalID"))

    async def revive(self, key: AppKey) -> str:
        """Have failed allocations placed anew that Nomad would try no more; the id of the evaluation. One request.

        Repeating it is safe: what was replaced is not replaced again. Nothing happens to a group whose reschedule
        policy allows no attempt, nor to what a failed deployment of the job's newest version has placed.
        Source: nomad/job_endpoint.go Evaluate; measured on Nomad 2.0.5.
        """
        call = Call(
            endpoint=endpoints.EVALUATE,
            what=f"have {key} placed anew",
            arguments=(key.name, "evaluate"),
            parameters={"namespace": key.namespace},
            body={"JobID": key.name, "Namespace": key.namespace, "EvalOptions": {"ForceReschedule": True}},
        )
        return await self._call.needed(call, lambda answer: text(mapping(answer.body, "the answer"), "EvalID"))

    # What is

    async def running(self, key: AppKey, *, checks: bool = False) -> Running:
        """Everything a pass looks at. One request if the job does not exist, else two or three, then one more.

        The job; beside each other its allocations and, for service and system jobs, its deployment; its evaluations
        only if allocations are missing that should be there. With `checks`, one more for each live allocation if the
        job has native checks; they stay None if a client does not answer. The parts are of slightly different times.
        """
        job = await self.job(key)
        if job is None:
            return Running(key, None, checks=() if checks else None)
        allocations, deployment = await asyncio.gather(self.allocations(key), self._deployment(job))
        placement: dict[str, PlacementFailure] = {}
        if may_wait_for_room(job, allocations, deployment):
            placement = await self._placement(job, allocations)
        results = await self._checks_of(job, allocations) if checks else None
        return Running(key, job, allocations, deployment, placement, results)

    async def job(self, key: AppKey) -> RunningJob | None:
        """The job as the server holds it, None if Nomad says that it does not exist. One request."""
        call = self._of_job(endpoints.JOB, "read", key, absent=_NO_JOB)
        return await self._call(call, lambda answer: decode.job(mapping(answer.body, "the job")))

    async def allocations(self, key: AppKey) -> tuple[Allocation, ...]:
        """The job's allocations with their task states, newest first. One request."""
        call = self._of_job(endpoints.ALLOCATIONS, "read the allocations of", key)
        return await self._call.needed(call, lambda answer: decode.allocations(sequence(answer.body, "the list")))

    async def _deployment(self, job: RunningJob) -> Deployment | None:
        if job.type not in _DEPLOYED or job.periodic or job.parameterized:
            return None
        call = self._of_job(endpoints.DEPLOYMENT, "read the deployment of", job.key)
        return await self._call(call, lambda answer: decode.deployment(mapping(answer.body, "the deployment")))

    async def deployments(self, key: AppKey) -> tuple[Deployment, ...]:
        """All that Nomad still holds of the job: it forgets those that ended after an hour. One request."""
        call = self._of_job(endpoints.DEPLOYMENTS, "read the deployments of", key)
        return await self._call.needed(call, lambda answer: decode.deployments(sequence(answer.body, "the list")))

    async def _placement(self, job: RunningJob, allocations: Sequence[Allocation]) -> dict[str, PlacementFailure]:
        call = self._of_job(endpoints.EVALUATIONS, "read the evaluations of", job.key)
        return await self._call.needed(call, partial(_placement, job, runs_nowhere(job, allocations)))

    def _of_job(self, endpoint: endpoints.Endpoint, verb: str, key: AppKey, *, absent: tuple[str, ...] = ()) -> Call:
        part = endpoint.template.removeprefix("job").removeprefix("/")
        arguments = (key.name, part) if part else (key.name,)
        return Call(
            endpoint=endpoint,
            what=f"{verb} {key}",
            arguments=arguments,
            parameters={"namespace": key.namespace},
            absent=absent,
        )

    async def _checks_of(self, job: RunningJob, allocations: Sequence[Allocation]) -> tuple[Check, ...] | None:
        if not has_native_checks(job.body):
            return ()
        try:
            return await self.checks([one.id for one in allocations if live(one)], namespace=job.key.namespace)
        except TransientError:
            # A client that does not answer must not hide all else: what is not known is None, and never success.
            return None

    async def checks(self, allocations: Collection[str], *, namespace: str = "*") -> tuple[Check, ...]:
        """Results of native checks; an allocation that its client has forgotten has none. One request for each."""
        found = await asyncio.gather(*(self._checks(allocation, namespace) for allocation in allocations))
        return tuple(check for results in found for check in results)

    async def _checks(self, allocation: str, namespace: str) -> tuple[Check, ...]:
        call = Call(
            endpoint=endpoints.CHECKS,
            what=f"read the checks of allocation {allocation}",
            arguments=(allocation, "checks"),
            parameters={"namespace": namespace},
            absent=_NO_CHECKS,
        )
        read = await self._call(call, lambda answer: decode.checks(allocation, mapping(answer.body, "the checks")))
        return read or ()

    async def logs(
        self,
        allocation: str,
        task: str,
        kind: Literal["stdout", "stderr"],
        *,
        limit: int = 20_000,
        namespace: str = "*",
    ) -> str | None:
        """The last `limit` bytes that a task wrote; None if there are none to be had (not started, collected).

        One request.
        """
        call = Call(
            endpoint=endpoints.LOGS,
            what=f"read the {kind} of {task} in allocation {allocation}",
            arguments=(allocation,),
            parameters={
                "namespace": namespace,
                "task": task,
                "type": kind,
                "plain": "true",
                "origin": "end",
                "offset": str(limit),
                "follow": "false",
            },
            absent=_NO_LOGS,
            as_text=True,
        )
        return await self._call(call, lambda answer: str(answer.body))

    async def fleet(self, keys: Collection[AppKey]) -> Fleet:
        """Every job of the watched namespaces, with the health of those in `keys`. Two requests however many there are.

        Three where a namespace of `keys` shows no job at all: then it is asked whether it may be listed.
        """
        return await self._fleet.read(keys)

    # Who answers

    async def leader(self) -> str:
        """The address of the server that leads. One request, the least that can be asked: it takes no token."""
        call = Call(endpoint=endpoints.LEADER, what="ask who leads", arguments=("leader",))
        return await self._call.needed(call, lambda answer: str(answer.body))

    async def agent(self) -> Agent:
        """Who answers. One request, two where the token may not read the agent; `version` is empty if neither tells.

        Without agent:read the oldest living server of the members counts, which takes node:read.
        """
        own = Call(endpoint=endpoints.AGENT_SELF, what="read the agent", arguments=("self",))
        try:
            return await self._call.needed(own, lambda answer: agent_of(mapping(answer.body, "the agent")))
        except Forbidden:
            pass
        members = Call(endpoint=endpoints.AGENT_MEMBERS, what="read the servers", arguments=("members",))
        try:
            return await self._call.needed(members, lambda answer: lowest_server(mapping(answer.body, "the servers")))
        except Forbidden:
            return Agent(version="", region="", acl_enabled=True)

    async def nodes(self) -> tuple[Node, ...]:
        """Every node, by name. One request; the token needs node:read."""
        call = Call(endpoint=endpoints.NODES, what="list the nodes")
        return await self._call.needed(call, lambda answer: decode.nodes(sequence(answer.body, "the nodes")))

    async def rooms(self) -> tuple[NodeRoom, ...]:
        """Every node with what is left on it, its attributes and meta, by name. Two requests and one for each of the
        first 50 nodes; the token needs node:read, and read-job in every namespace to know what is taken."""
        listed = Call(endpoint=endpoints.NODES, what="list the nodes", parameters={"resources": "true"})
        taken = Call(
            endpoint=endpoints.ALL_ALLOCATIONS,
            what="list the allocations",
            parameters={"resources": "true", "task_states": "false", "namespace": "*"},
        )
        nodes, used = await asyncio.gather(
            self._call.needed(listed, lambda answer: sequence(answer.body, "the nodes")),
            self._call.needed(taken, lambda answer: rooms.taken(sequence(answer.body, "the allocations"))),
        )
        found = [mapping(node, "a node") for node in nodes]
        details = await asyncio.gather(*(self._node(text(node, "ID")) for node in found[:_MOST_NODES]))
        details += [None] * (len(found) - len(details))
        read = [rooms.room(node, detail or {}, used) for node, detail in zip(found, details, strict=True)]
        return tuple(sorted(read, key=lambda one: (one.node.name, one.node.id)))

    async def _node(self, node: str) -> Json | None:
        call = Call(endpoint=endpoints.NODE, what=f"read node {node}", arguments=(node,), absent=(r"node not found",))
        return await self._call(call, lambda answer: mapping(answer.body, "the node"))

    async def node_pools(self) -> tuple[str, ...]:
        """The names of the node pools that the token may see, without the one that holds every node. One request."""
        call = Call(endpoint=endpoints.NODE_POOLS, what="list the node pools", arguments=("pools",))
        names = await self._call.needed(
            call, lambda answer: [needed(mapping(one, "a pool"), "Name") for one in sequence(answer.body, "the pools")]
        )
        return tuple(sorted(set(names) - {"all"}))

    async def usage(self, allocation: str, *, namespace: str = "*") -> Mapping[str, Usage]:
        """What the tasks of a running allocation use, by task; empty where its client does not know. One request."""
        call = Call(
            endpoint=endpoints.STATS,
            what=f"read what allocation {allocation} uses",
            arguments=(allocation, "stats"),
            parameters={"namespace": namespace},
            absent=_NO_CHECKS,
        )
        return await self._call(call, lambda answer: rooms.usage(mapping(answer.body, "the usage"))) or {}

    async def variable_paths(self, namespace: str) -> tuple[str, ...]:
        """Where Nomad variables of a namespace are, never what is in them. One request."""
        call = Call(endpoint=endpoints.VARIABLES, what="list the variables", parameters={"namespace": namespace})
        return await self._call.needed(
            call,
            lambda answer: tuple(
                sorted(needed(mapping(one, "a variable"), "Path") for one in sequence(answer.body, "the list"))
            ),
        )

    async def variable_keys(self, namespace: str, path: str) -> tuple[str, ...] | None:
        """The names of the keys in a variable; its values are dropped where they are decoded. None where there is none.

        One request.
        """
        call = Call(
            endpoint=endpoints.VARIABLE,
            what=f"read the names in variable {path}",
            arguments=tuple(path.split("/")),
            parameters={"namespace": namespace},
            absent=(r"variable not found",),
        )
        return await self._call(
            call, lambda answer: tuple(sorted(mapping(mapping(answer.body, "it").get("Items"), "Items")))
        )

    async def service_names(self, namespace: str) -> tuple[str, ...]:
        """Services of Nomad's own catalog in a namespace, sorted. One request; a server without one is Unsupported."""
        call = Call(endpoint=endpoints.SERVICES, what="list the services", parameters={"namespace": namespace})
        return await self._call.needed(
            call,
            lambda answer: tuple(
                sorted(
                    needed(mapping(one, "a service"), "ServiceName")
                    for group in sequence(answer.body, "the services")
                    for one in sequence(mapping(group, "a namespace").get("Services"), "its services")
                )
            ),
        )

    async def namespaces(self) -> tuple[str, ...]:
        """The namespaces that the token may see, sorted. One request."""
        call = Call(endpoint=endpoints.NAMESPACES, what="list the namespaces")
        return await self._call.needed(call, lambda answer: decode.names(sequence(answer.body, "the namespaces")))


def _hcl_refused(source: HclSource, status: int, said: str) -> OperatorError | None:
    """Nomad quotes what it cannot read; the job is not known yet, so its file is searched for secrets."""
    found = diagnostics.problems(said) if status == 400 else ()
    if not found:
        return None
    known = known_in_text(source.text) | known_in_text(source.variables)
    hide = Redactor(known=known, placeholders=Placeholders()).redact
    return InvalidDesired(tuple(replace(one, message=hide(one.message)) for one in found))


def _job_body(answer: Answer) -> JobBody:
    body = mapping(answer.body, "the job")
    if not body:
        raise Unintelligible("the job is empty")
    return body


def _validation(answer: Answer) -> tuple[tuple[str, ...], str]:
    body = mapping(answer.body, "the answer")
    errors = text(body, "Error")
    return (items(errors) if errors else ()), text(body, "Warnings")


def _registration(answer: Answer) -> Registration:
    body = mapping(answer.body, "the answer")
    if "JobModifyIndex" not in body:
        raise Unintelligible("JobModifyIndex is missing")
    return Registration(text(body, "EvalID"), text(body, "Warnings"), number(body, "JobModifyIndex"))


def _placement(job: RunningJob, nowhere: bool, answer: Answer) -> dict[str, PlacementFailure]:
    """What an evaluation said before this version was registered is over: Nomad has not looked at it since."""
    found = [decode.evaluation(mapping(one, "an evaluation")) for one in sequence(answer.body, "the evaluations")]
    found = [one for one in found if one.create_index >= job.job_modify_index]
    return decode.waiting_placements(found) or (decode.last_failures(found) if nowhere else {})
