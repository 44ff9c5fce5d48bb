"""Everything a Nomad server holds, its raft index, and the events that each write becomes.

Values in the tables are never changed in place: a write puts a new one. So an event can hold what was true when it
happened. Everything is written inside of a transaction, which is one raft index and at most one line of the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nomad_operator.embedded.derived import job_status, summary
from nomad_operator.embedded.events import Event
from nomad_operator.embedded.instant import at_or_none

Value = dict[str, Any]
Mapped = Mapping[str, Any]
Key = tuple[str, str]

# Only these messages derive statuses of jobs from their evaluations.
_DERIVING = frozenset({"JobRegistered", "JobDeregistered", "EvaluationUpdated", "AllocationUpdated"})


@dataclass(slots=True)
class JobRecord:
    """A job and what belongs to it. `versions` begin with the newest; a purge takes all of it away."""

    job: Value
    versions: list[Value] = field(default_factory=list)
    submissions: dict[int, Value] = field(default_factory=dict)
    allocations: dict[str, Value] = field(default_factory=dict)
    deployments: list[str] = field(default_factory=list)
    children: set[str] = field(default_factory=set)
    scalings: dict[str, list[Value]] = field(default_factory=dict)
    queued: dict[str, int] = field(default_factory=dict)
    summary: Value = field(default_factory=dict)


class State:
    """The tables. Reading is plain attribute access; writing goes through `write`."""

    def __init__(
        self, *, first_index: int, now: Callable[[], int], publish: Callable[[list[Event]], None], signing_key: str
    ) -> None:
        self.index = first_index
        self.now = now
        self.signing_key = signing_key
        self.jobs: dict[Key, JobRecord] = {}
        self.allocations: dict[str, Value] = {}
        self.deployments: dict[str, Value] = {}
        self.evaluations: dict[str, Value] = {}
        self.evaluations_of: dict[Key, dict[str, None]] = {}
        self.nodes: dict[str, Value] = {}
        self.namespaces: dict[str, Value] = {}
        self.variables: dict[Key, Value] = {}
        self.services: dict[str, Value] = {}
        self.indexes: dict[str, int] = {}
        self._publish = publish
        self._listeners: list[Callable[[Transaction], None]] = []

    def on_write(self, listener: Callable[[Transaction], None]) -> None:
        """Call it after every transaction, in the order in which they were added."""
        self._listeners.append(listener)

    @contextmanager
    def write(self, type_: str, *, same_index: bool = False) -> Iterator[Transaction]:
        """One transaction of a raft message type. `same_index`: part of the message before, in a line of its own."""
        if not same_index:
            self.index += 1
        transaction = Transaction(self, type_, self.index, self.now())
        yield transaction
        transaction.settle()
        if transaction.events:
            self._publish(transaction.events)
        for listener in self._listeners:
            listener(transaction)

    def index_of(self, *tables: str) -> int:
        """The newest index of these tables; 1 where nothing was ever written, as blocking queries need."""
        return max((self.indexes.get(table, 1) for table in tables), default=1)

    def latest_deployment(self, key: Key) -> Value | None:
        record = self.jobs.get(key)
        return self.deployments[record.deployments[-1]] if record and record.deployments else None


class Transaction:
    """The writes of one raft index. What it touched stays readable for those who listen."""

    def __init__(self, state: State, type_: str, index: int, now: int) -> None:
        self.state = state
        self.type = type_
        self.index = index
        self.now = now
        self.events: list[Event] = []
        self.allocations: list[str] = []
        self.deployments: list[str] = []
        self.nodes: list[str] = []
        self.variables: list[Key] = []
        self._statuses: dict[Key, None] = {}
        self._summaries: dict[Key, None] = {}

    def _emit(self, topic: str, key: str, namespace: str, filters: list[str] | None, payload: Value) -> None:
        self.events.append(Event(topic, self.type, key, namespace, filters, self.index, payload))

    def _touch(self, table: str) -> None:
        self.state.indexes[table] = self.index

    # Jobs

    def put_job(self, job: Value, *, new_version: bool = False) -> Value:
        """Store it, as a new version or in place of the current one; ModifyIndex becomes this index."""
        key = (job["Namespace"], job["ID"])
        job = {**job, "ModifyIndex": self.index}
        record = self.state.jobs.get(key)
        if record is None:
            record = self.state.jobs[key] = JobRecord(job)
            new_version = True
            if parent := self.state.jobs.get((job["Namespace"], job["ParentID"])):
                parent.children.add(job["ID"])
        if new_version:
            record.versions = _kept([job, *record.versions])
        else:
            record.versions = [job if one["Version"] == job["Version"] else one for one in record.versions]
        record.job = job
        self._touch("jobs")
        if self.type in _DERIVING:
            self._statuses[key] = None
        self._summaries[key] = None
        self._emit("Job", job["ID"], job["Namespace"], None, {"Job": job})
        return job

    def put_version(self, job: Value) -> None:
        """Change an older version where it stands. Not told on the stream."""
        record = self.state.jobs[(job["Namespace"], job["ID"])]
        record.versions = [job if one["Version"] == job["Version"] else one for one in record.versions]
        if record.job["Version"] == job["Version"]:
            record.job = job
        self._touch("jobs")

    def delete_job(self, key: Key) -> None:
        """Purge: all of it is gone at once but the evaluations."""
        record = self.state.jobs.pop(key)
        for allocation in record.allocations.values():
            self.state.allocations.pop(allocation["ID"], None)
            self.allocations.append(allocation["ID"])
        for deployment in record.deployments:
            self.state.deployments.pop(deployment, None)
        parent = self.state.jobs.get((key[0], record.job["ParentID"]))
        if parent is not None:
            parent.children.discard(key[1])
            self._summaries[(key[0], record.job["ParentID"])] = None
        for table in ("jobs", "allocs", "deployment", "job_summary"):
            self._touch(table)
        self._emit("Job", key[1], key[0], None, {"Job": record.job, "Deleted": True})

    # Evaluations, deployments, allocations

    def put_evaluation(self, evaluation: Value) -> Value:
        evaluation = {**evaluation, "ModifyIndex": self.index}
        if not evaluation.get("CreateIndex"):
            evaluation["CreateIndex"] = self.index
        key = (evaluation["Namespace"], evaluation["JobID"])
        self.state.evaluations[evaluation["ID"]] = evaluation
        self.state.evaluations_of.setdefault(key, {})[evaluation["ID"]] = None
        self._touch("evals")
        if self.type in _DERIVING:
            self._statuses[key] = None
        filters = [evaluation["JobID"], evaluation.get("DeploymentID", "")]
        payload = {"Evaluation": shown(evaluation)}
        self._emit("Evaluation", evaluation["ID"], evaluation["Namespace"], filters, payload)
        return evaluation

    def put_deployment(self, deployment: Value) -> Value:
        deployment = {**deployment, "ModifyIndex": self.index}
        if not deployment["CreateIndex"]:
            deployment["CreateIndex"] = self.index
        record = self.state.jobs.get((deployment["Namespace"], deployment["JobID"]))
        if record is not None and deployment["ID"] not in self.state.deployments:
            record.deployments.append(deployment["ID"])
        self.state.deployments[deployment["ID"]] = deployment
        self.deployments.append(deployment["ID"])
        self._touch("deployment")
        # One line tells a deployment once, as it is at its end.
        self.events = [one for one in self.events if one.topic != "Deployment" or one.key != deployment["ID"]]
        payload = {"Deployment": shown_deployment(deployment)}
        self._emit("Deployment", deployment["ID"], deployment["Namespace"], [deployment["JobID"]], payload)
        return deployment

    def put_allocation(self, allocation: Value, *, by_server: bool) -> Value:
        """`by_server`: AllocModifyIndex moves too."""
        allocation = {**allocation, "ModifyIndex": self.index, "ModifyTime": self.now}
        if by_server:
            allocation["AllocModifyIndex"] = self.index
        if not allocation.get("CreateIndex"):
            allocation |= {"CreateIndex": self.index, "CreateTime": self.now}
        key = (allocation["Namespace"], allocation["JobID"])
        self.state.allocations[allocation["ID"]] = allocation
        if key in self.state.jobs:
            self.state.jobs[key].allocations[allocation["ID"]] = allocation
        self.allocations.append(allocation["ID"])
        self._touch("allocs")
        if self.type in _DERIVING or self.type == "PlanResult":
            self._statuses[key] = None
        self._summaries[key] = None
        filters = [allocation["JobID"], allocation.get("DeploymentID", "")]
        payload = {"Allocation": shown({name: value for name, value in allocation.items() if name != "Job"})}
        self._emit("Allocation", allocation["ID"], allocation["Namespace"], filters, payload)
        return allocation

    # The rest

    def put_node(self, node: Value, *, id_: str) -> None:
        self.state.nodes[id_] = {**node, "ModifyIndex": self.index}
        self.nodes.append(id_)
        self._touch("nodes")
        self._emit("Node", id_, "", None, {"Node": self.state.nodes[id_]})

    def put_service(self, service: Value) -> None:
        service = {**service, "CreateIndex": self.index, "ModifyIndex": self.index}
        self.state.services[service["ID"]] = service
        self._tell_service(service)

    def delete_service(self, id_: str) -> None:
        self._tell_service(self.state.services.pop(id_))

    def _tell_service(self, service: Value) -> None:
        self._touch("services")
        filters = [service["JobID"], service["ServiceName"]]
        self._emit("Service", service["ID"], service["Namespace"], filters, {"Service": service})

    def put_namespace(self, namespace: Value) -> None:
        old = self.state.namespaces.get(namespace["Name"])
        created = old["CreateIndex"] if old else self.index
        self.state.namespaces[namespace["Name"]] = {**namespace, "CreateIndex": created, "ModifyIndex": self.index}
        self._touch("namespaces")

    def delete_namespace(self, name: str) -> None:
        del self.state.namespaces[name]
        self._touch("namespaces")

    def put_variable(self, key: Key, variable: Value) -> None:
        self.state.variables[key] = variable
        self._tell_variable(key, variable, deleted=False)

    def delete_variable(self, key: Key) -> None:
        variable = self.state.variables.pop(key, None)
        if variable is not None:
            self._tell_variable(key, variable, deleted=True)
        self._touch("variables")

    def _tell_variable(self, key: Key, variable: Value, *, deleted: bool) -> None:
        self.variables.append(key)
        self._touch("variables")
        metadata = {name: value for name, value in variable.items() if name != "Items"}
        self._emit("Variable", key[1], key[0], None, {"Metadata": metadata, "Deleted": deleted})

    def queued(self, key: Key, counts: Mapping[str, int]) -> None:
        """How many allocations of each group wait for room."""
        if (record := self.state.jobs.get(key)) and record.queued != counts:
            record.queued = dict(counts)
            self._summaries[key] = None

    # At the end

    def settle(self) -> None:
        """Derive what follows from the writes: statuses of jobs, and their summaries."""
        for key in list(self._statuses):
            record = self.state.jobs.get(key)
            if record is None:
                continue
            status = job_status(self.state, record)
            if status != record.job["Status"]:
                job = {**record.job, "Status": status, "ModifyIndex": self.index}
                record.job = job
                record.versions = [job if one["Version"] == job["Version"] else one for one in record.versions]
                self._touch("jobs")
                # The line tells a job once; its last state counts.
                self.events = [one for one in self.events if one.topic != "Job" or one.key != job["ID"]]
                self._emit("Job", job["ID"], job["Namespace"], None, {"Job": job})
                if job["ParentID"]:
                    self._summaries[(job["Namespace"], job["ParentID"])] = None
        for key in self._summaries:
            record = self.state.jobs.get(key)
            if record is not None:
                record.summary = summary(self.state, record, self.index)
                self._touch("job_summary")


def shown(value: Mapping[str, Any]) -> Value:
    """As Go leaves out empty fields of allocations and evaluations."""
    return {name: inner for name, inner in value.items() if inner not in (None, "", 0, {}, [], False)}


def shown_deployment(deployment: Mapped) -> Value:
    """As it is told: points in time as text."""
    groups = {
        name: {**group, "RequireProgressBy": at_or_none(group["RequireProgressBy"])}
        for name, group in deployment["TaskGroups"].items()
    }
    return {**deployment, "TaskGroups": groups}


def group_of(job: Mapping[str, Any], name: str) -> Value | None:
    return next((group for group in job["TaskGroups"] or () if group["Name"] == name), None)


def _kept(versions: Iterable[Value], limit: int = 6) -> list[Value]:
    """The newest six; a tagged one stays."""
    kept, plain = [], 0
    for version in versions:
        plain += version["VersionTag"] is None
        if version["VersionTag"] is not None or plain <= limit:
            kept.append(version)
    return kept
